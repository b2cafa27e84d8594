"""What the HTTP API shows, in pages by key; row-level security limits every query to the caller's
rows.
"""

from typing import Any

from sqlalchemy import RowMapping, text

from shared.db import Connection

Rows = list[RowMapping]

_AUTHORITIES = text(
    """
    SELECT party, kind, city, state, since, until, reason, announced, retry_at, failures
      FROM parties ORDER BY party
    """
)


async def authorities(conn: Connection) -> Rows:
    """All parties: there are few."""
    return list((await conn.execute(_AUTHORITIES)).mappings())


_EXCHANGES = text(
    """
    SELECT e.seq, e.exchange_id, e.party, e.operation, e.at, e.outcome, e.account_id, e.levy_period,
           e.serial, e.request, e.request_sha256, e.status, e.reply, e.reply_sha256, e.reason,
           e.milliseconds
      FROM exchanges e
     WHERE e.employer_id = :employer_id
       AND (CAST(:levy_period AS text) IS NULL OR e.levy_period = :levy_period)
       AND (CAST(:employee_id AS text) IS NULL
            OR EXISTS (SELECT 1 FROM submission_lines l
                        WHERE l.serial = e.serial AND l.employee_id = :employee_id)
            OR (e.serial = '' AND EXISTS (
                SELECT 1 FROM bureau_months m
                 WHERE m.account_id = e.account_id AND m.levy_period = e.levy_period
                   AND m.employee_id = :employee_id)))
       AND (CAST(:before AS bigint) IS NULL OR e.seq < :before)
     ORDER BY e.seq DESC LIMIT :rows
    """
)


async def exchanges(
    conn: Connection,
    employer_id: str,
    employee_id: str | None,
    levy_period: str | None,
    before: int | None,
    limit: int,
) -> Rows:
    """The sync log, newest first; with `employee_id` those exchanges that covered this employee."""
    values: dict[str, Any] = {
        "employer_id": employer_id,
        "employee_id": employee_id,
        "levy_period": levy_period,
        "before": before,
        "rows": limit,
    }
    return list((await conn.execute(_EXCHANGES, values)).mappings())


_MONTHS = text(
    """
    SELECT m.employee_id, m.levy_period, m.employer_id, m.account_id, m.version, m.told,
           coalesce(e.employee_no, '') AS employee_no
      FROM bureau_months m LEFT JOIN employees e USING (employee_id)
     WHERE m.employer_id = :employer_id AND m.levy_period = :levy_period
       AND (CAST(:employee_id AS text) IS NULL OR m.employee_id = :employee_id)
       AND m.employee_id > :after AND m.version > 0
     ORDER BY m.employee_id LIMIT :rows
    """
)


async def months(
    conn: Connection,
    employer_id: str,
    levy_period: str,
    employee_id: str | None,
    after: str,
    limit: int,
) -> Rows:
    """Employees' rows as last told, by employee id."""
    values = {
        "employer_id": employer_id,
        "levy_period": levy_period,
        "employee_id": employee_id,
        "after": after,
        "rows": limit,
    }
    return list((await conn.execute(_MONTHS, values)).mappings())


_SUMS = text(
    """
    SELECT line.key AS insurance,
           sum((line.value->>'filed_employer_fen')::bigint)::bigint AS filed_employer_fen,
           sum((line.value->>'filed_employee_fen')::bigint)::bigint AS filed_employee_fen,
           sum((line.value->>'verified_employer_fen')::bigint)::bigint AS verified_employer_fen,
           sum((line.value->>'verified_employee_fen')::bigint)::bigint AS verified_employee_fen,
           sum((line.value->>'record_employer_fen')::bigint)
               FILTER (WHERE line.value->>'stage' = 'recorded')::bigint AS recorded_employer_fen,
           sum((line.value->>'record_employee_fen')::bigint)
               FILTER (WHERE line.value->>'stage' = 'recorded')::bigint AS recorded_employee_fen
      FROM bureau_months m CROSS JOIN LATERAL jsonb_each(m.told) AS line
     WHERE m.employer_id = :employer_id AND m.levy_period = :levy_period
     GROUP BY line.key ORDER BY line.key
    """
)


async def sums(conn: Connection, employer_id: str, levy_period: str) -> Rows:
    """Fen per insurance and side: filed, verified, recorded; null where there is none."""
    values = {"employer_id": employer_id, "levy_period": levy_period}
    return list((await conn.execute(_SUMS, values)).mappings())


_SUBMISSIONS = text(
    """
    SELECT serial, kind, declaration_id, account_id, levy_period, party, state, reason, since,
           next_at, failures
      FROM submissions
     WHERE employer_id = :employer_id
       AND (CAST(:levy_period AS text) IS NULL OR levy_period = :levy_period)
       AND serial > :after
     ORDER BY serial LIMIT :rows
    """
)


async def submissions(
    conn: Connection, employer_id: str, levy_period: str | None, after: str, limit: int
) -> Rows:
    """Filings and paid details with where they stand and what they wait for."""
    values = {
        "employer_id": employer_id,
        "levy_period": levy_period,
        "after": after,
        "rows": limit,
    }
    return list((await conn.execute(_SUBMISSIONS, values)).mappings())
