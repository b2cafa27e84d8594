"""Employers, as operators create them and HR sees its own."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from stdnum.cn import uscc as uscc_number
from stdnum.exceptions import ValidationError as NumberRefused

from payroll_svc.api.callers import Hr, HrOrOperator, Once, Operator, numbers_of
from payroll_svc.domain.employers import (
    Account,
    Department,
    Employer,
    HrStaff,
    account_id_of,
    department_id_of,
    employer_id_of,
    own_rates_of,
    repeated,
)
from payroll_svc.errors import EmployerInconsistent
from payroll_svc.usecases.employers import (
    change_employer,
    create_employer,
    employer_of,
    employers_of,
)
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, once
from shared.refusal import FieldFault

Code = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,39}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class WorkInjuryIn(_Strict):
    """工伤保险费率: the rate of the account's class in its city, as notified, and its float.

    Cities lower what the nation says (0.2 to 1.9 %): the lowest class of Shenzhen pays 0.14 %. What
    a city allows is held against its policy when lines are assessed.
    """

    injury_class: int = Field(ge=1, le=8, examples=[2], description="行业类别")
    class_ppm: int = Field(ge=1_000, le=19_000, multiple_of=100, examples=[4_000])
    float_percent: Literal[50, 80, 100, 120, 150] = Field(
        examples=[100], description="浮动档次, 人社部发〔2015〕71号; class 1 floats upwards only."
    )


class HousingFundIn(_Strict):
    """住房公积金缴存比例 of each side: 5 to 12 %, in whole percents."""

    employer_ppm: int = Field(ge=50_000, le=120_000, multiple_of=10_000, examples=[70_000])
    employee_ppm: int = Field(ge=50_000, le=120_000, multiple_of=10_000, examples=[70_000])


class AccountIn(_Strict):
    """单位社保账户 with a city's collector."""

    account_no: Code = Field(examples=["9901000001"])
    city: Code = Field(examples=["990100"], description="统筹地区 code of the policy packs.")
    city_name: str = Field(
        default="", max_length=40, examples=["示例甲市"], description="As rosters may write it."
    )
    collector: Code = Field(examples=["tax-990100"])
    bank_account_ref: Code = Field(examples=["DZ-BANK-0001"])
    auto_debit: bool = True
    work_injury: WorkInjuryIn | None = None
    housing_fund: HousingFundIn | None = None


class DepartmentIn(_Strict):
    code: Code = Field(examples=["operations"])
    name: Name = Field(examples=["运营部"])


class HrStaffIn(_Strict):
    """An HR specialist; without departments they look after all of them."""

    sub: str = Field(min_length=1, max_length=128, examples=["hr-li"])
    department_codes: list[Code] = Field(default=[], max_length=1_000, examples=[["operations"]])


class EmployerIn(_Strict):
    """用人单位 as an operator creates it."""

    group_id: Code = Field(examples=["demo-group"])
    name: Name = Field(examples=["示例科技有限公司"])
    uscc: str = Field(
        min_length=18,
        max_length=18,
        examples=["91110000600037341L"],
        description="统一社会信用代码",
    )
    cut_over: str = Field(
        pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$",
        examples=["2024-10"],
        description="The first levy period that is reconciled.",
    )
    payday: int = Field(ge=1, le=31, examples=[5])
    accounts: list[AccountIn] = Field(min_length=1, max_length=200)
    departments: list[DepartmentIn] = Field(min_length=1, max_length=1_000)
    hr_staff: list[HrStaffIn] = Field(default=[], max_length=1_000)


class AccountOut(BaseModel):
    account_id: str
    account_no: str = Field(examples=["9901000001"])
    city: str = Field(examples=["990100"])
    collector: str = Field(examples=["tax-990100"])
    auto_debit: bool
    own_rates: dict[str, tuple[int, int]] = Field(
        description="Employer's and employee's millionths by insurance.",
        examples=[{"work_injury": (4_000, 0), "housing_fund": (70_000, 70_000)}],
    )
    injury_class: int = Field(examples=[2], description="0: not said.")
    injury_float_percent: int = Field(examples=[100], description="0: not said.")


class DepartmentOut(BaseModel):
    department_id: str
    code: str = Field(examples=["operations"])
    name: str = Field(examples=["运营部"])


class EmployerOut(BaseModel):
    """The employer with the ids that were made for it, its accounts and its departments."""

    employer_id: str = Field(examples=["7c9e6679-7425-50de-944b-e07fc1f90ae7"])
    group_id: str = Field(examples=["demo-group"])
    name: str = Field(examples=["示例科技有限公司"])
    uscc: str = Field(examples=["91110000600037341L"])
    cut_over: str = Field(examples=["2024-10"])
    payday: int = Field(examples=[5])
    accounts: list[AccountOut]
    departments: list[DepartmentOut]


def routes(engine: Engine, clock: Clock) -> APIRouter:
    router = APIRouter(tags=["employers"])

    @router.post("/employers", status_code=201)
    async def create_employer_(body: EmployerIn, caller: Operator, write: Once) -> EmployerOut:
        """Creates an employer with its accounts, departments and HR staff."""
        employer = _employer(body)

        async def act() -> EmployerOut:
            return _out(await create_employer(conn, employer, clock.now()))

        async with tenant(engine, numbers_of(caller, employer.employer_id)) as conn:
            return await once(conn, caller, write, EmployerOut, act)

    @router.put("/employers/{employer_id}")
    async def put_employer(employer_id: str, body: EmployerIn, caller: Operator) -> EmployerOut:
        """Brings the employer to this state: all its accounts, departments and staff."""
        employer = _employer(body)
        if employer.employer_id != employer_id:
            fault = FieldFault(
                "body/uscc", body.uscc, "belongs to another employer", "keep the uscc"
            )
            raise EmployerInconsistent("An employer keeps its USCC for life.", (fault,))
        async with tenant(engine, numbers_of(caller, employer_id)) as conn:
            return _out(await change_employer(conn, employer, clock.now()))

    @router.get("/employers")
    async def list_employers(caller: Hr) -> Page[EmployerOut]:
        """The caller's own employers, by name; they fit on one page."""
        async with tenant(engine, caller) as conn:
            return Page(items=[_out(employer) for employer in await employers_of(conn)])

    @router.get("/employers/{employer_id}")
    async def get_employer(employer_id: str, caller: HrOrOperator) -> EmployerOut:
        async with tenant(engine, numbers_of(caller, employer_id)) as conn:
            return _out(await employer_of(conn, employer_id))

    return router


def _employer(body: EmployerIn) -> Employer:
    """The body in our words; EmployerInconsistent lists everything that does not fit."""
    employer_id = employer_id_of(body.uscc)
    faults = _faults(body)
    if faults:
        raise EmployerInconsistent(f"{body.name}: {len(faults)} data do not fit.", tuple(faults))
    ids = {item.code: department_id_of(employer_id, item.code) for item in body.departments}
    return Employer(
        employer_id=employer_id,
        group_id=body.group_id,
        name=body.name,
        uscc=body.uscc,
        cut_over=body.cut_over,
        payday=body.payday,
        accounts=tuple(_account(employer_id, account) for account in body.accounts),
        departments=tuple(
            Department(ids[item.code], item.code, item.name) for item in body.departments
        ),
        hr_staff=tuple(
            HrStaff(person.sub, tuple(ids[code] for code in person.department_codes))
            for person in body.hr_staff
        ),
    )


def _account(employer_id: str, account: AccountIn) -> Account:
    injury, fund = account.work_injury, account.housing_fund
    return Account(
        account_id=account_id_of(employer_id, account.city, account.account_no),
        own_rates=own_rates_of(
            (injury.class_ppm, injury.float_percent) if injury is not None else None,
            (fund.employer_ppm, fund.employee_ppm) if fund is not None else None,
        ),
        injury_class=injury.injury_class if injury is not None else 0,
        injury_float_percent=injury.float_percent if injury is not None else 0,
        **account.model_dump(exclude={"work_injury", "housing_fund"}),
    )


def _faults(body: EmployerIn) -> list[FieldFault]:
    codes = [item.code for item in body.departments]
    numbers = [f"{account.city} {account.account_no}" for account in body.accounts]
    named = {code for person in body.hr_staff for code in person.department_codes}
    subs = [person.sub for person in body.hr_staff]
    found = [
        ("body/departments", "department code is named twice", repeated(codes)),
        ("body/departments", "department name is named twice", repeated(_names(body))),
        ("body/accounts", "account is named twice", repeated(numbers)),
        ("body/hr_staff", "person is named twice", repeated(subs)),
        ("body/hr_staff", "department is not in body/departments", sorted(named - set(codes))),
        ("body/accounts", "class 1 of work injury floats upwards only", _floats_down(body)),
        ("body/uscc", "is no 统一社会信用代码 (check character, form)", _bad_uscc(body.uscc)),
    ]
    return [
        FieldFault(where, value, reason, "correct it and send the whole body again")
        for where, reason, values in found
        for value in values
    ]


def _floats_down(body: EmployerIn) -> list[str]:
    return [
        f"{account.city} {account.account_no}"
        for account in body.accounts
        if account.work_injury is not None
        and account.work_injury.injury_class == 1
        and account.work_injury.float_percent < 100
    ]


def _names(body: EmployerIn) -> list[str]:
    return [item.name for item in body.departments]


def _bad_uscc(uscc: str) -> list[str]:
    try:
        compact: str = uscc_number.validate(uscc)
    except NumberRefused:
        return [uscc]
    return [] if compact == uscc else [uscc]


def _out(employer: Employer) -> EmployerOut:
    return EmployerOut(
        employer_id=employer.employer_id,
        group_id=employer.group_id,
        name=employer.name,
        uscc=employer.uscc,
        cut_over=employer.cut_over,
        payday=employer.payday,
        accounts=[
            AccountOut.model_validate(account, from_attributes=True)
            for account in employer.accounts
        ],
        departments=[
            DepartmentOut.model_validate(item, from_attributes=True)
            for item in employer.departments
        ],
    )
