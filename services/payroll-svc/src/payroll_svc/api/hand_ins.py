"""Deadlines for wage data: HR sets them, sees who handed in, and how punctual departments are."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from payroll_svc.api.callers import Hr, LevyPeriodText, Once, of_employer
from payroll_svc.domain.hand_ins import Deadline, HandIn, OnTime
from payroll_svc.usecases.hand_ins import (
    confirm_nothing,
    deadlines_of,
    hand_ins_of,
    rates_of,
    rolled_by,
    set_deadlines,
)
from shared.clock import Clock, WorkCalendar
from shared.db import Engine, tenant
from shared.http_writes import once
from shared.values import LevyPeriod

Months = Annotated[int, Query(ge=1, le=60, description="How many, the last one included.")]
_LEVY_PERIOD = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


class DeadlineIO(BaseModel):
    """每月几日: `month_shift` 0 is in the levy period's own month, -1 in the month before."""

    model_config = ConfigDict(extra="forbid", strict=True)

    department_id: str = Field(default="", max_length=64, description="Empty: all the others.")
    day: int = Field(ge=1, le=31, examples=[25], description="The last day of a shorter month.")
    month_shift: int = Field(default=0, ge=-1, le=1)
    remind_days: int = Field(default=3, ge=0, le=15, description="How long before HR is reminded.")


class DeadlinesIO(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    deadlines: list[DeadlineIO] = Field(max_length=500)


class HandInOut(BaseModel):
    """One department's wage data of one month."""

    department_id: str
    levy_period: str = Field(examples=["2024-10"])
    due_on: date
    rolled: bool = Field(description="False: the year's holidays were not known; not rolled.")
    state: Literal["awaited", "handed_in", "nothing"]
    stage: Literal["ahead", "due_soon", "due_today", "missed", "handed_in", "nothing"]
    late: bool
    handed_in_at: datetime | None
    handed_in_by: str
    rows: int
    import_id: str


class HandInsOut(BaseModel):
    items: list[HandInOut]


class OnTimeOut(BaseModel):
    """Of `due` months: handed in by the day, late, or not at all."""

    department_id: str
    due: int = Field(examples=[10])
    on_time: int = Field(examples=[9])
    late: int
    missing: int
    rate_ppm: int = Field(examples=[900_000], description="Millionths, rounded down.")


class OnTimeRatesOut(BaseModel):
    items: list[OnTimeOut]


def routes(engine: Engine, clock: Clock, calendar: WorkCalendar) -> APIRouter:
    router = APIRouter(tags=["hand-ins"])
    _add_deadlines(router, engine, clock, calendar)
    _add_hand_ins(router, engine, clock)
    return router


def _add_deadlines(router: APIRouter, engine: Engine, clock: Clock, calendar: WorkCalendar) -> None:
    @router.get("/wage-deadlines/{employer_id}")
    async def get_wage_deadlines(employer_id: str, caller: Hr) -> DeadlinesIO:
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            return _deadlines(await deadlines_of(conn, employer_id))

    @router.put("/wage-deadlines/{employer_id}")
    async def put_wage_deadlines(employer_id: str, body: DeadlinesIO, caller: Hr) -> DeadlinesIO:
        """Exactly these from now on; what is awaited this month follows them."""
        wanted = [Deadline(**one.model_dump()) for one in body.deadlines]
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            roll = rolled_by(calendar)
            return _deadlines(await set_deadlines(conn, employer_id, wanted, roll, clock.now()))


def _add_hand_ins(router: APIRouter, engine: Engine, clock: Clock) -> None:
    @router.get("/wage-hand-ins")
    async def list_wage_hand_ins(
        employer_id: str, caller: Hr, levy_period: LevyPeriodText
    ) -> HandInsOut:
        """What is due of each department for the month, and how it stands."""
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await hand_ins_of(conn, employer_id, levy_period, levy_period)
        return HandInsOut(items=[_hand_in(one) for one in found])

    @router.get("/wage-hand-ins/on-time")
    async def get_on_time_rates(
        employer_id: str, caller: Hr, levy_period: LevyPeriodText, months: Months = 12
    ) -> OnTimeRatesOut:
        """How punctual each department was, over the months that end with `levy_period`."""
        last = LevyPeriod.parse(levy_period)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await rates_of(conn, employer_id, last, months, clock.now())
        return OnTimeRatesOut(items=[_rate(one) for one in found])

    @router.post("/wage-hand-ins/{department_id}/{levy_period}/nothing")
    async def confirm_nothing_to_hand_in(
        department_id: str,
        levy_period: Annotated[str, Path(pattern=_LEVY_PERIOD)],
        caller: Hr,
        write: Once,
    ) -> HandInOut:
        """The department has no wage data of its own this month: that counts as handed in."""

        async def act() -> HandInOut:
            at = clock.now()
            return _hand_in(await confirm_nothing(conn, department_id, levy_period, caller.sub, at))

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, HandInOut, act)


def _deadlines(found: list[Deadline]) -> DeadlinesIO:
    return DeadlinesIO(
        deadlines=[
            DeadlineIO(
                department_id=one.department_id,
                day=one.day,
                month_shift=one.month_shift,
                remind_days=one.remind_days,
            )
            for one in found
        ]
    )


def _hand_in(found: HandIn) -> HandInOut:
    return HandInOut.model_validate(found, from_attributes=True)


def _rate(found: OnTime) -> OnTimeOut:
    return OnTimeOut.model_validate(found, from_attributes=True)
