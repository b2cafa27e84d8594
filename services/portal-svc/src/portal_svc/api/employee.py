"""What an employee may ask: their own months, and feedback to HR."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from portal_svc import usecases
from portal_svc.api.models import (
    LEVY_PERIOD,
    Authority,
    Feedback,
    FeedbackTaken,
    MonthCard,
    MonthDetail,
)
from portal_svc.domain.months import MonthCard as Card
from portal_svc.errors import EmployeeUnknown
from portal_svc.owners import Owners
from shared.db import Engine, tenant
from shared.http_writes import Page, Write, cursor_of, cursor_values, idempotent
from shared.serve import Caller, require

MAX_MONTHS = 36

Employee = Annotated[Caller, Depends(require("employee"))]
Anyone = Annotated[Caller, Depends(require("employee", "hr", "operator", "service"))]
Limit = Annotated[int, Query(ge=1, le=MAX_MONTHS, description="Months on a page.")]
Cursor = Annotated[str | None, Query(max_length=200, description="From the page before.")]
Period = Annotated[str, Path(pattern=LEVY_PERIOD, examples=["2024-10"])]


def routes(engine: Engine, owners: Owners) -> APIRouter:
    """`/me` and `/authorities`."""
    router = APIRouter(tags=["me"])

    @router.get("/me/months", response_model=Page[MonthCard])
    async def list_my_months(
        caller: Employee, limit: Limit = 12, cursor: Cursor = None
    ) -> Page[MonthCard]:
        """My months, newest first: each insurance with base, amounts, voucher and status."""
        async with tenant(engine, caller) as conn:
            cards = await usecases.list_months(conn, own(caller), before(cursor), limit + 1)
        return page_of(cards, limit)

    @router.get("/me/months/{levy_period}", response_model=MonthDetail)
    async def show_my_month(caller: Employee, levy_period: Period) -> MonthDetail:
        """One of my months, with the five steps of each insurance and plain advice."""
        async with tenant(engine, caller) as conn:
            detail = await usecases.show_month(conn, own(caller), levy_period)
        shown = {**asdict(detail.card), "steps": detail.steps, "advice": detail.advice}
        return MonthDetail.model_validate(shown)

    @router.post("/me/feedback", status_code=201, response_model=FeedbackTaken)
    async def send_feedback(
        caller: Employee, feedback: Feedback, write: Annotated[Write, Depends(idempotent)]
    ) -> Response:
        """上报异常: passed on to ticket-svc, whose answer comes back as it is."""
        body = feedback.model_dump_json().encode()
        answer = await owners.send_feedback(caller.token, write.key, body)
        return Response(answer.body, answer.status, media_type=answer.media_type)

    @router.get("/authorities", response_model=list[Authority], tags=["authorities"])
    async def list_authorities(caller: Anyone) -> list[Authority]:
        """Collectors and authorities: open, degraded or closed, and until when."""
        async with tenant(engine, caller) as conn:
            found = await usecases.list_authorities(conn)
        return [Authority.model_validate(one) for one in found]

    return router


def own(caller: Caller) -> str:
    """The caller's own employee id; EmployeeUnknown where the token names none."""
    if not caller.employee_id:
        raise EmployeeUnknown("Your sign-in names no employee; sign in as an employee.")
    return caller.employee_id


def before(cursor: str | None) -> str | None:
    """The levy period that a page begins before."""
    values = cursor_values(cursor, 1)
    return values[0] if values else None


def page_of(cards: Sequence[Card], limit: int) -> Page[MonthCard]:
    """`cards` has one more than `limit` when there is a next page."""
    items = [MonthCard.model_validate(card) for card in cards[:limit]]
    more = len(cards) > limit
    return Page(items=items, next_cursor=cursor_of(items[-1].levy_period) if more else None)
