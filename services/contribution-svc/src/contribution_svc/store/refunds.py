"""退费: applications for what was paid too much, one per employee, levy period and number."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.refund import Refund, RefundState
from contribution_svc.store.values import columns, from_json, to_json
from shared.db import Connection

_NAMES = tuple(Refund.__slots__)
_COLUMNS = ", ".join(_NAMES)
_PUT = text(
    f"""
    INSERT INTO refunds AS r ({_COLUMNS})
    VALUES ({", ".join("CAST(:lines AS jsonb)" if n == "lines" else f":{n}" for n in _NAMES)})
    ON CONFLICT (refund_id) DO UPDATE
       SET {", ".join(f"{name} = excluded.{name}" for name in _NAMES if name != "refund_id")}
     WHERE r.version < excluded.version
    """  # noqa: S608
)
_LOCKED = text(f"SELECT {_COLUMNS} FROM refunds WHERE refund_id = :id FOR UPDATE")  # noqa: S608
_NEWEST = text(
    f"""
    SELECT DISTINCT ON (employee_id) {_COLUMNS} FROM refunds
     WHERE account_id = :account_id AND levy_period = :period
     ORDER BY employee_id, number DESC
    """  # noqa: S608
)
_OF_EMPLOYEE = text(
    f"SELECT {_COLUMNS} FROM refunds WHERE employee_id = :id ORDER BY levy_period, number"  # noqa: S608
)
_PAGE = text(
    f"""
    SELECT {_COLUMNS} FROM refunds
     WHERE employer_id = :employer_id AND refund_id > :after ORDER BY refund_id LIMIT :limit
    """  # noqa: S608
)
_REFUNDED = text(
    """
    SELECT employee_id, levy_period, r.lines
      FROM refunds r
      JOIN unnest(CAST(:employee_id AS text[]), CAST(:levy_period AS text[]))
           AS n(employee_id, levy_period) USING (employee_id, levy_period)
     WHERE r.state = 'refunded'
    """
)


async def put(conn: Connection, refunds: Sequence[Refund]) -> None:
    """Each under its version; a later one that is there stays."""
    rows = [
        {name: getattr(one, name) for name in _NAMES} | {"lines": to_json(one.lines)}
        for one in refunds
    ]
    if rows:
        await conn.execute(_PUT, rows)


async def locked(conn: Connection, refund_id: str) -> Refund | None:
    row = (await conn.execute(_LOCKED, {"id": refund_id})).mappings().first()
    return _refund(row) if row is not None else None


async def newest(conn: Connection, account_id: str, period: str) -> dict[str, Refund]:
    """By employee, the latest application of the account month."""
    values = {"account_id": account_id, "period": period}
    rows = (await conn.execute(_NEWEST, values)).mappings()
    return {row["employee_id"]: _refund(row) for row in rows}


async def of_employee(conn: Connection, employee_id: str) -> list[Refund]:
    rows = (await conn.execute(_OF_EMPLOYEE, {"id": employee_id})).mappings()
    return [_refund(row) for row in rows]


async def page(conn: Connection, employer_id: str, after: str, limit: int) -> list[Refund]:
    """An employer's applications by id, after `after`."""
    values = {"employer_id": employer_id, "after": after, "limit": limit}
    return [_refund(row) for row in (await conn.execute(_PAGE, values)).mappings()]


async def refunded(
    conn: Connection, months: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[SupplementLine]]:
    """By employee and levy period, the lines that were refunded."""
    found: dict[tuple[str, str], list[SupplementLine]] = {}
    for row in await conn.execute(_REFUNDED, columns(("employee_id", "levy_period"), months)):
        lines = from_json(row.lines, list[SupplementLine])
        found.setdefault((row.employee_id, row.levy_period), []).extend(lines)
    return found


def _refund(row: Mapping[Any, Any]) -> Refund:
    lines = from_json(row["lines"], list[SupplementLine])
    return Refund(**{**row, "lines": lines, "state": RefundState(row["state"])})
