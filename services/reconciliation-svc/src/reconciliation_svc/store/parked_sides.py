"""Parked events that belong to employees' months: kept by month and side for as long as they
wait.

The table `parked` is the plumbing's and is only read here.
"""

from collections.abc import Mapping

from sqlalchemy import text

from reconciliation_svc.domain.month import MonthKey
from shared.db import Connection
from shared.values import LevyPeriod

# The body of a known type was decoded before it was parked, so that it is JSON. As `json`, not
# `jsonb`: that would refuse a body for a character in a field that nobody asks for.
_NEW = text(
    """
    INSERT INTO parked_sides (seq, employer_id, employee_id, levy_period, side, version)
    SELECT p.seq, p.body ->> 'employer_id', p.body ->> 'employee_id', p.body ->> 'levy_period',
           p.side, CAST(p.body ->> 'version' AS bigint)
      FROM (SELECT parked.seq, t.side, CAST(convert_from(parked.value, 'UTF8') AS json) AS body
              FROM parked
              JOIN unnest(CAST(:types AS text[]), CAST(:sides AS text[])) AS t(type, side)
             USING (type)
             WHERE parked.state IN ('parked', 'queued')
               AND NOT EXISTS (SELECT 1 FROM parked_sides s WHERE s.seq = parked.seq)) p
    RETURNING employee_id, levy_period
    """
)
_OVER = text(
    """
    DELETE FROM parked_sides s USING parked p
     WHERE p.seq = s.seq AND p.state NOT IN ('parked', 'queued')
    RETURNING s.employee_id, s.levy_period
    """
)
_STALE = text(
    """
    SELECT EXISTS (
        SELECT 1 FROM parked p
         WHERE p.state IN ('parked', 'queued') AND p.type = ANY(:types)
           AND NOT EXISTS (SELECT 1 FROM parked_sides s WHERE s.seq = p.seq))
        OR EXISTS (
        SELECT 1 FROM parked_sides s JOIN parked p USING (seq)
         WHERE p.state NOT IN ('parked', 'queued'))
    """
)
_WAITING = text(
    """
    SELECT s.employee_id, s.levy_period, array_agg(DISTINCT s.side) AS sides
      FROM parked_sides s
      JOIN months m ON m.employee_id = s.employee_id AND m.levy_period = s.levy_period
                   AND m.employer_id = s.employer_id
     WHERE s.version > CASE s.side WHEN 'assessed' THEN m.assessed_version
                                   WHEN 'posted' THEN m.posted_version
                                   WHEN 'bureau' THEN m.bureau_version
                                   ELSE m.withheld_version END
     GROUP BY s.employee_id, s.levy_period
    """
)


async def are_stale(conn: Connection, side_of: Mapping[str, str]) -> bool:
    """Whether an event was parked, replayed or dropped since they were last brought in step;
    `side_of` maps event types to sides.
    """
    found: bool = (await conn.execute(_STALE, {"types": list(side_of)})).scalar_one()
    return found


async def bring_in_step(conn: Connection, side_of: Mapping[str, str]) -> set[tuple[str, str]]:
    """Takes in what was parked, forgets what was replayed or dropped; gives whose months
    (employee, levy period) that concerns.
    """
    values = {"types": list(side_of), "sides": list(side_of.values())}
    new = (await conn.execute(_NEW, values)).all()
    over = (await conn.execute(_OVER)).all()
    return {(row.employee_id, row.levy_period) for row in (*new, *over)}


async def waiting(conn: Connection) -> dict[MonthKey, frozenset[str]]:
    """The sides of which something newer than what is held waits to be taken in, by month.

    All of them, whatever is being judged: more than a few parked events halt the consumer.
    """
    return {
        (row.employee_id, LevyPeriod.parse(row.levy_period)): frozenset(row.sides)
        for row in await conn.execute(_WAITING)
    }
