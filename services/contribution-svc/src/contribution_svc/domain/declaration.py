"""申报: what one account declares for a levy period: who is in, sums to the fen, and the hash that
names it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.lines import Line, LineState
from shared.values import Insurance


@dataclass(frozen=True, slots=True)
class Member:
    """One employee's assessment as it stands: its version and lines, and whether it was made while
    facts about the employee were parked.
    """

    employee_id: str
    version: int
    lines: Sequence[Line]
    facts_parked: bool = False

    def is_due(self) -> bool:
        return any(line.state is LineState.DUE for line in self.lines)


@dataclass(frozen=True, slots=True)
class Supplement:
    """What a supplementary declaration carries of one employee, and the version of the assessment
    that tells it.
    """

    employee_id: str
    version: int
    lines: Sequence[SupplementLine]


@dataclass(frozen=True, slots=True)
class Sums:
    """What is declared: people with a due line, fen per insurance (employer, employee), total, and
    the hash.
    """

    people: int
    by_insurance: Mapping[Insurance, tuple[int, int]]
    total_fen: int
    lines_hash: str


def declare(members: Iterable[Member]) -> Sums:
    """The sums over everyone who has a due line; exempt and blocked lines count nowhere."""
    due = [member for member in members if member.is_due()]
    return _sums(
        ((member.employee_id, member.version) for member in due),
        (line for member in due for line in member.lines if line.state is LineState.DUE),
    )


def declare_supplements(carried: Iterable[Supplement]) -> Sums:
    """The same over what a supplementary declaration carries."""
    found = list(carried)
    return _sums(
        ((one.employee_id, one.version) for one in found),
        (line for one in found for line in one.lines),
    )


def _sums(versions: Iterable[tuple[str, int]], lines: Iterable[Line | SupplementLine]) -> Sums:
    people = list(versions)
    sums: dict[Insurance, tuple[int, int]] = {}
    for line in lines:
        employer_fen, employee_fen = sums.get(line.insurance, (0, 0))
        sums[line.insurance] = (employer_fen + line.employer_fen, employee_fen + line.employee_fen)
    return Sums(
        people=len(people),
        by_insurance=sums,
        total_fen=sum(employer + employee for employer, employee in sums.values()),
        lines_hash=lines_hash(people),
    )


def lines_hash(versions: Iterable[tuple[str, int]]) -> str:
    """sha256 hex over the sorted `employee_id:version` lines, joined by newline."""
    text = "\n".join(sorted(f"{employee_id}:{version}" for employee_id, version in versions))
    return hashlib.sha256(text.encode()).hexdigest()


def blocked_reasons(lines: Sequence[Line]) -> tuple[str, ...]:
    """Why lines of an employee are blocked, each reason once, in the order of the lines."""
    return tuple(dict.fromkeys(line.reason for line in lines if line.state is LineState.BLOCKED))
