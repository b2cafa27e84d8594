"""Whether and when a message is sent again."""

import re
from datetime import datetime, timedelta
from enum import StrEnum

WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
"""After each failed try, in business time: a mail server that is down for a night loses nothing."""


class Sent(StrEnum):
    """What one try came to.

    `UNKNOWN`: the connection broke after the message was on its way. A mail server has no way to
    ask, so it is not sent again: a person decides.
    """

    DELIVERED = "delivered"
    REFUSED = "refused"
    NOT_NOW = "not_now"
    UNKNOWN = "unknown"


def without_address(words: str, address: str) -> str:
    """A mail server's words without the address that it likes to repeat: they are kept and told."""
    local = address.partition("@")[0]
    for part in (address, local):
        words = re.sub(re.escape(part), "***", words, flags=re.IGNORECASE)
    return words


def next_try(tries: int, now: datetime) -> datetime | None:
    """When to try again after `tries` tries that could not be made; None when there were enough."""
    return now + WAITS[tries - 1] if tries <= len(WAITS) else None
