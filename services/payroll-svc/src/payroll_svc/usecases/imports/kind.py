"""What every kind of file has in common with the others, as one record of functions."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payroll_svc.domain.faults import Fault
from payroll_svc.domain.imports import Effect, Import, Upload
from shared.db import Connection

States = Mapping[str, Mapping[str, Any] | None]
"""The state of things by key, None where there is none."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of file is taken in; its rows are of a class of its own.

    `staged` reads the rows that wait, `contents` makes them JSON; `faults` holds them against what
    is stored, `effects` says what each would change and who is missing. `write` brings the things
    of the given effects to their `after`, and tells it with the reason of a correction; `states`
    says how they stand now; `fixed` why they may not be undone.
    """

    staged: Callable[[Connection, str], Awaitable[list[Any]]]
    contents: Callable[[Sequence[Any]], list[dict[str, Any]]]
    row_of: Callable[[Any], int]
    faults: Callable[[Connection, Upload, Sequence[Any]], Awaitable[list[Fault]]]
    effects: Callable[[Connection, Upload, Sequence[Any]], Awaitable[list[Effect]]]
    states: Callable[[Connection, Sequence[Effect]], Awaitable[States]]
    write: Callable[[Connection, Upload, Sequence[Effect], str, datetime], Awaitable[None]]
    fixed: Callable[[Connection, Import, Sequence[Effect]], Awaitable[list[str]]]
