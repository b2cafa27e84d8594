"""Payroll runs and their people, as HR sees them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from payroll_svc.api.payslips import ItemOut
from payroll_svc.domain.employers import Department
from payroll_svc.domain.pay import Pay
from payroll_svc.domain.payroll_run import DepartmentSums, Member
from payroll_svc.usecases.run_views import RunView

_NAMED_PEOPLE = 1_000
"""How many people one answer names; the counts are of all."""


class NamedOut(BaseModel):
    """A person and why they are named."""

    employee_id: str
    reason: str = Field(examples=["not_assessed"])


class DepartmentOut(BaseModel):
    """用工成本 of a department: gross and the employer's part of every insurance, in fen."""

    department_id: str
    code: str = Field(examples=["operations"])
    name: str = Field(examples=["运营部"])
    people: int
    gross_fen: int
    employer_fen: int
    employer_cost_fen: int


class RunOut(BaseModel):
    """A payroll run. `computed` and `assessed` are a draft: `assessed` means that nobody is waited
    for any more. Sums but the gross are of the checked pay. A correction carries differences only.
    """

    run_id: str
    employer_id: str
    kind: Literal["regular", "correction"]
    corrects: str | None
    reason: str
    levy_period: str = Field(examples=["2024-10"])
    payday: date = Field(examples=["2024-09-30"])
    state: Literal["computed", "assessed", "checked", "approved", "paid"]
    people: int = Field(examples=[60])
    left_out_count: int = Field(default=0, examples=[2])
    left_out: list[NamedOut] = Field(description="The first 1,000 of them.")
    waiting: int = Field(examples=[0])
    waiting_for: list[NamedOut] = Field(description="The first 1,000 of them.")
    gross_fen: int
    contributions_fen: int
    tax_fen: int
    net_fen: int
    employer_fen: int
    employer_cost_fen: int
    departments: list[DepartmentOut]
    computed_at: datetime
    checked_at: datetime | None
    checked_by: str | None
    approved_at: datetime | None
    approved_by: str | None
    paid_at: datetime | None


class PersonOut(BaseModel):
    """One person of a run; amounts but the gross are null before the check."""

    employee_id: str
    department_id: str
    left_out: str
    items: list[ItemOut]
    gross_fen: int
    contributions_fen: int | None
    tax_fen: int | None
    net_fen: int | None
    employer_cost_fen: int | None
    warnings: list[str]


def run_out(view: RunView) -> RunOut:
    run, sums = view.run, [one for _, one in view.costs]
    employer_fen = sum(one.employer_fen for one in sums)
    return RunOut(
        run_id=run.run_id,
        employer_id=run.employer_id,
        kind="correction" if run.corrects else "regular",
        corrects=run.corrects,
        reason=run.reason,
        levy_period=run.levy_period,
        payday=run.payday,
        state=view.state,  # type: ignore[arg-type]
        people=view.people,
        left_out_count=view.left_out_count,
        left_out=_named(view.left_out),
        waiting=len(view.waiting),
        waiting_for=_named(view.waiting[:_NAMED_PEOPLE]),
        gross_fen=view.gross_fen,
        contributions_fen=sum(one.contributions_fen for one in sums),
        tax_fen=sum(one.tax_fen for one in sums),
        net_fen=sum(one.net_fen for one in sums),
        employer_fen=employer_fen,
        employer_cost_fen=view.gross_fen + employer_fen,
        departments=[_department_out(*cost) for cost in view.costs],
        computed_at=run.computed_at,
        checked_at=run.checked_at,
        checked_by=run.checked_by,
        approved_at=run.approved_at,
        approved_by=run.approved_by,
        paid_at=run.paid_at,
    )


def _named(people: Sequence[tuple[str, str]]) -> list[NamedOut]:
    return [NamedOut(employee_id=employee_id, reason=reason) for employee_id, reason in people]


def _department_out(department: Department, sums: DepartmentSums) -> DepartmentOut:
    return DepartmentOut(
        department_id=department.department_id,
        code=department.code,
        name=department.name,
        people=sums.people,
        gross_fen=sums.gross_fen,
        employer_fen=sums.employer_fen,
        employer_cost_fen=sums.gross_fen + sums.employer_fen,
    )


def person_out(member: Member, pay: Pay | None) -> PersonOut:
    return PersonOut(
        employee_id=member.employee_id,
        department_id=member.department_id,
        left_out=member.left_out,
        items=[ItemOut.model_validate(item, from_attributes=True) for item in member.items],
        gross_fen=member.gross_fen,
        contributions_fen=pay.contributions_fen if pay else None,
        tax_fen=pay.tax_fen if pay else None,
        net_fen=pay.net_fen if pay else None,
        employer_cost_fen=member.gross_fen + pay.employer_fen if pay else None,
        warnings=list(pay.warnings) if pay else [],
    )
