"""What the API answers with: the domain's views as documented, typed models."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.values import Insurance, Outcome

LEVY_PERIOD = r"^20\d\d-(0[1-9]|1[0-2])$"
LevyPeriodText = Annotated[str, Field(pattern=LEVY_PERIOD, examples=["2024-10"])]
Fen = Annotated[int, Field(description="Money in fen.", examples=[76000])]
OptionalFen = Annotated[int | None, Field(description="Fen; null until assessed.")]
Ppm = Annotated[int | None, Field(description="Rate in millionths; null until assessed.")]
Moment = Annotated[
    str, Field(description="RFC 3339, empty while unknown.", examples=["2024-10-17T00:00:00Z"])
]
Day = Annotated[str, Field(description="YYYY-MM-DD, empty while unknown.", examples=["2024-10-10"])]


class View(BaseModel):
    """Made from a domain value of the same shape."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Voucher(View):
    """银行扣款凭证 extract."""

    statement_id: str
    voucher: str
    account_masked: str = Field(examples=["****9001"])


class InsuranceMonth(View):
    """One insurance of one month."""

    insurance: Insurance
    name: str = Field(examples=["医疗险"])
    base_fen: OptionalFen
    employer_fen: OptionalFen
    employee_fen: OptionalFen
    employer_ppm: Ppm
    employee_ppm: Ppm
    status: str = Field(description="The verdict's code, empty before the first verdict.")
    status_word: str = Field(examples=["已到账", "未到账", "处理中"])
    reason: str
    debited_on: Day
    voucher: Voucher | None
    arrived_on: Day
    extra: bool = Field(description="Not on the roster's scheme: counted beside the month's cells.")
    waits_until: str = Field(
        description="RFC 3339: until when the record may still come, closures counted; else empty."
    )
    closed_until: str = Field(
        description="RFC 3339: when the authority that is closed opens again; else empty."
    )
    supplements: tuple[str, ...] = Field(
        default=(),
        description="补差 and 补缴 that are in base and amounts, a sentence each.",
        examples=[["2026-01费款养老险依皖人社秘〔2026〕1号，缴费基数由4,311.00元改为4,354.00元"]],
    )


class MonthCard(View):
    """One levy period of one employee."""

    employee_id: str
    levy_period: LevyPeriodText
    summary: str = Field(examples=["5 项中 2 项未到账"])
    cells: int
    arrived: int
    insurances: tuple[InsuranceMonth, ...]
    base_explanation: str = Field(examples=["上年度月均工资 9,500.00 元，未超上下限"])
    updated_at: Moment
    updated_text: str = Field(examples=["数据更新于 2024-10-17 08:00（社保局回执）"])
    policy_warnings: tuple[str, ...] = Field(
        default=(),
        description="What of the policy is unverified, disputed or provisional, a sentence each.",
        examples=[["养老险基数下限：新标准尚未公布，暂按原标准执行，公布后补差"]],
    )


class Step(View):
    """One of the five steps."""

    name: str = Field(examples=["银行已扣款"])
    state: str = Field(description="done, waiting, failed or unclear.", examples=["done"])
    at: str = Field(description="A day or RFC 3339, empty while unknown.")
    source: str = Field(examples=["银行回单 BK202410100001"])


class InsuranceSteps(View):
    insurance: Insurance
    name: str
    steps: tuple[Step, ...]


class MonthDetail(MonthCard):
    """A month with the way of each insurance and one sentence of advice."""

    steps: tuple[InsuranceSteps, ...]
    advice: str


class Feedback(BaseModel):
    """上报异常: what ticket-svc takes in; see its own document."""

    model_config = ConfigDict(extra="forbid")

    levy_period: LevyPeriodText
    insurances: list[Insurance] = Field(min_length=1, max_length=len(Insurance))
    kind: str = Field(pattern="^(no_record|wrong_amount|wrong_base|other)$", examples=["no_record"])
    text: str = Field(min_length=1, max_length=2000, examples=["10月的医疗险查不到记录"])


class FeedbackTaken(BaseModel):
    """The ticket that the feedback opened or joined."""

    ticket_id: str
    number: str
    joined: bool
    reply_due_at: datetime | None


class Person(View):
    employee_id: str
    employee_no: str
    name: str = Field(description="Empty once the identity was deleted.")
    department: str


class Link(View):
    """One link of the evidence chain."""

    name: str = Field(examples=["社保局记录"])
    state: str = Field(description="green, red or missing.", examples=["missing"])
    at: str
    detail: str
    event_id: str = Field(description="The event that the link rests on, empty where none came.")
    broken_here: bool = Field(description="断点在这里: the first link that is not green.")


class Chain(View):
    levy_period: LevyPeriodText
    insurances: tuple[Insurance, ...]
    links: tuple[Link, ...]


class TicketItem(View):
    levy_period: LevyPeriodText
    insurance: Insurance
    anomaly_id: str
    cleared_at: Moment


class TicketFacts(View):
    """The ticket as ticket-svc told it last."""

    ticket_id: str
    number: str
    state: str = Field(examples=["assigned"])
    origin: str = Field(examples=["anomaly"])
    kind: str = Field(examples=["RecordMissing"])
    items: tuple[TicketItem, ...]
    opened_at: Moment
    reply_due_at: Moment
    resolve_due_at: Moment
    first_reply_at: Moment
    resolved_at: Moment
    assignee: str
    incident_id: str
    authority: str
    feedback_count: int
    escalation: int
    reason: str


class TicketCard(View):
    ticket: TicketFacts
    person: Person
    evidence: tuple[Chain, ...]


class Anomaly(View):
    anomaly_id: str
    kind: str = Field(examples=["RecordMissing"])
    levy_period: LevyPeriodText
    insurances: tuple[Insurance, ...]
    raised_at: Moment
    cleared_at: Moment
    authority: str
    reason: str
    likely_cause: str
    spread: int


class Notification(View):
    notification_id: str
    delivered: bool
    recipient_kind: str
    recipient: str
    channel: str
    template: str
    at: Moment
    reason: str


class TicketDetail(TicketCard):
    anomalies: tuple[Anomaly, ...]
    notifications: tuple[Notification, ...]


class StateCount(View):
    outcome: Outcome
    word: str = Field(examples=["已到账"])
    cells: int


class Group(View):
    """Cells by state; null for fewer than five people, unless the caller may see persons."""

    key: str
    name: str
    people: int | None
    states: tuple[StateCount, ...] | None


class Missing(View):
    employee_id: str
    reason: str


class DeadlineRisk(View):
    account_id: str
    file_by: Day
    approved: bool
    missing: tuple[Missing, ...]


class PeriodClose(View):
    closed_at: Moment
    closed_by: str
    cells: int
    exceptions_reason: str


class MonthCells(View):
    """The cells of a month; `cells` (K) is the sum over `states`."""

    employer_id: str
    levy_period: LevyPeriodText
    people: int | None
    cells: int | None
    extras: int | None
    states: tuple[StateCount, ...] | None
    by_insurance: tuple[Group, ...]
    by_department: tuple[Group, ...]
    risks: tuple[DeadlineRisk, ...]
    close: PeriodClose | None


class Sums(View):
    employer_fen: Fen
    employee_fen: Fen


class BridgeStep(View):
    from_side: str = Field(examples=["debited"])
    to_side: str = Field(examples=["recorded"])
    insurance: Insurance
    difference_fen: Fen


class Bridge(BaseModel):
    """Fen per side and insurance, as each side told it; reconciliation-svc explains the rest."""

    employer_id: str
    levy_period: LevyPeriodText
    sums_fen: dict[str, dict[Insurance, Sums]]
    steps: tuple[BridgeStep, ...]


class Authority(View):
    """Whether a collector or authority can be talked to."""

    authority: str = Field(examples=["medical-990100"])
    city: str
    state: str = Field(description="open, degraded or closed.", examples=["closed"])
    since: Moment
    until: Moment
    reason: str
