"""What people ask for, as domain values; row-level security limits each query to the caller."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Row, Table, func, select, text, tuple_

from portal_svc import tables
from portal_svc.domain import facts
from portal_svc.domain.counts import CellCount, Sums
from shared.db import Connection
from shared.sealed import Sealed
from shared.values import Insurance

FactT = TypeVar("FactT")

_SIDES: dict[str, type[Any]] = {
    "payslip": facts.Payslip,
    "assessed": facts.Assessed,
    "posted": facts.Posted,
    "bureau": facts.Bureau,
    "judged": facts.Judged,
}


async def months(
    conn: Connection, employee_id: str, before: str | None, limit: int
) -> list[facts.Month]:
    """The employee's months before levy period `before` (None: all), newest first."""
    table = tables.months
    query = (
        select(table)
        .where(table.c.employee_id == employee_id)
        .order_by(table.c.levy_period.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(table.c.levy_period < before)
    return [_month(row) for row in await conn.execute(query)]


async def months_of(conn: Connection, keys: Iterable[tuple[str, str]]) -> list[facts.Month]:
    """The months named by (employee id, levy period), as many as are known."""
    table = tables.months
    wanted = list(keys)
    if not wanted:
        return []
    query = select(table).where(tuple_(table.c.employee_id, table.c.levy_period).in_(wanted))
    return [_month(row) for row in await conn.execute(query)]


async def employer(conn: Connection, employer_id: str) -> facts.Employer | None:
    table = tables.employers
    return await _one(conn, table, facts.Employer, table.c.employer_id == employer_id)


async def employee(conn: Connection, employee_id: str) -> facts.Employee | None:
    table = tables.employees
    return await _one(conn, table, facts.Employee, table.c.employee_id == employee_id)


async def employees(conn: Connection, employee_ids: Sequence[str]) -> list[facts.Employee]:
    table = tables.employees
    return await _all(conn, table, facts.Employee, table.c.employee_id.in_(employee_ids))


async def identities(
    conn: Connection, employee_ids: Sequence[str]
) -> list[tuple[facts.Employee, Sealed]]:
    """(employer and employee, sealed identity); nothing is sealed of one that was erased."""
    table = tables.identities
    rows = await conn.execute(select(table).where(table.c.employee_id.in_(employee_ids)))
    return [
        (
            facts.Employee(row.employee_id, row.employer_id, ""),
            Sealed(row.sealed, row.wrapped_key, row.root_key_id),
        )
        for row in rows
    ]


async def declaration(conn: Connection, declaration_id: str) -> facts.Declaration | None:
    table = tables.declarations
    return await _one(conn, table, facts.Declaration, table.c.declaration_id == declaration_id)


async def declaration_of_account(
    conn: Connection, account_id: str, levy_period: str
) -> facts.Declaration | None:
    """The account's declaration of the period, before a debit names which one it is."""
    table = tables.declarations
    where = (table.c.account_id == account_id) & (table.c.levy_period == levy_period)
    return await _one(conn, table, facts.Declaration, where)


async def policy(conn: Connection, city: str) -> facts.Policy | None:
    table = tables.policies
    return await _one(conn, table, facts.Policy, table.c.city == city)


async def authorities(conn: Connection) -> list[facts.Authority]:
    """Every collector and authority of which a state is known."""
    return await _all(conn, tables.authorities, facts.Authority, text("true"))


async def tickets_of_employee(conn: Connection, employee_id: str) -> list[facts.Ticket]:
    table = tables.tickets
    return await _all(conn, table, facts.Ticket, table.c.employee_id == employee_id)


async def open_tickets(
    conn: Connection, employer_id: str, after: tuple[datetime, str] | None, limit: int
) -> list[facts.Ticket]:
    """The employer's open tickets after (opened_at, ticket_id), the longest open first."""
    table = tables.tickets
    where = (table.c.employer_id == employer_id) & table.c.open
    if after is not None:
        where &= tuple_(table.c.opened_at, table.c.ticket_id) > tuple_(*after)
    query = (
        select(table.c.payload)
        .where(where)
        .order_by(table.c.opened_at, table.c.ticket_id)
        .limit(limit)
    )
    return [_read(row.payload, facts.Ticket) for row in await conn.execute(query)]


async def ticket(conn: Connection, ticket_id: str) -> facts.Ticket | None:
    table = tables.tickets
    return await _one(conn, table, facts.Ticket, table.c.ticket_id == ticket_id)


async def anomalies(conn: Connection, anomaly_ids: Sequence[str]) -> list[facts.Anomaly]:
    """Those named, open or cleared."""
    table = tables.anomalies
    rows = await conn.execute(
        select(table.c.kind, table.c.payload).where(table.c.anomaly_id.in_(anomaly_ids))
    )
    return [replace(_read(row.payload, facts.Anomaly), kind=row.kind) for row in rows]


async def notifications_of_ticket(conn: Connection, ticket_id: str) -> list[facts.Notification]:
    """What everyone was told about the ticket, the first first."""
    table = tables.notifications
    rows = await conn.execute(
        select(table.c.delivered, table.c.payload).where(table.c.ticket_id == ticket_id)
    )
    told = [
        replace(_read(row.payload, facts.Notification), delivered=row.delivered) for row in rows
    ]
    return sorted(told, key=lambda one: (one.at, one.notification_id))


async def deadline_risks(
    conn: Connection, employer_id: str, levy_period: str
) -> list[facts.DeadlineRisk]:
    table = tables.deadline_risks
    where = (table.c.employer_id == employer_id) & (table.c.levy_period == levy_period)
    return await _all(conn, table, facts.DeadlineRisk, where)


async def period_close(
    conn: Connection, employer_id: str, levy_period: str
) -> facts.PeriodClose | None:
    table = tables.period_closes
    where = (table.c.employer_id == employer_id) & (table.c.levy_period == levy_period)
    return await _one(conn, table, facts.PeriodClose, where)


_CELL_COUNTS = text(
    """
    SELECT judged ->> 'department_id' AS department_id, cell ->> 'insurance' AS insurance,
           cell ->> 'outcome' AS outcome, CAST(cell ->> 'extra' AS boolean) AS extra,
           count(*) AS cells
      FROM months, jsonb_array_elements(judged -> 'cells') AS cell
     WHERE employer_id = :employer_id AND levy_period = :levy_period
     GROUP BY 1, 2, 3, 4
    """
)


async def cell_counts(conn: Connection, employer_id: str, levy_period: str) -> list[CellCount]:
    """The verdicts of the employer's month, counted by department, insurance and outcome."""
    found = await conn.execute(
        _CELL_COUNTS, {"employer_id": employer_id, "levy_period": levy_period}
    )
    return [msgspec.convert(dict(row), CellCount) for row in found.mappings()]


async def people_by_department(
    conn: Connection, employer_id: str, levy_period: str
) -> dict[str, int]:
    """How many employees of the month each department has."""
    table = tables.months
    department = table.c.judged["department_id"].astext
    query = (
        select(department, func.count())
        .where(table.c.employer_id == employer_id, table.c.levy_period == levy_period)
        .where(table.c.judged.is_not(None))
        .group_by(department)
    )
    return {row[0]: row[1] for row in await conn.execute(query)}


_SUMS = text(
    """
    WITH month AS (
        SELECT * FROM months WHERE employer_id = :employer_id AND levy_period = :levy_period)
    SELECT side, insurance, CAST(coalesce(sum(employer_fen), 0) AS bigint) AS employer_fen,
           CAST(coalesce(sum(employee_fen), 0) AS bigint) AS employee_fen
      FROM (
        SELECT 'withheld' AS side, one.* FROM month, jsonb_to_recordset(payslip -> 'withheld')
            AS one(insurance text, employer_fen bigint, employee_fen bigint)
        UNION ALL
        SELECT 'assessed', one.insurance, one.employer_fen, one.employee_fen
          FROM month, jsonb_to_recordset(assessed -> 'lines')
            AS one(insurance text, employer_fen bigint, employee_fen bigint, state text)
         WHERE one.state = 'due'
        UNION ALL
        SELECT 'debited', one.insurance, one.employer_fen, one.employee_fen
          FROM month, jsonb_to_recordset(posted -> 'lines')
            AS one(insurance text, employer_fen bigint, employee_fen bigint, debit_state text)
         WHERE one.debit_state = 'posted'
        UNION ALL
        SELECT 'filed', one.* FROM month, jsonb_to_recordset(bureau -> 'rows')
            AS one(insurance text, filed_employer_fen bigint, filed_employee_fen bigint)
        UNION ALL
        SELECT 'verified', one.* FROM month, jsonb_to_recordset(bureau -> 'rows')
            AS one(insurance text, verified_employer_fen bigint, verified_employee_fen bigint)
        UNION ALL
        SELECT 'recorded', one.* FROM month, jsonb_to_recordset(bureau -> 'rows')
            AS one(insurance text, record_employer_fen bigint, record_employee_fen bigint)
      ) AS amounts
     GROUP BY side, insurance
    """
)


async def sums(
    conn: Connection, employer_id: str, levy_period: str
) -> dict[str, dict[Insurance, Sums]]:
    """Fen by side and insurance of the employer's month, as each side told it."""
    found = await conn.execute(_SUMS, {"employer_id": employer_id, "levy_period": levy_period})
    by_side: dict[str, dict[Insurance, Sums]] = {}
    for row in found:
        side = by_side.setdefault(row.side, {})
        side[Insurance(row.insurance)] = Sums(row.employer_fen, row.employee_fen)
    return by_side


def _month(row: Row[Any]) -> facts.Month:
    kept = row._mapping
    sides = {
        side: _read(kept[side], fact) for side, fact in _SIDES.items() if kept[side] is not None
    }
    event_ids = {side: kept[f"{side}_event_id"] for side in sides}
    return facts.Month(
        row.employee_id, row.employer_id, row.levy_period, event_ids=event_ids, **sides
    )


def _read(payload: Any, fact: type[FactT]) -> FactT:
    """Fields that the portal does not show are ignored: a newer event is no reason to fail."""
    return msgspec.convert(payload, fact)


async def _one(conn: Connection, table: Table, fact: type[FactT], where: Any) -> FactT | None:
    row = (await conn.execute(select(table.c.payload).where(where).limit(1))).first()
    return None if row is None else _read(row.payload, fact)


async def _all(conn: Connection, table: Table, fact: type[FactT], where: Any) -> list[FactT]:
    rows = await conn.execute(select(table.c.payload).where(where).order_by(*table.primary_key))
    return [_read(row.payload, fact) for row in rows]
