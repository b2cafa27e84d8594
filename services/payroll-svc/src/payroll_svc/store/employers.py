"""Employers with their accounts, departments and HR staff."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.employers import Account, Department, Employer, HrStaff
from payroll_svc.store.bulk import among, merge
from payroll_svc.tables import accounts, departments, employers, hr_staff, spells
from shared.db import Connection
from shared.refusal import NotFound


async def add_employer(conn: Connection, employer: Employer) -> bool:
    """Inserts the employer with all that belongs to it; False if it was there before."""
    added = await conn.execute(
        insert(employers)
        .values(employer_id=employer.employer_id, **_own_values(employer))
        .on_conflict_do_nothing()
        .returning(employers.c.employer_id)
    )
    if added.first() is None:
        return False
    await _save_parts(conn, employer)
    return True


async def change_employer(conn: Connection, employer: Employer) -> None:
    """Writes the employer as given; accounts and departments that it no longer has are deleted."""
    await conn.execute(
        update(employers)
        .where(employers.c.employer_id == employer.employer_id)
        .values(**_own_values(employer))
    )
    await _save_parts(conn, employer)


def _own_values(employer: Employer) -> dict[str, Any]:
    return {
        "group_id": employer.group_id,
        "name": employer.name,
        "uscc": employer.uscc,
        "cut_over": employer.cut_over,
        "payday": employer.payday,
        "version": employer.version,
    }


async def _save_parts(conn: Connection, employer: Employer) -> None:
    own = {"employer_id": employer.employer_id}
    for table in (accounts, departments, hr_staff):
        await conn.execute(delete(table).where(table.c.employer_id == employer.employer_id))
    await merge(conn, accounts, [{**own, **asdict(account)} for account in employer.accounts])
    await merge(conn, departments, [{**own, **asdict(item)} for item in employer.departments])
    staff = [
        {**own, "sub": person.sub, "department_ids": list(person.department_ids)}
        for person in employer.hr_staff
    ]
    await merge(conn, hr_staff, staff)


async def places_in_use(conn: Connection, employer_id: str) -> set[str]:
    """The ids of accounts and departments that spells name."""
    wanted = select(spells.c.account_id, spells.c.department_id).where(
        spells.c.employer_id == employer_id
    )
    return {place for row in await conn.execute(wanted.distinct()) for place in row}


async def employer(conn: Connection, employer_id: str, *, lock: bool = False) -> Employer:
    """The employer; NotFound if there is none or it is another's.

    `lock` holds its row until the transaction ends: whatever changes its people, wages or runs
    queues there.
    """
    wanted = select(employers).where(employers.c.employer_id == employer_id)
    row = (await conn.execute(wanted.with_for_update() if lock else wanted)).mappings().first()
    if row is None:
        raise NotFound(f"There is no employer {employer_id} that you may see.")
    return Employer(
        **row,
        accounts=await _accounts(conn, employer_id),
        departments=await _departments(conn, employer_id),
        hr_staff=await _hr_staff(conn, employer_id),
    )


async def visible_employer_ids(conn: Connection) -> list[str]:
    """The employers that row security lets through, by name."""
    rows = await conn.execute(select(employers.c.employer_id).order_by(employers.c.name))
    return list(rows.scalars())


async def _parts(conn: Connection, table: Any, employer_id: str, order: str) -> list[Any]:
    columns = [column for column in table.c if column.name != "employer_id"]
    wanted = select(*columns).where(table.c.employer_id == employer_id).order_by(table.c[order])
    return list((await conn.execute(wanted)).mappings())


async def _accounts(conn: Connection, employer_id: str) -> tuple[Account, ...]:
    rows = await _parts(conn, accounts, employer_id, "account_no")
    return tuple(
        Account(
            **{**row, "own_rates": {name: tuple(own) for name, own in row["own_rates"].items()}}
        )
        for row in rows
    )


async def _departments(conn: Connection, employer_id: str) -> tuple[Department, ...]:
    return tuple(Department(**row) for row in await _parts(conn, departments, employer_id, "code"))


async def _hr_staff(conn: Connection, employer_id: str) -> tuple[HrStaff, ...]:
    rows = await _parts(conn, hr_staff, employer_id, "sub")
    return tuple(HrStaff(row["sub"], tuple(row["department_ids"])) for row in rows)


async def department_names(conn: Connection, department_ids: Iterable[str]) -> dict[str, str]:
    """What departments are called, by id."""
    wanted = select(departments.c.department_id, departments.c.name)
    rows = await conn.execute(wanted.where(among(departments.c.department_id, department_ids)))
    return {row.department_id: row.name for row in rows}
