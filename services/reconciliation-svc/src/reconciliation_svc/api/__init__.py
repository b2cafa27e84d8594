"""HTTP door: counts, cells, anomalies and the bridge of a levy period, and its close."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from reconciliation_svc.api.views import (
    PERIOD_PATTERN,
    AnomalyView,
    BridgeView,
    CellCounts,
    CellView,
    ClosedPeriod,
    CloseRequest,
    LookUpAlarm,
    anomaly_view,
    bridge_view,
    cell_views,
    closed_view,
    counts_view,
)
from reconciliation_svc.usecases import look_ups, periods
from shared.clock import Clock
from shared.db import Connection, Engine, tenant, transaction
from shared.http_writes import Page, Write, cursor_of, cursor_values, idempotent, once
from shared.serve import Caller, require
from shared.values import ANOMALIES, LevyPeriod, Outcome

MONTHS_PER_PAGE = 100
ANOMALIES_PER_PAGE = 200

Period = Annotated[str, Query(pattern=PERIOD_PATTERN, examples=["2024-10"])]
SomeId = Annotated[str, Query(min_length=1, max_length=64)]
SomePeriod = Annotated[str | None, Query(pattern=PERIOD_PATTERN, examples=["2024-10"])]
Cursor = Annotated[str | None, Query(max_length=400, description="next_cursor of the last page.")]

Hr = Annotated[Caller, Depends(require("hr"))]
Operator = Annotated[Caller, Depends(require("operator"))]
HrOrOperator = Annotated[Caller, Depends(require("hr", "operator"))]
Person = Annotated[Caller, Depends(require("hr", "employee"))]


def routes(api: Engine, worker: Engine, clock: Clock) -> APIRouter:
    """HR sees its employers, an employee their own cells, an operator numbers without persons."""
    router = APIRouter(tags=["reconciliation"])
    _add_period_routes(router, api, worker)
    _add_alarms(router, worker)
    _add_person_routes(router, api)
    _add_close(router, api, clock)
    return router


def _add_period_routes(router: APIRouter, api: Engine, worker: Engine) -> None:
    @asynccontextmanager
    async def numbers(caller: Caller, employer_id: str) -> AsyncIterator[Connection]:
        """Row security knows no operator: sums without persons are read as the worker, and nothing
        else is.
        """
        if "operator" in caller.roles:
            async with transaction(worker) as conn:
                yield conn
        else:
            caller.must_act_for(employer_id)
            async with tenant(api, caller) as conn:
                yield conn

    @router.get("/cells/counts")
    async def count_cells(
        caller: HrOrOperator, employer_id: SomeId, levy_period: Period
    ) -> CellCounts:
        """K and the states that add up to it."""
        async with numbers(caller, employer_id) as conn:
            counts = await periods.count_cells(conn, employer_id, LevyPeriod.parse(levy_period))
        return counts_view(employer_id, levy_period, counts)

    @router.get("/bridge")
    async def bridge(caller: HrOrOperator, employer_id: SomeId, levy_period: Period) -> BridgeView:
        """The period's money from payslip to record, every step explained."""
        async with numbers(caller, employer_id) as conn:
            built = await periods.bridge(conn, employer_id, LevyPeriod.parse(levy_period))
        return bridge_view(employer_id, levy_period, built)


def _add_alarms(router: APIRouter, worker: Engine) -> None:
    @router.get("/look-up-alarms")
    async def list_look_up_alarms(_: Operator) -> list[LookUpAlarm]:
        """Authorities whose due look-up did not come; at most one alarm each, gone once it has."""
        async with transaction(worker) as conn:
            found = await look_ups.list_alarms(conn)
        return [LookUpAlarm.model_validate(one, from_attributes=True) for one in found]


def _add_person_routes(router: APIRouter, api: Engine) -> None:
    @router.get("/cells")
    async def list_cells(
        caller: Person,
        employer_id: Annotated[str | None, Query(max_length=64)] = None,
        levy_period: SomePeriod = None,
        outcome: Outcome | None = None,
        employee_id: Annotated[str | None, Query(max_length=64)] = None,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=MONTHS_PER_PAGE)] = MONTHS_PER_PAGE,
    ) -> Page[CellView]:
        """Cells with their verdicts; `limit` counts months, since a page never parts a month."""
        filters = _filters(
            caller, employer_id=employer_id, employee_id=employee_id, levy_period=levy_period
        )
        at = cursor_values(cursor, 2)
        after = (at[0], at[1]) if at else None
        async with tenant(api, caller) as conn:
            kept = await periods.list_months(conn, filters, outcome, after, limit)
        cells = [view for one in kept for view in cell_views(one)]
        return Page(
            items=[view for view in cells if outcome in (None, view.outcome)],
            next_cursor=(
                cursor_of(str(kept[-1].month.levy_period), kept[-1].month.employee_id)
                if len(kept) == limit
                else None
            ),
        )

    @router.get("/anomalies")
    async def list_anomalies(
        caller: Hr,
        employer_id: Annotated[str | None, Query(max_length=64)] = None,
        levy_period: SomePeriod = None,
        employee_id: Annotated[str | None, Query(max_length=64)] = None,
        kind: Annotated[Outcome | None, Query(description="One that raises an anomaly.")] = None,
        is_open: Annotated[bool | None, Query(alias="open")] = None,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=ANOMALIES_PER_PAGE)] = ANOMALIES_PER_PAGE,
    ) -> Page[AnomalyView]:
        """Anomalies that were told; `open` false gives the cleared ones."""
        filters = _filters(
            caller,
            employer_id=employer_id,
            employee_id=employee_id,
            levy_period=levy_period,
            kind=kind if kind in ANOMALIES else None,
        )
        at = cursor_values(cursor, 1)
        async with tenant(api, caller) as conn:
            found = await periods.list_anomalies(
                conn, filters, is_open, at[0] if at else None, limit
            )
        return Page(
            items=[anomaly_view(one) for one in found],
            next_cursor=(cursor_of(found[-1].anomaly_id) if len(found) == limit else None),
        )


def _add_close(router: APIRouter, api: Engine, clock: Clock) -> None:
    @router.post("/periods/close", status_code=201)
    async def close_period(
        caller: Hr, body: CloseRequest, write: Annotated[Write, Depends(idempotent)]
    ) -> ClosedPeriod:
        """Closes a levy period as it is now; a reason is needed while cells are open."""
        caller.must_act_for(body.employer_id)
        levy_period, now = LevyPeriod.parse(body.levy_period), clock.now()
        async with tenant(api, caller) as conn:

            async def act() -> ClosedPeriod:
                close = await periods.close_period(
                    conn, body.employer_id, levy_period, caller.sub, body.reason, now
                )
                return closed_view(body.employer_id, levy_period, close, now)

            return await once(conn, caller, write, ClosedPeriod, act)


def _filters(caller: Caller, **values: str | None) -> dict[str, str]:
    given = {name: str(value) for name, value in values.items() if value is not None}
    if "employer_id" in given:
        caller.must_act_for(given["employer_id"])
    return given
