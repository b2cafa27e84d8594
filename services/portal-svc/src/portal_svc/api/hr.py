"""What HR staff may ask of their employers: tickets with evidence, cells, sums, one employee."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from portal_svc import usecases
from portal_svc.api.employee import Cursor, Limit, Period, before, page_of
from portal_svc.api.models import (
    Bridge,
    BridgeStep,
    MonthCard,
    MonthCells,
    Sums,
    TicketCard,
    TicketDetail,
)
from portal_svc.errors import EmployerUnknown
from portal_svc.usecases import OpenSealer
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values
from shared.refusal import FieldFault, Malformed
from shared.serve import Caller, require

MAX_TICKETS = 100

Hr = Annotated[Caller, Depends(require("hr"))]
HrOrOperator = Annotated[Caller, Depends(require("hr", "operator"))]
EmployerId = Annotated[str, Query(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class NumbersOf:
    """The rows of one employer, for an operator: they see its numbers and none of its persons."""

    employer_ids: tuple[str, ...]
    employee_id: str = ""


def routes(engine: Engine, open_sealer: OpenSealer) -> APIRouter:
    """`/hr`."""
    router = APIRouter(prefix="/hr", tags=["hr"])
    _add_tickets(router, engine, open_sealer)
    _add_months(router, engine)
    return router


def _add_tickets(router: APIRouter, engine: Engine, open_sealer: OpenSealer) -> None:
    @router.get("/tickets", response_model=Page[TicketCard])
    async def list_open_tickets(
        caller: Hr,
        employer_id: EmployerId,
        limit: Annotated[int, Query(ge=1, le=MAX_TICKETS)] = 50,
        cursor: Cursor = None,
    ) -> Page[TicketCard]:
        """Open tickets, the longest open first, each with its evidence chain."""
        must_act_for(caller, employer_id)
        async with tenant(engine, caller) as conn:
            found = await usecases.list_open_tickets(
                conn, open_sealer, employer_id, _after(cursor), limit + 1
            )
        items = [TicketCard.model_validate(one) for one in found[:limit]]
        last = items[-1].ticket if len(found) > limit else None
        return Page(
            items=items,
            next_cursor=cursor_of(last.opened_at, last.ticket_id) if last else None,
        )

    @router.get("/tickets/{ticket_id}", response_model=TicketDetail)
    async def show_ticket(caller: Hr, ticket_id: str) -> TicketDetail:
        """One ticket with its evidence, its anomalies and who was told about it."""
        async with tenant(engine, caller) as conn:
            found = await usecases.show_ticket(conn, open_sealer, ticket_id)
        return TicketDetail.model_validate(found)


def _add_months(router: APIRouter, engine: Engine) -> None:
    @router.get("/months/{levy_period}/cells", response_model=MonthCells)
    async def count_cells(
        caller: HrOrOperator, levy_period: Period, employer_id: EmployerId
    ) -> MonthCells:
        """Cells by state, adding up to K; by insurance and department."""
        is_hr = "hr" in caller.roles and caller.may_act_for(employer_id)
        if not is_hr and "operator" not in caller.roles:
            must_act_for(caller, employer_id)
        scope = caller if is_hr else NumbersOf((employer_id,))
        async with tenant(engine, scope) as conn:
            found = await usecases.count_cells(
                conn, employer_id, levy_period, may_see_persons=is_hr
            )
        return MonthCells.model_validate(
            {
                **asdict(found.cells),
                "employer_id": employer_id,
                "levy_period": levy_period,
                "risks": found.risks,
                "close": found.close,
            }
        )

    @router.get("/months/{levy_period}/bridge", response_model=Bridge)
    async def sum_sides(caller: Hr, levy_period: Period, employer_id: EmployerId) -> Bridge:
        """Fen withheld, assessed, filed, verified, debited and recorded, and the differences."""
        must_act_for(caller, employer_id)
        async with tenant(engine, caller) as conn:
            found = await usecases.sum_sides(conn, employer_id, levy_period)
        return Bridge(
            employer_id=employer_id,
            levy_period=levy_period,
            sums_fen={
                side: {insurance: Sums.model_validate(sums) for insurance, sums in of.items()}
                for side, of in found.sums_fen.items()
            },
            steps=tuple(BridgeStep.model_validate(step) for step in found.steps),
        )

    @router.get("/employees/{employee_id}/months", response_model=Page[MonthCard])
    async def list_months_of_employee(
        caller: Hr, employee_id: str, limit: Limit = 12, cursor: Cursor = None
    ) -> Page[MonthCard]:
        """One employee's months, as the employee sees them."""
        async with tenant(engine, caller) as conn:
            cards = await usecases.list_months(conn, employee_id, before(cursor), limit + 1)
        return page_of(cards, limit)


def must_act_for(caller: Caller, employer_id: str) -> None:
    """EmployerUnknown where the employer is not one of the caller's, whether it exists or not."""
    if not caller.may_act_for(employer_id):
        raise EmployerUnknown(f"No employer {employer_id} is known to you.")


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    values = cursor_values(cursor, 2)
    if values is None:
        return None
    try:
        opened_at = datetime.fromisoformat(values[0])
    except ValueError:
        fault = FieldFault("query:cursor", "", "not a cursor of this list", "start without one")
        raise Malformed("The cursor is not one that this list gave out.", (fault,)) from None
    return opened_at, values[1]
