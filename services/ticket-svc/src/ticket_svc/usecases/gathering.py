"""What facts do to tickets: anomalies, feedback, and the copies of what others own."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.db import Connection
from ticket_svc import store
from ticket_svc.domain.assignment import Staff
from ticket_svc.domain.facts import Anomaly, Feedback, merged
from ticket_svc.domain.office import Office
from ticket_svc.domain.regathering import Change, Surroundings, regather
from ticket_svc.domain.ticket import Ticket, assigned, paused_or_running
from ticket_svc.store.copies import Desk, Spell
from ticket_svc.usecases.telling import tell


async def take_anomalies(
    conn: Connection, office: Office, anomalies: Sequence[Anomaly], now: datetime
) -> None:
    """Keeps the newest version of each and gathers the tickets of everyone whom they touch.

    Locks go causes, then desks in order of employee, then tickets: batches that run side by side
    cannot wait for each other in a circle.
    """
    await store.facts.lock_causes(conn, anomalies)
    await store.copies.lock_desks(conn, _desks(anomalies))
    kept = await store.facts.anomalies_named(conn, {a.fact_id for a in anomalies})
    for anomaly in anomalies:
        kept[anomaly.fact_id] = merged(kept.get(anomaly.fact_id), anomaly, now)
    await store.facts.save_anomalies(conn, kept.values())
    lone = await store.facts.count_people(conn, list(kept.values()))
    touched = _desks(anomalies)
    await store.copies.lock_desks(conn, set(lone) - touched)
    await gather_desks(conn, office, touched | set(lone), now)


async def gather_desks(
    conn: Connection, office: Office, desks: Iterable[Desk], now: datetime, by: str = ""
) -> list[Ticket]:
    """Brings the tickets of these employees in line with their facts; their desks are locked."""
    people = sorted({employee for employee, _ in desks})
    anomalies = await store.facts.anomalies_of(conn, people)
    incidents = await store.facts.incidents_of(conn, anomalies)
    closed = await store.copies.closed_authorities(conn)
    departments = await store.copies.departments(conn, people, office.day_of(now))
    raised, said, tickets = defaultdict(list), defaultdict(list), defaultdict(list)
    for anomaly in anomalies:
        raised[anomaly.employee_id].append(anomaly)
    for feedback in await store.facts.feedbacks_of(conn, people):
        said[feedback.employee_id].append(feedback)
    for ticket in await store.tickets.tickets_of(conn, people):
        tickets[ticket.employee_id].append(ticket)
    changes: list[Change] = []
    places: dict[str, str] = {}
    for person in people:
        around = Surroundings(
            office=office,
            now=now,
            incidents={
                anomaly.cause_id: incidents.get((anomaly.employer_id, anomaly.cause_id), "")
                for anomaly in raised[person]
            },
            closed_authorities=closed,
            department_id=departments.get(person, ""),
        )
        after = regather(tickets[person], raised[person], said[person], around)
        changes += after.changes
        places |= after.places
    await store.facts.place(conn, places)
    return await tell(conn, office, [(c.after, c.names) for c in changes], now, by)


async def give_feedback(
    conn: Connection, office: Office, feedback: Feedback, message: store.tickets.Message
) -> tuple[Ticket, bool]:
    """Keeps what an employee says; the ticket that it is in now, and whether that was
    there before.
    """
    desk = (feedback.employee_id, feedback.employer_id)
    await store.copies.lock_desks(conn, [desk])
    await store.facts.add_feedback(conn, feedback)
    await store.tickets.add_message(conn, "", desk, message)
    changed = await gather_desks(conn, office, [desk], feedback.at, message.author)
    placed = await store.facts.ticket_of_feedback(conn, feedback.feedback_id)
    ticket = next(ticket for ticket in changed if ticket.ticket_id == placed)
    return ticket, ticket.version > 1


async def take_employers(
    conn: Connection,
    office: Office,
    rows: Sequence[tuple[str, int, Sequence[Staff]]],
    now: datetime,
) -> None:
    """Keeps the HR staff of each (employer, version, staff); who has left gives their open tickets
    back.
    """
    await store.copies.save_employers(conn, rows)
    known = await store.copies.staff_of(conn, [employer for employer, _, _ in rows])
    for employer, staff in sorted(known.items()):
        left = await store.tickets.abandoned(conn, employer, [person.sub for person in staff])
        await tell(conn, office, [(assigned(ticket, ""), ("assigned",)) for ticket in left], now)


async def take_employees(
    conn: Connection, rows: Sequence[tuple[str, str, int, Sequence[Spell]]]
) -> None:
    """Keeps where each (employee, employer, version, spells) works: the next ticket goes by it."""
    await store.copies.save_employees(conn, rows)


async def take_authorities(
    conn: Connection,
    office: Office,
    rows: Sequence[tuple[str, int, str, datetime]],
    now: datetime,
) -> None:
    """Keeps the state of each (authority, version, state, since); resolution clocks stand while one
    is closed.
    """
    await store.copies.save_authorities(conn, rows)
    names = [name for name, _, _, _ in rows]
    since = await store.copies.authorities_since(conn, names)
    closed = await store.copies.closed_authorities(conn)
    told = []
    for ticket in await store.tickets.open_at_authorities(conn, names):
        is_closed = ticket.authority in closed
        after = paused_or_running(
            ticket,
            since[ticket.authority],
            office,
            waiting_on=ticket.waiting_on,
            authority_closed=is_closed,
        )
        if after != ticket:
            told.append((after, ("waiting" if is_closed else "resumed",)))
    await tell(conn, office, told, now)


def _desks(anomalies: Iterable[Anomaly]) -> set[Desk]:
    return {(anomaly.employee_id, anomaly.employer_id) for anomaly in anomalies}
