"""Tickets, notices, and what the mail server has kept."""

from datetime import datetime
from typing import NamedTuple


class Ticket(NamedTuple):
    """工单 of ticket-svc; `resolved_by` is empty where it resolved itself."""

    store: str
    ticket_id: str
    employer_id: str
    employee_id: str
    cause: str
    is_open: bool
    resolved_by: str
    merged_into: str
    was_reopened: bool
    feedback_count: int


class Gathered(NamedTuple):
    """One anomaly named by a ticket's items."""

    store: str
    ticket_id: str
    anomaly_id: str


class Feedback(NamedTuple):
    """反馈 and the ticket that it is in."""

    store: str
    feedback_id: str
    employee_id: str
    ticket_id: str


class Mention(NamedTuple):
    """What HR has to hear of one anomaly: told at a time, or dropped because it passed before."""

    store: str
    anomaly_id: str
    told_at: datetime | None
    dropped: bool


class Notice(NamedTuple):
    """One message to one recipient by one channel. `in_hand`: being sent at this moment."""

    store: str
    notification_id: str
    employer_id: str
    employee_id: str
    recipient_kind: str
    recipient: str
    channel: str
    template: str
    state: str
    try_at: datetime | None
    in_hand: bool
    ticket_ids: list[str]
    anomaly_ids: list[str]


class Mail(NamedTuple):
    """One mail in the mail server's own journal."""

    store: str
    message_id: str
    recipients: list[str]
