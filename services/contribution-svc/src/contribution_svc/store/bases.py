"""缴费基数 as last told, one row per employee and contribution year, as `Pack.by_contribution_year`
names it.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from sqlalchemy import text

from contribution_svc.store.values import columns, from_json, to_json
from shared.db import Connection


class BaseBody(msgspec.Struct, frozen=True):
    """Fen and codes: the average and its months, the rule, per insurance base and bound, one
    sentence.
    """

    average_fen: int
    months: int
    rule: str
    bases_fen: dict[str, int]
    bounds: dict[str, str]
    explanation: str


class BaseRow(msgspec.Struct, frozen=True):
    employee_id: str
    contribution_year: str
    employer_id: str
    version: int
    levy_period: str
    body: BaseBody


# Only a base of the same or a later levy period replaces what is there, and only if it says
# something else.
_PUT = text(
    """
    INSERT INTO bases AS b (employee_id, contribution_year, employer_id, version, levy_period, body)
    SELECT employee_id, contribution_year, employer_id, 1, levy_period, body
      FROM unnest(
        CAST(:employee_id AS text[]), CAST(:contribution_year AS text[]),
        CAST(:employer_id AS text[]), CAST(:levy_period AS text[]), CAST(:body AS jsonb[]))
        AS n(employee_id, contribution_year, employer_id, levy_period, body)
     ORDER BY employee_id, contribution_year
    ON CONFLICT (employee_id, contribution_year) DO UPDATE
       SET version = b.version + 1, levy_period = excluded.levy_period, body = excluded.body
     WHERE b.levy_period <= excluded.levy_period AND b.body <> excluded.body
    RETURNING employee_id, contribution_year, version
    """
)
_OF_EMPLOYEE = text(
    """
    SELECT employee_id, contribution_year, employer_id, version, levy_period, body FROM bases
     WHERE employee_id = :employee_id AND contribution_year < :before
     ORDER BY contribution_year DESC LIMIT :limit
    """
)
_IS_EMPLOYEE = text("SELECT EXISTS (SELECT 1 FROM employees WHERE employee_id = :employee_id)")


async def put(conn: Connection, rows: Sequence[BaseRow]) -> list[BaseRow]:
    """Keeps what is new; returns those rows under the version with which they are to be told."""
    newest: dict[tuple[str, str], BaseRow] = {}
    for row in sorted(rows, key=lambda row: row.levy_period):
        newest[row.employee_id, row.contribution_year] = row
    values = columns(
        ("employee_id", "contribution_year", "employer_id", "levy_period", "body"),
        (
            (r.employee_id, r.contribution_year, r.employer_id, r.levy_period, to_json(r.body))
            for r in newest.values()
        ),
    )
    return [
        replace(newest[employee_id, year], version=version)
        for employee_id, year, version in await conn.execute(_PUT, values)
    ]


async def is_employee(conn: Connection, employee_id: str) -> bool:
    """Whether the roster has this employee, as far as the caller may see it."""
    return bool((await conn.execute(_IS_EMPLOYEE, {"employee_id": employee_id})).scalar_one())


async def of_employee(conn: Connection, employee_id: str, before: str, limit: int) -> list[BaseRow]:
    """An employee's bases, the latest contribution year first, of years before `before`."""
    values = {"employee_id": employee_id, "before": before, "limit": limit}
    rows = (await conn.execute(_OF_EMPLOYEE, values)).mappings()
    return [BaseRow(**{**row, "body": from_json(row["body"], BaseBody)}) for row in rows]
