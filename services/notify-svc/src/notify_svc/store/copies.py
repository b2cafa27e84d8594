"""Copies of what other services own: the newest version of each wins, in whatever order
they come.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from notify_svc import tables
from notify_svc.domain.digest import Staff
from notify_svc.domain.resolution import Item, Outcomes, Ticket
from notify_svc.store.arrays import among
from shared.db import Connection
from shared.sealed import Sealed


async def save_employers(
    conn: Connection, rows: Sequence[tuple[str, int, Sequence[Staff], Sequence[str]]]
) -> None:
    """Keeps the newest version of each (employer id, version, staff, cities)."""
    statement = insert(tables.employers)
    names = ("version", "staff", "cities")
    statement = statement.on_conflict_do_update(
        index_elements=["employer_id"],
        set_={name: statement.excluded[name] for name in names},
        where=tables.employers.c.version < statement.excluded.version,
    )
    values = [
        {
            "employer_id": employer,
            "version": version,
            "staff": [asdict(person) for person in staff],
            "cities": list(cities),
        }
        for employer, version, staff, cities in rows
    ]
    await conn.execute(statement, values)


async def staff_of(conn: Connection, employer_ids: Iterable[str]) -> dict[str, list[Staff]]:
    """The HR staff of each employer that we have heard of."""
    table = tables.employers
    rows = await conn.execute(select(table).where(among(table.c.employer_id, employer_ids)))
    return {
        row.employer_id: [Staff(s["sub"], tuple(s["department_ids"])) for s in row.staff]
        for row in rows
    }


async def employers_in(conn: Connection, city: str) -> list[str]:
    """Employers with an account in the city."""
    table = tables.employers
    rows = await conn.execute(select(table.c.employer_id).where(table.c.cities.any(city)))
    return list(rows.scalars())


async def save_identities(conn: Connection, rows: Sequence[tuple[str, str, int, Sealed]]) -> None:
    """Keeps the newest version of each (employee id, employer id, version, sealed data)."""
    statement = insert(tables.identities)
    names = ("version", "sealed", "wrapped_key", "root_key_id")
    statement = statement.on_conflict_do_update(
        index_elements=["employee_id"],
        set_={name: statement.excluded[name] for name in names},
        where=tables.identities.c.version < statement.excluded.version,
    )
    values = [
        {
            "employee_id": employee,
            "employer_id": employer,
            "version": version,
            "sealed": sealed.sealed,
            "wrapped_key": sealed.wrapped_key,
            "root_key_id": sealed.root_key_id,
        }
        for employee, employer, version, sealed in rows
    ]
    await conn.execute(statement, values)


_LAST_VERSION = 2**63 - 1
"""Of an erased identity: an older event of it that comes late must not bring it back."""


async def forget_identities(conn: Connection, employee_ids: Iterable[str]) -> None:
    """Deletes what they held, for good; a row without data stays, which nothing replaces."""
    statement = insert(tables.identities)
    gone = {"version": _LAST_VERSION, "sealed": "", "wrapped_key": "", "root_key_id": ""}
    statement = statement.on_conflict_do_update(
        index_elements=["employee_id"], set_={name: statement.excluded[name] for name in gone}
    )
    values = [{"employee_id": one, "employer_id": "", **gone} for one in sorted(set(employee_ids))]
    await conn.execute(statement, values)


async def identities_of(conn: Connection, employee_ids: Iterable[str]) -> dict[str, Sealed]:
    """The sealed data of each employee that we have."""
    table = tables.identities
    held = among(table.c.employee_id, employee_ids) & (table.c.sealed != "")
    rows = await conn.execute(select(table).where(held))
    return {row.employee_id: Sealed(row.sealed, row.wrapped_key, row.root_key_id) for row in rows}


async def without_email(conn: Connection, employee_ids: Iterable[str]) -> set[str]:
    """Who of them has switched e-mail off."""
    table = tables.preferences
    off = select(table.c.employee_id).where(
        among(table.c.employee_id, employee_ids), table.c.email.is_(False)
    )
    return set((await conn.execute(off)).scalars())


async def save_preference(
    conn: Connection, employer_id: str, employee_id: str, *, email: bool
) -> None:
    statement = insert(tables.preferences).values(
        employer_id=employer_id, employee_id=employee_id, email=email
    )
    await conn.execute(
        statement.on_conflict_do_update(
            constraint="preferences_pkey", set_={"email": statement.excluded.email}
        )
    )


async def preference(conn: Connection, employee_id: str) -> bool:
    """Whether the employee wants e-mail; yes until they say no."""
    table = tables.preferences
    wanted = select(table.c.email).where(table.c.employee_id == employee_id)
    found: bool | None = (await conn.execute(wanted)).scalar()
    return True if found is None else found


async def save_tickets(conn: Connection, tickets: Sequence[Ticket]) -> None:
    """Keeps the newest version of each; a newer one may have something new to tell."""
    statement = insert(tables.tickets)
    kept = {"ticket_id", "employer_id", "employee_id", "is_told"}
    changed = {c.name: statement.excluded[c.name] for c in tables.tickets.c if c.name not in kept}
    statement = statement.on_conflict_do_update(
        index_elements=["ticket_id"],
        set_={**changed, "is_told": False},
        where=tables.tickets.c.version < statement.excluded.version,
    )
    values = [
        {**asdict(ticket), "items": [asdict(item) for item in ticket.items]} for ticket in tickets
    ]
    await conn.execute(statement, values)


async def tickets_to_tell(conn: Connection, employee_ids: Iterable[str]) -> list[Ticket]:
    """Resolved tickets of these employees that they have not been told of, locked."""
    table = tables.tickets
    wanted = select(table).where(
        among(table.c.employee_id, employee_ids), table.c.is_resolved, table.c.is_told.is_(False)
    )
    rows = await conn.execute(wanted.order_by(table.c.ticket_id).with_for_update())
    return [_ticket(row) for row in rows]


async def mark_told(conn: Connection, ticket_ids: Sequence[str]) -> None:
    table = tables.tickets
    told = update(table).where(among(table.c.ticket_id, ticket_ids))
    await conn.execute(told.values(is_told=True))


async def save_cleared(
    conn: Connection, rows: Sequence[tuple[str, str, str, Mapping[str, str]]]
) -> None:
    """What became of each (anomaly id, employer id, employee id, outcomes); an anomaly
    clears once.
    """
    names = ("anomaly_id", "employer_id", "employee_id", "outcomes")
    values = [dict(zip(names, row, strict=True)) for row in rows]
    await conn.execute(insert(tables.cleared_anomalies).on_conflict_do_nothing(), values)


async def outcomes_of(conn: Connection, anomaly_ids: Iterable[str]) -> Outcomes:
    """Outcome per insurance of each of these anomalies that has cleared."""
    table = tables.cleared_anomalies
    rows = await conn.execute(select(table).where(among(table.c.anomaly_id, anomaly_ids)))
    return {row.anomaly_id: row.outcomes for row in rows}


def _ticket(row: Row[Any]) -> Ticket:
    values = {name: value for name, value in row._mapping.items() if name != "is_told"}
    return Ticket(**{**values, "items": tuple(Item(**item) for item in values["items"])})
