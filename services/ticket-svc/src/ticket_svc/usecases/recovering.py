"""A restored store takes its tickets back as people know them: numbers, states, clocks."""

from collections.abc import Sequence
from datetime import datetime

from shared.db import Connection
from ticket_svc import store
from ticket_svc.domain.facts import Feedback
from ticket_svc.domain.office import Office
from ticket_svc.domain.recovering import Told, feedback_of, followed, with_clock
from ticket_svc.domain.ticket import escalate_at


async def keep_told(conn: Connection, office: Office, told: Sequence[Told]) -> None:
    """Follows each ticket through what was told of it since the backup, in order of version."""
    desks = {(one.ticket.employee_id, one.ticket.employer_id) for one in told}
    await store.copies.lock_desks(conn, desks)
    known = await store.tickets.tickets_named(conn, {one.ticket.ticket_id for one in told})
    feedbacks: list[Feedback] = []
    for one in told:
        before = known.get(one.ticket.ticket_id)
        if before is not None and before.version > one.ticket.version:
            continue
        said = feedback_of(before, one)
        feedbacks += [said] if said else []
        after = followed(before, one)
        known[after.ticket_id] = with_clock(before, after, one.at, office)
    saved = [(ticket, escalate_at(ticket, office)) for ticket in known.values()]
    await store.tickets.save(conn, saved)
    await store.told_before.add_feedbacks(conn, feedbacks)
    changes = [(one.ticket, one.change, one.state, one.at) for one in told]
    await store.told_before.add_changes(conn, changes)
    await store.told_before.give_no_number_twice(conn, known)


async def lost(conn: Connection, _: datetime) -> Sequence[str]:
    """What people wrote since the backup and no event tells."""
    replies, tickets, feedbacks = await store.told_before.lost_words(conn)
    lines = []
    if replies:
        lines.append(f"{replies} replies in {tickets} tickets are known, their words are lost")
    if feedbacks:
        lines.append(f"{feedbacks} reports of employees are known, their words are lost")
    return lines
