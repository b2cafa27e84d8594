"""Reading payslips and their sums."""

from payroll_svc.domain.payroll_run import Payslip
from payroll_svc.store import runs as runs_store
from shared.db import Connection


async def payslips_of(
    conn: Connection,
    employer_id: str | None,
    levy_period: str | None,
    before: tuple[str, str] | None,
    limit: int,
) -> list[Payslip]:
    """One page of what the caller may see, the newest levy period first."""
    return await runs_store.payslips_page(conn, employer_id, levy_period, before, limit)


async def sums_of(
    conn: Connection, employer_id: str, levy_period: str
) -> dict[str, tuple[int, int]]:
    """(employer fen, employee fen) per insurance."""
    return await runs_store.withheld_sums(conn, employer_id, levy_period)
