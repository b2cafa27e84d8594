"""[employer, employee] fen, whatever names them."""

from typing import NamedTuple

from tests.support.invariants.facts import AuthorityRecord, Line, ReceivedLine, SubmittedLine


class Fen(NamedTuple):
    """[employer, employee] fen."""

    employer: int
    employee: int


def fen_of(line: Line | SubmittedLine | ReceivedLine | AuthorityRecord) -> Fen:
    return Fen(line.employer_fen, line.employee_fen)
