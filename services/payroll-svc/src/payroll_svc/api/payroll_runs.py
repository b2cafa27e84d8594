"""Payroll runs: computed, approved, paid."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from payroll_svc.api.callers import Cursor, Hr, Limit, Once, of_employer
from payroll_svc.usecases.payroll_runs import (
    RunView,
    approve_run,
    compute_salaries,
    pay_run,
    recompute_run,
    runs_of,
    view_run,
)
from shared.clock import Clock, WorkCalendar
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once
from shared.values import LevyPeriod

_NAMED_PEOPLE = 1_000
"""How many people one answer names; the counts are of all."""


class RunIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    employer_id: str = Field(max_length=64)
    levy_period: str = Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2024-10"])


class ApproveIn(BaseModel):
    """Accepting unknown first wages pays those people without any contribution withheld."""

    model_config = ConfigDict(extra="forbid")

    accept_first_wage_unknown: bool = False


class NamedOut(BaseModel):
    """A person and why they are named."""

    employee_id: str
    reason: str = Field(examples=["not_assessed"])


class RunOut(BaseModel):
    """A payroll run. `assessed` means that nobody is waited for any more; sums are of the approved
    pay.
    """

    run_id: str
    employer_id: str
    levy_period: str = Field(examples=["2024-10"])
    payday: date = Field(examples=["2024-09-30"])
    state: Literal["computed", "assessed", "approved", "paid"]
    people: int = Field(examples=[60])
    left_out: list[NamedOut]
    waiting: int = Field(examples=[0])
    waiting_for: list[NamedOut] = Field(description="The first 1,000 of them.")
    gross_fen: int
    contributions_fen: int
    tax_fen: int
    net_fen: int
    computed_at: datetime
    approved_at: datetime | None
    paid_at: datetime | None


def routes(engine: Engine, clock: Clock, calendar: WorkCalendar) -> APIRouter:
    router = APIRouter(tags=["payroll runs"])
    _add_views(router, engine)
    _add_computing(router, engine, clock, calendar)
    _add_paying(router, engine, clock)
    return router


def _add_views(router: APIRouter, engine: Engine) -> None:
    @router.get("/payroll-runs")
    async def list_payroll_runs(
        employer_id: str, caller: Hr, cursor: Cursor = None, limit: Limit = 12
    ) -> Page[RunOut]:
        """The employer's runs, the newest levy period first."""
        before = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            views = await runs_of(conn, employer_id, before[0] if before else None, limit)
        full = len(views) == limit
        return Page(
            items=[_out(view) for view in views],
            next_cursor=cursor_of(views[-1].run.levy_period) if full else None,
        )

    @router.get("/payroll-runs/{run_id}")
    async def get_payroll_run(run_id: str, caller: Hr) -> RunOut:
        async with tenant(engine, caller) as conn:
            return _out(await view_run(conn, run_id))


def _add_computing(router: APIRouter, engine: Engine, clock: Clock, calendar: WorkCalendar) -> None:

    @router.post("/payroll-runs", status_code=201)
    async def create_payroll_run(body: RunIn, caller: Hr, write: Once) -> RunOut:
        """Computes everyone's gross for the levy period and tells it."""
        mine = of_employer(caller, body.employer_id)
        period = LevyPeriod.parse(body.levy_period)

        async def act() -> RunOut:
            return _out(
                await compute_salaries(
                    conn, body.employer_id, period, calendar.on_or_before, clock.now()
                )
            )

        async with tenant(engine, mine) as conn:
            return await once(conn, caller, write, RunOut, act)

    @router.post("/payroll-runs/{run_id}/recompute")
    async def recompute_payroll_run(run_id: str, caller: Hr, write: Once) -> RunOut:
        """Computes an unpaid run anew from the roster as it is now; an approval is void with it."""

        async def act() -> RunOut:
            return _out(await recompute_run(conn, run_id, clock.now()))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, RunOut, act)


def _add_paying(router: APIRouter, engine: Engine, clock: Clock) -> None:
    @router.post("/payroll-runs/{run_id}/approve")
    async def approve_payroll_run(
        run_id: str,
        caller: Hr,
        write: Once,
        body: Annotated[ApproveIn | None, Body()] = None,
    ) -> RunOut:
        """Takes contributions and income tax off, once everyone is assessed or blocked."""
        accept = body.accept_first_wage_unknown if body else False

        async def act() -> RunOut:
            return _out(await approve_run(conn, run_id, caller.sub, accept, clock.now()))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, RunOut, act)

    @router.post("/payroll-runs/{run_id}/pay")
    async def pay_payroll_run(run_id: str, caller: Hr, write: Once) -> RunOut:
        """Issues the payslips of an approved run; a paid run is never edited."""

        async def act() -> RunOut:
            return _out(await pay_run(conn, run_id, clock.now()))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, RunOut, act)


def _out(view: RunView) -> RunOut:
    run = view.run
    left_out = [
        NamedOut(employee_id=member.employee_id, reason=member.left_out)
        for member in view.members
        if member.left_out
    ]
    waiting_for = [
        NamedOut(employee_id=employee_id, reason=reason)
        for employee_id, reason in view.waiting[:_NAMED_PEOPLE]
    ]
    return RunOut.model_validate(
        {
            "run_id": run.run_id,
            "employer_id": run.employer_id,
            "levy_period": run.levy_period,
            "payday": run.payday,
            "state": view.state,
            "people": len(view.members) - len(left_out),
            "left_out": left_out[:_NAMED_PEOPLE],
            "waiting": len(view.waiting),
            "waiting_for": waiting_for,
            "gross_fen": sum(member.gross_fen for member in view.members),
            "contributions_fen": sum(pay.contributions_fen for pay in view.pays),
            "tax_fen": sum(pay.tax_fen for pay in view.pays),
            "net_fen": sum(pay.net_fen for pay in view.pays),
            "computed_at": run.computed_at,
            "approved_at": run.approved_at,
            "paid_at": run.paid_at,
        }
    )
