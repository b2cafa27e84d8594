"""The Kafka door's machinery: batches, inbox, parking by key, dead letters, and the loop that
drives them.
"""

from shared.consumer.apply import Outcome, apply_batch
from shared.consumer.loop import Consumer, ConsumerStuck
from shared.consumer.outage import is_outage
from shared.consumer.parked import (
    DeadLetterUnknown,
    ParkedEvent,
    ParkedKey,
    drop_key,
    parked_events,
    parked_keys,
    replay_key,
)
from shared.consumer.read import Handler, Handlers

__all__ = [
    "Consumer",
    "ConsumerStuck",
    "DeadLetterUnknown",
    "Handler",
    "Handlers",
    "Outcome",
    "ParkedEvent",
    "ParkedKey",
    "apply_batch",
    "drop_key",
    "is_outage",
    "parked_events",
    "parked_keys",
    "replay_key",
]
