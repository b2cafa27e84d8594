"""Payslips of companies that keep their own payroll, and which of their months are closed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping, select, tuple_

from payroll_svc.domain.imported_payslips import ImportedPayslip, SaidLine
from payroll_svc.store.bulk import among, insert_new, merge
from payroll_svc.tables import imported_payslips, payroll_runs, period_closes
from shared.db import Connection

_INSERTED_AT_ONCE = 1_000


async def newest(
    conn: Connection, employee_ids: Iterable[str], levy_periods: Iterable[str]
) -> dict[str, ImportedPayslip]:
    """The version that holds of each of these employees' payslips, by employee id/levy period."""
    own = imported_payslips.c
    wanted = (
        select(imported_payslips)
        .where(among(own.employee_id, employee_ids), among(own.levy_period, levy_periods))
        .distinct(own.employee_id, own.levy_period)
        .order_by(own.employee_id, own.levy_period, own.version.desc())
    )
    slips = [_payslip(row) for row in (await conn.execute(wanted)).mappings()]
    return {f"{slip.employee_id}/{slip.levy_period}": slip for slip in slips}


async def page(
    conn: Connection,
    employer_id: str,
    levy_period: str | None,
    before: tuple[str, str, int] | None,
    limit: int,
) -> list[ImportedPayslip]:
    """One page of every version, the newest levy period first, of what row security lets the caller
    see.
    """
    own = imported_payslips.c
    place = tuple_(own.levy_period, own.employee_id, own.version)
    wanted = select(imported_payslips).where(own.employer_id == employer_id)
    if levy_period is not None:
        wanted = wanted.where(own.levy_period == levy_period)
    if before is not None:
        wanted = wanted.where(place < before)
    ordered = wanted.order_by(
        own.levy_period.desc(), own.employee_id.desc(), own.version.desc()
    ).limit(limit)
    return [_payslip(row) for row in (await conn.execute(ordered)).mappings()]


def _payslip(row: RowMapping) -> ImportedPayslip:
    withheld = tuple(SaidLine(**line) for line in row["withheld"])
    return ImportedPayslip(**{**row, "withheld": withheld})


async def add(conn: Connection, slips: Sequence[ImportedPayslip]) -> None:
    """Issues them: new, or as the next version."""
    rows = [
        {**asdict(slip), "withheld": [asdict(line) for line in slip.withheld]} for slip in slips
    ]
    for start in range(0, len(rows), _INSERTED_AT_ONCE):
        await insert_new(conn, imported_payslips, rows[start : start + _INSERTED_AT_ONCE])


async def has_any(conn: Connection, employer_id: str, levy_period: str) -> bool:
    """Whether the employer's own payroll ever told payslips of the period."""
    own = imported_payslips.c
    wanted = select(own.employee_id).where(
        own.employer_id == employer_id, own.levy_period == levy_period
    )
    return (await conn.execute(wanted.limit(1))).first() is not None


async def periods_with_runs(conn: Connection, employer_id: str) -> set[str]:
    """Levy periods that have a payroll run here."""
    wanted = select(payroll_runs.c.levy_period).where(payroll_runs.c.employer_id == employer_id)
    return set((await conn.execute(wanted.distinct())).scalars())


async def closed_periods(conn: Connection, employer_id: str) -> set[str]:
    """Levy periods that reconciliation-svc said are closed."""
    wanted = select(period_closes.c.levy_period).where(period_closes.c.employer_id == employer_id)
    return set((await conn.execute(wanted)).scalars())


async def keep_closed(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps that periods are closed; any order, any repeat."""
    await merge(conn, period_closes, rows, only_newer=True)
