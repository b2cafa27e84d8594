"""What reconciliation-svc says: verdicts on cells, anomalies, and the close of a period."""

from typing import ClassVar

from shared.contracts.event import RECONCILIATION, EmployeeMonthEvent, Event, Fact
from shared.values import Insurance, Outcome


class CellFact(Fact, frozen=True):
    """The verdict on one cell: `outcome`, one sentence why, the window's end, and annotations
    beside it.
    """

    insurance: Insurance
    outcome: Outcome
    reason: str = ""
    window_ends_at: str = ""
    annotations: tuple[str, ...] = ()
    extra: bool = False


class CellsJudged(EmployeeMonthEvent, frozen=True, kw_only=True):
    """The cells of one employee and levy period, each with its verdict. Readers show these and
    never judge.
    """

    TOPIC: ClassVar[str] = RECONCILIATION

    city: str
    department_id: str
    account_id: str
    cells: tuple[CellFact, ...]
    judged_at: str


class Anomaly(EmployeeMonthEvent, frozen=True, kw_only=True):
    """异常: one per employee, levy period and kind, listing its insurances; numbered by
    `occurrence`.

    `state` is raised, changed or cleared as the newest version says. `likely_cause` is the code of
    its spread: person, insurance, authority, account or city; `spread` how many employees share it;
    `reason` one sentence.
    """

    TOPIC: ClassVar[str] = RECONCILIATION
    FAMILY: ClassVar[str] = "Anomaly"

    anomaly_id: str
    occurrence: int
    insurances: tuple[Insurance, ...]
    raised_at: str
    city: str
    department_id: str
    account_id: str
    authority: str
    reason: str
    likely_cause: str = "person"
    spread: int = 1
    cause_id: str = ""

    def aggregate(self) -> str:
        return self.anomaly_id


class UndeclaredDebit(Anomaly, frozen=True, kw_only=True):
    """A debit for a cell that is not due."""


class UnexpectedRecord(Anomaly, frozen=True, kw_only=True):
    """A record for a cell that is not due."""


class NotAssessed(Anomaly, frozen=True, kw_only=True):
    """The roster implies the cell, and no assessment came in time."""


class AssessmentBlocked(Anomaly, frozen=True, kw_only=True):
    """Something is missing without which the line cannot be assessed."""


class DuplicateDebit(Anomaly, frozen=True, kw_only=True):
    """The bank took the sum more than once."""


class DuplicateRecord(Anomaly, frozen=True, kw_only=True):
    """The authority shows the line more than once."""


class RecordRejected(Anomaly, frozen=True, kw_only=True):
    """The authority rejected the line, with its reason."""


class EnrolmentInterrupted(Anomaly, frozen=True, kw_only=True):
    """The authority shows the enrolment as interrupted (中断)."""


class DebitRefused(Anomaly, frozen=True, kw_only=True):
    """The bank refused the debit, with its reason."""


class DebitReversed(Anomaly, frozen=True, kw_only=True):
    """The bank reversed the debit."""


class OutcomeUnknown(Anomaly, frozen=True, kw_only=True):
    """The outcome of a debit stayed unknown past its window."""


class VerifiedDiffers(Anomaly, frozen=True, kw_only=True):
    """The collector verified other amounts than were filed, seen before the money moved."""


class NotFiled(Anomaly, frozen=True, kw_only=True):
    """The line was due and was not filed in time."""


class DebitMissing(Anomaly, frozen=True, kw_only=True):
    """The line was filed and the bank did not take the money in time."""


class RecordWithoutDebit(Anomaly, frozen=True, kw_only=True):
    """The authority shows a record for which no money moved."""


class DebitDiffers(Anomaly, frozen=True, kw_only=True):
    """The bank took another sum than was due."""


class BaseDiffers(Anomaly, frozen=True, kw_only=True):
    """The record's base is another than the assessed one."""


class AmountDiffers(Anomaly, frozen=True, kw_only=True):
    """The record's amount is another than the assessed one."""


class ArrivedInPart(Anomaly, frozen=True, kw_only=True):
    """The record shows less than was due."""


class RecordMissing(Anomaly, frozen=True, kw_only=True):
    """Debited, window closed, looked for after it closed, and not there."""


class AnomalyCleared(Anomaly, frozen=True, kw_only=True):
    """An anomaly that no longer holds. It has the anomaly's id and a version after it, so that the
    two keep their order.

    `kind` is what was cleared, `outcomes` what each of its insurances is now, `cleared_at` business
    time.
    """

    kind: str
    cleared_at: str
    outcomes: dict[str, Outcome]


class PeriodClosed(Event, frozen=True, kw_only=True):
    """A closed month: cells by state (they add up to `cells`) and fen per side and insurance."""

    TOPIC: ClassVar[str] = RECONCILIATION

    employer_id: str
    levy_period: str
    cells: int
    states: dict[str, int]
    sums_fen: dict[str, dict[str, int]]
    closed_at: str
    closed_by: str
    exceptions_reason: str = ""

    def key(self) -> str:
        return self.employer_id

    def aggregate(self) -> str:
        return f"{self.employer_id}/{self.levy_period}/close"
