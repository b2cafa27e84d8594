"""HTTP door: authorities' states, the sync log, employees' rows at the bureaus, sums, and look-ups
on request.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from bureau_sync_svc.store import reading
from bureau_sync_svc.usecases import look_up
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, Write, cursor_of, cursor_values, idempotent, once
from shared.refusal import FieldFault, Malformed
from shared.serve import Caller, require

_PAGE_ROWS = 200
_LEVY_PERIOD = r"^20\d\d-(0[1-9]|1[0-2])$"

Hr = Annotated[Caller, Depends(require("hr"))]
HrOrEmployee = Annotated[Caller, Depends(require("hr", "employee"))]
HrOrOperator = Annotated[Caller, Depends(require("hr", "operator"))]
Id = Annotated[str, Query(min_length=1, max_length=100)]
Month = Annotated[str, Query(pattern=_LEVY_PERIOD, examples=["2024-10"])]
Cursor = Annotated[str | None, Query(max_length=400)]
Limit = Annotated[int, Query(ge=1, le=_PAGE_ROWS)]


class AuthorityOut(BaseModel):
    """A collector or authority, and whether it can be talked to."""

    party: str = Field(examples=["medical-990100"])
    kind: str = Field(description="collector or authority")
    city: str
    state: str = Field(description="open, degraded (it answers, with a fault) or closed")
    since: datetime | None
    until: datetime | None
    reason: str
    announced: bool
    retry_at: datetime | None = Field(description="Until then nobody asks it.")
    failures: int


class AuthoritiesOut(BaseModel):
    items: list[AuthorityOut]


class ExchangeOut(BaseModel):
    """One request and its reply; identity numbers are replaced by employee ids, names are taken
    out.
    """

    exchange_id: str
    party: str
    operation: str
    at: datetime
    outcome: str
    account_id: str
    levy_period: str
    serial: str
    request: str
    request_sha256: str
    status: int | None
    reply: str
    reply_sha256: str
    reason: str
    milliseconds: int | None


class BureauRowOut(BaseModel):
    """One insurance as the bureau has it; all amounts in fen."""

    insurance: str
    stage: str = Field(examples=["recorded"])
    filed_employer_fen: int | None
    filed_employee_fen: int | None
    verified_base_fen: int | None
    verified_employer_fen: int | None
    verified_employee_fen: int | None
    record_base_fen: int | None
    record_employer_fen: int | None
    record_employee_fen: int | None
    records: int
    fully_arrived: bool
    recorded_on: str
    looked_up_at: str
    authority: str
    reason: str
    evidence_id: str


class BureauMonthOut(BaseModel):
    """An employee's levy period at the bureaus."""

    employee_id: str
    employee_no: str
    levy_period: str
    account_id: str
    version: int
    rows: list[BureauRowOut]


class SidesOut(BaseModel):
    employer_fen: int
    employee_fen: int


class SumsOut(BaseModel):
    """Fen by insurance and side, for one employer and levy period."""

    filed: dict[str, SidesOut]
    verified: dict[str, SidesOut]
    recorded: dict[str, SidesOut]


class SubmissionOut(BaseModel):
    """A filing or paid detail, where it stands and what it waits for."""

    serial: str
    kind: str = Field(description="filing or detail")
    declaration_id: str
    account_id: str
    levy_period: str
    party: str
    state: str
    reason: str
    since: datetime
    next_at: datetime | None
    failures: int


class LookUpIn(BaseModel):
    """Which account month to look up now."""

    account_id: str = Field(min_length=1, max_length=100)
    levy_period: str = Field(pattern=_LEVY_PERIOD, examples=["2024-10"])


class LookUpOut(BaseModel):
    authority: str
    due_at: datetime


class LookUpsOut(BaseModel):
    """The authorities that will be asked; what they show comes with GET /bureau-rows."""

    account_id: str
    levy_period: str
    look_ups: list[LookUpOut]


def routes(engine: Engine, clock: Clock) -> APIRouter:
    """The service's routes over the api role's engine."""
    router = APIRouter(tags=["bureau-sync"])
    _reading_routes(router, engine)
    _log_routes(router, engine)

    @router.post("/look-ups", status_code=202)
    async def request_look_up(
        caller: Hr, write: Annotated[Write, Depends(idempotent)], wanted: LookUpIn
    ) -> LookUpsOut:
        """Has every authority of the account month asked at once instead of at eight in the
        morning.
        """
        now = clock.now()
        async with tenant(engine, caller) as conn:

            async def ask() -> LookUpsOut:
                asked = await look_up.ask_now(conn, wanted.account_id, wanted.levy_period, now)
                look_ups = [LookUpOut(authority=one, due_at=at) for one, at in asked]
                return LookUpsOut(**wanted.model_dump(), look_ups=look_ups)

            return await once(conn, caller, write, LookUpsOut, ask)

    return router


def _reading_routes(router: APIRouter, engine: Engine) -> None:
    @router.get("/authorities")
    async def list_authorities(caller: HrOrOperator) -> AuthoritiesOut:
        """Every collector and authority with its state."""
        async with tenant(engine, caller) as conn:
            rows = await reading.authorities(conn)
        return AuthoritiesOut(items=[AuthorityOut(**row) for row in rows])

    @router.get("/bureau-rows")
    async def list_bureau_rows(
        caller: HrOrEmployee,
        employer_id: Id,
        levy_period: Month,
        employee_id: Annotated[str | None, Query(max_length=100)] = None,
        cursor: Cursor = None,
        limit: Limit = _PAGE_ROWS,
    ) -> Page[BureauMonthOut]:
        """Employees' rows as last told, by employee id; an employee sees their own alone."""
        caller.must_act_for(employer_id)
        after = cursor_values(cursor, 1)
        async with tenant(engine, caller) as conn:
            rows = await reading.months(
                conn, employer_id, levy_period, employee_id, after[0] if after else "", limit
            )
        items = [BureauMonthOut(**{**row, "rows": list(row["told"].values())}) for row in rows]
        more = len(items) == limit
        return Page(items=items, next_cursor=cursor_of(items[-1].employee_id) if more else None)

    @router.get("/sums")
    async def get_sums(caller: Hr, employer_id: Id, levy_period: Month) -> SumsOut:
        """What was filed, verified and recorded."""
        caller.must_act_for(employer_id)
        async with tenant(engine, caller) as conn:
            rows = await reading.sums(conn, employer_id, levy_period)
        return SumsOut(**{side: _side(rows, side) for side in ("filed", "verified", "recorded")})


def _side(rows: reading.Rows, side: str) -> dict[str, SidesOut]:
    return {
        row["insurance"]: SidesOut(
            employer_fen=row[f"{side}_employer_fen"], employee_fen=row[f"{side}_employee_fen"]
        )
        for row in rows
        if row[f"{side}_employer_fen"] is not None
    }


def _log_routes(router: APIRouter, engine: Engine) -> None:
    @router.get("/exchanges")
    async def list_exchanges(
        caller: Hr,
        employer_id: Id,
        employee_id: Annotated[str | None, Query(max_length=100)] = None,
        levy_period: Annotated[str | None, Query(pattern=_LEVY_PERIOD)] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[ExchangeOut]:
        """The sync log, newest first; with `employee_id` those exchanges that covered this
        employee.
        """
        caller.must_act_for(employer_id)
        before = _number_cursor(cursor)
        async with tenant(engine, caller) as conn:
            rows = await reading.exchanges(
                conn, employer_id, employee_id, levy_period, before, limit
            )
        items = [ExchangeOut(**row) for row in rows]
        following = cursor_of(rows[-1]["seq"]) if len(items) == limit else None
        return Page(items=items, next_cursor=following)

    @router.get("/submissions")
    async def list_submissions(
        caller: Hr,
        employer_id: Id,
        levy_period: Annotated[str | None, Query(pattern=_LEVY_PERIOD)] = None,
        cursor: Cursor = None,
        limit: Limit = _PAGE_ROWS,
    ) -> Page[SubmissionOut]:
        """Filings and paid details with where they stand: what waits says for what."""
        caller.must_act_for(employer_id)
        after = cursor_values(cursor, 1)
        async with tenant(engine, caller) as conn:
            rows = await reading.submissions(
                conn, employer_id, levy_period, after[0] if after else "", limit
            )
        items = [SubmissionOut(**row) for row in rows]
        more = len(items) == limit
        return Page(items=items, next_cursor=cursor_of(items[-1].serial) if more else None)


def _number_cursor(cursor: str | None) -> int | None:
    values = cursor_values(cursor, 1)
    if values is None:
        return None
    if not (values[0].isascii() and values[0].isdecimal() and len(values[0]) < 19):
        fault = FieldFault("query:cursor", "", "not a cursor of this list", "start without one")
        raise Malformed("The cursor is not one that this list gave out.", (fault,))
    return int(values[0])
