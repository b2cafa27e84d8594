"""Exports as asked for, and the rows that they are made of."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, Table, func, insert, select, tuple_, update

from payroll_svc.domain.exports import PAYSLIPS, ROSTER, Export
from payroll_svc.domain.wage_inputs import WageInput
from payroll_svc.store.wage_inputs import INPUTS, input_of
from payroll_svc.tables import (
    employees,
    entries,
    exports,
    imported_payslips,
    payslips,
)
from shared.db import Connection
from shared.refusal import NotFound


async def add(conn: Connection, export: Export) -> None:
    await conn.execute(insert(exports).values(**asdict(export)))


async def the_export(conn: Connection, export_id: str) -> Export:
    """The export; NotFound if there is none or it is another's."""
    row = (await conn.execute(select(exports).where(exports.c.export_id == export_id))).first()
    if row is None:
        raise NotFound(f"There is no export {export_id} that you may see.")
    return Export(**row._mapping)


async def exports_page(
    conn: Connection, employer_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Export]:
    """One page of who took what, the newest first."""
    place = tuple_(exports.c.asked_at, exports.c.export_id)
    wanted = select(exports).where(exports.c.employer_id == employer_id)
    if before is not None:
        wanted = wanted.where(place < before)
    ordered = wanted.order_by(exports.c.asked_at.desc(), exports.c.export_id.desc())
    rows = await conn.execute(ordered.limit(limit))
    return [Export(**row) for row in rows.mappings()]


async def mark_downloaded(conn: Connection, export_id: str, sha256: str, at: datetime) -> None:
    await conn.execute(
        update(exports)
        .where(exports.c.export_id == export_id)
        .values(downloads=exports.c.downloads + 1, downloaded_at=at, sha256=sha256)
    )


async def count(conn: Connection, kind: str, employer_id: str, levy_period: str) -> int:
    """How many rows the export will have now."""
    if kind == ROSTER:
        return await _count(conn, employees, employer_id, "")
    if kind != PAYSLIPS:
        held = INPUTS.where(_of_month(employer_id, levy_period)).subquery()
        return int((await conn.execute(select(func.count()).select_from(held))).scalar_one())
    own = await _count(conn, payslips, employer_id, levy_period)
    of_it = imported_payslips.c
    imported = select(func.count(of_it.employee_id.distinct())).where(
        of_it.employer_id == employer_id, of_it.levy_period == levy_period
    )
    return own + int((await conn.execute(imported)).scalar_one())


async def _count(conn: Connection, table: Table, employer_id: str, levy_period: str) -> int:
    wanted = select(func.count()).select_from(table).where(table.c.employer_id == employer_id)
    if levy_period:
        wanted = wanted.where(table.c.levy_period == levy_period)
    return int((await conn.execute(wanted)).scalar_one())


async def inputs_page(
    conn: Connection, employer_id: str, levy_period: str, after: tuple[str, str], limit: int
) -> list[WageInput]:
    """One page of the period's wage data, by employee number and code, from the one after."""
    place = tuple_(employees.c.employee_no, entries.c.code)
    wanted = INPUTS.where(_of_month(employer_id, levy_period), place > after)
    ordered = wanted.order_by(employees.c.employee_no, entries.c.code).limit(limit)
    return [input_of(row) for row in (await conn.execute(ordered)).mappings()]


def _of_month(employer_id: str, levy_period: str) -> ColumnElement[bool]:
    return (entries.c.employer_id == employer_id) & (entries.c.levy_period == levy_period)
