"""Imports and their staged rows."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import RowMapping, delete, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.faults import Fault
from payroll_svc.domain.imports import Import, Upload
from payroll_svc.domain.people import RosterRow, SealedIdentity, Spell, StagedPerson
from payroll_svc.domain.wages import WageRow
from payroll_svc.store.bulk import merge
from payroll_svc.tables import import_files, imports, staged_rows
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
            row["employer_id"], row["kind"], row["file_name"], row["sha256"], row["corrects"]
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
    )


async def save_staged(
    conn: Connection, staged: Import, contents: Sequence[dict[str, Any]], staged_by: str
) -> None:
    """Writes the import and its good rows, in place of what an earlier reading of it staged."""
    upload = staged.upload
    values = {
        "employer_id": upload.employer_id,
        "kind": upload.kind,
        "file_name": upload.file_name,
        "sha256": upload.sha256,
        "corrects": upload.corrects,
        "state": staged.state,
        "row_count": staged.row_count,
        "good_rows": staged.good_rows,
        "fault_count": staged.fault_count,
        "faults": [asdict(fault) for fault in staged.faults],
        "notes": list(staged.notes),
        "staged_at": staged.staged_at,
        "staged_by": staged_by,
    }
    statement = insert(imports).values(import_id=upload.import_id, **values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["import_id"], set_=values))
    await _forget_rows(conn, upload.import_id)
    await merge(
        conn,
        staged_rows,
        [
            {
                "import_id": upload.import_id,
                "ordinal": ordinal,
                "employer_id": upload.employer_id,
                "content": content,
            }
            for ordinal, content in enumerate(contents)
        ],
    )


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


async def mark_applied(conn: Connection, import_id: str, rows: int, at: datetime) -> None:
    """The import is done; its staged rows, sealed identities among them, are not kept twice."""
    await conn.execute(
        update(imports)
        .where(imports.c.import_id == import_id)
        .values(state="applied", applied_at=at, applied_rows=rows)
    )
    await _forget_rows(conn, import_id)


async def _forget_rows(conn: Connection, import_id: str) -> None:
    await conn.execute(delete(staged_rows).where(staged_rows.c.import_id == import_id))


async def _contents(conn: Connection, import_id: str) -> list[Any]:
    wanted = (
        select(staged_rows.c.content)
        .where(staged_rows.c.import_id == import_id)
        .order_by(staged_rows.c.ordinal)
    )
    return list((await conn.execute(wanted)).scalars())


_OLDER_STAGED = text(
    """
    SELECT import_id, ordinal, content FROM staged_rows
     WHERE employer_id = :employer_id AND content->'identity'->>'root_key_id' <> :newest
     ORDER BY import_id, ordinal LIMIT :limit FOR UPDATE
    """
)
_STAGE_ANEW = text(
    """
    UPDATE staged_rows
       SET content = jsonb_set(content, '{identity}', CAST(:identity AS jsonb))
     WHERE import_id = :import_id AND ordinal = :ordinal
    """
)
_FORGET_PERSON = text(
    """
    DELETE FROM staged_rows
     WHERE employer_id = :employer_id AND content->'row'->>'employee_id' = :employee_id
    """
)


async def staged_under_older(
    conn: Connection, employer_id: str, newest: str, limit: int
) -> list[tuple[str, int, StagedPerson]]:
    """(import id, ordinal, person) of staged people whose key another root key wraps; locked."""
    values = {"employer_id": employer_id, "newest": newest, "limit": limit}
    rows = await conn.execute(_OLDER_STAGED, values)
    return [(row.import_id, row.ordinal, _person(row.content)) for row in rows]


async def stage_anew(conn: Connection, rows: Sequence[tuple[str, int, SealedIdentity]]) -> None:
    """Writes the identities of staged people, by import id and ordinal."""
    values = [
        {"import_id": name, "ordinal": ordinal, "identity": json.dumps(asdict(identity))}
        for name, ordinal, identity in rows
    ]
    if values:
        await conn.execute(_STAGE_ANEW, values)


async def forget_staged_person(conn: Connection, employer_id: str, employee_id: str) -> None:
    """Deletes what is staged about one person."""
    values = {"employer_id": employer_id, "employee_id": employee_id}
    await conn.execute(_FORGET_PERSON, values)


def person_content(person: StagedPerson) -> dict[str, Any]:
    """A staged person as JSON: ISO days, and nothing of the identity but what is sealed."""
    row = asdict(person.row)
    row.pop("identity")
    spell = row["spell"]
    spell["since"] = person.row.spell.since.isoformat()
    spell["until"] = person.row.spell.until.isoformat() if person.row.spell.until else ""
    return {"row": row, "identity": asdict(person.identity)}


async def staged_people(conn: Connection, import_id: str) -> list[StagedPerson]:
    """The good rows of a roster, in the order of the file."""
    return [_person(content) for content in await _contents(conn, import_id)]


def _person(content: Any) -> StagedPerson:
    # A row that the release before 0002 staged has the name once more, in clear.
    row = {name: value for name, value in content["row"].items() if name != "name"}
    spell = row["spell"]
    read = Spell(
        since=date.fromisoformat(spell["since"]),
        department_id=spell["department_id"],
        city=spell["city"],
        account_id=spell["account_id"],
        until=date.fromisoformat(spell["until"]) if spell["until"] else None,
    )
    documents = tuple(row["documents_missing"])
    return StagedPerson(
        row=RosterRow(**{**row, "spell": read, "documents_missing": documents}),
        identity=SealedIdentity(**content["identity"]),
    )


async def staged_wages(conn: Connection, import_id: str) -> list[WageRow]:
    """The good amounts of a wages file, in the order of the file."""
    return [
        WageRow(content["row"], content["employee_id"], content["employee_no"], *amount)
        for content in await _contents(conn, import_id)
        for amount in content["amounts"]
    ]


def wage_contents(rows: Sequence[WageRow]) -> list[dict[str, Any]]:
    """The amounts as JSON, one object a row of the file: a wide file has a dozen to a row."""
    return [
        {
            "row": number,
            "employee_id": amounts[0].employee_id,
            "employee_no": amounts[0].employee_no,
            "amounts": [
                [one.wage_month, one.code, one.amount_fen, one.counts_as_wage] for one in amounts
            ],
        }
        for number, amounts in (
            (number, list(group)) for number, group in groupby(rows, key=lambda one: one.row)
        )
    ]
