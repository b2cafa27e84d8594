"""Where a figure comes from: one call, one sentence, every number on the way with its source."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contribution_svc.api.callers import Day, HrOrEmployee, LevyPeriodText
from contribution_svc.domain.explanation import Explanation
from contribution_svc.usecases.explanation import explain_bases, explain_contribution
from contribution_svc.usecases.library import Library
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.values import Insurance, LevyPeriod, Payer

EmployeeId = Annotated[str, Query(max_length=64)]


class StepOut(BaseModel):
    """One number on the way, a whole number of its unit, and the source that says so."""

    label: str = Field(examples=["基数上限"])
    value: int = Field(examples=[2_000_000])
    unit: str = Field(examples=["fen"], description="fen, ppm, months or days.")
    said: str = Field(examples=["20,000.00元"])
    source: str = Field(examples=["关于公布2024年度缴费基数上下限的通知"])
    document: str = Field(description="Where to read it, as far as it is known.")
    known_since: date | None = Field(description="When the source was published.")


class WithheldOut(BaseModel):
    """What this month's payroll is to take of an earlier levy period: a difference or a
    back-payment.
    """

    levy_period: str = Field(examples=["2024-09"])
    amount_fen: int = Field(examples=[344], description="Negative: given back.")
    reason: str


class ContributionExplanationOut(BaseModel):
    """Where one side's amount of one insurance comes from, as known when it was assessed."""

    employee_id: str
    levy_period: str = Field(examples=["2024-10"])
    insurance: str = Field(examples=["medical"])
    side: str = Field(examples=["employee"])
    state: str = Field(examples=["due"])
    base_fen: int = Field(examples=[950_000])
    amount_fen: int = Field(examples=[19_000], description="Of the levy period itself.")
    withheld: list[WithheldOut] = Field(
        description="Of earlier levy periods, as their supplementary declarations plan it."
    )
    payslip_fen: int = Field(
        examples=[19_000],
        description="Both together, as planned: which payslip took them, payroll-svc says.",
    )
    known_on: date
    sentence: str
    steps: list[StepOut]
    warnings: list[str] = Field(description="What is unverified, missing or was changed since.")


class BaseHeldOut(BaseModel):
    insurance: str = Field(examples=["medical"])
    base_fen: int = Field(examples=[950_000])
    bound: str = Field(examples=["within"])
    contribution_year: str = Field(description="The insurance's own.", examples=["2024"])


class BaseExplanationOut(BaseModel):
    """Where the bases of one levy period come from, as known on a day."""

    employee_id: str
    levy_period: str = Field(examples=["2024-10"])
    contribution_year: str = Field(examples=["2024"])
    city: str = Field(examples=["990100"])
    known_on: date
    bases: list[BaseHeldOut]
    sentence: str
    steps: list[StepOut]
    warnings: list[str]


def routes(engine: Engine, clock: Clock, library: Library) -> APIRouter:
    router = APIRouter(tags=["explanations"], prefix="/explanations")

    @router.get("/contribution")
    async def get_contribution(
        caller: HrOrEmployee,
        employee_id: EmployeeId,
        levy_period: LevyPeriodText,
        insurance: Insurance,
        side: Payer,
    ) -> ContributionExplanationOut:
        """Takes any contribution figure of a payslip; its wage months and items, average, bound,
        notice, base, rate, rounding and amount.
        """
        period = LevyPeriod.parse(levy_period)
        async with tenant(engine, caller) as conn:
            policies = await library.in_force(conn)
            found = await explain_contribution(
                conn, policies, employee_id, period, insurance, side, clock.now()
            )
        return ContributionExplanationOut(
            employee_id=employee_id,
            levy_period=levy_period,
            insurance=insurance,
            side=side,
            state=found.line.state,
            base_fen=found.line.base_fen,
            amount_fen=found.amount_fen(),
            withheld=[WithheldOut.model_validate(x, from_attributes=True) for x in found.withheld],
            payslip_fen=found.payslip_fen(),
            known_on=found.known_on,
            sentence=found.explanation.sentence,
            steps=_steps(found.explanation),
            warnings=list(found.explanation.warnings),
        )

    @router.get("/base")
    async def get_base(
        caller: HrOrEmployee,
        employee_id: EmployeeId,
        levy_period: LevyPeriodText,
        known_on: Annotated[Day | None, Query(description="By what was known then.")] = None,
    ) -> BaseExplanationOut:
        """The bases that a levy period has, whether or not it was assessed yet."""
        period = LevyPeriod.parse(levy_period)
        async with tenant(engine, caller) as conn:
            found = await explain_bases(
                conn, await library.in_force(conn), employee_id, period, known_on, clock.now()
            )
        return BaseExplanationOut(
            employee_id=employee_id,
            levy_period=levy_period,
            contribution_year=str(found.contribution_year),
            city=found.city,
            known_on=found.known_on,
            bases=[
                BaseHeldOut(
                    insurance=one,
                    base_fen=fen,
                    bound=found.bases.bounds[one],
                    contribution_year=str(found.contribution_years[one]),
                )
                for one, fen in found.bases.bases_fen.items()
            ],
            sentence=found.explanation.sentence,
            steps=_steps(found.explanation),
            warnings=list(found.explanation.warnings),
        )

    return router


def _steps(explanation: Explanation) -> list[StepOut]:
    return [
        StepOut(
            label=step.label,
            value=step.value,
            unit=step.unit,
            said=step.said(),
            source=step.source,
            document=step.document,
            known_since=step.known_since,
        )
        for step in explanation.steps
    ]
