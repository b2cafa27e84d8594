"""Employees: HR sees its own, an employee their own profile; HR may have an identity destroyed."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from payroll_svc.api.callers import Cursor, Hr, HrOrEmployee, Limit, Once, of_employer
from payroll_svc.domain.people import Person
from payroll_svc.usecases.identities import Keys, ask_erasure, names_of
from payroll_svc.usecases.people import employee_of, employees_page
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once


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
    name: str = Field(examples=["王小明"], description="已删除 once the identity was destroyed.")
    person_kind: str = Field(examples=["regular"])
    documents_missing: list[str] = Field(examples=[["work_permit"]])
    agreed_wage_fen: int = Field(examples=[1_000_000])
    sub: str = Field(examples=["xiaowang"])
    cost_centre: str
    spells: list[SpellOut]


class ErasureIn(BaseModel):
    """Why the identity may go: a code, never words about the person."""

    model_config = ConfigDict(extra="forbid")

    reason: Literal["retention_over", "asked_by_person"]


class ErasureOut(BaseModel):
    """Carried out within seconds; it cannot be undone."""

    employee_id: str
    reason: str
    asked_at: datetime
    erased_at: datetime | None


def routes(engine: Engine, clock: Clock, keys: Keys, kept_months: int) -> APIRouter:
    router = APIRouter(tags=["employees"])

    @router.get("/employees")
    async def list_employees(
        employer_id: str, caller: Hr, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[EmployeeOut]:
        """The employer's people by employee number."""
        after = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            people = await employees_page(conn, employer_id, after[0] if after else None, limit)
            names = await names_of(conn, keys.sealer(), employer_id, people)
        full = len(people) == limit
        return Page(
            items=[_out(employer_id, person, names) for person in people],
            next_cursor=cursor_of(people[-1].employee_no) if full else None,
        )

    @router.get("/employees/{employee_id}")
    async def get_employee(employee_id: str, caller: HrOrEmployee) -> EmployeeOut:
        async with tenant(engine, caller) as conn:
            employer_id, person = await employee_of(conn, employee_id)
            names = await names_of(conn, keys.sealer(), employer_id, [person])
        return _out(employer_id, person, names)

    @router.post("/employees/{employee_id}/erasure", status_code=202)
    async def erase_identity(
        employee_id: str, body: ErasureIn, caller: Hr, write: Once
    ) -> ErasureOut:
        """Has the person's key destroyed, and with it name, identity number, phone, bank account
        and addresses, here and everywhere. Amounts and cells stay, under an id that names nobody.
        """

        async def act() -> ErasureOut:
            asked = await ask_erasure(
                conn, employee_id, body.reason, caller.sub, kept_months, clock.now()
            )
            return ErasureOut.model_validate(asked, from_attributes=True)

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, ErasureOut, act)

    return router


def _out(employer_id: str, person: Person, names: Mapping[str, str]) -> EmployeeOut:
    return EmployeeOut(
        employee_id=person.employee_id,
        employer_id=employer_id,
        employee_no=person.employee_no,
        name=names.get(person.employee_id, ""),
        person_kind=person.person_kind,
        documents_missing=list(person.documents_missing),
        agreed_wage_fen=person.agreed_wage_fen,
        sub=person.sub,
        cost_centre=person.cost_centre,
        spells=[SpellOut.model_validate(spell, from_attributes=True) for spell in person.spells],
    )
