"""What time does: tickets find someone to take them, and late ones go up."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

from shared.db import Connection
from ticket_svc import store
from ticket_svc.domain.assignment import chosen
from ticket_svc.domain.office import Office
from ticket_svc.domain.ticket import assigned, escalate_at, escalated
from ticket_svc.usecases.telling import Told, tell

BATCH_TICKETS = 500
"""One transaction's worth: some 2 MB of rows and events, and locks held for well under a second."""


async def assign_waiting(conn: Connection, office: Office, now: datetime) -> int:
    """Gives each waiting ticket to the least loaded of the employee's department; how many were
    given.
    """
    tickets = await store.tickets.unassigned(conn, BATCH_TICKETS)
    employers = {ticket.employer_id for ticket in tickets}
    staff = await store.copies.staff_of(conn, employers)
    loads = await store.tickets.loads(conn, employers)
    told: list[Told] = []
    for ticket in tickets:
        load = loads.setdefault(ticket.employer_id, Counter())
        sub = chosen(staff.get(ticket.employer_id, ()), ticket.department_id, load)
        load[sub] = load.get(sub, 0) + 1
        told.append((assigned(ticket, sub), ("assigned",)))
    await tell(conn, office, told, now)
    return len(told)


async def escalate_late(conn: Connection, office: Office, now: datetime) -> int:
    """Looks at every ticket whose time has come; late ones go up one level and say so."""
    tickets = await store.tickets.to_escalate(conn, now, BATCH_TICKETS)
    told: list[Told] = []
    looked = []
    for ticket in tickets:
        after = escalated(ticket, now, office)
        if after.escalation > ticket.escalation:
            told.append((after, ("escalated",)))
        elif after != replace(ticket, escalated_at=now):
            told.append((after, ("timed",)))
        else:
            looked.append((after, escalate_at(after, office)))
    await store.tickets.save(conn, looked)
    await tell(conn, office, told, now)
    return len(tickets)
