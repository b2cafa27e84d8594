"""Bases, assessments and sums: HR sees its employers', an employee their own, an operator the sums
only.
"""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contribution_svc.api.callers import (
    Cursor,
    EmployerId,
    HrOrEmployee,
    HrOrOperator,
    LevyPeriodText,
    Limit,
    numbers_of,
    of_employer,
)
from contribution_svc.usecases import views
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values


class BaseOut(BaseModel):
    """缴费基数 of one contribution year, with why."""

    employee_id: str
    contribution_year: str = Field(examples=["2024"])
    version: int
    average_fen: int = Field(examples=[950_000])
    months: int = Field(examples=[12])
    rule: str = Field(examples=["last_year_average"])
    bases_fen: dict[str, int] = Field(examples=[{"medical": 950_000}])
    bounds: dict[str, str] = Field(examples=[{"medical": "within"}])
    explanation: str = Field(
        examples=["上年度月均工资9,500.00元，在下限5,000.00元与上限20,000.00元之间"]
    )


class LineOut(BaseModel):
    """应缴 of one insurance: due, exempt or blocked, and why."""

    insurance: str = Field(examples=["medical"])
    state: str = Field(examples=["due"])
    reason: str = Field(examples=[""])
    authority: str = Field(examples=["medical-990100"])
    base_fen: int = Field(examples=[950_000])
    employer_ppm: int = Field(examples=[80_000])
    employee_ppm: int = Field(examples=[20_000])
    employer_fen: int = Field(examples=[76_000])
    employee_fen: int = Field(examples=[19_000])


class SupplementOut(BaseModel):
    """A line that a supplementary declaration carries: new minus old, and why."""

    insurance: str = Field(examples=["pension"])
    kind: str = Field(examples=["difference"], description="regular, back_payment or difference")
    base_fen: int = Field(examples=[4_300])
    employer_fen: int = Field(examples=[688])
    employee_fen: int = Field(examples=[344])
    reason: str = Field(examples=["2026-01费款养老险依公告（2026-09-07公布，2026-01-01起执行）"])
    due_on: date | None = Field(
        examples=["2026-10-15"], description="The last day without a late fee, once it is known."
    )
    declaration_id: str
    withhold_in: str = Field(
        examples=["2026-09"], description="The payroll that is to take the employee's part."
    )


class StageOut(BaseModel):
    """How far an insurance has come at the bureau, with the collector's verified figures."""

    insurance: str
    stage: str = Field(examples=["verified"])
    verified_base_fen: int | None = Field(default=None, examples=[950_000])
    verified_employer_fen: int | None = Field(default=None, examples=[76_000])
    verified_employee_fen: int | None = Field(default=None, examples=[19_000])


class AssessmentOut(BaseModel):
    """One employee's levy period; `declaration_id` once it was declared."""

    employee_id: str
    levy_period: str = Field(examples=["2024-10"])
    account_id: str
    department_id: str
    city: str = Field(examples=["990100"])
    version: int
    declaration_id: str | None
    lines: list[LineOut]
    supplements: list[SupplementOut]
    base_explanation: str
    policy_warnings: list[str] = Field(
        description="What to know of the figures that these lines rest on: unverified, disputed, "
        "derived or provisional ones.",
        examples=[["养老险基数下限：新标准尚未公布，暂按原标准执行，公布后补差"]],
    )
    file_by: date = Field(examples=["2024-10-09"])
    debit_by: date = Field(examples=["2024-10-10"])
    bureau_rows: list[StageOut]


class BothSidesOut(BaseModel):
    employer_fen: int = Field(examples=[76_000])
    employee_fen: int = Field(examples=[19_000])


class SumsOut(BaseModel):
    """What was assessed as due and what the bank took, per insurance."""

    assessed: dict[str, BothSidesOut]
    debited: dict[str, BothSidesOut]


def routes(engine: Engine) -> APIRouter:
    router = APIRouter(tags=["assessments"])
    _add_lists(router, engine)

    @router.get("/sums")
    async def get_sums(
        employer_id: EmployerId, levy_period: LevyPeriodText, caller: HrOrOperator
    ) -> SumsOut:
        """Numbers without persons, so operators see them too."""
        async with tenant(engine, numbers_of(caller, employer_id)) as conn:
            sums = await views.sums(conn, employer_id, levy_period)
        return SumsOut(assessed=_sides(sums.assessed), debited=_sides(sums.debited))

    return router


def _add_lists(router: APIRouter, engine: Engine) -> None:
    @router.get("/bases")
    async def list_bases(
        caller: HrOrEmployee,
        employee_id: Annotated[str, Query(max_length=64)],
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[BaseOut]:
        """An employee's bases, the latest contribution year first."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, caller) as conn:
            rows = await views.bases(conn, employee_id, place[0] if place else None, limit)
        last = rows[-1] if len(rows) == limit else None
        return Page(
            items=[
                BaseOut(
                    employee_id=row.employee_id,
                    contribution_year=row.contribution_year,
                    version=row.version,
                    average_fen=row.body.average_fen,
                    months=row.body.months,
                    rule=row.body.rule,
                    bases_fen=row.body.bases_fen,
                    bounds=row.body.bounds,
                    explanation=row.body.explanation,
                )
                for row in rows
            ],
            next_cursor=cursor_of(last.contribution_year) if last else None,
        )

    @router.get("/assessments")
    async def list_assessments(
        caller: HrOrEmployee,
        employer_id: EmployerId,
        levy_period: LevyPeriodText,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[AssessmentOut]:
        """By employee; an employee gets their own only, whatever they ask for."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            rows = await views.assessments(
                conn, employer_id, levy_period, place[0] if place else "", limit
            )
        last = rows[-1] if len(rows) == limit else None
        return Page(
            items=[AssessmentOut.model_validate(row, from_attributes=True) for row in rows],
            next_cursor=cursor_of(last.employee_id) if last else None,
        )


def _sides(sums: views.Sides) -> dict[str, BothSidesOut]:
    return {
        insurance: BothSidesOut(employer_fen=employer_fen, employee_fen=employee_fen)
        for insurance, (employer_fen, employee_fen) in sums.items()
    }
