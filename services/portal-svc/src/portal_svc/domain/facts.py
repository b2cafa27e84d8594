"""What the read models hold: as much of each event as people are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.values import Insurance, Outcome


@dataclass(frozen=True, slots=True)
class Withheld:
    """代扣 of one insurance on the payslip."""

    insurance: Insurance
    employee_fen: int
    employer_fen: int


@dataclass(frozen=True, slots=True)
class Payslip:
    payday: str
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class AssessedLine:
    """应缴 of one insurance, in fen and millionths; 补缴 and 补差 are lines of their own, with base
    and amounts new minus old, and the `reason`.
    """

    insurance: Insurance
    state: str
    authority: str
    reason: str = ""
    kind: str = "regular"
    base_fen: int = 0
    employer_ppm: int = 0
    employee_ppm: int = 0
    employer_fen: int = 0
    employee_fen: int = 0


@dataclass(frozen=True, slots=True)
class Assessed:
    city: str
    account_id: str
    lines: tuple[AssessedLine, ...]
    base_explanation: str = ""
    policy_warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PostedLine:
    """入账 of one insurance."""

    insurance: Insurance
    debit_state: str
    employer_fen: int
    employee_fen: int
    debited_on: str
    statement_id: str
    voucher: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    declaration_id: str
    lines: tuple[PostedLine, ...]


@dataclass(frozen=True, slots=True)
class BureauRow:
    """One insurance as the bureau has it; see the contract of the same name."""

    insurance: Insurance
    stage: str
    verified_employer_fen: int | None = None
    verified_employee_fen: int | None = None
    recorded_on: str = ""
    looked_up_at: str = ""
    authority: str = ""
    reason: str = ""
    verified_at: str = ""
    passed_on_at: str = ""


@dataclass(frozen=True, slots=True)
class Bureau:
    rows: tuple[BureauRow, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What reconciliation-svc said of one cell."""

    insurance: Insurance
    outcome: Outcome
    reason: str = ""
    window_ends_at: str = ""
    annotations: tuple[str, ...] = ()
    extra: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    department_id: str
    account_id: str
    cells: tuple[Verdict, ...]
    judged_at: str


@dataclass(frozen=True, slots=True)
class Month:
    """One employee's levy period: the newest event of each side, None where none has come yet.

    `event_ids` names the event that each side came by.
    """

    employee_id: str
    employer_id: str
    levy_period: str
    payslip: Payslip | None = None
    assessed: Assessed | None = None
    posted: Posted | None = None
    bureau: Bureau | None = None
    judged: Judged | None = None
    event_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    account_no: str
    city: str
    bank_account_ref: str


@dataclass(frozen=True, slots=True)
class Department:
    department_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Employer:
    employer_id: str
    name: str
    accounts: tuple[Account, ...]
    departments: tuple[Department, ...]


@dataclass(frozen=True, slots=True)
class Employee:
    employee_id: str
    employer_id: str
    employee_no: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """申报 that an account's month was approved in."""

    declaration_id: str
    account_id: str
    levy_period: str
    approved_at: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Whether the employer hands the paid detail to the authorities in this city."""

    city: str
    passes_detail_on: bool


@dataclass(frozen=True, slots=True)
class Authority:
    """Whether a collector or authority can be talked to: open, degraded or closed, until when."""

    authority: str
    city: str
    state: str
    since: str
    until: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TicketItem:
    levy_period: str
    insurance: Insurance
    anomaly_id: str = ""
    cleared_at: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """工单; the fields are those of the contract's Ticket."""

    ticket_id: str
    employee_id: str
    employer_id: str
    number: str
    state: str
    origin: str
    kind: str
    items: tuple[TicketItem, ...]
    opened_at: str
    reply_due_at: str
    resolve_due_at: str = ""
    first_reply_at: str = ""
    resolved_at: str = ""
    assignee: str = ""
    department_id: str = ""
    incident_id: str = ""
    authority: str = ""
    feedback_count: int = 0
    escalation: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """异常, as raised or as cleared."""

    anomaly_id: str
    levy_period: str
    insurances: tuple[Insurance, ...]
    raised_at: str
    authority: str
    reason: str
    kind: str = ""
    likely_cause: str = "person"
    spread: int = 1
    cleared_at: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    notification_id: str
    recipient_kind: str
    recipient: str
    channel: str
    template: str
    delivered: bool = False
    at: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    employee_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeadlineRisk:
    account_id: str
    file_by: str
    approved: bool
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class PeriodClose:
    closed_at: str
    closed_by: str
    cells: int
    exceptions_reason: str = ""
