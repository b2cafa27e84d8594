"""Our own events, taken back by a store that was restored: each version, for the clocks."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.codec import Received
from shared.contracts import Event, TicketChanged, TicketItem, TicketOpened, TicketResolved
from shared.contracts import Ticket as TicketEvent
from shared.db import Connection
from shared.serve import Keeper
from ticket_svc.domain.office import Office
from ticket_svc.domain.recovering import Told
from ticket_svc.domain.ticket import Item, Ticket
from ticket_svc.usecases import recovering

_BY_PERSON = "by_person"


def keepers(office: Office) -> Mapping[type[Event], Keeper]:
    """What we say, by its event."""

    async def on_tickets(conn: Connection, told: Sequence[Received]) -> None:
        await recovering.keep_told(conn, office, [_told(one) for one in told])

    return dict.fromkeys((TicketOpened, TicketChanged, TicketResolved), on_tickets)


def _told(received: Received) -> Told:
    event = received.event
    assert isinstance(event, TicketEvent)
    return Told(
        at=datetime.fromisoformat(received.time),
        change=_change(event),
        state=event.state,
        ticket=_ticket(event),
        by_person=event.reason == _BY_PERSON,
    )


def _change(event: TicketEvent) -> str:
    if isinstance(event, TicketChanged):
        return event.change
    return "opened" if isinstance(event, TicketOpened) else "resolved"


def _ticket(event: TicketEvent) -> Ticket:
    """What the event says; `domain.recovering` finds the rest."""
    opened_at = datetime.fromisoformat(event.opened_at)
    return Ticket(
        ticket_id=event.ticket_id,
        employer_id=event.employer_id,
        employee_id=event.employee_id,
        founder="",
        number=event.number,
        kind=event.kind,
        origin=event.origin,
        authority=event.authority,
        department_id=event.department_id,
        incident_id=event.incident_id,
        items=tuple(_item(item) for item in event.items),
        feedback_count=event.feedback_count,
        messages=event.messages,
        opened_at=opened_at,
        reply_due_at=_moment(event.reply_due_at),
        first_reply_at=_moment(event.first_reply_at),
        resolve_due_at=_moment(event.resolve_due_at),
        assignee=event.assignee,
        escalation=event.escalation,
        resolved_at=_moment(event.resolved_at),
        reason="" if event.reason == _BY_PERSON else event.reason,
        version=event.version,
    )


def _item(item: TicketItem) -> Item:
    return Item(
        item.levy_period,
        item.insurance.value,
        item.anomaly_id,
        item.kind,
        datetime.fromisoformat(item.raised_at),
        _moment(item.cleared_at),
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
