"""Payslips and what they withheld: HR its employers', an employee their own."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from payroll_svc.api.callers import (
    Cursor,
    HrOrEmployee,
    HrOrOperator,
    LevyPeriodText,
    Limit,
    numbers_of,
    of_employer,
)
from payroll_svc.domain.payroll_run import Payslip
from payroll_svc.usecases.payslips import payslips_of, sums_of
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values


class WithheldOut(BaseModel):
    """One insurance: what was taken from the employee, and what the employer pays beside it."""

    insurance: str = Field(examples=["medical"])
    base_fen: int = Field(examples=[950_000])
    employee_fen: int = Field(examples=[19_000])
    employer_fen: int = Field(examples=[76_000])


class PayslipOut(BaseModel):
    """工资条; it is never edited."""

    employee_id: str
    employer_id: str
    run_id: str
    levy_period: str = Field(examples=["2024-10"])
    payday: date = Field(examples=["2024-09-30"])
    gross_fen: int = Field(examples=[1_000_000])
    contributions_fen: int = Field(examples=[99_750])
    tax_fen: int = Field(examples=[12_008])
    net_fen: int = Field(examples=[888_242])
    withheld: list[WithheldOut]
    issued_at: datetime


class BothSidesOut(BaseModel):
    employer_fen: int = Field(examples=[76_000])
    employee_fen: int = Field(examples=[19_000])


class SumsOut(BaseModel):
    """What the period's payslips withheld, per insurance."""

    withheld: dict[str, BothSidesOut] = Field(
        examples=[{"medical": {"employer_fen": 76_000, "employee_fen": 19_000}}]
    )


def routes(engine: Engine) -> APIRouter:
    router = APIRouter(tags=["payslips"])

    @router.get("/payslips")
    async def list_payslips(
        caller: HrOrEmployee,
        employer_id: Annotated[str | None, Query(max_length=64)] = None,
        levy_period: LevyPeriodText | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[PayslipOut]:
        """The newest levy period first; an employee gets their own only, whatever they ask for."""
        place = cursor_values(cursor, 2)
        before = (place[0], place[1]) if place else None
        scope = of_employer(caller, employer_id) if employer_id is not None else caller
        async with tenant(engine, scope) as conn:
            slips = await payslips_of(conn, employer_id, levy_period, before, limit)
        last = slips[-1] if len(slips) == limit else None
        return Page(
            items=[_out(slip) for slip in slips],
            next_cursor=cursor_of(last.levy_period, last.employee_id) if last else None,
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

    return router


def _out(slip: Payslip) -> PayslipOut:
    return PayslipOut.model_validate(slip, from_attributes=True)
