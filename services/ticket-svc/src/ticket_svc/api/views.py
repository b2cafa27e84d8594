"""What the HTTP door takes and gives: bodies and views of tickets."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.values import Insurance, LevyPeriod
from ticket_svc.domain.ticket import Item, Ticket
from ticket_svc.store.tickets import Message

_LONGEST_TEXT = 2_000


def _writing(text: str) -> str:
    """Refuses what is no writing: control characters (PostgreSQL cannot keep U+0000), lone
    surrogates.
    """
    kinds = {unicodedata.category(mark) for mark in text if mark not in "\n\t"}
    if kinds & {"Cc", "Cs"}:
        raise ValueError("control characters are not text; send plain text with line breaks")
    return text


def _levy_period(text: str) -> str:
    return str(LevyPeriod.parse(text))


Writing = Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT), AfterValidator(_writing)]
LevyPeriodText = Annotated[str, AfterValidator(_levy_period), Field(examples=["2024-10"])]
WaitingOnText = Literal["", "bureau", "employee"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class FeedbackBody(_Body):
    """反馈: what is wrong with one levy period's insurances."""

    levy_period: LevyPeriodText
    insurances: list[Insurance] = Field(min_length=1, max_length=len(Insurance))
    kind: Literal["no_record", "wrong_amount", "wrong_base", "other"]
    text: Writing = Field(examples=["10月的医疗险查不到记录"])


class FeedbackTaken(BaseModel):
    """The ticket that the feedback is in; `joined` when it was there before."""

    ticket_id: str
    number: str = Field(examples=["DZ-202410-0001"])
    joined: bool
    reply_due_at: datetime | None


class ReplyBody(_Body):
    """A message; HR says whom the ticket waits on from now on, the employee leaves it empty."""

    text: Writing
    waiting_on: WaitingOnText = ""


class AssignBody(_Body):
    sub: str = Field(min_length=1, max_length=200)


class ResolveBody(_Body):
    reason: Writing = Field(examples=["已核对，记录无误"])


class ItemView(BaseModel):
    """One cell; `anomaly_id` is empty where only the employee names it."""

    levy_period: str
    insurance: Insurance
    anomaly_id: str
    kind: str
    raised_at: datetime
    cleared_at: datetime | None


class TicketView(BaseModel):
    """工单; due times are null where a clock stands still or the year's holidays are not
    announced.
    """

    ticket_id: str
    number: str
    employer_id: str
    employee_id: str
    state: str
    origin: str
    kind: str
    authority: str
    department_id: str
    incident_id: str
    assignee: str
    items: list[ItemView]
    feedback_count: int
    messages: int
    opened_at: datetime
    reply_due_at: datetime | None
    first_reply_at: datetime | None
    resolve_due_at: datetime | None
    resolve_days_left: int | None
    waiting_on: str
    escalation: int
    resolved_at: datetime | None
    reopened_at: datetime | None
    merged_into: str
    reason: str
    version: int


class MessageView(BaseModel):
    message_id: str
    at: datetime
    author_kind: str
    author: str
    text: str
    waiting_on: str
    is_feedback: bool


class ChangeView(BaseModel):
    """One line of the timeline; `by` is empty where nobody did it."""

    version: int
    at: datetime
    change: str
    state: str
    by: str


class TicketDetail(TicketView):
    timeline: list[ChangeView]
    conversation: list[MessageView]


class IncidentView(BaseModel):
    """Many employees with one cause."""

    incident_id: str
    employer_id: str
    cause_id: str
    kind: str
    authority: str
    people: int
    open_tickets: int
    first_raised_at: datetime


class TicketCounts(BaseModel):
    """How many tickets are in each state, over all employers."""

    states: dict[str, int]


def view_of(ticket: Ticket) -> TicketView:
    return TicketView(**_values(ticket))


def detail_of(
    ticket: Ticket, timeline: Sequence[Any], conversation: Sequence[Message]
) -> TicketDetail:
    """The ticket with its timeline (rows of `changes`) and its conversation, oldest first."""
    return TicketDetail(
        **_values(ticket),
        timeline=[ChangeView.model_validate(row, from_attributes=True) for row in timeline],
        conversation=[
            MessageView(
                message_id=message.message_id,
                at=message.at,
                author_kind=message.author_kind,
                author=message.author,
                text=message.text,
                waiting_on=message.waiting_on,
                is_feedback=message.feedback_id is not None,
            )
            for message in conversation
        ],
    )


def _values(ticket: Ticket) -> dict[str, Any]:
    names = set(TicketView.model_fields) - {"items", "state"}
    return {
        **{name: getattr(ticket, name) for name in names},
        "state": ticket.state,
        "items": [_item(item) for item in ticket.items],
    }


def _item(item: Item) -> ItemView:
    return ItemView.model_validate(item, from_attributes=True)
