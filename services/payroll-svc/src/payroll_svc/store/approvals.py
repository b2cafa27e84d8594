"""Which payroll runs rest on what was handed in: what an approved one used stays."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from payroll_svc.store.bulk import among
from payroll_svc.tables import payroll_runs, run_members
from shared.db import Connection


async def approved_with(
    conn: Connection, employee_ids: Iterable[str], since: datetime
) -> list[str]:
    """Levy periods of runs approved since then in which one of the employees is."""
    wanted = (
        select(payroll_runs.c.levy_period)
        .join(run_members, run_members.c.run_id == payroll_runs.c.run_id)
        .where(among(run_members.c.employee_id, employee_ids), payroll_runs.c.approved_at >= since)
    )
    return sorted((await conn.execute(wanted.distinct())).scalars())


async def checked_periods(conn: Connection, employer_id: str) -> list[str]:
    """Levy periods whose run is checked or further: their wage data are fixed."""
    wanted = select(payroll_runs.c.levy_period).where(
        payroll_runs.c.employer_id == employer_id, payroll_runs.c.state != "computed"
    )
    return list((await conn.execute(wanted.distinct())).scalars())


async def periods_with_runs(conn: Connection, employer_id: str) -> set[str]:
    """Levy periods that have a payroll run here."""
    wanted = select(payroll_runs.c.levy_period).where(payroll_runs.c.employer_id == employer_id)
    return set((await conn.execute(wanted.distinct())).scalars())
