"""Declarations of an employer's accounts: as they stand, and their approval."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from contribution_svc.api.callers import (
    Cursor,
    EmployerId,
    Hr,
    LevyPeriodText,
    Limit,
    Once,
    of_employer,
)
from contribution_svc.usecases import views
from contribution_svc.usecases.declaration import approve_declaration
from contribution_svc.usecases.library import Library
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once


class SidesOut(BaseModel):
    employer_fen: int = Field(examples=[76_000])
    employee_fen: int = Field(examples=[19_000])


class BlockedOut(BaseModel):
    """An employee who is left out, and why."""

    employee_id: str
    reasons: list[str] = Field(examples=[["documents_missing:work_permit"]])


class DeclarationOut(BaseModel):
    """申报 of one account; of a draft the sums are those that an approval now would freeze."""

    declaration_id: str
    employer_id: str
    account_id: str
    city: str = Field(examples=["990100"])
    levy_period: str = Field(examples=["2024-10"])
    state: str = Field(examples=["draft"], description="draft or approved")
    version: int
    people: int = Field(examples=[34])
    sums: dict[str, SidesOut]
    total_fen: int = Field(examples=[3_230_000])
    lines_hash: str
    file_by: date = Field(examples=["2024-10-09"])
    debit_by: date = Field(examples=["2024-10-10"])
    due_on: date = Field(examples=["2024-10-15"])
    approved_by: str
    approved_at: datetime | None
    waiting: int = Field(description="Employees who are still to be assessed.")
    blocked: list[BlockedOut]


def routes(engine: Engine, clock: Clock, library: Library) -> APIRouter:
    router = APIRouter(tags=["declarations"])

    @router.get("/declarations")
    async def list_declarations(
        caller: Hr,
        employer_id: EmployerId,
        levy_period: LevyPeriodText,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[DeclarationOut]:
        """One per account."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await views.declarations(
                conn, employer_id, levy_period, place[0] if place else "", limit
            )
        last = found[-1].declaration if len(found) == limit else None
        return Page(
            items=[_out(view) for view in found],
            next_cursor=cursor_of(last.declaration_id) if last else None,
        )

    @router.post("/declarations/{declaration_id}/approve")
    async def approve(
        declaration_id: Annotated[str, Path(max_length=64)], caller: Hr, write: Once
    ) -> DeclarationOut:
        """Freezes what is due; the blocked stay out. Refused while anybody is still to be
        assessed.
        """
        async with tenant(engine, caller) as conn:

            async def act() -> DeclarationOut:
                rules = await library.rules(conn)
                approved = await approve_declaration(
                    conn, rules, declaration_id, caller.sub, clock.now()
                )
                return _out(await views.declaration_view(conn, approved))

            return await once(conn, caller, write, DeclarationOut, act)

    return router


def sides_out(sums: views.Sides) -> dict[str, SidesOut]:
    return {
        insurance: SidesOut(employer_fen=employer_fen, employee_fen=employee_fen)
        for insurance, (employer_fen, employee_fen) in sums.items()
    }


def _out(view: views.DeclarationView) -> DeclarationOut:
    declaration = view.declaration
    return DeclarationOut(
        declaration_id=declaration.declaration_id,
        employer_id=declaration.employer_id,
        account_id=declaration.account_id,
        city=declaration.city,
        levy_period=declaration.levy_period,
        state=declaration.state,
        version=declaration.version,
        people=declaration.people,
        sums=sides_out(declaration.sums),
        total_fen=declaration.total_fen,
        lines_hash=declaration.lines_hash,
        file_by=declaration.file_by,
        debit_by=declaration.debit_by,
        due_on=declaration.due_on,
        approved_by=declaration.approved_by,
        approved_at=declaration.approved_at,
        waiting=view.waiting,
        blocked=blocked_out(view.blocked),
    )


def blocked_out(found: Iterable[views.Blocked]) -> list[BlockedOut]:
    return [BlockedOut(employee_id=one.employee_id, reasons=list(one.reasons)) for one in found]
