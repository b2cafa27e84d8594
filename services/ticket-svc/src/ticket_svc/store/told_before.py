"""What a restored store takes back beside the tickets: timeline, numbers, and what it cannot."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from shared.db import Connection
from ticket_svc import tables
from ticket_svc.domain.facts import Feedback
from ticket_svc.domain.ticket import Ticket


async def add_changes(conn: Connection, rows: Sequence[tuple[Ticket, str, str, datetime]]) -> None:
    """The timeline's row of each (ticket, change, state, at), unless it is there; events do not say
    by whom.
    """
    values = [
        {
            "ticket_id": ticket.ticket_id,
            "version": ticket.version,
            "employer_id": ticket.employer_id,
            "employee_id": ticket.employee_id,
            "at": at,
            "change": change,
            "state": state,
            "by": "",
        }
        for ticket, change, state, at in rows
    ]
    await conn.execute(insert(tables.changes).on_conflict_do_nothing(), values)


async def add_feedbacks(conn: Connection, feedbacks: Sequence[Feedback]) -> None:
    """That employees said something; what, no event tells."""
    names = [column.name for column in tables.feedbacks.c]
    rows = [{name: getattr(one, name) for name in names} for one in feedbacks]
    if rows:
        values = [{**row, "insurances": list(row["insurances"])} for row in rows]
        await conn.execute(insert(tables.feedbacks).on_conflict_do_nothing(), values)


_NUMBERS_GIVEN = text(
    """
    INSERT INTO ticket_numbers AS n (employer_id, month, last)
    SELECT employer_id, split_part(number, '-', 2), max(CAST(split_part(number, '-', 3) AS integer))
      FROM tickets WHERE ticket_id = ANY(:ids) AND number LIKE 'DZ-%' GROUP BY 1, 2
    ON CONFLICT ON CONSTRAINT ticket_numbers_pkey
       DO UPDATE SET last = greatest(n.last, excluded.last)
    """
)


async def give_no_number_twice(conn: Connection, ticket_ids: Iterable[str]) -> None:
    """The next numbers come after those of these tickets."""
    await conn.execute(_NUMBERS_GIVEN, {"ids": sorted(ticket_ids)})


_REPLIES = text(
    """
    SELECT coalesce(sum(t.messages - m.kept), 0) AS replies, count(*) AS tickets
      FROM tickets t CROSS JOIN LATERAL (
           SELECT count(*) AS kept FROM messages
            WHERE ticket_id = t.ticket_id AND feedback_id IS NULL) m
     WHERE t.messages > m.kept
    """
)
_FEEDBACKS = text(
    """
    SELECT count(*) FROM feedbacks f
     WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.feedback_id = f.feedback_id)
    """
)


async def lost_words(conn: Connection) -> tuple[int, int, int]:
    """Replies whose text is nowhere, in how many tickets; and feedback of which that is true."""
    row = (await conn.execute(_REPLIES)).one()
    feedbacks = int((await conn.execute(_FEEDBACKS)).scalar_one())
    return int(row.replies), int(row.tickets), feedbacks
