"""What the consumer's other rooms agree on: a record as it was read, and the handlers of events."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.codec import Received
from shared.contracts.event import Event
from shared.db import Connection

Handler = Callable[[Connection, Sequence[Any]], Awaitable[None]]
"""Gets a batch's consecutive run of the events that it handles, in order; one is a run of one."""

Handlers = Mapping[type[Event], Handler]


@dataclass(frozen=True, slots=True)
class Read:
    """One record: what it decoded to, or why it did not."""

    record: Any
    received: Received | None
    fault: str = ""
