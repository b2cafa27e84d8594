"""退费: what an account month paid too much, applied for at the collector, and its answer."""

from datetime import date, datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contribution_svc.api.assessments import SupplementOut
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
from contribution_svc.domain.refund import Refund
from contribution_svc.store import refunds
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.refund import Application, answer_refund, request_refunds
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once

_PERIOD = r"^20\d\d-(0[1-9]|1[0-2])$"
_MOST_FEN = 10**15


class RefundIn(BaseModel):
    """The document by which HR applies for everyone of the account month."""

    model_config = ConfigDict(extra="forbid")

    account_id: str = Field(min_length=1, max_length=64)
    levy_period: str = Field(pattern=_PERIOD, examples=["2026-08"])
    document_no: Named = Field(examples=["合税退〔2026〕7号"])


class AnswerIn(BaseModel):
    """What the collector did: refunded a sum on a day, or refused for a reason."""

    model_config = ConfigDict(extra="forbid")

    refunded_fen: int | None = Field(default=None, ge=1, le=_MOST_FEN, strict=True)
    refunded_on: Day | None = Field(default=None, examples=["2026-10-20"])
    reason: Sentence = ""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        is_refunded = self.refunded_fen is not None and self.refunded_on is not None
        is_refused = self.refunded_fen is None and self.refunded_on is None and self.reason
        if not is_refunded and not is_refused:
            raise ValueError("either refunded_fen with refunded_on, or reason alone")
        return self


class RefundOut(BaseModel):
    """退费 of one employee's levy period: requested, refunded (to the fen), differs, or refused;
    `sentence` says where it stands and who has to do what.
    """

    refund_id: str
    employer_id: str
    account_id: str
    employee_id: str
    levy_period: str = Field(examples=["2026-08"])
    number: int
    state: str = Field(examples=["requested"])
    version: int
    lines: list[SupplementOut]
    requested_fen: int = Field(examples=[103_464])
    document_no: str
    requested_by: str
    requested_at: datetime
    answered_by: str
    answered_at: datetime | None
    refunded_fen: int | None = Field(examples=[103_464])
    refunded_on: date | None
    reason: str
    sentence: str


def routes(engine: Engine, clock: Clock, library: Library) -> APIRouter:
    router = APIRouter(tags=["refunds"])

    @router.get("/refunds")
    async def list_refunds(
        caller: Hr, employer_id: EmployerId, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[RefundOut]:
        """An employer's applications. What is not applied for yet is listed under /arrears."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await refunds.page(conn, employer_id, place[0] if place else "", limit)
        return Page(
            items=[_out(one) for one in found],
            next_cursor=cursor_of(found[-1].refund_id) if len(found) == limit else None,
        )

    @router.post("/refunds", status_code=201)
    async def request_them(body: RefundIn, caller: Hr, write: Once) -> Page[RefundOut]:
        """One for each employee of the account month of whom too much was paid."""
        made = Application(body.account_id, body.levy_period, body.document_no)
        async with tenant(engine, caller) as conn:

            async def act() -> Page[RefundOut]:
                policies = await library.in_force(conn)
                found = await request_refunds(conn, policies, made, caller.sub, clock.now())
                return Page(items=[_out(one) for one in found], next_cursor=None)

            return await once(conn, caller, write, Page[RefundOut], act)

    @router.post("/refunds/{refund_id}/answer")
    async def answer_one(
        refund_id: Annotated[str, Path(max_length=64)], body: AnswerIn, caller: Hr, write: Once
    ) -> RefundOut:
        """Closes it where the sum is what was applied for; anything else may be answered again."""
        async with tenant(engine, caller) as conn:

            async def act() -> RefundOut:
                answered = await answer_refund(
                    conn,
                    refund_id,
                    body.refunded_fen,
                    body.refunded_on,
                    body.reason,
                    caller.sub,
                    clock.now(),
                )
                return _out(answered)

            return await once(conn, caller, write, RefundOut, act)

    return router


def _out(one: Refund) -> RefundOut:
    return RefundOut.model_validate(
        {
            **{name: getattr(one, name) for name in Refund.__slots__ if name != "lines"},
            "lines": [
                {name: getattr(line, name) for name in SupplementOut.model_fields}
                for line in one.lines
            ],
            "requested_fen": one.requested_fen(),
            "sentence": one.sentence(),
        }
    )
