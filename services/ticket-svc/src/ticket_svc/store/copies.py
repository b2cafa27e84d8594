"""Copies of what other services own: the newest version of each wins, in whatever order
they come.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from shared.db import Connection
from ticket_svc import tables
from ticket_svc.domain.assignment import Staff
from ticket_svc.store.arrays import among

Desk = tuple[str, str]
"""(employee id, employer id): whose lock is the lock on all tickets of that employee."""

Spell = Mapping[str, str]
"""since, until, department_id."""


async def save_employers(
    conn: Connection, rows: Sequence[tuple[str, int, Sequence[Staff]]]
) -> None:
    """Keeps the newest version of each (employer id, version, staff)."""
    statement = insert(tables.employers)
    statement = statement.on_conflict_do_update(
        index_elements=["employer_id"],
        set_={"version": statement.excluded.version, "staff": statement.excluded.staff},
        where=tables.employers.c.version < statement.excluded.version,
    )
    values = [
        {"employer_id": employer, "version": version, "staff": [asdict(s) for s in staff]}
        for employer, version, staff in rows
    ]
    await conn.execute(statement, values)


async def save_employees(
    conn: Connection, rows: Sequence[tuple[str, str, int, Sequence[Spell]]]
) -> None:
    """Keeps the newest version of each (employee id, employer id, version, spells)."""
    statement = insert(tables.employees)
    statement = statement.on_conflict_do_update(
        index_elements=["employee_id"],
        set_={"version": statement.excluded.version, "spells": statement.excluded.spells},
        where=tables.employees.c.version < statement.excluded.version,
    )
    values = [
        {"employee_id": employee, "employer_id": employer, "version": version, "spells": spells}
        for employee, employer, version, spells in sorted(rows, key=lambda row: row[0])
    ]
    await conn.execute(statement, values)


async def save_authorities(
    conn: Connection, rows: Sequence[tuple[str, int, str, datetime]]
) -> None:
    """Keeps the newest version of each (authority, version, state, since)."""
    statement = insert(tables.authorities)
    names = ("authority", "version", "state", "since")
    statement = statement.on_conflict_do_update(
        index_elements=["authority"],
        set_={name: statement.excluded[name] for name in names[1:]},
        where=tables.authorities.c.version < statement.excluded.version,
    )
    await conn.execute(statement, [dict(zip(names, row, strict=True)) for row in sorted(rows)])


async def closed_authorities(conn: Connection) -> frozenset[str]:
    table = tables.authorities
    rows = await conn.execute(select(table.c.authority).where(table.c.state == "closed"))
    return frozenset(rows.scalars())


async def authorities_since(conn: Connection, names: Iterable[str]) -> dict[str, datetime]:
    """When each authority's present state began."""
    table = tables.authorities
    rows = await conn.execute(select(table).where(among(table.c.authority, names)))
    return {row.authority: row.since for row in rows}


async def staff_of(conn: Connection, employer_ids: Iterable[str]) -> dict[str, list[Staff]]:
    """The HR staff of each employer that we have heard of."""
    table = tables.employers
    rows = await conn.execute(select(table).where(among(table.c.employer_id, employer_ids)))
    return {
        row.employer_id: [Staff(s["sub"], s["role"], tuple(s["department_ids"])) for s in row.staff]
        for row in rows
    }


async def employer_of(conn: Connection, employee_id: str) -> str | None:
    """Whose employee this is; None for one that we have not heard of."""
    table = tables.employees
    statement = select(table.c.employer_id).where(table.c.employee_id == employee_id)
    found: str | None = (await conn.execute(statement)).scalar()
    return found


async def departments(conn: Connection, employee_ids: Sequence[str], day: date) -> dict[str, str]:
    """The department of each employee on that day, else the last one known."""
    table = tables.employees
    rows = await conn.execute(select(table).where(among(table.c.employee_id, employee_ids)))
    return {row.employee_id: _department(row.spells, day.isoformat()) for row in rows}


def _department(spells: Sequence[Spell], day: str) -> str:
    running = [spell for spell in spells if spell["since"] <= day <= (spell["until"] or day)]
    best = max(running or spells, key=lambda spell: spell["since"], default=None)
    return best["department_id"] if best else ""


async def lock_desks(conn: Connection, desks: Iterable[Desk]) -> None:
    """Locks these employees' tickets until the end of the transaction, in order of id.

    A row is made for an employee that we have not heard of: their EmployeeChanged may be late.
    """
    rows = [{"employee_id": person, "employer_id": employer} for person, employer in sorted(desks)]
    if not rows:
        return
    await conn.execute(insert(tables.employees).on_conflict_do_nothing(), rows)
    table = tables.employees
    wanted = among(table.c.employee_id, [row["employee_id"] for row in rows])
    locking = select(table.c.employee_id).where(wanted).order_by(table.c.employee_id)
    await conn.execute(locking.with_for_update())
