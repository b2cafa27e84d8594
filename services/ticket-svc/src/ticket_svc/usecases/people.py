"""What people do with tickets; every function takes who does it and when, and tells what
changed.
"""

from datetime import datetime

from shared.db import Connection
from ticket_svc import store
from ticket_svc.domain import ticket as rules
from ticket_svc.domain.office import Office
from ticket_svc.domain.ticket import Ticket, WaitingOn
from ticket_svc.errors import AnotherTicketIsOpen, AssigneeUnknown
from ticket_svc.store.tickets import Message
from ticket_svc.usecases.telling import tell


async def reply(conn: Connection, office: Office, ticket_id: str, message: Message) -> Ticket:
    """Adds a message of HR or of the employee; HR's says whom the ticket waits on from now on."""
    ticket = await store.tickets.ticket(conn, ticket_id, lock=True)
    after = rules.replied(
        ticket,
        message.at,
        office,
        by_hr=message.author_kind == "hr",
        waiting_on=WaitingOn(message.waiting_on),
    )
    desk = (ticket.employee_id, ticket.employer_id)
    await store.tickets.add_message(conn, ticket_id, desk, message)
    return await _told(conn, office, after, "replied", message.at, message.author)


async def assign(
    conn: Connection, office: Office, ticket_id: str, sub: str, at: datetime, by: str
) -> Ticket:
    """Gives the ticket to someone of the employer's HR staff; AssigneeUnknown for anyone else."""
    ticket = await store.tickets.ticket(conn, ticket_id, lock=True)
    staff = (await store.copies.staff_of(conn, [ticket.employer_id])).get(ticket.employer_id, [])
    if sub not in {person.sub for person in staff}:
        raise AssigneeUnknown(f"{sub} is not on the HR staff of this employer; choose one who is.")
    return await _told(conn, office, rules.assigned(ticket, sub), "assigned", at, by)


async def resume(conn: Connection, office: Office, ticket_id: str, at: datetime, by: str) -> Ticket:
    """Ends the waiting: the resolution clock runs on."""
    ticket = await store.tickets.ticket(conn, ticket_id, lock=True)
    return await _told(conn, office, rules.resumed(ticket, at, office), "resumed", at, by)


async def resolve(
    conn: Connection, office: Office, ticket_id: str, reason: str, at: datetime, by: str
) -> Ticket:
    """A person resolves the ticket and says why; what it gathered stays with it."""
    ticket = await _locked_with_desk(conn, ticket_id)
    after = rules.settled(ticket, at, by, reason)
    return await _told(conn, office, after, "resolved", at, by)


async def reopen(conn: Connection, office: Office, ticket_id: str, at: datetime, by: str) -> Ticket:
    """Opens a resolved ticket again; AnotherTicketIsOpen when its cause has a newer open one."""
    ticket = await _locked_with_desk(conn, ticket_id)
    after = rules.reopened(ticket, at, office)
    other = await store.tickets.another_open(conn, ticket)
    if other is not None:
        raise AnotherTicketIsOpen(f"{other} is open for the same cause; write there instead.")
    return await _told(conn, office, after, "reopened", at, by)


async def _locked_with_desk(conn: Connection, ticket_id: str) -> Ticket:
    """What changes which facts a ticket holds locks the desk first, as the consumers do."""
    seen = await store.tickets.ticket(conn, ticket_id)
    await store.copies.lock_desks(conn, [(seen.employee_id, seen.employer_id)])
    return await store.tickets.ticket(conn, ticket_id, lock=True)


async def _told(
    conn: Connection, office: Office, ticket: Ticket, name: str, at: datetime, by: str
) -> Ticket:
    [told] = await tell(conn, office, [(ticket, (name,))], at, by)
    return told
