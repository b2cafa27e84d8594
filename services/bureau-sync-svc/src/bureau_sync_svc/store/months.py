"""The bureaus' side of each employee's month: the facts known, and the rows as last told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import text

from bureau_sync_svc.domain.lines import Line, Lines, Row, Rows
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class Month:
    """One employee and levy period. `version` 0: nothing told yet."""

    employee_id: str
    levy_period: str
    employer_id: str
    account_id: str
    version: int
    lines: Lines
    told: Rows


_OPEN = text(
    """
    INSERT INTO bureau_months (
        employee_id, levy_period, employer_id, account_id, lines, told, version)
    SELECT employee_id, :levy_period, :employer_id, :account_id, '{}', '{}', 0
      FROM unnest(CAST(:ids AS text[])) AS employee_id ORDER BY employee_id
    ON CONFLICT DO NOTHING
    """
)
_LOCK = text(
    """
    SELECT employee_id, levy_period, employer_id, account_id, version, lines, told
      FROM bureau_months WHERE levy_period = :levy_period AND employee_id = ANY(:ids)
     ORDER BY employee_id FOR UPDATE
    """
)


async def locked(
    conn: Connection, employer_id: str, account_id: str, levy_period: str, ids: Iterable[str]
) -> list[Month]:
    """These employees' months, made where missing, their rows locked in the order of their ids."""
    values = {
        "ids": sorted(set(ids)),
        "levy_period": levy_period,
        "employer_id": employer_id,
        "account_id": account_id,
    }
    await conn.execute(_OPEN, values)
    return [_month(row) for row in (await conn.execute(_LOCK, values)).mappings()]


def _month(row: object) -> Month:
    values = dict(row)  # type: ignore[call-overload]
    values["lines"] = msgspec.convert(values["lines"], dict[str, Line])
    values["told"] = msgspec.convert(values["told"], dict[str, Row])
    return Month(**values)


_SAVE = text(
    """
    UPDATE bureau_months
       SET account_id = :account_id, version = :version,
           lines = CAST(:lines AS jsonb), told = CAST(:told AS jsonb)
     WHERE employee_id = :employee_id AND levy_period = :levy_period
    """
)


async def save(conn: Connection, months: Sequence[Month]) -> None:
    """Writes months whose rows the caller has locked."""
    values = [
        {
            "employee_id": month.employee_id,
            "levy_period": month.levy_period,
            "account_id": month.account_id,
            "version": month.version,
            "lines": msgspec.json.encode(month.lines).decode(),
            "told": msgspec.json.encode(month.told).decode(),
        }
        for month in months
    ]
    if values:
        await conn.execute(_SAVE, values)


_SHOWN_BY = text(
    """
    SELECT employee_id, line.key AS insurance
      FROM bureau_months CROSS JOIN LATERAL jsonb_each(lines) AS line
     WHERE account_id = :account_id AND levy_period = :levy_period
       AND line.value->>'authority' = :authority
    """
)


async def cells_shown(
    conn: Connection, account_id: str, levy_period: str, authority: str
) -> set[tuple[str, str]]:
    """(employee id, insurance) of every line of this authority, filed or only seen there."""
    values = {"account_id": account_id, "levy_period": levy_period, "authority": authority}
    return {(row.employee_id, row.insurance) for row in await conn.execute(_SHOWN_BY, values)}
