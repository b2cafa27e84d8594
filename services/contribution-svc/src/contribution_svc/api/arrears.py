"""补差, 补缴 and 滞纳金: a person's lines, supplementary declarations, and late fees."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from contribution_svc.api.assessments import SupplementOut
from contribution_svc.api.callers import (
    Cursor,
    Day,
    EmployerId,
    Hr,
    HrOrEmployee,
    Limit,
    Once,
    of_employer,
)
from contribution_svc.api.declarations import BlockedOut, SidesOut, blocked_out, sides_out
from contribution_svc.store import supplements
from contribution_svc.usecases.arrears import Arrear, DueGroup, arrears_of, late_fee_if_paid
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.supplement import (
    SupplementView,
    approve_supplement,
    open_supplement,
    supplement_view,
)
from shared.clock import Clock, china_day
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once

_PERIOD = r"^20\d\d-(0[1-9]|1[0-2])$"
_Id = Annotated[str, Path(max_length=64)]


class ArrearOut(SupplementOut):
    """A line beside the regular ones of its levy period."""

    levy_period: str = Field(examples=["2026-01"])
    state: str = Field(
        examples=["proposed"],
        description="declared or proposed; of what was paid too much refund (to be applied for at"
        " the collector), refund_requested or refunded.",
    )


class ArrearsOut(BaseModel):
    """补差、补缴与退费 of one employee, with what is owed and what was paid too much (fen, both
    sides).
    """

    employee_id: str
    lines: list[ArrearOut]
    owed_fen: int = Field(examples=[8_256])
    refundable_fen: int = Field(examples=[0])


class OpenIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    account_id: str = Field(min_length=1, max_length=64)
    levy_period: str = Field(pattern=_PERIOD, examples=["2026-01"])


class ApproveIn(BaseModel):
    """`withhold_in`: the levy period whose payroll withholds the employees' part; the current month
    unless given.
    """

    model_config = ConfigDict(extra="forbid")

    withhold_in: str | None = Field(default=None, pattern=_PERIOD, examples=["2026-09"])


class SupplementaryOut(BaseModel):
    """补充申报 of an account's levy period; of a draft the sums are those that an approval now
    would freeze. The days are known once it is approved.
    """

    declaration_id: str
    employer_id: str
    account_id: str
    city: str = Field(examples=["340100"])
    levy_period: str = Field(examples=["2026-01"])
    number: int = Field(examples=[1])
    state: str = Field(examples=["draft"], description="draft or approved")
    version: int
    people: int = Field(examples=[34])
    sums: dict[str, SidesOut]
    total_fen: int = Field(examples=[35_088])
    lines_hash: str
    file_by: date | None = Field(examples=["2026-10-15"])
    debit_by: date | None = Field(examples=["2026-10-15"])
    due_on: date | None = Field(examples=["2026-10-15"])
    approved_by: str
    approved_at: datetime | None
    waiting: int = Field(description="Employees who are still to be compared or assessed.")
    warnings: list[str] = Field(
        default=[], description="Of a draft: what to clear up with the collector first."
    )
    blocked: list[BlockedOut] = Field(
        default=[], description="Of a draft: employees who were never declared and are left out."
    )


class LateFeeOut(BaseModel):
    """Of the sums due on one day: the late fee with its days and reckoning."""

    due_on: date = Field(examples=["2026-03-16"])
    arrears_fen: int = Field(
        examples=[2_500_000], description="What is still unpaid of them before that day."
    )
    debited_fen: int = Field(
        default=0,
        examples=[0],
        description="What the bank debited of them before that day and did not take back.",
    )
    days: int = Field(examples=[45])
    late_fee_fen: int = Field(examples=[56_250])
    explanation: str


class LateFeesOut(BaseModel):
    """滞纳金, the employer's alone, if the declaration is paid on `paid_on`."""

    declaration_id: str
    paid_on: date
    late_fee_fen: int = Field(
        examples=[56_250],
        description="On what is owed together, each group rounded once: what is to be paid. A "
        "posted line says the fee of that line alone, rounded too: added up they may be fen off.",
    )
    groups: list[LateFeeOut]


def routes(engine: Engine, clock: Clock, library: Library) -> APIRouter:
    router = APIRouter(tags=["arrears"])
    _add_reads(router, engine, clock, library)
    _add_writes(router, engine, clock, library)
    return router


def _add_reads(router: APIRouter, engine: Engine, clock: Clock, library: Library) -> None:
    @router.get("/arrears")
    async def get_arrears(
        caller: HrOrEmployee, employee_id: Annotated[str, Query(max_length=64)]
    ) -> ArrearsOut:
        """Every line of an employee beside the regular ones, with its reason and notice."""
        async with tenant(engine, caller) as conn:
            policies = await library.in_force(conn)
            found = await arrears_of(conn, policies, employee_id, clock.now())
        return ArrearsOut(
            employee_id=employee_id,
            lines=[_arrear(one) for one in found],
            owed_fen=sum(one.line.total_fen() for one in found if one.state == "proposed"),
            refundable_fen=-sum(
                one.line.total_fen() for one in found if one.state in ("refund", "refund_requested")
            ),
        )

    @router.get("/supplementary-declarations")
    async def list_supplementary(
        caller: Hr,
        employer_id: EmployerId,
        account_id: Annotated[str | None, Query(max_length=64)] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[SupplementaryOut]:
        """Of an employer, or of one of its accounts."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            after = place[0] if place else ""
            found = await supplements.page(conn, employer_id, account_id, after, limit)
            today = china_day(clock.now())
            policies = await library.in_force(conn)
            views = [await supplement_view(conn, policies, one, today) for one in found]
        return Page(
            items=[_supplementary(view) for view in views],
            next_cursor=cursor_of(found[-1].declaration_id) if len(found) == limit else None,
        )

    @router.get("/late-fees")
    async def get_late_fees(
        caller: Hr,
        declaration_id: Annotated[str, Query(max_length=64)],
        paid_on: Annotated[Day | None, Query(description="Today unless given.")] = None,
    ) -> LateFeesOut:
        """What paying a declaration on this day would cost, by due day, with the reckoning."""
        now = clock.now()
        day = paid_on or china_day(now)
        async with tenant(engine, caller) as conn:
            rules = await library.rules(conn)
            found = await late_fee_if_paid(conn, rules, declaration_id, day, now)
        return LateFeesOut(
            declaration_id=declaration_id,
            paid_on=day,
            late_fee_fen=sum(one.late_fee.fen for one in found),
            groups=[_late_fee(one) for one in found],
        )


def _add_writes(router: APIRouter, engine: Engine, clock: Clock, library: Library) -> None:
    @router.post("/supplementary-declarations", status_code=201)
    async def open_supplementary(body: OpenIn, caller: Hr, write: Once) -> SupplementaryOut:
        """The open one of the account month, or a new one: for whoever came late, or was forgotten.
        One is opened by itself where a notice or a correction makes a difference.
        """
        async with tenant(engine, caller) as conn:

            async def act() -> SupplementaryOut:
                now = clock.now()
                opened = await open_supplement(conn, body.account_id, body.levy_period, now)
                policies = await library.in_force(conn)
                view = await supplement_view(conn, policies, opened, china_day(now))
                return _supplementary(view)

            return await once(conn, caller, write, SupplementaryOut, act)

    @router.post("/supplementary-declarations/{declaration_id}/approve")
    async def approve_supplementary(
        declaration_id: _Id, body: ApproveIn, caller: Hr, write: Once
    ) -> SupplementaryOut:
        """Freezes and tells what is owed. Refunds stay out: they are applied for at the
        collector.
        """
        async with tenant(engine, caller) as conn:

            async def act() -> SupplementaryOut:
                rules = await library.rules(conn)
                approved = await approve_supplement(
                    conn, rules, declaration_id, body.withhold_in, caller.sub, clock.now()
                )
                return _supplementary(SupplementView(approved, 0))

            return await once(conn, caller, write, SupplementaryOut, act)


def _arrear(one: Arrear) -> ArrearOut:
    return ArrearOut.model_validate(
        {
            **{name: getattr(one.line, name) for name in SupplementOut.model_fields},
            "levy_period": one.levy_period,
            "state": one.state,
        }
    )


def _supplementary(view: SupplementView) -> SupplementaryOut:
    found, approved = view.declaration, view.declaration.is_approved()
    return SupplementaryOut(
        declaration_id=found.declaration_id,
        employer_id=found.employer_id,
        account_id=found.account_id,
        city=found.city,
        levy_period=found.levy_period,
        number=found.number,
        state=found.state,
        version=found.version,
        people=found.people,
        sums=sides_out(found.sums),
        total_fen=found.total_fen,
        lines_hash=found.lines_hash,
        file_by=found.file_by if approved else None,
        debit_by=found.debit_by if approved else None,
        due_on=found.due_on if approved else None,
        approved_by=found.approved_by,
        approved_at=found.approved_at,
        waiting=view.waiting,
        warnings=list(view.warnings),
        blocked=blocked_out(view.blocked),
    )


def _late_fee(one: DueGroup) -> LateFeeOut:
    return LateFeeOut(
        due_on=one.due_on,
        arrears_fen=one.due_fen - one.debited_fen,
        debited_fen=one.debited_fen,
        days=one.late_fee.days,
        late_fee_fen=one.late_fee.fen,
        explanation=one.late_fee.explanation,
    )
