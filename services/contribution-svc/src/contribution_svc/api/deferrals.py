"""缓缴 (deferrals that the collector granted) and the collector's provisional assessments."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from contribution_svc.api.callers import (
    Cursor,
    Day,
    EmployerId,
    Hr,
    Limit,
    Named,
    Once,
    Sentence,
    of_employer,
)
from contribution_svc.store import deferrals, not_filed
from contribution_svc.store.deferrals import RecordedDeferral
from contribution_svc.usecases.deferral import (
    Grant,
    approve_deferral,
    record_deferral,
    refuse_deferral,
)
from contribution_svc.usecases.library import Library
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once
from shared.values import Insurance, LevyPeriod

_PERIOD = r"^20\d\d-(0[1-9]|1[0-2])$"


class Ground(StrEnum):
    """不可抗力, or a guarantee that the employer gave (第13号令 art. 21 to 23)."""

    FORCE_MAJEURE = "force_majeure"
    GUARANTEE = "guarantee"


class DeferralIn(BaseModel):
    """What the collector's document grants; both ends of the span are in it."""

    model_config = ConfigDict(extra="forbid")

    account_id: str = Field(min_length=1, max_length=64)
    insurances: list[Insurance] = Field(min_length=1, max_length=len(Insurance))
    first_period: str = Field(pattern=_PERIOD, examples=["2026-03"])
    last_period: str = Field(pattern=_PERIOD, examples=["2026-05"])
    until: Day = Field(examples=["2026-09-30"], description="The last day of paying.")
    ground: Ground = Field(examples=["force_majeure"])
    document_no: Named = Field(examples=["合税缓〔2026〕12号"])
    granted_by: Named = Field(examples=["国家税务总局合肥市税务局"])


class DeferralOut(BaseModel):
    """缓缴: in force once a second person has approved it; refused for a `reason`."""

    deferral_id: str
    employer_id: str
    account_id: str
    insurances: list[str] = Field(examples=[["pension"]])
    first_period: str = Field(examples=["2026-03"])
    last_period: str = Field(examples=["2026-05"])
    until: date = Field(examples=["2026-09-30"])
    ground: str = Field(examples=["force_majeure"])
    document_no: str = Field(examples=["合税缓〔2026〕12号"])
    granted_by: str = Field(examples=["国家税务总局合肥市税务局"])
    state: str = Field(examples=["proposed"], description="proposed, approved or refused")
    recorded_by: str
    recorded_at: datetime
    approved_by: str
    approved_at: datetime | None
    refused_by: str
    refused_at: datetime | None
    reason: str


class RefuseIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Sentence = Field(min_length=1, examples=["文件号与税务局原件不符"])


class ProvisionalOut(BaseModel):
    """What the collector assesses an account at that did not file by its day, and how its late
    filing settled that (`settled_fen` below 0: to be given back) if it was debited (`paid_fen`);
    what was not is paid as it was filed.
    """

    declaration_id: str
    account_id: str
    levy_period: str = Field(examples=["2026-04"])
    last_fen: int | None = Field(examples=[21_843_650])
    assessed_fen: int | None = Field(examples=[24_028_015])
    assessed_on: date = Field(examples=["2026-04-21"])
    explanation: str
    settled_at: datetime | None
    settled_fen: int | None = Field(examples=[None])
    settlement: str
    paid_fen: int = Field(
        default=0,
        examples=[24_028_015],
        description="What stands debited for it and for its settlement.",
    )


def routes(engine: Engine, clock: Clock, library: Library) -> APIRouter:
    router = APIRouter(tags=["deferrals"])
    _add_lists(router, engine)

    @router.post("/deferrals", status_code=201)
    async def record_one(body: DeferralIn, caller: Hr, write: Once) -> DeferralOut:
        """Without effect until a second person approves it."""
        grant = Grant(
            account_id=body.account_id,
            insurances=sorted(set(body.insurances)),
            first_period=LevyPeriod.parse(body.first_period),
            last_period=LevyPeriod.parse(body.last_period),
            until=body.until,
            ground=body.ground,
            document_no=body.document_no,
            granted_by=body.granted_by,
        )
        async with tenant(engine, caller) as conn:

            async def act() -> DeferralOut:
                return _deferral(await record_deferral(conn, grant, caller.sub, clock.now()))

            return await once(conn, caller, write, DeferralOut, act)

    @router.post("/deferrals/{deferral_id}/approve")
    async def approve_recorded(
        deferral_id: Annotated[str, Path(max_length=64)], caller: Hr, write: Once
    ) -> DeferralOut:
        """No late fee before its day from now on, and no alarm about the deadlines in its span."""
        async with tenant(engine, caller) as conn:

            async def act() -> DeferralOut:
                rules = await library.rules(conn)
                approved = await approve_deferral(conn, rules, deferral_id, caller.sub, clock.now())
                return _deferral(approved)

            return await once(conn, caller, write, DeferralOut, act)

    @router.post("/deferrals/{deferral_id}/refuse")
    async def refuse_recorded(
        deferral_id: Annotated[str, Path(max_length=64)], body: RefuseIn, caller: Hr, write: Once
    ) -> DeferralOut:
        """By the second person, or by whoever recorded it; it never had an effect."""
        async with tenant(engine, caller) as conn:

            async def act() -> DeferralOut:
                reason, by = body.reason, caller.sub
                refused = await refuse_deferral(conn, deferral_id, reason, by, clock.now())
                return _deferral(refused)

            return await once(conn, caller, write, DeferralOut, act)

    return router


def _add_lists(router: APIRouter, engine: Engine) -> None:
    @router.get("/deferrals")
    async def list_deferrals(
        caller: Hr, employer_id: EmployerId, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[DeferralOut]:
        """An employer's deferrals."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await deferrals.page(conn, employer_id, place[0] if place else "", limit)
        last = found[-1].deferral_id if len(found) == limit else None
        return Page(
            items=[_deferral(one) for one in found], next_cursor=cursor_of(last) if last else None
        )

    @router.get("/provisional-assessments")
    async def list_provisional(
        caller: Hr, employer_id: EmployerId, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[ProvisionalOut]:
        """Declarations of an employer that were not filed by their day."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await not_filed.page(conn, employer_id, place[0] if place else "", limit)
        last = found[-1].declaration_id if len(found) == limit else None
        return Page(
            items=[ProvisionalOut.model_validate(one, from_attributes=True) for one in found],
            next_cursor=cursor_of(last) if last else None,
        )


def _deferral(one: RecordedDeferral) -> DeferralOut:
    return DeferralOut.model_validate(one, from_attributes=True)
