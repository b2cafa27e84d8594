"""What months are judged against, and who is on a roster: copies of other services' facts, newest
version wins.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Table, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from reconciliation_svc.domain.roster import Employee, Policy, Scheme, Spell
from reconciliation_svc.domain.windows import Authority, Closure
from reconciliation_svc.tables import authorities, employees, employers, policies, roster_requests
from shared.db import Connection
from shared.values import LevyPeriod

encode = msgspec.json.Encoder().encode
_decode_spells = msgspec.json.Decoder(tuple[Spell, ...]).decode
_decode_scheme = msgspec.json.Decoder(tuple[Scheme, ...]).decode
_decode_closures = msgspec.json.Decoder(tuple[Closure, ...]).decode


async def _keep_newest(
    conn: Connection, table: Table, rows: list[dict[str, Any]], *, marks: str = ""
) -> None:
    """Upserts by version. With `marks` only a change of that column marks the row as changed."""
    if not rows:
        return
    key = table.primary_key.columns.keys()
    new = insert(table)
    changes: dict[str, Any] = {name: new.excluded[name] for name in rows[0] if name not in key}
    if marks:
        differs = new.excluded[marks] != table.c[marks]
        changes["marked_at"] = case((differs, new.excluded.marked_at), else_=table.c.marked_at)
    await conn.execute(
        new.on_conflict_do_update(
            index_elements=key, set_=changes, where=new.excluded.version > table.c.version
        ),
        sorted(rows, key=lambda row: [str(row[name]) for name in key]),
    )


async def keep_employees(
    conn: Connection, found: Iterable[tuple[Employee, int]], now: datetime
) -> None:
    """Keeps employees that are newer than what is known; their roster is looked at next."""
    rows = [
        {
            "employee_id": employee.employee_id,
            "employer_id": employee.employer_id,
            "version": version,
            "spells": encode(employee.spells).decode(),
            "cities": sorted({spell.city for spell in employee.spells}),
            "roster_due_at": now,
        }
        for employee, version in found
    ]
    await _keep_newest(conn, employees, rows)


async def keep_employers(
    conn: Connection, found: Iterable[tuple[str, LevyPeriod, int]], now: datetime
) -> None:
    """(employer id, cut-over, version), the newest kept and marked."""
    rows = [
        {"employer_id": name, "version": version, "cut_over": str(cut_over), "marked_at": now}
        for name, cut_over, version in found
    ]
    # Of an employer only the cut-over matters here; all its months are judged anew for it.
    await _keep_newest(conn, employers, rows, marks="cut_over")


async def keep_policies(
    conn: Connection, found: Iterable[tuple[Policy, int]], now: datetime
) -> None:
    """The newest policy of each city, marked."""
    rows = [
        {
            "city": policy.city,
            "version": version,
            "filing_day": policy.filing_day,
            "debit_day": policy.debit_day,
            "scheme": encode(policy.scheme).decode(),
            "look_up_at": policy.look_up_at,
            "months_after": policy.months_after,
            "marked_at": now,
        }
        for policy, version in found
    ]
    await _keep_newest(conn, policies, rows)


async def keep_authorities(
    conn: Connection, found: Iterable[tuple[Authority, str, int]], now: datetime
) -> None:
    """(authority, city, version), the newest kept and marked."""
    rows = [
        {
            "authority": authority.name,
            "version": version,
            "city": city,
            "state": authority.state,
            "closures": encode(authority.closures).decode(),
            "closed_until": authority.closed_until,
            "marked_at": now,
        }
        for authority, city, version in found
    ]
    await _keep_newest(conn, authorities, rows)


async def all_policies(conn: Connection) -> dict[str, Policy]:
    """Every city's policy, by city."""
    rows = await conn.execute(select(policies))
    return {
        row.city: Policy(
            row.city,
            row.filing_day,
            row.debit_day,
            _decode_scheme(row.scheme),
            row.look_up_at,
            row.months_after,
        )
        for row in rows.all()
    }


async def all_authorities(conn: Connection) -> dict[str, Authority]:
    """Every authority's state, by its name."""
    rows = await conn.execute(select(authorities))
    return {
        row.authority: Authority(
            row.authority, row.state, _decode_closures(row.closures), row.closed_until
        )
        for row in rows.all()
    }


async def cut_overs(conn: Connection, employer_ids: Iterable[str]) -> dict[str, LevyPeriod]:
    """The cut-over of each employer that is known."""
    query = select(employers.c.employer_id, employers.c.cut_over).where(
        employers.c.employer_id.in_(sorted(employer_ids))
    )
    rows = (await conn.execute(query)).all()
    return {employer_id: LevyPeriod.parse(cut_over) for employer_id, cut_over in rows}


async def marked_at(conn: Connection) -> datetime | None:
    """When the oldest change was marked that has not been passed on to months and rosters."""
    moments = [
        (await conn.execute(select(func.min(table.c.marked_at)))).scalar()
        for table in (employers, policies, authorities)
    ]
    return min((moment for moment in moments if moment is not None), default=None)


async def take_marked(conn: Connection) -> tuple[list[str], list[str], list[str]]:
    """Unmarks; gives the employers, the cities with a new policy, and the cities with a changed
    authority.
    """

    async def unmark(table: Table, name: str) -> list[str]:
        change = update(table).where(table.c.marked_at.is_not(None)).values(marked_at=None)
        return list((await conn.execute(change.returning(table.c[name]))).scalars())

    return (
        await unmark(employers, "employer_id"),
        await unmark(policies, "city"),
        await unmark(authorities, "city"),
    )


async def roster_due(conn: Connection) -> datetime | None:
    """When the next employee's roster must be looked at."""
    at: datetime | None = (await conn.execute(select(func.min(employees.c.roster_due_at)))).scalar()
    return at


async def requests_due(conn: Connection) -> datetime | None:
    """When the oldest request to look at a roster was made."""
    at: datetime | None = (await conn.execute(select(func.min(roster_requests.c.at)))).scalar()
    return at


async def request_roster(
    conn: Connection, people: Iterable[tuple[str, str]], now: datetime
) -> None:
    """Asks for the roster of (employer, employee) pairs of which facts came first; never waits for
    a lock.
    """
    rows = [
        {"employer_id": employer_id, "employee_id": employee_id, "at": now}
        for employer_id, employee_id in people
    ]
    if rows:
        await conn.execute(insert(roster_requests), rows)


async def take_roster_requests(conn: Connection, now: datetime, limit: int) -> int:
    """Makes the employees that were asked for due; who is not known yet will be due on arrival."""
    oldest = (
        select(roster_requests.c.seq)
        .order_by(roster_requests.c.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = (
        await conn.execute(
            roster_requests.delete()
            .where(roster_requests.c.seq.in_(oldest.scalar_subquery()))
            .returning(roster_requests.c.employee_id)
        )
    ).scalars()
    names = sorted(set(taken))
    await mark_employees(conn, now, employee_ids=names)
    return len(names)


async def mark_employees(
    conn: Connection,
    now: datetime,
    *,
    employee_ids: Sequence[str] = (),
    employer_ids: Sequence[str] = (),
    cities: Sequence[str] = (),
) -> None:
    """Makes the roster of these employees due: by id, by employer, or by a spell's city."""
    for chosen, condition in (
        (employee_ids, employees.c.employee_id.in_(employee_ids)),
        (employer_ids, employees.c.employer_id.in_(employer_ids)),
        (cities, employees.c.cities.overlap(list(cities))),
    ):
        if chosen:
            await conn.execute(update(employees).where(condition).values(roster_due_at=now))


async def take_due_employees(
    conn: Connection, now: datetime, limit: int
) -> list[tuple[Employee, int]]:
    """Employees whose roster is due, locked, each with the number of the last look at it."""
    query = (
        select(employees)
        .where(employees.c.roster_due_at <= now)
        .order_by(employees.c.roster_due_at, employees.c.employee_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        (Employee(row.employee_id, row.employer_id, _decode_spells(row.spells)), row.rostered)
        for row in (await conn.execute(query)).all()
    ]


async def save_rostered(conn: Connection, rows: Sequence[tuple[str, int, datetime | None]]) -> None:
    """(employee id, number of this look, when to look again)."""
    values = [{"id": employee_id, "number": number, "at": at} for employee_id, number, at in rows]
    if values:
        await conn.exec_driver_sql(
            "UPDATE employees SET rostered = new.number, roster_due_at = new.at"
            " FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS new (id, number, at)"
            " WHERE employee_id = new.id",
            (
                [value["id"] for value in values],
                [value["number"] for value in values],
                [value["at"] for value in values],
            ),
        )
