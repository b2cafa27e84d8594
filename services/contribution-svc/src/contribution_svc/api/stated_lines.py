"""Lines that another system computed, held against the policy in force."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from contribution_svc.api.callers import Hr, of_employer
from contribution_svc.domain.lines import StatedLine
from contribution_svc.files.lines_csv import COLUMNS, MOST_LINES, read_lines
from contribution_svc.usecases.stated_lines import check_stated
from shared.db import Engine, tenant
from shared.values import Insurance, LevyPeriod

_PERIOD = r"^20\d\d-(0[1-9]|1[0-2])$"
_MOST_FEN = 100_000_000_000
_Fen = Annotated[int | None, Field(ge=0, le=_MOST_FEN, strict=True)]
_Ppm = Annotated[int | None, Field(ge=0, le=1_000_000, strict=True)]


class StatedLineIn(BaseModel):
    """One line as the other system has it; what it does not state is left out."""

    model_config = ConfigDict(extra="forbid")

    employee_no: str = Field(min_length=1, max_length=32, examples=["E0001"])
    insurance: Insurance = Field(examples=["medical"])
    base_fen: _Fen = Field(default=None, examples=[950_000])
    employer_ppm: _Ppm = Field(default=None, examples=[80_000])
    employee_ppm: _Ppm = Field(default=None, examples=[20_000])
    employer_fen: _Fen = Field(default=None, examples=[76_000])
    employee_fen: _Fen = Field(default=None, examples=[19_000])


class StatedLinesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    employer_id: str = Field(max_length=64)
    levy_period: str = Field(pattern=_PERIOD, examples=["2024-10"])
    lines: list[StatedLineIn] = Field(min_length=1, max_length=MOST_LINES)


class AgreedOut(BaseModel):
    """Every figure that was given is the policy's."""

    lines: int = Field(examples=[60])


def routes(engine: Engine) -> APIRouter:
    router = APIRouter(tags=["assessments"])

    @router.post("/lines/check")
    async def check_lines(body: StatedLinesIn, caller: Hr) -> AgreedOut:
        """Holds lines from an agency's list or a payroll system against the policy: a rate of 7 %
        where it says 8 % is refused, naming employee, insurance, expected and found. Changes
        nothing.
        """
        stated = [StatedLine(**line.model_dump()) for line in body.lines]
        async with tenant(engine, of_employer(caller, body.employer_id)) as conn:
            period = LevyPeriod.parse(body.levy_period)
            await check_stated(conn, body.employer_id, period, stated, _pointer)
        return AgreedOut(lines=len(stated))

    @router.post("/lines/check-file")
    async def check_file(
        caller: Hr,
        employer_id: Annotated[str, Form(max_length=64)],
        levy_period: Annotated[str, Form(pattern=_PERIOD, examples=["2024-10"])],
        file: Annotated[UploadFile, File(description=f"CSV: {'、'.join(COLUMNS.values())}")],
    ) -> AgreedOut:
        """The same of a file with a line a row: every fault by row and column. Changes nothing."""
        own = of_employer(caller, employer_id)
        name, content = (file.filename or "lines.csv")[:120], await file.read()
        # Parsing is CPU: other requests go on meanwhile.
        rows = await asyncio.to_thread(read_lines, name, content)

        def cell(place: int, figure: str) -> str:
            return f"{name}:{rows[place].row}:{COLUMNS.get(figure, '')}"

        async with tenant(engine, own) as conn:
            stated, period = [one.line for one in rows], LevyPeriod.parse(levy_period)
            await check_stated(conn, employer_id, period, stated, cell)
        return AgreedOut(lines=len(rows))

    return router


def _pointer(place: int, figure: str) -> str:
    return f"/lines/{place}/{figure}" if figure else f"/lines/{place}"
