"""One employee's month as a whole: facts fold into its sides, and its cells are judged together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from reconciliation_svc.domain.roster import Policy
from reconciliation_svc.domain.sides import (
    AssessedSide,
    BureauSide,
    CellSides,
    Month,
    PostedSide,
    RosterSide,
    WithheldSide,
)
from reconciliation_svc.domain.verdict import TERMINAL, Verdict, judge
from reconciliation_svc.domain.windows import Authority, Calendar, Days, Windows, windows_of
from shared.values import ANOMALIES, Insurance, LevyPeriod, Outcome

SideName = Literal["roster", "assessed", "posted", "bureau", "withheld"]
Side = RosterSide | AssessedSide | PostedSide | BureauSide | WithheldSide
SIDES: tuple[SideName, ...] = ("roster", "assessed", "posted", "bureau", "withheld")
MonthKey = tuple[str, LevyPeriod]
"""(employee_id, levy period)"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One side of one employee's month, as one version of its aggregate tells it."""

    employer_id: str
    employee_id: str
    levy_period: LevyPeriod
    name: SideName
    version: int
    side: Side

    @property
    def key(self) -> MonthKey:
        return self.employee_id, self.levy_period


@dataclass(frozen=True, slots=True)
class Folded:
    """The newest version of each side that a batch brought for one month."""

    employer_id: str
    newest: dict[SideName, tuple[int, Side]] = field(default_factory=dict)


def fold(arrivals: Iterable[Arrival]) -> dict[MonthKey, Folded]:
    """Newest version per side wins; order and repetition vanish here."""
    months: dict[MonthKey, Folded] = {}
    for arrival in arrivals:
        month = months.setdefault(arrival.key, Folded(arrival.employer_id))
        held = month.newest.get(arrival.name)
        if held is None or arrival.version > held[0]:
            month.newest[arrival.name] = (arrival.version, arrival.side)
    return months


@dataclass(frozen=True, slots=True)
class References:
    """What months are judged against, as it is known now; all keyed by their ids.

    An employer that is not known has no cut-over yet: its months are judged, and raise nothing.
    `waiting` names the sides of a month of which something newer could not be taken in.
    """

    policies: Mapping[str, Policy]
    authorities: Mapping[str, Authority]
    cut_overs: Mapping[str, LevyPeriod]
    calendar: Calendar
    waiting: Mapping[MonthKey, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """A month's cells with their verdicts, and when time alone can change one of them."""

    month: Month
    verdicts: tuple[Verdict, ...]
    next_due_at: datetime | None

    @property
    def is_settled(self) -> bool:
        return all(verdict.outcome in TERMINAL for verdict in self.verdicts)

    def anomalies(self) -> dict[Outcome, list[Verdict]]:
        """The cells of each anomalous outcome, in the insurances' order."""
        found: dict[Outcome, list[Verdict]] = {}
        for verdict in self.verdicts:
            if verdict.outcome in ANOMALIES:
                found.setdefault(verdict.outcome, []).append(verdict)
        return found


def judge_month(month: Month, references: References, now: datetime) -> Judged:
    """Every cell of the month judged at `now`. A pure function of sides, references and time."""
    waiting = references.waiting.get((month.employee_id, month.levy_period), frozenset())
    verdicts = tuple(_judged(month, cell, references, now) for cell in month.cells(waiting))
    dues = [verdict.next_due_at for verdict in verdicts if verdict.next_due_at is not None]
    return Judged(month, verdicts, min(dues, default=None))


def _judged(month: Month, cell: CellSides, references: References, now: datetime) -> Verdict:
    authority = references.authorities.get(cell.authority, Authority(cell.authority))
    return judge(cell, cell_windows(month, cell, references, authority), authority, now)


def cell_windows(
    month: Month, cell: CellSides, references: References, authority: Authority
) -> Windows:
    """The windows of one of the month's cells."""
    policy = references.policies.get(month.city)
    return windows_of(
        cell,
        month.levy_period,
        month.assessed,
        Days(policy.filing_day, policy.debit_day, policy.months_after) if policy else None,
        authority,
        references.calendar,
        references.cut_overs.get(month.employer_id),
    )


def outcome_of(verdicts: Iterable[Verdict], insurance: Insurance) -> Outcome:
    """What the insurance is now; not required where its cell has vanished from the roster."""
    for verdict in verdicts:
        if verdict.insurance == insurance:
            return verdict.outcome
    return Outcome.NOT_REQUIRED
