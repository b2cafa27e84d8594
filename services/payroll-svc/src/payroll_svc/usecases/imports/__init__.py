"""Files are staged with everything that is wrong in them and all that they would change, then
applied: whole, or the good rows; and undone as a whole.
"""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from payroll_svc.domain.faults import Fault, report
from payroll_svc.domain.imports import (
    ADDED,
    APPLIED,
    CHANGED,
    PAYSLIPS,
    ROSTER,
    STAGED,
    WAGE_DATA,
    WAGES,
    WHOLE,
    Effect,
    Import,
    Upload,
    changed_since,
    counted,
    staged_import,
)
from payroll_svc.errors import (
    FileNotKept,
    ImportApplied,
    ImportHasFaults,
    ImportNotApplied,
    ImportStays,
)
from payroll_svc.files.apart import ReadFile
from payroll_svc.files.roster import RosterFile
from payroll_svc.store import employers as employers_store
from payroll_svc.store import imports as imports_store
from payroll_svc.usecases import hand_ins
from payroll_svc.usecases.identities import Keys
from payroll_svc.usecases.imports import payslips, roster, wage_data, wages
from payroll_svc.usecases.imports.kind import Kind
from payroll_svc.usecases.imports.payslips import OnOrBefore
from shared.db import Connection
from shared.refusal import FieldFault
from shared.sealed import Sealer

_KINDS: dict[str, Kind] = {
    ROSTER: roster.KIND,
    WAGES: wages.KIND,
    WAGE_DATA: wage_data.KIND,
    PAYSLIPS: payslips.KIND,
}
_NAMED_EFFECTS = 1_000


async def keep_file(
    conn: Connection, sealer: Sealer, upload: Upload, data: bytes, by: str, at: datetime
) -> None:
    """Keeps the raw bytes, sealed under a key of their own, before anything is made of them."""
    content = {"base64": base64.b64encode(data).decode()}
    # Sealing sixteen megabytes takes a moment: not on the event loop.
    sealed = await asyncio.to_thread(sealer.seal, upload.employer_id, upload.sha256, content)
    await imports_store.keep_file(conn, upload, len(data), sealed, by, at)


async def kept_file(conn: Connection, sealer: Sealer, upload: Upload) -> bytes:
    """The file as it came; FileNotKept once it is destroyed."""
    sealed = await imports_store.kept_file(conn, upload)
    if sealed is None:
        raise FileNotKept(
            f"{upload.file_name} is no longer kept; mark the faults in your own copy."
        )
    opened = await asyncio.to_thread(sealer.open, upload.employer_id, upload.sha256, sealed)
    return base64.b64decode(opened["base64"])


async def already_applied(conn: Connection, upload: Upload) -> Import | None:
    """The import that this very file was, if applied: the same file does nothing again."""
    known = await imports_store.find_import(conn, upload.import_id, lock=True)
    return known if known is not None and known.state == APPLIED else None


async def import_of(conn: Connection, import_id: str) -> Import:
    """The import; NotFound if there is none that the caller may see."""
    return await imports_store.the_import(conn, import_id)


async def imports_of(
    conn: Connection, employer_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Import]:
    """One page of an employer's imports, the newest first."""
    return await imports_store.imports_page(conn, employer_id, before, limit)


async def stage_file(
    conn: Connection,
    keys: Keys,
    on_or_before: OnOrBefore,
    upload: Upload,
    read: ReadFile,
    by: str,
    at: datetime,
) -> Import:
    """Stages the good rows, keeps every fault, those against the store included, and counts what
    would change. `on_or_before` rolls paydays.
    """
    if (applied := await already_applied(conn, upload)) is not None:
        return applied
    kind = _KINDS[upload.kind]
    rows: Sequence[Any] = read.rows
    if isinstance(read, RosterFile):
        rows = await roster.sealed(conn, keys, upload, read.rows)
    if upload.kind == PAYSLIPS:
        rows = await payslips.with_paydays(conn, on_or_before, upload, rows)
    found = report([*read.faults, *await kind.faults(conn, upload, rows)])
    good = [row for row in rows if kind.row_of(row) not in found.rows]
    effects = await kind.effects(conn, upload, good)
    notes = read.notes
    if upload.kind == ROSTER:
        notes += await roster.notes_of(conn, upload, effects)
    staged = staged_import(upload, read.row_count, found, notes, counted(effects), by, at)
    await imports_store.save_staged(conn, staged, kind.contents(good))
    return staged


async def changes_of(conn: Connection, import_id: str) -> list[Effect]:
    """What a staged import would change, unchanged and missing included; what an applied one has
    changed.
    """
    found = await imports_store.the_import(conn, import_id)
    if found.state != STAGED:
        return (await imports_store.effects_of(conn, import_id))[0]
    kind = _KINDS[found.upload.kind]
    return await kind.effects(conn, found.upload, await kind.staged(conn, import_id))


async def apply_import(
    conn: Connection, import_id: str, take: str, by: str, at: datetime
) -> Import:
    """Applies a staged import in this one transaction: `take` is whole or good_rows.

    The rows are held against the store once more, since other imports may have come between.
    ImportHasFaults, listing them, when it is to be whole and is not, or has no good row;
    ImportApplied when it was applied before.
    """
    staged = await _locked(conn, import_id)
    if staged.state == APPLIED:
        raise ImportApplied(f"{staged.upload.file_name} was applied at {staged.applied_at}.")
    if staged.state != STAGED:
        raise ImportNotApplied(
            f"{staged.upload.file_name} was undone; upload it again to apply it."
        )
    upload, kind = staged.upload, _KINDS[staged.upload.kind]
    rows = await kind.staged(conn, import_id)
    fresh = await kind.faults(conn, upload, rows)
    numbers = {kind.row_of(row) for row in rows}
    broken = _refuse_unless_wanted(staged, fresh, take, len(numbers))
    good = [row for row in rows if kind.row_of(row) not in broken]
    effects = await kind.effects(conn, upload, good)
    changed = [effect for effect in effects if effect.change in (ADDED, CHANGED)]
    await kind.write(conn, upload, changed, "", at)
    taken = len(numbers - broken)
    await imports_store.mark_applied(conn, upload, taken, changed, by, at)
    if upload.kind == ROSTER:
        await imports_store.destroy_file(conn, upload)
    if upload.kind == WAGE_DATA:
        await hand_ins.take_hand_in(conn, upload, good, by, at)
    return await imports_store.the_import(conn, import_id)


async def undo_import(
    conn: Connection, import_id: str, reason: str, by: str, at: datetime
) -> Import:
    """Brings everything that the import changed to what it was before, as new versions.

    ImportStays, with why, when a payroll run that used it is approved, its month is closed, or
    something that it changed has changed since; ImportNotApplied when there is nothing to undo.
    """
    done = await _locked(conn, import_id)
    upload, kind = done.upload, _KINDS[done.upload.kind]
    if done.state != APPLIED:
        raise ImportNotApplied(f"{upload.file_name} is not applied; there is nothing to undo.")
    effects, count = await imports_store.effects_of(conn, import_id)
    if len(effects) != count:
        raise ImportStays(
            f"What {upload.file_name} changed is not known whole; correct it by a file."
        )
    back = [
        replace(
            effect,
            before=effect.after,
            after=effect.before,
            hidden_before=None,
            hidden_after=effect.hidden_before,
        )
        for effect in effects
    ]
    if reasons := await kind.fixed(conn, done, back):
        faults = tuple(FieldFault("import", "", one, "用新的更正文件或补差处理") for one in reasons)
        raise ImportStays(f"{upload.file_name} can no longer be undone.", faults)
    if since := changed_since(effects, await kind.states(conn, effects)):
        faults = tuple(
            FieldFault(
                f"{upload.file_name}:{effect.row}:",
                f"{effect.employee_no} {effect.what}".strip(),
                "导入之后又被更改",
                "先撤销其后的导入，或用更正文件处理",
            )
            for effect in since[:_NAMED_EFFECTS]
        )
        raise ImportStays(f"{len(since)} things have changed since {upload.file_name}.", faults)
    handed_in = await hand_ins.brought_by(conn, upload) if upload.kind == WAGE_DATA else []
    await kind.write(conn, upload, back, f"撤销导入：{reason}", at)
    await hand_ins.take_back(conn, upload, handed_in, at)
    await imports_store.mark_undone(conn, import_id, reason, by, at)
    return await imports_store.the_import(conn, import_id)


async def _locked(conn: Connection, import_id: str) -> Import:
    """The import, in the same lock order as everything else that changes the employer."""
    employer_id = (await imports_store.the_import(conn, import_id)).upload.employer_id
    await employers_store.employer(conn, employer_id, lock=True)
    return await imports_store.the_import(conn, import_id, lock=True)


def _refuse_unless_wanted(
    staged: Import, fresh: Sequence[Fault], take: str, rows: int
) -> frozenset[int]:
    """The rows to leave out; ImportHasFaults when the caller did not choose to leave any out."""
    found = report(fresh)
    if take == WHOLE and (staged.fault_count or fresh):
        count = staged.fault_count + found.count
        detail = f"{staged.upload.file_name} has {count} faults; correct it, or take the good rows."
        listed = (*found.listed, *staged.faults)[: len(staged.faults) or None]
        raise ImportHasFaults(detail, _field_faults(staged.upload.file_name, listed))
    if rows == len(found.rows):
        raise ImportHasFaults(
            f"{staged.upload.file_name} has no good row to apply.",
            _field_faults(staged.upload.file_name, found.listed or staged.faults),
        )
    return found.rows


def _field_faults(file: str, faults: Sequence[Fault]) -> tuple[FieldFault, ...]:
    return tuple(
        FieldFault(f"{file}:{fault.row}:{fault.column}", fault.value, fault.reason, fault.todo)
        for fault in faults
    )
