"""Imports of rosters and wages: staged with every fault, applied on a second word."""

import hashlib
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from payroll_svc.api.callers import Cursor, Hr, Limit, Once, of_employer
from payroll_svc.domain.imports import Import, Upload
from payroll_svc.errors import FileTooLarge
from payroll_svc.files.apart import Reading, read_apart
from payroll_svc.files.reader import MOST_BYTES
from payroll_svc.files.roster import RosterFile
from payroll_svc.files.wages import WagesFile
from payroll_svc.usecases.employers import employer_of
from payroll_svc.usecases.identities import Keys
from payroll_svc.usecases.imports import (
    already_applied,
    apply_import,
    import_of,
    imports_of,
    keep_file,
    stage_roster,
    stage_wages,
)
from payroll_svc.usecases.people import numbers_of
from shared.clock import Clock, china_day
from shared.db import Connection, Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once
from shared.serve import Caller

_LONGEST_FILE_NAME = 120


class FaultOut(BaseModel):
    """One thing that is wrong: where, what (masked), what was expected and what to do."""

    file: str = Field(examples=["花名册.xlsx"])
    row: int = Field(examples=[17], description="As a spreadsheet counts; 0 is the file itself.")
    column: str = Field(examples=["证件号码"])
    value: str = Field(examples=["11******38"])
    reason: str = Field(examples=["校验码不符，号码中有一位或多位抄错"])
    todo: str = Field(examples=["按证件逐位核对后重新填写"])


class ImportOut(BaseModel):
    """An import: `rows` data rows were found, `good_rows` of them can be applied."""

    import_id: str
    employer_id: str
    kind: Literal["roster", "wages"]
    file: str = Field(examples=["花名册.xlsx"])
    sha256: str
    state: Literal["staged", "applied"]
    rows: int = Field(examples=[60])
    good_rows: int = Field(examples=[59])
    fault_count: int = Field(examples=[1])
    faults: list[FaultOut] = Field(description="The first 1,000 faults, in the order of rows.")
    notes: list[str] = Field(examples=[["按 GB18030 编码读取"]])
    staged_at: datetime
    applied_at: datetime | None = None
    applied_rows: int | None = None
    seen_before: bool = Field(
        default=False, description="This very file was applied before; nothing is done again."
    )


class ApplyIn(BaseModel):
    """`whole` applies only a file without any fault; `good_rows` leaves the broken rows out."""

    model_config = ConfigDict(extra="forbid")

    take: Literal["whole", "good_rows"] = "whole"


def routes(engine: Engine, clock: Clock, keys: Keys) -> APIRouter:
    router = APIRouter(tags=["imports"])
    uploads = _Uploads(engine, clock, keys)

    @router.post("/imports", status_code=201)
    async def create_import(
        kind: Annotated[Literal["roster", "wages"], Form()],
        employer_id: Annotated[str, Form(max_length=64)],
        file: Annotated[UploadFile, File(description="XLSX, or CSV in UTF-8 or GB18030.")],
        caller: Hr,
        write: Once,
        corrects: Annotated[
            bool, Form(description="These wages replace those taken in before.")
        ] = False,
    ) -> ImportOut:
        """Reads a file whole and stages its good rows; nothing is applied yet."""
        data = await file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise FileTooLarge(f"The file has more than {MOST_BYTES} bytes; split it.")
        name = _safe_name(file.filename or "")
        digest = hashlib.sha256(data).hexdigest()
        upload = Upload(employer_id, kind, name, digest, corrects)
        mine = of_employer(caller, employer_id)
        await uploads.keep(mine, upload, data)
        read = await uploads.read(mine, upload, data)

        async def act() -> ImportOut:
            return await uploads.stage(conn, upload, read, caller.sub)

        hashed = write.of_content(upload.import_id.encode())
        async with tenant(engine, mine) as conn:
            return await once(conn, caller, hashed, ImportOut, act)

    @router.get("/imports")
    async def list_imports(
        employer_id: str, caller: Hr, cursor: Cursor = None, limit: Limit = 20
    ) -> Page[ImportOut]:
        """The employer's imports, the newest first."""
        place = cursor_values(cursor, 2)
        before = (datetime.fromisoformat(place[0]), place[1]) if place else None
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await imports_of(conn, employer_id, before, limit)
        last = found[-1] if len(found) == limit else None
        return Page(
            items=[_out(item) for item in found],
            next_cursor=cursor_of(last.staged_at.isoformat(), last.upload.import_id)
            if last
            else None,
        )

    @router.get("/imports/{import_id}")
    async def get_import(import_id: str, caller: Hr) -> ImportOut:
        async with tenant(engine, caller) as conn:
            return _out(await import_of(conn, import_id))

    @router.post("/imports/{import_id}/apply")
    async def apply_import_(import_id: str, body: ApplyIn, caller: Hr, write: Once) -> ImportOut:
        """Applies a staged import in one transaction."""

        async def act() -> ImportOut:
            return _out(await apply_import(conn, import_id, body.take, clock.now()))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, ImportOut, act)

    return router


class _Uploads:
    """Reading a file takes seconds: it happens between two transactions, in another process."""

    def __init__(self, engine: Engine, clock: Clock, keys: Keys) -> None:
        self._engine, self._clock, self._keys = engine, clock, keys

    async def keep(self, caller: Caller, upload: Upload, data: bytes) -> None:
        """In a transaction of its own: a refusal undoes the rest."""
        async with tenant(self._engine, caller) as conn:
            # Known to be the caller's before anything of theirs is stored.
            await employer_of(conn, upload.employer_id)
            if await already_applied(conn, upload) is None:
                at = self._clock.now()
                await keep_file(conn, self._keys.sealer(), upload, data, caller.sub, at)

    async def read(self, caller: Caller, upload: Upload, data: bytes) -> RosterFile | WagesFile:
        """Every row against what is known of the employer; FileUnreadable when there are none."""
        today = china_day(self._clock.now())
        async with tenant(self._engine, caller) as conn:
            employer = await employer_of(conn, upload.employer_id)
            numbers = await numbers_of(conn, upload.employer_id)
        return await read_apart(
            Reading(upload.kind, upload.file_name, data, employer, numbers, today)
        )

    async def stage(
        self, conn: Connection, upload: Upload, read: RosterFile | WagesFile, by: str
    ) -> ImportOut:
        at = self._clock.now()
        if isinstance(read, RosterFile):
            staged = await stage_roster(conn, self._keys, upload, read, by, at)
        else:
            staged = await stage_wages(conn, upload, read, by, at)
        return _out(staged, seen_before=staged.state == "applied")


def _safe_name(name: str) -> str:
    """The name to show beside faults: no path, no control characters, not endless."""
    last = PurePath(name.replace("\\", "/")).name
    shown = "".join(ch for ch in last if ch.isprintable() and ch != ":")[-_LONGEST_FILE_NAME:]
    return shown or "file"


def _out(found: Import, *, seen_before: bool = False) -> ImportOut:
    upload = found.upload
    return ImportOut.model_validate(
        {
            "import_id": upload.import_id,
            "employer_id": upload.employer_id,
            "kind": upload.kind,
            "file": upload.file_name,
            "sha256": upload.sha256,
            "state": found.state,
            "rows": found.row_count,
            "good_rows": found.good_rows,
            "fault_count": found.fault_count,
            "faults": [
                FaultOut(
                    file=upload.file_name,
                    row=fault.row,
                    column=fault.column,
                    value=fault.value,
                    reason=fault.reason,
                    todo=fault.todo,
                )
                for fault in found.faults
            ],
            "notes": list(found.notes),
            "staged_at": found.staged_at,
            "applied_at": found.applied_at,
            "applied_rows": found.applied_rows,
            "seen_before": seen_before,
        }
    )
