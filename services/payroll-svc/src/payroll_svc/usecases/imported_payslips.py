"""Reading imported payslips, and knowing which months are closed."""

from collections.abc import Mapping, Sequence
from typing import Any

from payroll_svc.domain.imported_payslips import ImportedPayslip
from payroll_svc.store import imported_payslips as slips_store
from shared.db import Connection


async def imported_payslips_of(
    conn: Connection,
    employer_id: str,
    levy_period: str | None,
    before: tuple[str, str, int] | None,
    limit: int,
) -> list[ImportedPayslip]:
    """One page of every version that the caller may see, the newest levy period first."""
    return await slips_store.page(conn, employer_id, levy_period, before, limit)


async def keep_closed(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps that periods are closed; any order, any repeat."""
    await slips_store.keep_closed(conn, rows)
