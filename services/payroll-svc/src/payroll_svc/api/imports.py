"""Imports: staged with every fault and all that would change, applied on a second word, undone on a
third.
"""

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from payroll_svc.api.callers import Cursor, Hr, Limit, Once, of_employer
from payroll_svc.domain.imports import ROSTER, Effect, Import, Upload
from payroll_svc.errors import FileTooLarge
from payroll_svc.files.apart import ReadFile, Reading, annotate_apart, read_apart
from payroll_svc.files.reader import MOST_BYTES
from payroll_svc.usecases.employers import employer_of
from payroll_svc.usecases.entering import own_items_of
from payroll_svc.usecases.identities import Keys, names_by_number
from payroll_svc.usecases.imports import (
    already_applied,
    apply_import,
    changes_of,
    import_of,
    imports_of,
    keep_file,
    kept_file,
    stage_file,
    undo_import,
)
from payroll_svc.usecases.people import numbers_of
from shared.clock import Clock, WorkCalendar, china_day
from shared.db import Connection, Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once
from shared.serve import Caller

_LONGEST_FILE_NAME = 120

KindName = Literal["roster", "wages", "wage_data", "payslips"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
    kind: KindName
    levy_period: str = Field(default="", description="The month that the sender named.")
    file: str = Field(examples=["花名册.xlsx"])
    sha256: str
    state: Literal["staged", "applied", "undone"]
    rows: int = Field(examples=[60])
    good_rows: int = Field(examples=[59])
    fault_count: int = Field(examples=[1])
    faults: list[FaultOut] = Field(description="The first 1,000 faults, in the order of rows.")
    notes: list[str] = Field(examples=[["按 GB18030 编码读取"]])
    changes: dict[str, int] = Field(
        default_factory=dict,
        examples=[{"added": 1, "changed": 2, "unchanged": 56, "missing": 1}],
        description="What applying the good rows would change, when they were staged; `missing`"
        " are people of the roster whom the file does not name.",
    )
    staged_at: datetime
    staged_by: str = ""
    applied_at: datetime | None = None
    applied_by: str = ""
    applied_rows: int | None = None
    undone_at: datetime | None = None
    undone_by: str = ""
    undo_reason: str = ""
    seen_before: bool = Field(
        default=False, description="This very file was applied before; nothing is done again."
    )


class ChangeOut(BaseModel):
    """One thing that is added, changed, unchanged or missing: `fields` has (before, after) of each
    part that differs; amounts in fen, quantities in thousandths.
    """

    row: int = Field(description="0 for who is missing.")
    employee_id: str
    employee_no: str
    what: str = Field(examples=["2024-10 奖金"])
    change: Literal["added", "changed", "unchanged", "missing"]
    fields: dict[str, tuple[Any, Any]] = Field(examples=[{"value": [100_000, 120_000]}])


class UndoIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=200, examples=["上传了上个月的文件"])


class ApplyIn(BaseModel):
    """`whole` applies only a file without any fault; `good_rows` leaves the broken rows out."""

    model_config = ConfigDict(extra="forbid")

    take: Literal["whole", "good_rows"] = "whole"


def routes(engine: Engine, clock: Clock, keys: Keys, calendar: WorkCalendar) -> APIRouter:
    router = APIRouter(tags=["imports"])
    uploads = _Uploads(engine, clock, keys, calendar)
    _add_uploading(router, engine, uploads)
    _add_views(router, engine, uploads)
    _add_doing(router, engine, clock)
    return router


def _add_uploading(router: APIRouter, engine: Engine, uploads: "_Uploads") -> None:
    @router.post("/imports", status_code=201)
    async def create_import(
        kind: Annotated[KindName, Form()],
        employer_id: Annotated[str, Form(max_length=64)],
        file: Annotated[UploadFile, File(description="XLSX, or CSV in UTF-8 or GB18030.")],
        caller: Hr,
        write: Once,
        corrects: Annotated[
            bool, Form(description="What the file says replaces what was taken in before.")
        ] = False,
        levy_period: Annotated[
            str,
            Form(
                pattern=r"^(20[0-9]{2}-(0[1-9]|1[0-2]))?$",
                description="The month of wage data or payslips; a column may name it instead.",
            ),
        ] = "",
    ) -> ImportOut:
        """Reads a file whole and stages its good rows; nothing is applied yet."""
        data = await file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise FileTooLarge(f"The file has more than {MOST_BYTES} bytes; split it.")
        name = _safe_name(file.filename or "")
        digest = hashlib.sha256(data).hexdigest()
        period = levy_period if kind in ("wage_data", "payslips") else ""
        upload = Upload(employer_id, kind, name, digest, corrects, period)
        mine = of_employer(caller, employer_id)
        await uploads.keep(mine, upload, data)
        read = await uploads.read(mine, upload, data)

        async def act() -> ImportOut:
            return await uploads.stage(conn, upload, read, caller.sub)

        hashed = write.of_content(upload.import_id.encode())
        async with tenant(engine, mine) as conn:
            return await once(conn, caller, hashed, ImportOut, act)


def _add_views(router: APIRouter, engine: Engine, uploads: "_Uploads") -> None:
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

    @router.get("/imports/{import_id}/changes")
    async def list_changes(
        import_id: str, caller: Hr, cursor: Cursor = None, limit: Limit = 100
    ) -> Page[ChangeOut]:
        """Everything that a staged import would change; what an applied one has changed."""
        place = cursor_values(cursor, 1)
        start = int(place[0]) if place and place[0].isdecimal() else 0
        async with tenant(engine, caller) as conn:
            found = await changes_of(conn, import_id)
        more = start + limit < len(found)
        return Page(
            items=[_change(effect) for effect in found[start : start + limit]],
            next_cursor=cursor_of(start + limit) if more else None,
        )

    @router.get(
        "/imports/{import_id}/annotated",
        response_class=Response,
        responses={200: {"content": {XLSX: {}}}},
    )
    async def get_annotated_file(import_id: str, caller: Hr) -> Response:
        """The uploaded file with its faulty rows marked, and the column 错误 saying why and what to
        do; corrected, it can be uploaded as it is.
        """
        name, content = await uploads.annotated(caller, import_id)
        return attachment(name, XLSX, content)


def _add_doing(router: APIRouter, engine: Engine, clock: Clock) -> None:
    @router.post("/imports/{import_id}/apply")
    async def apply_import_(import_id: str, body: ApplyIn, caller: Hr, write: Once) -> ImportOut:
        """Applies a staged import in one transaction."""

        async def act() -> ImportOut:
            return _out(await apply_import(conn, import_id, body.take, caller.sub, clock.now()))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, ImportOut, act)

    @router.post("/imports/{import_id}/undo")
    async def undo_import_(import_id: str, body: UndoIn, caller: Hr, write: Once) -> ImportOut:
        """Undoes an applied import as a whole, as long as nothing approved rests on it."""

        async def act() -> ImportOut:
            return _out(await undo_import(conn, import_id, body.reason, caller.sub, clock.now()))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, ImportOut, act)


def attachment(name: str, media_type: str, content: bytes) -> Response:
    """A file to keep under this name, which nothing that it meets on the way may show or run."""
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)


class _Uploads:
    """Reading a file takes seconds: it happens between two transactions, in another process."""

    def __init__(self, engine: Engine, clock: Clock, keys: Keys, calendar: WorkCalendar) -> None:
        self._engine, self._clock, self._keys = engine, clock, keys
        self._calendar = calendar

    async def keep(self, caller: Caller, upload: Upload, data: bytes) -> None:
        """In a transaction of its own: a refusal undoes the rest."""
        async with tenant(self._engine, caller) as conn:
            # Known to be the caller's before anything of theirs is stored.
            await employer_of(conn, upload.employer_id)
            if await already_applied(conn, upload) is None:
                at = self._clock.now()
                await keep_file(conn, self._keys.sealer(), upload, data, caller.sub, at)

    async def read(self, caller: Caller, upload: Upload, data: bytes) -> ReadFile:
        """Every row against what is known of the employer; FileUnreadable when there are none."""
        async with tenant(self._engine, caller) as conn:
            reading = await self._reading(conn, upload, data)
        return await read_apart(reading)

    async def _reading(self, conn: Connection, upload: Upload, data: bytes) -> Reading:
        return Reading(
            kind=upload.kind,
            file=upload.file_name,
            data=data,
            employer=await employer_of(conn, upload.employer_id),
            numbers=await numbers_of(conn, upload.employer_id),
            today=china_day(self._clock.now()),
            levy_period=upload.levy_period,
            own_items=await own_items_of(conn, upload.employer_id),
            names=await self._names(conn, upload),
        )

    async def _names(self, conn: Connection, upload: Upload) -> dict[str, str]:
        """A roster says what people are called; every other file must know."""
        if upload.kind == ROSTER:
            return {}
        return await names_by_number(conn, self._keys.sealer(), upload.employer_id)

    async def annotated(self, caller: Caller, import_id: str) -> tuple[str, bytes]:
        """(name, content) of the file with its faults; FileNotKept once it is destroyed."""
        async with tenant(self._engine, caller) as conn:
            found = await import_of(conn, import_id)
            data = await kept_file(conn, self._keys.sealer(), found.upload)
            reading = await self._reading(conn, found.upload, data)
        marked = await annotate_apart(replace(reading, annotate=True, faults=found.faults))
        return f"{PurePath(found.upload.file_name).stem}-错误.xlsx", marked

    async def stage(self, conn: Connection, upload: Upload, read: ReadFile, by: str) -> ImportOut:
        at, roll = self._clock.now(), self._calendar.on_or_before
        staged = await stage_file(conn, self._keys, roll, upload, read, by, at)
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
            "levy_period": upload.levy_period,
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
            "changes": dict(found.changes or {}),
            "staged_at": found.staged_at,
            "staged_by": found.staged_by,
            "applied_at": found.applied_at,
            "applied_by": found.applied_by,
            "applied_rows": found.applied_rows,
            "undone_at": found.undone_at,
            "undone_by": found.undone_by,
            "undo_reason": found.undo_reason,
            "seen_before": seen_before,
        }
    )


def _change(effect: Effect) -> ChangeOut:
    """Of an identity only that it differs: its mark is a keyed hash."""
    fields = effect.differences()
    if "identity" in fields:
        fields["identity"] = ("", "changed")
    return ChangeOut(
        row=effect.row,
        employee_id=effect.employee_id,
        employee_no=effect.employee_no,
        what=effect.what,
        change=effect.change,  # type: ignore[arg-type]
        fields=fields,
    )
