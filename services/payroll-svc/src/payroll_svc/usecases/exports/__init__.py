"""Rosters, wage data and payslips are taken out as files: who, why and what is kept."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import datetime

from payroll_svc.domain.exports import KIND_WORDS, MOST_ROWS, Export
from payroll_svc.errors import ExportTooLarge
from payroll_svc.files.written import table_writer
from payroll_svc.store import employers as employers_store
from payroll_svc.store import exports as exports_store
from payroll_svc.usecases.exports.tables import table_of
from shared.db import Connection
from shared.logs import get_logger
from shared.refusal import Forbidden, NotFound
from shared.sealed import Sealer

_log = get_logger(__name__)


async def ask_export(conn: Connection, wanted: Export) -> Export:
    """Keeps who wants what and why; with how many rows.

    Identity numbers are for HR staff who care for all departments (Forbidden for others);
    ExportTooLarge above MOST_ROWS.
    """
    employer = await employers_store.employer(conn, wanted.employer_id)
    everywhere = {staff.sub for staff in employer.hr_staff if not staff.department_ids}
    if wanted.with_identity and wanted.asked_by not in everywhere:
        raise Forbidden("Identity numbers are for HR staff of all departments; leave them out.")
    rows = await exports_store.count(conn, wanted.kind, wanted.employer_id, wanted.levy_period)
    if rows > MOST_ROWS:
        raise ExportTooLarge(f"The export has {rows} rows; {MOST_ROWS} is the most. Take a month.")
    found = replace(wanted, rows=rows)
    await exports_store.add(conn, found)
    _log.info("export_asked", **_facts(found))
    return found


async def exports_of(
    conn: Connection, employer_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Export]:
    """One page of who took what, the newest first."""
    await employers_store.employer(conn, employer_id)
    return await exports_store.exports_page(conn, employer_id, before, limit)


async def made_export(
    conn: Connection, sealer: Sealer, export_id: str, by: str, at: datetime
) -> tuple[Export, bytes]:
    """The file as the data are now, for whoever asked for it; NotFound for others."""
    export = await exports_store.the_export(conn, export_id)
    if export.asked_by != by:
        raise NotFound(f"There is no export {export_id} that you may see.")
    employer = await employers_store.employer(conn, export.employer_id)
    writer = table_writer(export.file_form, KIND_WORDS[export.kind], export.encoding)
    async for page in table_of(conn, sealer, employer, export):
        # A page of a workbook takes some tenths of a second: not on the event loop.
        await asyncio.to_thread(writer.write, page)
    content = await asyncio.to_thread(writer.close)
    digest = hashlib.sha256(content).hexdigest()
    await exports_store.mark_downloaded(conn, export_id, digest, at)
    _log.info("export_downloaded", sha256=digest, **_facts(export))
    return export, content


def _facts(export: Export) -> dict[str, object]:
    """For the audit log; the reason is in the table, since people write names into reasons."""
    return {
        "export_id": export.export_id,
        "employer_id": export.employer_id,
        "what": export.kind,
        "levy_period": export.levy_period,
        "with_identity": export.with_identity,
        "rows": export.rows,
        "sub": export.asked_by,
    }
