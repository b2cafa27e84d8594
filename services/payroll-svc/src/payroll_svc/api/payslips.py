"""Payslips: HR its employers', an employee their own; where each figure comes from; and what the
employee says of it.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from payroll_svc.api.callers import (
    Cursor,
    Employee,
    Hr,
    HrOrEmployee,
    HrOrOperator,
    LevyPeriodText,
    Limit,
    Once,
    Strict,
    Words,
    numbers_of,
    of_employer,
    themselves,
)
from payroll_svc.domain.payslip import ANSWERED, CONFIRMED, DISPUTED, Payslip, Reply
from payroll_svc.usecases.identities import Keys
from payroll_svc.usecases.payslips import (
    disputes_of,
    explain_figure,
    payslip_of,
    payslips_of,
    reply_to_payslip,
    sums_of,
)
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once


class StepOut(BaseModel):
    """One figure of a reckoning; `unit` is fen, ppm, thousandths, hundredths or fen_hundredths."""

    label: str = Field(examples=["月标准"])
    value: int = Field(examples=[2_175_000])
    unit: str = Field(examples=["fen"])


class ItemOut(BaseModel):
    """A pay item, signed; `belongs_to` is the month that a difference makes good."""

    code: str = Field(examples=["base_salary"])
    name: str = Field(examples=["基本工资"])
    amount_fen: int = Field(examples=[1_300_000])
    part: str = Field(examples=["gross"])
    counts_as_wage: bool
    taxed: bool
    belongs_to: str = Field(examples=[""])
    reckoning: str = Field(examples=["基本工资：21,750.00 × 13 天 ÷ 21.75 = 13,000.00"])
    steps: list[StepOut]


class WithheldOut(BaseModel):
    """One insurance: what was taken from the employee, and what the employer pays beside it.

    Rates in millionths; `levy_period` is the month that it is for, empty for the payslip's own.
    """

    insurance: str = Field(examples=["medical"])
    base_fen: int = Field(examples=[950_000])
    employee_fen: int = Field(examples=[19_000])
    employer_fen: int = Field(examples=[76_000])
    employee_ppm: int = Field(examples=[20_000])
    employer_ppm: int = Field(examples=[80_000])
    kind: str = Field(examples=["regular"])
    levy_period: str = Field(examples=[""])


class TaxOut(BaseModel):
    """个人所得税 with its reckoning: the tax year so far, and the row of the table. `imported` are
    the months in it that the company's own payroll paid; `special` the deductions declared that
    count so far in the year, or the roster's sum of this month.
    """

    tax_fen: int
    months: int
    income_fen: int
    allowance_fen: int
    contributions_fen: int
    special_additional_fen: int
    taxable_fen: int
    rate_ppm: int
    quick_deduction_fen: int
    tax_to_date_fen: int
    withheld_before_fen: int
    bonus_fen: int
    bonus_rate_ppm: int
    bonus_quick_deduction_fen: int
    bonus_tax_fen: int
    elections: list[str]
    source: str
    imported: list[str] = Field(default=[], examples=[["2026-01", "2026-02"]])
    special: list[StepOut] = []


class PayslipOut(BaseModel):
    """工资条; it is never edited. `tax` is null on those of before its reckoning was kept."""

    employee_id: str
    employer_id: str
    run_id: str
    kind: str = Field(examples=["regular"])
    levy_period: str = Field(examples=["2024-10"])
    payday: date = Field(examples=["2024-09-30"])
    items: list[ItemOut]
    gross_fen: int = Field(examples=[1_000_000])
    contributions_fen: int = Field(examples=[99_750])
    special_additional_fen: int = Field(examples=[0])
    tax_fen: int = Field(examples=[12_008])
    net_fen: int = Field(examples=[888_242])
    withheld: list[WithheldOut]
    tax: TaxOut | None
    employer_fen: int = Field(examples=[244_150])
    employer_cost_fen: int = Field(examples=[1_244_150])
    department_id: str
    warnings: list[str]
    issued_at: datetime


class ReplyOut(BaseModel):
    """What the employee said of the payslip, or HR in answer."""

    employee_id: str
    run_id: str
    kind: Literal["confirmed", "disputed", "answered"]
    words: str
    said_by: str
    said_at: datetime
    correction_run_id: str | None


class PayslipDetail(PayslipOut):
    """With all that was said of it, in its order."""

    replies: list[ReplyOut]


class ExplanationOut(BaseModel):
    """Where a figure comes from. What an insurance line is made of, contribution-svc explains."""

    figure: str = Field(examples=["tax"])
    amount_fen: int
    sentence: str
    steps: list[StepOut]


class DisputeIn(Strict):
    words: Words = Field(examples=["加班费少了两小时。"])


class AnswerIn(Strict):
    """`correction_run_id` names the run that makes it good, if there is one."""

    words: Words = Field(examples=["考勤已核对，补发见更正批次。"])
    correction_run_id: str | None = Field(default=None, max_length=64)


class BothSidesOut(BaseModel):
    employer_fen: int = Field(examples=[76_000])
    employee_fen: int = Field(examples=[19_000])


class SumsOut(BaseModel):
    """What payslips withheld for the period, per insurance."""

    withheld: dict[str, BothSidesOut] = Field(
        examples=[{"medical": {"employer_fen": 76_000, "employee_fen": 19_000}}]
    )


def routes(engine: Engine, clock: Clock, keys: Keys) -> APIRouter:
    router = APIRouter(tags=["payslips"])
    _add_lists(router, engine)
    _add_figures(router, engine)
    _add_replies(router, engine, clock, keys)
    return router


def _add_lists(router: APIRouter, engine: Engine) -> None:
    @router.get("/payslips")
    async def list_payslips(
        caller: HrOrEmployee,
        employer_id: Annotated[str | None, Query(max_length=64)] = None,
        levy_period: LevyPeriodText | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[PayslipOut]:
        """The newest levy period first; an employee gets their own only, whatever they ask for."""
        place = cursor_values(cursor, 3)
        scope = of_employer(caller, employer_id) if employer_id is not None else caller
        async with tenant(engine, scope) as conn:
            slips = await payslips_of(
                conn, employer_id, levy_period, tuple(place) if place else None, limit
            )
        last = slips[-1] if len(slips) == limit else None
        return Page(
            items=[PayslipOut.model_validate(slip, from_attributes=True) for slip in slips],
            next_cursor=(
                cursor_of(last.levy_period, last.employee_id, last.run_id) if last else None
            ),
        )

    @router.get("/sums")
    async def get_sums(
        employer_id: str, levy_period: LevyPeriodText, caller: HrOrOperator
    ) -> SumsOut:
        """Fen withheld by payslips per insurance; numbers without persons, so operators see them
        too.
        """
        async with tenant(engine, numbers_of(caller, employer_id)) as conn:
            sums = await sums_of(conn, employer_id, levy_period)
        return SumsOut(
            withheld={
                insurance: BothSidesOut(employer_fen=employer_fen, employee_fen=employee_fen)
                for insurance, (employer_fen, employee_fen) in sums.items()
            }
        )


def _add_figures(router: APIRouter, engine: Engine) -> None:
    @router.get("/payslips/{run_id}/{employee_id}")
    async def get_payslip(run_id: str, employee_id: str, caller: HrOrEmployee) -> PayslipDetail:
        async with tenant(engine, caller) as conn:
            return _detail(*await payslip_of(conn, run_id, employee_id))

    @router.get("/payslips/{run_id}/{employee_id}/figures/{figure}")
    async def explain(
        run_id: str, employee_id: str, figure: str, caller: HrOrEmployee
    ) -> ExplanationOut:
        """Where a figure comes from, in one sentence and its steps: `gross`, `contributions`,
        `special_additional`, `tax`, `net`, `employer`, `employer_cost`, `item:<code>` for a pay
        item, or `line:<insurance>` for what this payslip withheld of an insurance, for its own
        month and for others. HR is told who entered what an item rests on, or which row of which
        file brought it.
        """
        is_hr = not caller.employee_id
        async with tenant(engine, caller) as conn:
            found = await explain_figure(conn, run_id, employee_id, figure, is_hr)
        return ExplanationOut.model_validate(found, from_attributes=True)


def _add_replies(router: APIRouter, engine: Engine, clock: Clock, keys: Keys) -> None:
    @router.post("/payslips/{run_id}/{employee_id}/confirm")
    async def confirm_payslip(
        run_id: str, employee_id: str, caller: Employee, write: Once
    ) -> ReplyOut:
        """The employee has seen the payslip and finds it right."""
        mine = themselves(caller, employee_id)

        async def act() -> ReplyOut:
            now = clock.now()
            return _newest(
                await reply_to_payslip(
                    conn, keys, run_id, employee_id, CONFIRMED, "", caller.sub, now
                )
            )

        async with tenant(engine, mine) as conn:
            return await once(conn, caller, write, ReplyOut, act)

    @router.post("/payslips/{run_id}/{employee_id}/dispute")
    async def dispute_payslip(
        run_id: str, employee_id: str, body: DisputeIn, caller: Employee, write: Once
    ) -> ReplyOut:
        """The employee says what is wrong. The payslip stays; HR answers, or corrects it by a run
        of its own.
        """
        mine = themselves(caller, employee_id)

        async def act() -> ReplyOut:
            now = clock.now()
            return _newest(
                await reply_to_payslip(
                    conn, keys, run_id, employee_id, DISPUTED, body.words, caller.sub, now
                )
            )

        async with tenant(engine, mine) as conn:
            return await once(conn, caller, write, ReplyOut, act)

    @router.post("/payslips/{run_id}/{employee_id}/answer")
    async def answer_dispute(
        run_id: str, employee_id: str, body: AnswerIn, caller: Hr, write: Once
    ) -> ReplyOut:
        """HR answers a dispute: with the correction run that it led to, or with the reason why the
        payslip is right.
        """

        async def act() -> ReplyOut:
            return _newest(
                await reply_to_payslip(
                    conn,
                    keys,
                    run_id,
                    employee_id,
                    ANSWERED,
                    body.words,
                    caller.sub,
                    clock.now(),
                    body.correction_run_id,
                )
            )

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, ReplyOut, act)

    @router.get("/payslip-disputes")
    async def list_open_disputes(employer_id: str, caller: Hr, limit: Limit = 50) -> list[ReplyOut]:
        """Disputes that wait for an answer, the oldest first."""
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await disputes_of(conn, employer_id, limit)
        return [ReplyOut.model_validate(reply, from_attributes=True) for reply in found]


def _newest(replies: list[Reply]) -> ReplyOut:
    return ReplyOut.model_validate(replies[-1], from_attributes=True)


def _detail(slip: Payslip, replies: list[Reply]) -> PayslipDetail:
    shown = PayslipOut.model_validate(slip, from_attributes=True)
    said = [ReplyOut.model_validate(reply, from_attributes=True) for reply in replies]
    return PayslipDetail(**shown.model_dump(), replies=said)
