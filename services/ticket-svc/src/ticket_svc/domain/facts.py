"""What is gathered into tickets: anomalies and feedback, each a fact with its business time."""

from dataclasses import dataclass, field, replace
from datetime import datetime

Cell = tuple[str, str]
"""(levy period, insurance) of one employee."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """异常: one occurrence of one kind in one employee's levy period, as its newest version has it.

    `insurances` are those it names now; `left` maps insurances that an earlier version named to
    when we saw them go. `cleared_at` is None while it holds.
    """

    anomaly_id: str
    occurrence: int
    employer_id: str
    employee_id: str
    version: int
    kind: str
    levy_period: str
    insurances: tuple[str, ...]
    raised_at: datetime
    cleared_at: datetime | None = None
    authority: str = ""
    department_id: str = ""
    cause_id: str = ""
    left: dict[str, datetime] = field(default_factory=dict)
    ticket_id: str = ""

    @property
    def fact_id(self) -> str:
        return f"{self.anomaly_id}#{self.occurrence}"

    @property
    def began_at(self) -> datetime:
        return self.raised_at

    @property
    def cause(self) -> str:
        """What one ticket is about: the kind, and the authority when the anomaly names one."""
        return f"{self.kind}/{self.authority}" if self.authority else self.kind

    @property
    def cells(self) -> frozenset[Cell]:
        return frozenset((self.levy_period, name) for name in (*self.insurances, *self.left))

    @property
    def cleared_from(self) -> datetime | None:
        """When it cleared, never before it was raised."""
        return None if self.cleared_at is None else max(self.cleared_at, self.raised_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """反馈: what an employee said about one levy period's insurances.

    `kind` is no_record, wrong_amount, wrong_base or other.
    """

    feedback_id: str
    employer_id: str
    employee_id: str
    at: datetime
    levy_period: str
    insurances: tuple[str, ...]
    kind: str
    ticket_id: str = ""

    @property
    def fact_id(self) -> str:
        return self.feedback_id

    @property
    def began_at(self) -> datetime:
        return self.at

    @property
    def cells(self) -> frozenset[Cell]:
        return frozenset((self.levy_period, name) for name in self.insurances)


def merged(old: Anomaly | None, new: Anomaly, seen_at: datetime) -> Anomaly:
    """The newest version of the two, in whichever order they came.

    An insurance that only the older version names has left the anomaly; the sets come out alike for
    every order, the moment is when we saw it.
    """
    if old is None:
        return new
    newest, older = (new, old) if new.version > old.version else (old, new)
    left = {**older.left, **newest.left}
    for name in older.insurances:
        left.setdefault(name, seen_at)
    kept = {name: at for name, at in left.items() if name not in newest.insurances}
    return replace(newest, left=kept, ticket_id=old.ticket_id)
