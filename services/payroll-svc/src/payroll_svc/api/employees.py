"""Employees: HR sees its own, an employee their own profile."""

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, Field

from payroll_svc.api.callers import Cursor, Hr, HrOrEmployee, Limit, of_employer
from payroll_svc.domain.people import Person
from payroll_svc.usecases.people import employee_of, employees_page
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values


class SpellOut(BaseModel):
    """One stretch of employment, both days included."""

    since: date = Field(examples=["2021-03-01"])
    until: date | None = None
    department_id: str
    city: str = Field(examples=["990100"])
    account_id: str


class EmployeeOut(BaseModel):
    """An employee without identity number, phone or bank account: those are sealed."""

    employee_id: str
    employer_id: str
    employee_no: str = Field(examples=["OP-001"])
    name: str = Field(examples=["王小明"])
    person_kind: str = Field(examples=["regular"])
    documents_missing: list[str] = Field(examples=[["work_permit"]])
    agreed_wage_fen: int = Field(examples=[1_000_000])
    sub: str = Field(examples=["xiaowang"])
    cost_centre: str
    spells: list[SpellOut]


def routes(engine: Engine) -> APIRouter:
    router = APIRouter(tags=["employees"])

    @router.get("/employees")
    async def list_employees(
        employer_id: str, caller: Hr, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[EmployeeOut]:
        """The employer's people by employee number."""
        after = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            people = await employees_page(conn, employer_id, after[0] if after else None, limit)
        full = len(people) == limit
        return Page(
            items=[_out(employer_id, person) for person in people],
            next_cursor=cursor_of(people[-1].employee_no) if full else None,
        )

    @router.get("/employees/{employee_id}")
    async def get_employee(employee_id: str, caller: HrOrEmployee) -> EmployeeOut:
        async with tenant(engine, caller) as conn:
            return _out(*await employee_of(conn, employee_id))

    return router


def _out(employer_id: str, person: Person) -> EmployeeOut:
    return EmployeeOut(
        employee_id=person.employee_id,
        employer_id=employer_id,
        employee_no=person.employee_no,
        name=person.name,
        person_kind=person.person_kind,
        documents_missing=list(person.documents_missing),
        agreed_wage_fen=person.agreed_wage_fen,
        sub=person.sub,
        cost_centre=person.cost_centre,
        spells=[SpellOut.model_validate(spell, from_attributes=True) for spell in person.spells],
    )
