"""The outbox: events leave in the transaction that made them true, and one relay publishes them in
order.
"""

from shared.outbox.relay import Relay
from shared.outbox.told import (
    Told,
    add,
    bury,
    forget,
    forget_keys,
    oldest_age,
    replay,
    take_back,
    unsent,
)

__all__ = [
    "Relay",
    "Told",
    "add",
    "bury",
    "forget",
    "forget_keys",
    "oldest_age",
    "replay",
    "take_back",
    "unsent",
]
