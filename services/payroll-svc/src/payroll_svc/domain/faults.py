"""What is wrong in a file that a person sent, row by row, in words that they can act on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

REPORTED_FAULTS = 1_000
"""How many faults one answer lists; all are counted. More would not be read, and must not be
stored.
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the row as a spreadsheet numbers it (0: the file itself), and the
    column's header.

    `value` is already masked; `reason` says what was expected and `todo` what to do, both in
    Chinese.
    """

    row: int
    column: str
    value: str
    reason: str
    todo: str


@dataclass(frozen=True, slots=True)
class Report:
    """All faults counted, the first of them (in the order of rows) listed."""

    count: int
    listed: tuple[Fault, ...]
    rows: frozenset[int]


def report(faults: Iterable[Fault]) -> Report:
    """Faults in the order of rows, cut to REPORTED_FAULTS; `rows` names every row that has one."""
    ordered: Sequence[Fault] = sorted(faults, key=lambda fault: fault.row)
    return Report(
        count=len(ordered),
        listed=tuple(ordered[:REPORTED_FAULTS]),
        rows=frozenset(fault.row for fault in ordered if fault.row),
    )
