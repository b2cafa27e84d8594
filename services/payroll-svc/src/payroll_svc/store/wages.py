"""Wages of past months."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import select

from payroll_svc.domain.wages import MonthWage, WageItem
from payroll_svc.store.bulk import among, merge
from payroll_svc.tables import wages
from shared.db import Connection


async def month_wages(
    conn: Connection, employee_ids: Iterable[str], wage_months: Iterable[str]
) -> dict[tuple[str, str], MonthWage]:
    """What is stored of these employees' months, by (employee id, wage month)."""
    wanted = select(
        wages.c.employee_id, wages.c.wage_month, wages.c["items"].label("parts"), wages.c.version
    ).where(among(wages.c.employee_id, employee_ids), among(wages.c.wage_month, wage_months))
    return {
        (row.employee_id, row.wage_month): MonthWage(
            row.employee_id,
            row.wage_month,
            tuple(WageItem(**item) for item in row.parts),
            row.version,
        )
        for row in await conn.execute(wanted)
    }


async def save_month_wages(
    conn: Connection, employer_id: str, changed: Sequence[MonthWage]
) -> None:
    """Writes these months as given."""
    await merge(
        conn,
        wages,
        [
            {
                "employee_id": month.employee_id,
                "wage_month": month.wage_month,
                "employer_id": employer_id,
                "gross_fen": month.gross_fen,
                "wage_fen": month.wage_fen,
                "items": [asdict(item) for item in month.items],
                "version": month.version,
            }
            for month in changed
        ],
    )
