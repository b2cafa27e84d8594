"""Imports, their files, and what they made of each thing."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.faults import Fault
from payroll_svc.domain.imports import APPLIED, UNDONE, Effect, Import, Upload
from payroll_svc.store import staged as staged_store
from payroll_svc.store.bulk import among, merge
from payroll_svc.tables import import_effects, import_files, imports
from shared.db import Connection
from shared.refusal import NotFound
from shared.sealed import Sealed


async def find_import(conn: Connection, import_id: str, *, lock: bool = False) -> Import | None:
    """The import, its row locked until the transaction ends if asked; None if there is none."""
    wanted = select(imports).where(imports.c.import_id == import_id)
    row = (await conn.execute(wanted.with_for_update() if lock else wanted)).mappings().first()
    return _import(row) if row is not None else None


async def the_import(conn: Connection, import_id: str, *, lock: bool = False) -> Import:
    """As `find_import`; NotFound if there is none or it is another's."""
    found = await find_import(conn, import_id, lock=lock)
    if found is None:
        raise NotFound(f"There is no import {import_id} that you may see.")
    return found


async def imports_page(
    conn: Connection, employer_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Import]:
    """One page of an employer's imports, the newest first."""
    place = tuple_(imports.c.staged_at, imports.c.import_id)
    wanted = select(imports).where(imports.c.employer_id == employer_id)
    if before is not None:
        wanted = wanted.where(place < before)
    rows = await conn.execute(
        wanted.order_by(imports.c.staged_at.desc(), imports.c.import_id.desc()).limit(limit)
    )
    return [_import(row) for row in rows.mappings()]


def _import(row: RowMapping) -> Import:
    return Import(
        upload=Upload(
            employer_id=row["employer_id"],
            kind=row["kind"],
            file_name=row["file_name"],
            sha256=row["sha256"],
            corrects=row["corrects"],
            levy_period=row["levy_period"],
        ),
        state=row["state"],
        row_count=row["row_count"],
        good_rows=row["good_rows"],
        fault_count=row["fault_count"],
        faults=tuple(Fault(**fault) for fault in row["faults"]),
        notes=tuple(row["notes"]),
        staged_at=row["staged_at"],
        applied_at=row["applied_at"],
        applied_rows=row["applied_rows"],
        changes=row["changes"],
        staged_by=row["staged_by"],
        applied_by=row["applied_by"],
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
        undo_reason=row["undo_reason"],
    )


async def save_staged(conn: Connection, staged: Import, contents: Sequence[dict[str, Any]]) -> None:
    """Writes the import and its good rows, in place of what an earlier reading of it staged."""
    upload = staged.upload
    values = {
        "employer_id": upload.employer_id,
        "kind": upload.kind,
        "file_name": upload.file_name,
        "sha256": upload.sha256,
        "corrects": upload.corrects,
        "levy_period": upload.levy_period,
        "state": staged.state,
        "row_count": staged.row_count,
        "good_rows": staged.good_rows,
        "fault_count": staged.fault_count,
        "faults": [asdict(fault) for fault in staged.faults],
        "notes": list(staged.notes),
        "changes": dict(staged.changes or {}),
        "staged_at": staged.staged_at,
        "staged_by": staged.staged_by,
    }
    statement = insert(imports).values(import_id=upload.import_id, **values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["import_id"], set_=values))
    await staged_store.save_rows(conn, upload, contents)


async def keep_file(
    conn: Connection, upload: Upload, size_bytes: int, sealed: Sealed, by: str, at: datetime
) -> None:
    """The file as it came, unless it came before."""
    values = {
        "employer_id": upload.employer_id,
        "sha256": upload.sha256,
        "kind": upload.kind,
        "file_name": upload.file_name,
        "size_bytes": size_bytes,
        **asdict(sealed),
        "received_at": at,
        "received_by": by,
    }
    await conn.execute(insert(import_files).values(values).on_conflict_do_nothing())


async def destroy_file(conn: Connection, upload: Upload) -> None:
    of_upload = (
        import_files.c.employer_id == upload.employer_id,
        import_files.c.sha256 == upload.sha256,
    )
    await conn.execute(delete(import_files).where(*of_upload))


async def forget_files(conn: Connection, employer_id: str) -> None:
    """Deletes every kept file of the employer: any may name a person who is to be forgotten."""
    await conn.execute(delete(import_files).where(import_files.c.employer_id == employer_id))


async def files_under_older(
    conn: Connection, employer_id: str, newest: str, limit: int
) -> list[tuple[str, Sealed]]:
    """(SHA-256, its key without what it seals) of kept files under another root key; locked."""
    wanted = select(
        import_files.c.sha256, import_files.c.wrapped_key, import_files.c.root_key_id
    ).where(import_files.c.employer_id == employer_id, import_files.c.root_key_id != newest)
    rows = await conn.execute(wanted.order_by(import_files.c.sha256).limit(limit).with_for_update())
    return [(row.sha256, Sealed("", row.wrapped_key, row.root_key_id)) for row in rows]


async def rewrap_file(conn: Connection, employer_id: str, sha256: str, wrapped: Sealed) -> None:
    of_file = (import_files.c.employer_id == employer_id, import_files.c.sha256 == sha256)
    values = {"wrapped_key": wrapped.wrapped_key, "root_key_id": wrapped.root_key_id}
    await conn.execute(update(import_files).where(*of_file).values(values))


async def kept_file(conn: Connection, upload: Upload) -> Sealed | None:
    """The file as it came; None once it is destroyed."""
    wanted = select(import_files.c.sealed, import_files.c.wrapped_key, import_files.c.root_key_id)
    of_upload = (
        import_files.c.employer_id == upload.employer_id,
        import_files.c.sha256 == upload.sha256,
    )
    row = (await conn.execute(wanted.where(*of_upload))).first()
    return Sealed(*row) if row is not None else None


async def mark_applied(
    conn: Connection, upload: Upload, rows: int, effects: Sequence[Effect], by: str, at: datetime
) -> None:
    """The import is done, and this is what it changed; its staged rows, sealed identities among
    them, are not kept twice.
    """
    import_id = upload.import_id
    await conn.execute(
        update(imports)
        .where(imports.c.import_id == import_id)
        .values(
            state=APPLIED, applied_at=at, applied_by=by, applied_rows=rows, effects=len(effects)
        )
    )
    await staged_store.forget_rows(conn, import_id)
    # What an earlier application of the same file changed is undone and told in `imports`.
    await conn.execute(delete(import_effects).where(import_effects.c.import_id == import_id))
    own = {"import_id": import_id, "employer_id": upload.employer_id}
    await merge(
        conn,
        import_effects,
        [
            {**own, "ordinal": ordinal, **{name: getattr(effect, name) for name in _EFFECT}}
            for ordinal, effect in enumerate(effects)
        ],
    )


_EFFECT = ("row", "employee_id", "employee_no", "what", "key", "before", "after", "hidden_before")


async def effects_of(conn: Connection, import_id: str) -> tuple[list[Effect], int]:
    """What an applied import changed, and how many changes there were: a restored store may have
    lost what they were.
    """
    wanted = select(*(import_effects.c[name] for name in _EFFECT)).where(
        import_effects.c.import_id == import_id
    )
    rows = (await conn.execute(wanted.order_by(import_effects.c.ordinal))).mappings()
    count = select(imports.c.effects).where(imports.c.import_id == import_id)
    return [Effect(**row) for row in rows], (await conn.execute(count)).scalar_one()


async def rows_of(
    conn: Connection, import_ids: Iterable[str], keys: Iterable[str]
) -> dict[tuple[str, str], int]:
    """By (import id, key) the row of its file by which an applied import changed a thing."""
    own = import_effects.c
    wanted = select(own.import_id, own.key, own.row).where(
        among(own.import_id, import_ids), among(own.key, keys)
    )
    return {(one.import_id, one.key): one.row for one in await conn.execute(wanted)}


async def mark_undone(conn: Connection, import_id: str, reason: str, by: str, at: datetime) -> None:
    await conn.execute(
        update(imports)
        .where(imports.c.import_id == import_id)
        .values(state=UNDONE, undone_at=at, undone_by=by, undo_reason=reason)
    )


async def forget_effects_on(conn: Connection, employee_id: str) -> None:
    """Deletes what imports changed of one person: their earlier identity is in it."""
    of_person = import_effects.c.employee_id == employee_id
    await conn.execute(delete(import_effects).where(of_person))
