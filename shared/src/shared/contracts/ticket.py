"""What ticket-svc says: a ticket's full state, each time it changes."""

from typing import ClassVar

from shared.contracts.event import TICKET, EmployeeEvent, Fact
from shared.values import Insurance


class TicketItem(Fact, frozen=True):
    """One cell gathered in a ticket; `cleared_at` is empty while it is open."""

    levy_period: str
    insurance: Insurance
    anomaly_id: str = ""
    kind: str = ""
    raised_at: str = ""
    cleared_at: str = ""


class Ticket(EmployeeEvent, frozen=True, kw_only=True):
    """工单: one employee and cause, with the months and insurances gathered in it.

    `state`: open, assigned, investigating, waiting_bureau, waiting_employee, resolved, closed,
    reopened. `origin` is anomaly or feedback. Times are RFC 3339 business time, empty while they
    have not happened.
    """

    TOPIC: ClassVar[str] = TICKET
    FAMILY: ClassVar[str] = "Ticket"

    ticket_id: str
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
    messages: int = 0

    def aggregate(self) -> str:
        return self.ticket_id


class TicketOpened(Ticket, frozen=True, kw_only=True):
    """A ticket was opened."""


class TicketChanged(Ticket, frozen=True, kw_only=True):
    """A ticket changed: assignment, state, conversation, feedback, escalation, what it gathers.

    `change` names which: assigned, replied, waiting, resumed, feedback, gathered, cleared_in_part,
    escalated, reopened, timed (a due time became known when a year's holidays were announced).
    """

    change: str = ""


class TicketResolved(Ticket, frozen=True, kw_only=True):
    """All that a ticket gathers has cleared (or a person closed it with a reason)."""
