"""The Kafka door's machinery: batches, inbox, parking by key, dead letters, and the loop that
drives them.
"""

from shared.consumer.alarm import Alarm
from shared.consumer.apply import Outcome, apply_batch, catch_up
from shared.consumer.dead_letters import (
    DeadLetterUnknown,
    Drop,
    ParkedEvent,
    ParkedKey,
    Replay,
    drop_key,
    parked_events,
    parked_keys,
    replay_key,
)
from shared.consumer.lenient import read_leniently
from shared.consumer.loop import Consumer, ConsumerStuck
from shared.consumer.outage import is_outage
from shared.consumer.read import Handler, Handlers
from shared.consumer.whole import GroupRuns, Whole, await_no_member, commit_ends, read_whole

__all__ = [
    "Alarm",
    "Consumer",
    "ConsumerStuck",
    "DeadLetterUnknown",
    "Drop",
    "GroupRuns",
    "Handler",
    "Handlers",
    "Outcome",
    "ParkedEvent",
    "ParkedKey",
    "Replay",
    "Whole",
    "apply_batch",
    "await_no_member",
    "catch_up",
    "commit_ends",
    "drop_key",
    "is_outage",
    "parked_events",
    "parked_keys",
    "read_leniently",
    "read_whole",
    "replay_key",
]
