"""Writing tickets down: number, row, timeline and event, always together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared import outbox
from shared.contracts import TicketChanged, TicketItem, TicketOpened, TicketResolved
from shared.contracts.ticket import Ticket as TicketEvent
from shared.db import Connection
from shared.values import Insurance
from ticket_svc import store
from ticket_svc.domain.office import Office
from ticket_svc.domain.ticket import Ticket, escalate_at

Told = tuple[Ticket, Sequence[str]]
"""A ticket as it is now, still with its old version, and the names of what happened to it, in
order.
"""


async def tell(
    conn: Connection, office: Office, told: Sequence[Told], at: datetime, by: str = ""
) -> list[Ticket]:
    """Writes the tickets and tells each change as one version; `by` is the `sub` of a person, or
    empty.

    The tickets' rows are locked. Gives back the tickets with their number and newest version.
    """
    numbered = await _numbered(conn, office, [ticket for ticket, _ in told])
    steps: list[tuple[Ticket, str]] = []
    newest: list[Ticket] = []
    for ticket, (_, names) in zip(numbered, told, strict=True):
        for step, name in enumerate(names, start=1):
            steps.append((replace(ticket, version=ticket.version + step), name))
        newest.append(steps[-1][0])
    await store.tickets.save(conn, [(ticket, escalate_at(ticket, office)) for ticket in newest])
    await store.tickets.add_changes(conn, steps, at, by)
    await outbox.add(conn, [_event(ticket, name) for ticket, name in steps], at)
    return newest


async def _numbered(conn: Connection, office: Office, tickets: Sequence[Ticket]) -> list[Ticket]:
    """New tickets get the next number of their employer and month of opening: DZ-202410-0001."""
    months = {t.ticket_id: f"{office.day_of(t.opened_at):%Y%m}" for t in tickets if not t.number}
    wanted = Counter((t.employer_id, months[t.ticket_id]) for t in tickets if not t.number)
    last = await store.tickets.take_numbers(conn, wanted)
    numbered = []
    for ticket in tickets:
        if not ticket.number:
            month = months[ticket.ticket_id]
            last[f"{ticket.employer_id}/{month}"] += 1
            number = last[f"{ticket.employer_id}/{month}"]
            ticket = replace(ticket, number=f"DZ-{month}-{number:04d}")
        numbered.append(ticket)
    return numbered


def _event(ticket: Ticket, name: str) -> TicketEvent:
    if name == "opened":
        return TicketOpened(**_state(ticket))
    if name == "resolved":
        return TicketResolved(**_state(ticket))
    return TicketChanged(**_state(ticket), change=name)


def _state(ticket: Ticket) -> dict[str, Any]:
    return {
        "version": ticket.version,
        "employee_id": ticket.employee_id,
        "employer_id": ticket.employer_id,
        "ticket_id": ticket.ticket_id,
        "number": ticket.number,
        "state": ticket.state,
        "origin": ticket.origin,
        "kind": ticket.kind,
        "items": tuple(
            TicketItem(
                levy_period=item.levy_period,
                insurance=Insurance(item.insurance),
                anomaly_id=item.anomaly_id,
                kind=item.kind,
                raised_at=_text(item.raised_at),
                cleared_at=_text(item.cleared_at),
            )
            for item in ticket.items
        ),
        "opened_at": _text(ticket.opened_at),
        "reply_due_at": _text(ticket.reply_due_at),
        "resolve_due_at": _text(ticket.resolve_due_at),
        "first_reply_at": _text(ticket.first_reply_at),
        "resolved_at": _text(ticket.resolved_at),
        "assignee": ticket.assignee,
        "department_id": ticket.department_id,
        "incident_id": ticket.incident_id,
        "authority": ticket.authority,
        "feedback_count": ticket.feedback_count,
        "escalation": ticket.escalation,
        "reason": ticket.reason_code,
        "messages": ticket.messages,
    }


def _text(at: datetime | None) -> str:
    return at.isoformat() if at else ""
