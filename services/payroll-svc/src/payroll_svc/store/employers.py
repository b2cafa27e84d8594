"""Employers with their accounts, departments and HR staff."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.employers import Account, Department, Employer, HrStaff
from payroll_svc.tables import accounts, departments, employers, hr_staff
from shared.db import Connection
from shared.refusal import NotFound


async def add_employer(conn: Connection, employer: Employer) -> bool:
    """Inserts the employer with all that belongs to it; False if it was there before."""
    own = {"employer_id": employer.employer_id}
    added = await conn.execute(
        insert(employers)
        .values(
            **own,
            group_id=employer.group_id,
            name=employer.name,
            uscc=employer.uscc,
            cut_over=employer.cut_over,
            payday=employer.payday,
            version=employer.version,
        )
        .on_conflict_do_nothing()
        .returning(employers.c.employer_id)
    )
    if added.first() is None:
        return False
    await _add_parts(conn, employer, own)
    return True


async def _add_parts(conn: Connection, employer: Employer, own: dict[str, str]) -> None:
    await conn.execute(
        accounts.insert(),
        [
            {
                **own,
                "account_id": account.account_id,
                "account_no": account.account_no,
                "city": account.city,
                "city_name": account.city_name,
                "collector": account.collector,
                "bank_account_ref": account.bank_account_ref,
                "auto_debit": account.auto_debit,
            }
            for account in employer.accounts
        ],
    )
    await conn.execute(
        departments.insert(),
        [
            {**own, "department_id": item.department_id, "code": item.code, "name": item.name}
            for item in employer.departments
        ],
    )
    if employer.hr_staff:
        staff = [
            {**own, "sub": person.sub, "department_ids": list(person.department_ids)}
            for person in employer.hr_staff
        ]
        await conn.execute(hr_staff.insert(), staff)


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
    return tuple(Account(**row) for row in await _parts(conn, accounts, employer_id, "account_no"))


async def _departments(conn: Connection, employer_id: str) -> tuple[Department, ...]:
    return tuple(Department(**row) for row in await _parts(conn, departments, employer_id, "code"))


async def _hr_staff(conn: Connection, employer_id: str) -> tuple[HrStaff, ...]:
    rows = await _parts(conn, hr_staff, employer_id, "sub")
    return tuple(HrStaff(row["sub"], tuple(row["department_ids"])) for row in rows)
