"""Reading imported payslips, and knowing which months are closed."""

from collections.abc import Mapping, Sequence
from typing import Any

from payroll_svc.domain.imported_payslips import ImportedPayslip, source_of
from payroll_svc.store import imported_payslips as slips_store
from payroll_svc.store import imports as imports_store
from payroll_svc.usecases.origins import brought
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


async def sources_of(
    conn: Connection, slips: Sequence[ImportedPayslip], with_files: bool
) -> list[str]:
    """Where the figures of each come from, in a sentence, if wanted with the row of the file."""
    keys = [f"{slip.employee_id}/{slip.levy_period}" for slip in slips]
    if not with_files:
        return [source_of(slip, "") for slip in slips]
    rows = await imports_store.rows_of(conn, {slip.import_id for slip in slips}, keys)
    return [
        source_of(slip, await _brought(conn, slip, rows.get((slip.import_id, key), 0)))
        for slip, key in zip(slips, keys, strict=True)
    ]


async def _brought(conn: Connection, slip: ImportedPayslip, row: int) -> str:
    done = await imports_store.find_import(conn, slip.import_id)
    if done is not None and done.undone_at == slip.issued_at:
        return f"撤销文件“{done.upload.file_name}”后，恢复为它之前的一版"
    return await brought(conn, slip.import_id, row, slip.issued_at)


async def keep_closed(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps that periods are closed; any order, any repeat."""
    await slips_store.keep_closed(conn, rows)
