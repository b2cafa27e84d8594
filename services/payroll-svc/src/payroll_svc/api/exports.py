"""Exports: asked for with a reason, then fetched; every one is kept in the list."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from payroll_svc.api.callers import Cursor, Hr, Limit, Once, of_employer
from payroll_svc.api.imports import XLSX, attachment
from payroll_svc.domain.exports import Export
from payroll_svc.usecases.exports import ask_export, exports_of, made_export
from payroll_svc.usecases.identities import Keys
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once
from shared.values import derived_id

_MEDIA_TYPES = {"xlsx": XLSX, "csv": "text/csv", "zip": "application/zip"}


class ExportIn(BaseModel):
    """`levy_period` is the month of wage data and payslips; `encoding` that of a CSV."""

    model_config = ConfigDict(extra="forbid", strict=True)

    employer_id: str = Field(max_length=64)
    kind: Literal["roster", "wage_data", "payslips"]
    levy_period: str = Field(default="", pattern=r"^(20[0-9]{2}-(0[1-9]|1[0-2]))?$")
    form: Literal["xlsx", "csv"] = "xlsx"
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    with_identity: bool = Field(default=False, description="Identity numbers, phones, accounts.")
    wide: bool = Field(default=False, description="Wage data: a row a person, a column an item.")
    reason: str = Field(min_length=2, max_length=200, examples=["月度核对"])

    @model_validator(mode="after")
    def _month_fits(self) -> "ExportIn":
        if self.wide and self.kind != "wage_data":
            raise ValueError("only wage data are wide or long")
        if (self.kind == "roster") == bool(self.levy_period):
            raise ValueError("wage data and payslips are of a levy_period, a roster of none")
        return self


class ExportOut(BaseModel):
    """Who took what, and why; over 100,000 rows the file is a CSV in a zip."""

    export_id: str
    employer_id: str
    kind: Literal["roster", "wage_data", "payslips"]
    levy_period: str
    file_name: str = Field(examples=["变动工资数据-2024-10.xlsx"])
    encoding: str
    with_identity: bool
    wide: bool = False
    reason: str
    rows: int
    asked_at: datetime
    asked_by: str
    downloads: int
    downloaded_at: datetime | None
    sha256: str


def routes(engine: Engine, clock: Clock, keys: Keys) -> APIRouter:
    router = APIRouter(tags=["exports"])

    @router.post("/exports", status_code=201)
    async def create_export(body: ExportIn, caller: Hr, write: Once) -> ExportOut:
        """Asks for a file, with the reason; fetch it by its id."""
        values = body.model_dump()
        at, sub = clock.now(), caller.sub
        name = str(derived_id("export", sub, write.key, body.employer_id))
        wanted = Export(export_id=name, rows=0, asked_at=at, asked_by=sub, **values)

        async def act() -> ExportOut:
            return _out(await ask_export(conn, wanted))

        async with tenant(engine, of_employer(caller, body.employer_id)) as conn:
            return await once(conn, caller, write, ExportOut, act)

    @router.get("/exports")
    async def list_exports(
        employer_id: str, caller: Hr, cursor: Cursor = None, limit: Limit = 20
    ) -> Page[ExportOut]:
        """Everything that was taken out of the employer's data, the newest first."""
        place = cursor_values(cursor, 2)
        before = (datetime.fromisoformat(place[0]), place[1]) if place else None
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await exports_of(conn, employer_id, before, limit)
        last = found[-1] if len(found) == limit else None
        return Page(
            items=[_out(one) for one in found],
            next_cursor=cursor_of(last.asked_at.isoformat(), last.export_id) if last else None,
        )

    @router.get(
        "/exports/{export_id}/file",
        response_class=Response,
        responses={200: {"content": {media_type: {} for media_type in _MEDIA_TYPES.values()}}},
    )
    async def get_export_file(export_id: str, caller: Hr) -> Response:
        """The file as the data are now, for whoever asked for it."""
        async with tenant(engine, caller) as conn:
            found = await made_export(conn, keys.sealer(), export_id, caller.sub, clock.now())
        export, content = found
        return attachment(export.file_name, _MEDIA_TYPES[export.file_form], content)

    return router


def _out(export: Export) -> ExportOut:
    return ExportOut.model_validate(export, from_attributes=True)
