"""[employer, employee] fen, whatever names them."""

from collections.abc import Hashable, Iterable
from typing import NamedTuple, TypeVar

from tests.support.invariants.facts import AuthorityRecord, Line, ReceivedLine, SubmittedLine


class Fen(NamedTuple):
    """[employer, employee] fen."""

    employer: int
    employee: int


KeyT = TypeVar("KeyT", bound=Hashable)


def added(amounts: Iterable[tuple[KeyT, Fen]]) -> dict[KeyT, Fen]:
    """The sums by key: a cell's lines of all kinds add up."""
    sums: dict[KeyT, Fen] = {}
    for key, fen in amounts:
        before = sums.get(key, Fen(0, 0))
        sums[key] = Fen(before.employer + fen.employer, before.employee + fen.employee)
    return sums


def fen_of(line: Line | SubmittedLine | ReceivedLine | AuthorityRecord) -> Fen:
    return Fen(line.employer_fen, line.employee_fen)
