"""Files are staged with everything that is wrong in them, then applied: whole, or the good rows."""

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from payroll_svc.domain.faults import Fault, report
from payroll_svc.domain.imports import ROSTER, WHOLE, Import, Upload, staged_import
from payroll_svc.domain.people import (
    RosterRow,
    SealedIdentity,
    StagedPerson,
    after_row,
    roster_faults,
)
from payroll_svc.domain.wages import MonthWage, WageRow, by_month, wage_faults
from payroll_svc.errors import ImportApplied, ImportHasFaults
from payroll_svc.files.roster import RosterFile
from payroll_svc.files.wages import WagesFile
from payroll_svc.store import employers as employers_store
from payroll_svc.store import erasures as erasures_store
from payroll_svc.store import imports as imports_store
from payroll_svc.store import people as people_store
from payroll_svc.store import wages as wages_store
from payroll_svc.usecases.facts import employee_changed, employee_sealed, past_salary
from payroll_svc.usecases.identities import Keys
from shared import outbox
from shared.db import Connection
from shared.refusal import FieldFault
from shared.sealed import BlindIndex, Sealer

_TOLD_AT_ONCE = 5_000
"""Events of one statement: a wages file of 10,000 people makes 120,000 of them."""

_Known = dict[str, tuple[SealedIdentity, int]]


async def keep_file(
    conn: Connection, sealer: Sealer, upload: Upload, data: bytes, by: str, at: datetime
) -> None:
    """Keeps the raw bytes, sealed under a key of their own, before anything is made of them."""
    content = {"base64": base64.b64encode(data).decode()}
    # Sealing sixteen megabytes takes a moment: not on the event loop.
    sealed = await asyncio.to_thread(sealer.seal, upload.employer_id, upload.sha256, content)
    await imports_store.keep_file(conn, upload, len(data), sealed, by, at)


async def already_applied(conn: Connection, upload: Upload) -> Import | None:
    """The import that this very file was, if applied: the same file does nothing again."""
    known = await imports_store.find_import(conn, upload.import_id, lock=True)
    return known if known is not None and known.state == "applied" else None


async def import_of(conn: Connection, import_id: str) -> Import:
    """The import; NotFound if there is none that the caller may see."""
    return await imports_store.the_import(conn, import_id)


async def imports_of(
    conn: Connection, employer_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Import]:
    """One page of an employer's imports, the newest first."""
    return await imports_store.imports_page(conn, employer_id, before, limit)


async def stage_roster(
    conn: Connection, keys: Keys, upload: Upload, read: RosterFile, by: str, at: datetime
) -> Import:
    """Seals and stages the good rows and keeps every fault, those against the store included."""
    if (applied := await already_applied(conn, upload)) is not None:
        return applied
    # Held while keys are read and used: none is wrapped by a root key that a rotation, which
    # queues here too, has just gone through.
    await employers_store.employer(conn, upload.employer_id, lock=True)
    known = await people_store.identities_by_id(conn, [row.employee_id for row in read.rows])
    # Ten thousand seals take a good fraction of a second: not on the event loop.
    people = await asyncio.to_thread(_sealed, keys, upload.employer_id, read.rows, known)
    against_store = await _roster_faults(conn, upload.employer_id, people)
    found = report([*read.faults, *against_store])
    staged = staged_import(upload, read.row_count, found, read.notes, at)
    good = [person for person in people if person.row.row not in found.rows]
    contents = [imports_store.person_content(person) for person in good]
    await imports_store.save_staged(conn, staged, contents, by)
    return staged


def _sealed(
    keys: Keys, employer_id: str, rows: Sequence[RosterRow], known: _Known
) -> list[StagedPerson]:
    sealer, index = keys.sealer(), keys.index()
    return [_seal(sealer, index, employer_id, row, known) for row in rows]


def _seal(
    sealer: Sealer, index: BlindIndex, employer_id: str, row: RosterRow, known: _Known
) -> StagedPerson:
    """With the person's own key where there is one: destroying it destroys all their data."""
    data = dict(row.identity)
    before = known.get(row.employee_id)
    wrapped_key, root_key_id = (
        (before[0].wrapped_key, before[0].root_key_id) if before else ("", "")
    )
    sealed = sealer.seal(employer_id, row.employee_id, data, wrapped_key, root_key_id)
    whole = json.dumps(data, ensure_ascii=False, sort_keys=True)
    identity = SealedIdentity(
        id_index=index.of(employer_id, row.id_no),
        content_mark=index.of(employer_id, whole),
        sealed=sealed.sealed,
        wrapped_key=sealed.wrapped_key,
        root_key_id=sealed.root_key_id,
    )
    return StagedPerson(replace(row, identity=()), identity)


async def stage_wages(
    conn: Connection, upload: Upload, read: WagesFile, by: str, at: datetime
) -> Import:
    """Stages the good amounts and keeps every fault, those against the months taken in included."""
    if (applied := await already_applied(conn, upload)) is not None:
        return applied
    found = report([*read.faults, *await _wage_faults(conn, upload, read.rows)])
    staged = staged_import(upload, read.row_count, found, read.notes, at)
    good = [row for row in read.rows if row.row not in found.rows]
    await imports_store.save_staged(conn, staged, imports_store.wage_contents(good), by)
    return staged


async def apply_import(conn: Connection, import_id: str, take: str, at: datetime) -> Import:
    """Applies a staged import in this one transaction: `take` is whole or good_rows.

    The rows are held against the store once more, since other imports may have come between.
    ImportHasFaults, listing them, when it is to be whole and is not, or has no good row;
    ImportApplied when it was applied before.
    """
    employer_id = (await imports_store.the_import(conn, import_id)).upload.employer_id
    await employers_store.employer(conn, employer_id, lock=True)
    staged = await imports_store.the_import(conn, import_id, lock=True)
    if staged.state == "applied":
        raise ImportApplied(f"{staged.upload.file_name} was applied at {staged.applied_at}.")
    applying = _apply_roster if staged.upload.kind == ROSTER else _apply_wages
    rows = await applying(conn, staged, take, at)
    await imports_store.mark_applied(conn, import_id, rows, at)
    if staged.upload.kind == ROSTER:
        await imports_store.destroy_file(conn, staged.upload)
    return await imports_store.the_import(conn, import_id)


async def _apply_roster(conn: Connection, staged: Import, take: str, at: datetime) -> int:
    employer_id = staged.upload.employer_id
    people = await imports_store.staged_people(conn, staged.upload.import_id)
    fresh = await _roster_faults(conn, employer_id, people)
    broken = _refuse_unless_wanted(staged, fresh, take, len(people))
    good = [person for person in people if person.row.row not in broken]
    await _save_people(conn, employer_id, good, at)
    await _save_identities(conn, employer_id, good, at)
    return len(good)


async def _save_people(
    conn: Connection, employer_id: str, good: Sequence[StagedPerson], at: datetime
) -> None:
    before = await people_store.people_by_id(conn, [person.row.employee_id for person in good])
    after = [after_row(before.get(person.row.employee_id), person.row) for person in good]
    changed = [one for one in after if one != before.get(one.employee_id)]
    await people_store.save_people(conn, employer_id, changed)
    await outbox.add(conn, [employee_changed(employer_id, one) for one in changed], at)


async def _save_identities(
    conn: Connection, employer_id: str, good: Sequence[StagedPerson], at: datetime
) -> None:
    """Only where what is sealed has changed: a ciphertext alone is different every time."""
    known = await people_store.identities_by_id(conn, [person.row.employee_id for person in good])
    changed: _Known = {}
    for person in good:
        before, version = known.get(person.row.employee_id, (None, 0))
        if before is None or before.content_mark != person.identity.content_mark:
            changed[person.row.employee_id] = (person.identity, version + 1)
    await people_store.save_identities(conn, employer_id, changed)
    events = [
        employee_sealed(employer_id, employee_id, identity, version)
        for employee_id, (identity, version) in changed.items()
    ]
    await outbox.add(conn, events, at)


async def _apply_wages(conn: Connection, staged: Import, take: str, at: datetime) -> int:
    rows = await imports_store.staged_wages(conn, staged.upload.import_id)
    fresh = await _wage_faults(conn, staged.upload, rows)
    broken = _refuse_unless_wanted(staged, fresh, take, len({row.row for row in rows}))
    good = [row for row in rows if row.row not in broken]
    before = await _known_wages(conn, good)
    changed: list[MonthWage] = []
    for month in by_month(good):
        known = before.get((month.employee_id, month.wage_month))
        if known is None or known.items != month.items:
            changed.append(replace(month, version=known.version + 1 if known else 1))
    employer_id = staged.upload.employer_id
    await wages_store.save_month_wages(conn, employer_id, changed)
    for start in range(0, len(changed), _TOLD_AT_ONCE):
        told = changed[start : start + _TOLD_AT_ONCE]
        await outbox.add(conn, [past_salary(employer_id, month) for month in told], at)
    return len({row.row for row in good})


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


async def _roster_faults(
    conn: Connection, employer_id: str, people: Sequence[StagedPerson]
) -> list[Fault]:
    ids = [person.row.employee_id for person in people]
    known = await people_store.people_by_id(conn, ids)
    gone = await erasures_store.erased(conn, ids)
    indexes = [person.identity.id_index for person in people]
    holders = await people_store.holders(conn, employer_id, indexes)
    return roster_faults(people, known, holders, gone)


async def _wage_faults(conn: Connection, upload: Upload, rows: Sequence[WageRow]) -> list[Fault]:
    if upload.corrects:
        return []
    return wage_faults(rows, await _known_wages(conn, rows))


async def _known_wages(
    conn: Connection, rows: Sequence[WageRow]
) -> dict[tuple[str, str], MonthWage]:
    return await wages_store.month_wages(
        conn, {row.employee_id for row in rows}, {row.wage_month for row in rows}
    )
