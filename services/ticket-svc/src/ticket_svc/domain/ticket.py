"""工单: the state of one ticket, what it gathers, and what people do with it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ticket_svc.domain.facts import Anomaly, Feedback
from ticket_svc.domain.gathering import Group
from ticket_svc.domain.office import Office
from ticket_svc.errors import TicketIsNotWaiting, TicketIsOpen, TicketIsResolved

HIGHEST_ESCALATION = 3
"""Specialist, head of HR, management: nobody is left to tell after the third time."""

ALL_CLEARED = "records_agree"
"""The reason of a ticket that resolved itself: everything it gathered has cleared."""


class WaitingOn(StrEnum):
    """Whom a ticket waits on; while it waits, its resolution clock stands still."""

    NOBODY = ""
    BUREAU = "bureau"
    EMPLOYEE = "employee"


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One cell gathered in a ticket. `anomaly_id` is empty where only feedback names it;
    `cleared_at` None while open.
    """

    levy_period: str
    insurance: str
    anomaly_id: str
    kind: str
    raised_at: datetime
    cleared_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One employee and cause, with the months and insurances gathered in it.

    `founder` is the fact that opened it. `resolve_due_at` is None while the resolution clock stands
    still; `resolve_days_left` then holds the working days it has left. `resolved_by` names the
    person who resolved it, and is empty where it resolved itself. `merged_into` is the ticket that
    took over its facts.
    """

    ticket_id: str
    employer_id: str
    employee_id: str
    founder: str
    number: str = ""
    cause: str = ""
    kind: str = ""
    origin: str = "anomaly"
    authority: str = ""
    department_id: str = ""
    incident_id: str = ""
    items: tuple[Item, ...] = ()
    feedback_count: int = 0
    messages: int = 0
    opened_at: datetime
    reply_due_at: datetime | None = None
    first_reply_at: datetime | None = None
    last_reply_at: datetime | None = None
    resolve_due_at: datetime | None = None
    resolve_days_left: int | None = None
    waiting_on: WaitingOn = WaitingOn.NOBODY
    authority_closed: bool = False
    assignee: str = ""
    escalation: int = 0
    escalated_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str = ""
    reopened_at: datetime | None = None
    merged_into: str = ""
    reason: str = ""
    version: int = 0

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def is_settled(self) -> bool:
        """A person resolved it: its facts stay with it, and new ones open another."""
        return self.resolved_at is not None and bool(self.resolved_by)

    @property
    def state(self) -> str:
        """open, assigned, investigating, waiting_bureau, waiting_employee, resolved, closed or
        reopened.
        """
        if self.resolved_at is not None:
            return "closed" if self.merged_into else "resolved"
        if self.waiting_on:
            return f"waiting_{self.waiting_on}"
        if self.reopened_at and (
            self.last_reply_at is None or self.last_reply_at < self.reopened_at
        ):
            return "reopened"
        if self.first_reply_at:
            return "investigating"
        return "assigned" if self.assignee else "open"

    @property
    def reason_code(self) -> str:
        """The reason as events carry it: what a person wrote may name someone, and stays here."""
        return "by_person" if self.resolved_by else self.reason

    @property
    def clock_stands(self) -> bool:
        return bool(self.waiting_on) or self.authority_closed


def items_of(anomalies: Iterable[Anomaly], feedbacks: Iterable[Feedback]) -> tuple[Item, ...]:
    """One item per cell and anomaly, and one per cell that only feedback names; in order of period
    and insurance.
    """
    items = [
        Item(
            anomaly.levy_period,
            name,
            anomaly.anomaly_id,
            anomaly.kind,
            anomaly.raised_at,
            anomaly.left.get(name, anomaly.cleared_from),
        )
        for anomaly in anomalies
        for name in (*anomaly.insurances, *anomaly.left)
    ]
    seen = {(item.levy_period, item.insurance) for item in items}
    for feedback in sorted(feedbacks, key=lambda f: (f.at, f.feedback_id)):
        for cell in sorted(feedback.cells - seen):
            items.append(Item(*cell, "", feedback.kind, feedback.at))
            seen.add(cell)
    return tuple(
        sorted(items, key=lambda item: (item.levy_period, item.insurance, item.anomaly_id))
    )


def opened(ticket_id: str, group: Group, office: Office) -> Ticket:
    """A new ticket for the group: two clocks start with the day of its first fact."""
    first = group.facts[0]
    ticket = Ticket(
        ticket_id=ticket_id,
        employer_id=first.employer_id,
        employee_id=first.employee_id,
        founder=first.fact_id,
        opened_at=first.began_at,
    )
    return timed(gathered(ticket, group), office)


def gathered(ticket: Ticket, group: Group) -> Ticket:
    """The ticket with exactly the facts of the group, resolved by itself when the group
    has closed.
    """
    first = group.facts[0]
    anomaly = group.anomalies[0] if group.anomalies else None
    stays_reopened = bool(group.held) and ticket.reopened_at is not None
    return replace(
        ticket,
        cause=group.cause,
        kind=anomaly.kind if anomaly else group.feedbacks[0].kind,
        origin="anomaly" if isinstance(first, Anomaly) else "feedback",
        authority=anomaly.authority if anomaly else "",
        department_id=(anomaly.department_id if anomaly else "") or ticket.department_id,
        items=items_of(group.anomalies, group.feedbacks),
        feedback_count=len(group.feedbacks),
        resolved_at=group.closed_at,
        resolved_by="",
        reopened_at=ticket.reopened_at if stays_reopened else None,
        merged_into="",
        waiting_on=WaitingOn.NOBODY if group.closed_at else ticket.waiting_on,
        reason=ALL_CLEARED if group.closed_at else "",
    )


def emptied(ticket: Ticket, merged_into: str, at: datetime) -> Ticket:
    """The ticket after another has taken over all its facts."""
    if ticket.merged_into == merged_into:
        return ticket
    return replace(
        ticket,
        items=(),
        feedback_count=0,
        resolved_at=at,
        resolved_by="",
        merged_into=merged_into,
        reason=f"merged_into {merged_into}",
    )


def timed(ticket: Ticket, office: Office) -> Ticket:
    """The ticket with due times filled in where they are not known yet."""
    reply_due = ticket.reply_due_at or office.due(ticket.opened_at, office.reply_days)
    if ticket.clock_stands:
        left = ticket.resolve_days_left
        return replace(
            ticket,
            reply_due_at=reply_due,
            resolve_due_at=None,
            resolve_days_left=office.resolve_days if left is None else left,
        )
    started = ticket.reopened_at or ticket.opened_at
    resolve_due = ticket.resolve_due_at or office.due(started, office.resolve_days)
    return replace(
        ticket, reply_due_at=reply_due, resolve_due_at=resolve_due, resolve_days_left=None
    )


def paused_or_running(
    ticket: Ticket, at: datetime, office: Office, *, waiting_on: WaitingOn, authority_closed: bool
) -> Ticket:
    """The ticket waiting on this party or on nobody, its resolution clock stopped or started to
    match.

    What is left is counted in whole working days: a clock that stops on the 18th with 8 days left
    and starts again on the 4th is due on the 8th working day after the 4th.
    """
    stood = ticket.clock_stands
    changed = replace(ticket, waiting_on=waiting_on, authority_closed=authority_closed)
    if changed.clock_stands == stood or not ticket.is_open:
        return changed
    if changed.clock_stands:
        due = ticket.resolve_due_at
        left = office.resolve_days if due is None else office.days_left(at, due)
        return replace(changed, resolve_due_at=None, resolve_days_left=left)
    left = office.resolve_days if ticket.resolve_days_left is None else ticket.resolve_days_left
    return replace(changed, resolve_due_at=office.due(at, left), resolve_days_left=None)


def replied(
    ticket: Ticket, at: datetime, office: Office, *, by_hr: bool, waiting_on: WaitingOn
) -> Ticket:
    """One more message. HR's first ends the reply clock; the employee's ends the waiting on the
    employee.
    """
    _must_be_open(ticket)
    changed = replace(ticket, messages=ticket.messages + 1)
    if by_hr:
        changed = replace(changed, first_reply_at=ticket.first_reply_at or at, last_reply_at=at)
        waits = waiting_on
    else:
        waits = WaitingOn.NOBODY if ticket.waiting_on is WaitingOn.EMPLOYEE else ticket.waiting_on
    return paused_or_running(
        changed, at, office, waiting_on=waits, authority_closed=ticket.authority_closed
    )


def resumed(ticket: Ticket, at: datetime, office: Office) -> Ticket:
    """What it waited on has come, or is waited on no longer."""
    _must_be_open(ticket)
    if not ticket.waiting_on:
        raise TicketIsNotWaiting(f"{ticket.number} waits on nobody; there is nothing to resume")
    return paused_or_running(
        ticket,
        at,
        office,
        waiting_on=WaitingOn.NOBODY,
        authority_closed=ticket.authority_closed,
    )


def assigned(ticket: Ticket, sub: str) -> Ticket:
    _must_be_open(ticket)
    return replace(ticket, assignee=sub)


def settled(ticket: Ticket, at: datetime, by: str, reason: str) -> Ticket:
    """Resolved by a person, who says why."""
    _must_be_open(ticket)
    return replace(
        ticket, resolved_at=at, resolved_by=by, reason=reason, waiting_on=WaitingOn.NOBODY
    )


def reopened(ticket: Ticket, at: datetime, office: Office) -> Ticket:
    """Open again: the resolution clock starts anew, and a person or a later clearing
    resolves it.
    """
    if ticket.is_open:
        raise TicketIsOpen(f"{ticket.number} is open; write a reply instead")
    if ticket.merged_into:
        raise TicketIsResolved(f"{ticket.number} goes on in another ticket: {ticket.reason}")
    changed = replace(
        ticket,
        resolved_at=None,
        resolved_by="",
        reason="",
        reopened_at=at,
        waiting_on=WaitingOn.NOBODY,
        resolve_due_at=None,
        resolve_days_left=None,
    )
    return timed(changed, office)


def escalate_at(ticket: Ticket, office: Office) -> datetime | None:
    """When the sweep must look at the ticket next: at a due time, then at each next opening of the
    office.

    A due time that is unknown (its year is not announced) is asked for again at the next opening.
    """
    if not ticket.is_open or ticket.escalation >= HIGHEST_ESCALATION:
        return None
    last = ticket.escalated_at
    looks = []
    for due in _running(ticket):
        if due is None:
            looks.append(office.next_opening(last or ticket.opened_at))
        else:
            looks.append(due if last is None or due > last else office.next_opening(last))
    return min(looks, default=None)


def escalated(ticket: Ticket, now: datetime, office: Office) -> Ticket:
    """One level higher if a due time has passed; either way looked at `now`."""
    filled = timed(ticket, office)
    is_late = any(due is not None and due <= now for due in _running(filled))
    level = min(ticket.escalation + is_late, HIGHEST_ESCALATION)
    return replace(filled, escalation=level, escalated_at=now)


def _running(ticket: Ticket) -> list[datetime | None]:
    """Due times whose clocks run: the first reply while there is none, the resolution while nothing
    is waited on.
    """
    running = []
    if ticket.first_reply_at is None:
        running.append(ticket.reply_due_at)
    if not ticket.clock_stands:
        running.append(ticket.resolve_due_at)
    return running


def _must_be_open(ticket: Ticket) -> None:
    if not ticket.is_open:
        raise TicketIsResolved(f"{ticket.number} is {ticket.state}; reopen it first")
