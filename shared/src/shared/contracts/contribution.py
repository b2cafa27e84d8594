"""What contribution-svc says: policy, bases, what is due, what was declared, what the bank took."""

from typing import ClassVar

import msgspec

from shared.contracts.event import (
    CONTRIBUTION,
    POLICIES,
    EmployeeEvent,
    EmployeeMonthEvent,
    Event,
    Fact,
)
from shared.values import Insurance


class SchemeFact(Fact, frozen=True):
    """One insurance of a city's scheme from `effective_from` (YYYY-MM-DD) on, until a later one
    replaces it.

    `ends_on` (inclusive) closes it; `authority` records it; amounts in fen, rates in millionths.
    A bound of 0 is none. A rate is 0 where each account has its own; fixed sums are added after the
    multiplication; `warnings` are sentences for people.
    """

    insurance: Insurance
    effective_from: str
    authority: str
    floor_fen: int
    ceiling_fen: int
    employer_ppm: int
    employee_ppm: int
    ends_on: str = ""
    source: str = ""
    invented: bool = False
    employer_own_rate: bool = False
    employee_own_rate: bool = False
    employer_fixed_fen: int = 0
    employee_fixed_fen: int = 0
    warnings: tuple[str, ...] = ()


class PolicyChanged(Event, frozen=True, kw_only=True):
    """A city's policy in force: its scheme, collection model and days.

    `passes_detail_on` is true where the employer must hand the paid detail to the authorities.
    `filing_day` is the last day of filing, `debit_day` the bank's day (of the levy period's month,
    or `months_after` it, unrolled); `record_working_days` the window after the debit.
    `proposal_id`: the release that brought it, empty where it came with the service; `pack` is the
    text of its file.
    """

    TOPIC: ClassVar[str] = POLICIES

    city: str
    city_name: str
    known_since: str
    collector: str
    passes_detail_on: bool
    filing_day: int
    debit_day: int
    record_working_days: int
    scheme: tuple[SchemeFact, ...]
    roll: str = "next_working_day"
    look_up_at: str = "08:00"
    person_kinds_exempt: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    proposal_id: str = ""
    pack: str = ""
    months_after: int = 0

    def key(self) -> str:
        return self.city

    def aggregate(self) -> str:
        return self.city


class PolicyReleaseAnnounced(Event, frozen=True, kw_only=True):
    """How the release of a city's policy affects one employer: `state` announced (it comes into
    force on `effective_on`), effective, or withdrawn.

    `people` whose amounts change, and fen more (or less, negative) a month for each side, from
    `levy_period` on; `declared_months` of employees were declared and get difference lines.
    """

    TOPIC: ClassVar[str] = CONTRIBUTION

    proposal_id: str
    employer_id: str
    city: str
    city_name: str
    state: str
    effective_on: str
    levy_period: str
    people: int
    employer_fen: int
    employee_fen: int
    declared_months: int

    def key(self) -> str:
        return self.employer_id

    def aggregate(self) -> str:
        return f"{self.proposal_id}/{self.employer_id}"


class BaseChanged(EmployeeEvent, frozen=True, kw_only=True):
    """缴费基数 of one employee for a contribution year, per insurance, with why.

    `contribution_year` is the city's (2025); insurances that begin theirs in another month have an
    event of their own, named by that month (2025-07).
    `average_fen` is the average monthly wage it rests on, over `months`; `rule` is
    `last_year_average` or `first_month_wage`; `bounds` says per insurance `within`, `floor` or
    `ceiling`; `levy_period` is that from which it holds.
    """

    TOPIC: ClassVar[str] = CONTRIBUTION

    contribution_year: str
    average_fen: int
    months: int
    rule: str
    bases_fen: dict[str, int]
    bounds: dict[str, str]
    explanation: str
    levy_period: str = ""

    def aggregate(self) -> str:
        return f"{self.employee_id}/{self.contribution_year}"


class BaseCampaignChanged(Event, frozen=True, kw_only=True):
    """年度基数申报 of one employer: opened, and closed where `closed_at` is not empty. Employees
    answer until `confirm_by` (YYYY-MM-DD).
    """

    TOPIC: ClassVar[str] = CONTRIBUTION

    campaign_id: str
    employer_id: str
    contribution_year: str
    confirm_by: str
    opened_by: str
    opened_at: str
    closed_at: str = ""

    def key(self) -> str:
        return self.employer_id

    def aggregate(self) -> str:
        return self.campaign_id


class BaseAnswered(EmployeeEvent, frozen=True, kw_only=True):
    """How one employee's base stands in a campaign, told from the first answer on: `state` is
    confirmed, disputed, to_correct (HR agrees: the wages are to be corrected), kept (HR does not),
    to_confirm (computed anew since) or no_base (with its `reason`).

    `base_version` is that of the base in question, whose figures are in fen by insurance and as in
    `BaseChanged`; empty where there is none. `levy_period` is the first of the contribution year,
    `since` that of bases which hold from a later one on; `confirm_by` the last day of answering,
    `answered_by` who of HR answered a dispute. What people wrote is not told.
    """

    TOPIC: ClassVar[str] = CONTRIBUTION

    campaign_id: str
    account_id: str
    city: str
    levy_period: str
    confirm_by: str
    state: str
    base_version: int
    average_fen: int = 0
    months: int = 0
    rule: str = ""
    bases_fen: dict[str, int] = msgspec.field(default_factory=dict)
    bounds: dict[str, str] = msgspec.field(default_factory=dict)
    explanation: str = ""
    warnings: tuple[str, ...] = ()
    reason: str = ""
    answered_by: str = ""
    since: dict[str, str] = msgspec.field(default_factory=dict)

    def aggregate(self) -> str:
        return f"{self.campaign_id}/{self.employee_id}"


class AssessedLine(Fact, frozen=True):
    """应缴 of one insurance: `state` due, exempt or blocked, and why; amounts in fen, rates in
    millionths.

    `kind` is regular, back_payment or difference; a cell's lines of all kinds add up, and of what a
    supplementary declaration carries base and amounts are new minus old. `declaration_id` names
    that declaration (empty: the regular one), `debit_by` its last day of debiting (empty: the
    month's; a deferral gives a line one of its own), `due_on` the last day without a late fee.
    `withhold_in` is the levy period whose payroll withholds the employee's part (empty: its own).
    `declared_version` is the assessment's version under which the line was declared (0: none before
    this one).
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
    declaration_id: str = ""
    declared_version: int = 0
    withhold_in: str = ""
    debit_by: str = ""
    due_on: str = ""


class ContributionAssessed(EmployeeMonthEvent, frozen=True, kw_only=True):
    """Every insurance of the scheme for one employee and levy period, each due, exempt or blocked.

    `file_by` and `debit_by` are the account's days after rolling (YYYY-MM-DD): later than these, a
    cell that was not filed or debited is an anomaly. `base_explanation` is one sentence for people;
    `policy_warnings` are more of them, where a figure that was used is unverified, disputed or
    provisional.
    """

    TOPIC: ClassVar[str] = CONTRIBUTION

    city: str
    account_id: str
    department_id: str
    file_by: str
    debit_by: str
    lines: tuple[AssessedLine, ...]
    base_explanation: str = ""
    policy_known_since: str = ""
    policy_warnings: tuple[str, ...] = ()


class DeclarationApproved(Event, frozen=True, kw_only=True):
    """申报: one account's declaration for a levy period, approved by HR or by a schedule.

    `lines_hash` is sha256 hex over the sorted `employee_id:version` lines (joined by newline) of
    every employee with a due line; a reader files once it holds exactly those. `sums_fen` maps
    insurance to [employer, employee] fen. `number` 1, 2, ... is a supplementary declaration
    (补充申报) of the same account and levy period: its lines are those that name its
    `declaration_id`, its versions those under which they were declared.
    """

    TOPIC: ClassVar[str] = CONTRIBUTION

    declaration_id: str
    account_id: str
    account_no: str
    employer_id: str
    city: str
    collector: str
    levy_period: str
    people: int
    sums_fen: dict[str, tuple[int, int]]
    total_fen: int
    lines_hash: str
    file_by: str
    debit_on: str
    approved_by: str
    approved_at: str
    number: int = 0

    def key(self) -> str:
        return self.account_id

    def aggregate(self) -> str:
        return self.declaration_id


class PostedLine(Fact, frozen=True):
    """入账 of one insurance: what the bank took for it, allocated to the fen.

    `debit_state`: posted, refused, unknown or reversed. `debits` counts sums posted (two is a
    duplicate). `record_by` is the last day of the record window (YYYY-MM-DD), counted in working
    days from the debit. `voucher` is the statement's own reference, shown to the employee as
    银行扣款凭证. `kind` and `declaration_id` are those of the line that was paid (empty: regular).
    """

    insurance: Insurance
    debit_state: str
    debits: int
    employer_fen: int
    employee_fen: int
    debited_on: str
    record_by: str
    statement_id: str
    voucher: str
    reason: str = ""
    late_fee_fen: int = 0
    due_on: str = ""
    kind: str = "regular"
    declaration_id: str = ""


class ContributionPosted(EmployeeMonthEvent, frozen=True, kw_only=True):
    """What the bank's statement shows for one employee and levy period."""

    TOPIC: ClassVar[str] = CONTRIBUTION

    city: str
    account_id: str
    declaration_id: str
    lines: tuple[PostedLine, ...]


class RiskFact(Fact, frozen=True):
    employee_id: str
    reason: str


class DeadlineAtRisk(Event, frozen=True, kw_only=True):
    """What is not filed as an account's deadline comes near, and whose data are missing."""

    TOPIC: ClassVar[str] = CONTRIBUTION

    account_id: str
    employer_id: str
    levy_period: str
    file_by: str
    approved: bool
    missing: tuple[RiskFact, ...]

    def key(self) -> str:
        return self.account_id

    def aggregate(self) -> str:
        return f"{self.account_id}/{self.levy_period}/risk"
