"""Bank statements: what was imported, what waits in suspense, and a file that HR uploads by
hand.
"""

import asyncio
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import BaseModel, Field

from contribution_svc.api.callers import Cursor, EmployerId, Hr, Limit, Once, of_employer
from contribution_svc.errors import StatementFileInvalid
from contribution_svc.files import read_statements
from contribution_svc.usecases import views
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.statement import import_file, keep_file, refuse_file
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, Write, cursor_of, cursor_values, once
from shared.refusal import FieldFault, Malformed
from shared.serve import Caller


class StatementOut(BaseModel):
    """One statement; `gap_before`: the bank's own numbers say that one before it is missing."""

    statement_id: str
    account_ref: str
    bank_id: str
    day: date = Field(examples=["2024-10-10"])
    sequence: int | None = Field(examples=[7])
    opening_fen: int
    closing_fen: int
    entries: int = Field(examples=[2])
    imported_at: datetime
    gap_before: bool


class SuspenseOut(BaseModel):
    """An entry that pays nothing yet, and why."""

    entry_id: str
    statement_id: str
    account_ref: str
    amount_fen: int = Field(examples=[3_230_000])
    is_debit: bool
    is_return: bool
    booked_on: date
    voucher: str
    remark: str = Field(examples=["社保费 SB990100001 202410"])
    reason: str = Field(examples=["amount_differs"])


class ImportedOut(BaseModel):
    """What an upload did; `recognised`: this very file was imported before."""

    file_id: str
    statement_ids: list[str]
    entries: int
    allocated: int
    recognised: bool


def routes(engine: Engine, clock: Clock, library: Library) -> APIRouter:
    router = APIRouter(tags=["statements"])
    _add_lists(router, engine)

    @router.post("/statements", status_code=201)
    async def upload_statement(
        caller: Hr,
        write: Once,
        employer_id: Annotated[str, Form(max_length=64)],
        file: Annotated[UploadFile, File(description="camt.053, versions 2 to 13")],
    ) -> ImportedOut:
        """Imports a bank file; all its faults are told at once, and nothing of a broken one is
        applied.
        """
        content = await file.read()
        name = (file.filename or "statement.xml")[:120]
        upload = _Upload(engine, of_employer(caller, employer_id), employer_id, name, content)
        return await upload.imported(write, library, clock.now())

    return router


def _add_lists(router: APIRouter, engine: Engine) -> None:
    @router.get("/statements")
    async def list_statements(
        caller: Hr, employer_id: EmployerId, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[StatementOut]:
        """By day."""
        place = cursor_values(cursor, 2)
        after = (_day(place[0]), place[1]) if place else (date.min, "")
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            rows = await views.statements(conn, employer_id, after, limit)
        last = rows[-1] if len(rows) == limit else None
        return Page(
            items=[StatementOut.model_validate(row, from_attributes=True) for row in rows],
            next_cursor=cursor_of(str(last.day), last.statement_id) if last else None,
        )

    @router.get("/suspense")
    async def list_suspense(
        caller: Hr, employer_id: EmployerId, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[SuspenseOut]:
        """Entries that were not allocated, each with its reason."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            rows = await views.suspense(conn, employer_id, place[0] if place else "", limit)
        last = rows[-1] if len(rows) == limit else None
        return Page(
            items=[SuspenseOut.model_validate(row, from_attributes=True) for row in rows],
            next_cursor=cursor_of(last.entry_id) if last else None,
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fault = FieldFault("query:cursor", "", "not a cursor of this list")
        raise Malformed("The cursor is not one that this list gave out.", (fault,)) from None


class _Upload:
    """One uploaded file. Its bytes are kept first, in a transaction of their own: a refusal undoes
    the rest.
    """

    def __init__(
        self, engine: Engine, caller: Caller, employer_id: str, name: str, content: bytes
    ) -> None:
        self._engine, self._caller = engine, caller
        self._employer_id, self._name, self._content = employer_id, name, content

    async def imported(self, write: Write, library: Library, now: datetime) -> ImportedOut:
        async with tenant(self._engine, self._caller) as conn:
            file_id = await keep_file(
                conn, self._employer_id, self._name, "upload", self._content, now
            )
        try:
            # Parsing is CPU: other requests go on meanwhile.
            statements = await asyncio.to_thread(read_statements, self._name, self._content)
            async with tenant(self._engine, self._caller) as conn:

                async def act() -> ImportedOut:
                    rules = await library.rules(conn)
                    done = await import_file(conn, rules, file_id, statements, now)
                    return ImportedOut.model_validate(done, from_attributes=True)

                known = write.of_content(self._employer_id.encode(), self._content)
                return await once(conn, self._caller, known, ImportedOut, act)
        except StatementFileInvalid as refusal:
            async with tenant(self._engine, self._caller) as conn:
                await refuse_file(conn, file_id, refusal.faults)
            raise
