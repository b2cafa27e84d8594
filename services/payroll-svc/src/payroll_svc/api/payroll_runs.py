"""Payroll runs: computed, checked, approved by a second person, paid; corrected by another run."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from payroll_svc.api.callers import Cursor, Day, Hr, Limit, Once, Strict, Words, of_employer
from payroll_svc.api.run_views import PersonOut, RunOut, person_out, run_out
from payroll_svc.policy import Rules
from payroll_svc.usecases.payroll_runs import (
    approve_run,
    check_run,
    compute_correction,
    compute_salaries,
    pay_run,
    recompute_run,
)
from payroll_svc.usecases.run_views import people_of, runs_of, view_run
from shared.clock import Clock, WorkCalendar
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once
from shared.values import LevyPeriod


class RunIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    employer_id: str = Field(max_length=64)
    levy_period: str = Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2024-10"])


class CheckIn(BaseModel):
    """Accepting unknown first wages pays those people without any contribution withheld."""

    model_config = ConfigDict(extra="forbid")

    accept_first_wage_unknown: bool = False


class CorrectIn(Strict):
    """Why a paid run is corrected, and when what it should have paid is paid."""

    payday: Day = Field(examples=["2026-04-10"])
    reason: Words = Field(examples=["三月加班费漏算"])


def routes(engine: Engine, clock: Clock, calendar: WorkCalendar, rules: Rules) -> APIRouter:
    router = APIRouter(tags=["payroll runs"])
    _add_views(router, engine)
    _add_computing(router, engine, clock, calendar, rules)
    _add_paying(router, engine, clock, rules)
    return router


def _add_views(router: APIRouter, engine: Engine) -> None:
    @router.get("/payroll-runs")
    async def list_payroll_runs(
        employer_id: str, caller: Hr, cursor: Cursor = None, limit: Limit = 12
    ) -> Page[RunOut]:
        """The employer's runs, the newest levy period first."""
        place = cursor_values(cursor, 2)
        before = (place[0], place[1]) if place else None
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            views = await runs_of(conn, employer_id, before, limit)
        last = views[-1].run if len(views) == limit else None
        return Page(
            items=[run_out(view) for view in views],
            next_cursor=cursor_of(last.levy_period, last.run_id) if last else None,
        )

    @router.get("/payroll-runs/{run_id}/people")
    async def list_people_of_run(
        run_id: str, caller: Hr, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[PersonOut]:
        """Everyone of the run by id: items with their reckoning, and from the check on net and
        employer cost.
        """
        place = cursor_values(cursor, 1)
        async with tenant(engine, caller) as conn:
            found = await people_of(conn, run_id, place[0] if place else "", limit)
        items = [person_out(member, pay) for member, pay in found]
        full = len(items) == limit
        return Page(items=items, next_cursor=cursor_of(items[-1].employee_id) if full else None)

    @router.get("/payroll-runs/{run_id}")
    async def get_payroll_run(run_id: str, caller: Hr) -> RunOut:
        async with tenant(engine, caller) as conn:
            return run_out(await view_run(conn, run_id))


def _add_computing(
    router: APIRouter, engine: Engine, clock: Clock, calendar: WorkCalendar, rules: Rules
) -> None:
    @router.post("/payroll-runs", status_code=201)
    async def create_payroll_run(body: RunIn, caller: Hr, write: Once) -> RunOut:
        """Computes everyone's gross for the levy period and tells it."""
        mine = of_employer(caller, body.employer_id)
        period = LevyPeriod.parse(body.levy_period)

        async def act() -> RunOut:
            return run_out(
                await compute_salaries(
                    conn, rules, body.employer_id, period, calendar.on_or_before, clock.now()
                )
            )

        async with tenant(engine, mine) as conn:
            return await once(conn, caller, write, RunOut, act)

    @router.post("/payroll-runs/{run_id}/recompute")
    async def recompute_payroll_run(run_id: str, caller: Hr, write: Once) -> RunOut:
        """Computes an unpaid run anew from all that is known now; a check or approval is void with
        it.
        """

        async def act() -> RunOut:
            return run_out(await recompute_run(conn, rules, run_id, clock.now()))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, RunOut, act)

    @router.post("/payroll-runs/{run_id}/correct", status_code=201)
    async def correct_payroll_run(run_id: str, body: CorrectIn, caller: Hr, write: Once) -> RunOut:
        """Computes a run of what a paid one should have paid and withheld beside what it did; it is
        checked, approved and paid like any other.
        """

        async def act() -> RunOut:
            return run_out(
                await compute_correction(conn, rules, run_id, body.payday, body.reason, clock.now())
            )

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, RunOut, act)


def _add_paying(router: APIRouter, engine: Engine, clock: Clock, rules: Rules) -> None:
    @router.post("/payroll-runs/{run_id}/check")
    async def check_payroll_run(
        run_id: str,
        caller: Hr,
        write: Once,
        body: Annotated[CheckIn | None, Body()] = None,
    ) -> RunOut:
        """Takes contributions and income tax off, once everyone is assessed or blocked."""
        accept = body.accept_first_wage_unknown if body else False

        async def act() -> RunOut:
            return run_out(await check_run(conn, rules, run_id, caller.sub, accept, clock.now()))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, RunOut, act)

    @router.post("/payroll-runs/{run_id}/approve")
    async def approve_payroll_run(run_id: str, caller: Hr, write: Once) -> RunOut:
        """A second person, never the one who checked, accepts what was checked."""

        async def act() -> RunOut:
            return run_out(await approve_run(conn, rules, run_id, caller.sub, clock.now()))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, RunOut, act)

    @router.post("/payroll-runs/{run_id}/pay")
    async def pay_payroll_run(run_id: str, caller: Hr, write: Once) -> RunOut:
        """Issues the payslips of an approved run; a paid run is never edited."""

        async def act() -> RunOut:
            return run_out(await pay_run(conn, rules, run_id, clock.now()))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, RunOut, act)
