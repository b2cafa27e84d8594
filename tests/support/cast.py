"""Two employers of one installation, and everybody who may ask after their data: the October case's
own, finished, and a second one that is made here, to whom the case is another's.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sandbox.case.addresses import Addresses
from sandbox.case.conductor import Conductor
from sandbox.case.people import Person, order, register
from sandbox.case.roster import Case
from tests.support.rosters import csv_file, roster_row

CALLERS = (
    *("employee", "colleague", "outsider", "hr", "other hr"),
    *("operator", "service", "nobody"),
)
"""The employee whom the data are about; another of the same employer; an employee of another
employer; HR of this employer and of the other; an operator; a service for itself; no token.
"""

_SECRET = "of-the-service"  # of an invented service on the sandbox's own issuer
_ACCOUNTS = [
    {
        "account_no": f"{city}-77{n}",
        "city": city,
        "collector": f"tax-{city}",
        "bank_account_ref": f"BASIC-{city}-77{n}",
    }
    for n, city in enumerate(("990100", "990200"), 1)
]
OTHER_EMPLOYER: dict[str, Any] = {
    "group_id": "group-haiyan",
    "name": "海燕物流有限公司",
    "uscc": "91990100MA7A0XYT5Q",
    "cut_over": "2024-11",
    "payday": 10,
    "accounts": _ACCOUNTS,
    "departments": [{"code": "fleet", "name": "车队"}],
    "hr_staff": [{"sub": "hr.bai", "department_codes": []}],
}


OPEN_IDS = ("levy_period", "city", "insurance", "side", "contribution_year", "figure")
"""What is asked for by name and is nobody's."""


@dataclass(frozen=True)
class House:
    """One employer: the ids of its data by parameter name, and what only it may see."""

    ids: Mapping[str, str]
    employee: Person
    colleague: Person
    hr: Person
    people: Mapping[str, str]
    """Employee id -> name, of everyone."""

    @property
    def secrets(self) -> frozenset[str]:
        """Texts that no answer to another employer may hold."""
        own = {value for name, value in self.ids.items() if name not in OPEN_IDS}
        return frozenset(own) | self.people.keys()


@dataclass(frozen=True)
class Cast:
    """The case's employer, the other one, and who belongs to neither."""

    addresses: Addresses
    client: httpx.AsyncClient
    case: House
    other: House
    operator: Person
    service_headers: dict[str, str]

    def callers(self, house: House) -> dict[str, dict[str, str]]:
        """The headers of CALLERS, as seen from one of the two houses."""
        away = self.other if house is self.case else self.case
        people = {
            "employee": house.employee,
            "colleague": house.colleague,
            "outsider": away.employee,
            "hr": house.hr,
            "other hr": away.hr,
            "operator": self.operator,
        }
        signed_in = {name: person.headers() for name, person in people.items()}
        return {**signed_in, "service": self.service_headers, "nobody": {}}

    async def at_rest(self) -> None:
        """Every fact has travelled, and nothing is due."""
        await Conductor(self.addresses, self.client).rest()


@asynccontextmanager
async def cast(addresses: Addresses, folder: Path) -> AsyncIterator[Cast]:
    """On an installation on which the case was played to its end."""
    async with httpx.AsyncClient(timeout=60) as client:
        operator = await register(addresses, client, "operator", "operator")
        other = await _other_house(addresses, client, operator, folder)
        case = await _case_house(addresses, client)
        service = await _service(addresses, client)
        yield Cast(addresses, client, case, other, operator, service)


async def _service(addresses: Addresses, client: httpx.AsyncClient) -> dict[str, str]:
    """A service that acts for itself, by client credentials."""
    name = "strangers-svc"
    known = {"sub": name, "password": _SECRET, "roles": ["service"], "employer_ids": []}
    await order(addresses, client, "/people", known)
    answer = await client.post(
        f"{addresses.oidc}/token",
        data={"grant_type": "client_credentials", "client_id": name, "client_secret": _SECRET},
    )
    return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}


async def _employee(
    addresses: Addresses, client: httpx.AsyncClient, sub: str, employer_id: str, employee_id: str
) -> Person:
    return await register(
        addresses, client, sub, "employee", employer_ids=(employer_id,), employee_id=employee_id
    )


_CAMPAIGN = {"contribution_year": 2025, "confirm_by": "2025-06-20"}
"""Of the year after the case's: everyone of both houses is on the roster when it begins."""


async def _case_house(addresses: Addresses, client: httpx.AsyncClient) -> House:
    """The finished case as its HR finds it; the employee is 小王."""
    facts = Case()
    hr = Person(addresses, client, "hr.chen")
    await hr.sign_in()
    [employer] = (await hr.get("payroll-svc", "/employers"))["items"]
    employer_id, period = employer["employer_id"], facts.levy_period
    of = {"employer_id": employer_id}
    people = await hr.all("payroll-svc", "/employees", **of)
    xiaowang, colleague = (
        next(one for one in people if one["sub"] == sub)
        for sub in (facts.xiaowang.sub, facts.people[1].sub)
    )
    tickets = await hr.all("ticket-svc", "/tickets", employee_id=xiaowang["employee_id"], **of)
    declarations = await hr.all("contribution-svc", "/declarations", levy_period=period, **of)
    account_id = xiaowang["spells"][-1]["account_id"]
    campaign = await hr.post("contribution-svc", "/base-campaigns", {**of, **_CAMPAIGN})
    wanted = {**of, "kind": "roster", "reason": "核对"}
    export = await hr.post("payroll-svc", "/exports", wanted)
    ids = {
        "employer_id": employer_id,
        "employee_id": xiaowang["employee_id"],
        "account_id": account_id,
        "city": "990100",
        "insurance": "medical",
        "levy_period": period,
        "side": "employee",
        "campaign_id": campaign["campaign_id"],
        "contribution_year": str(_CAMPAIGN["contribution_year"]),
        "run_id": (await hr.all("payroll-svc", "/payroll-runs", **of))[0]["run_id"],
        "figure": "net",
        "import_id": next(
            # Its file is kept: a roster's is destroyed once it is applied.
            one["import_id"]
            for one in await hr.all("payroll-svc", "/imports", **of)
            if one["kind"] == "wages"
        ),
        "export_id": export["export_id"],
        "declaration_id": next(
            one["declaration_id"] for one in declarations if one["account_id"] == account_id
        ),
        "ticket_id": tickets[0]["ticket_id"],
        "incident_id": tickets[0]["incident_id"],
        "uscc": employer["uscc"],
        "employer_name": employer["name"],
    }
    return House(
        ids,
        await _employee(
            addresses, client, facts.xiaowang.sub, employer_id, xiaowang["employee_id"]
        ),
        await _employee(
            addresses, client, facts.people[1].sub, employer_id, colleague["employee_id"]
        ),
        hr,
        {one["employee_id"]: one["name"] for one in people},
    )


async def _other_house(
    addresses: Addresses, client: httpx.AsyncClient, operator: Person, folder: Path
) -> House:
    """Made over the API at the case's last moment: two accounts with one employee each, a payroll
    run that is paid and a ticket of the month that is open.
    """
    made = await operator.post("payroll-svc", "/employers", OTHER_EMPLOYER)
    employer_id, period = made["employer_id"], OTHER_EMPLOYER["cut_over"]
    for account in _ACCOUNTS:
        agreement = {
            "party": account["collector"],
            "AAB001": account["account_no"],
            "bank_account_ref": account["bank_account_ref"],
            "holder": OTHER_EMPLOYER["name"],
        }
        await order(addresses, client, "/agreements", agreement)
    hr = await register(addresses, client, "hr.bai", "hr", employer_ids=(employer_id,))
    staged = await _take_in(hr, employer_id, folder / "roster.csv")
    # What came by it has changed since: it cannot be undone.
    await _take_in(hr, employer_id, folder / "raised.csv", 约定月工资="10500.00")
    due = {"deadlines": [{"day": 28, "month_shift": 0}]}
    url = f"{addresses.services['payroll-svc']}/api/v1/wage-deadlines/{employer_id}"
    (await client.put(url, json=due, headers=hr.headers())).raise_for_status()
    conductor = Conductor(addresses, client)
    await conductor.rest()
    of = {"employer_id": employer_id}
    people = await hr.all("payroll-svc", "/employees", **of)
    first, second = [
        await _employee(addresses, client, one["sub"], employer_id, one["employee_id"])
        for one in people
    ]
    run = await hr.post("payroll-svc", "/payroll-runs", {**of, "levy_period": period})
    await conductor.rest()
    second_hr = await register(addresses, client, "hr.huang", "hr", employer_ids=(employer_id,))
    on_run = f"/payroll-runs/{run['run_id']}"
    await hr.post("payroll-svc", f"{on_run}/check", {"accept_first_wage_unknown": True})
    await second_hr.post("payroll-svc", f"{on_run}/approve")
    await hr.post("payroll-svc", f"{on_run}/pay")
    feedback = {
        "levy_period": period,
        "insurances": ["medical"],
        "kind": "other",
        "text": "11月的医疗险什么时候缴？",
    }
    ticket = await first.post("ticket-svc", "/feedback", feedback)
    campaign = await hr.post("contribution-svc", "/base-campaigns", {**of, **_CAMPAIGN})
    await conductor.rest()
    declarations = await hr.all("contribution-svc", "/declarations", levy_period=period, **of)
    account_id = people[0]["spells"][-1]["account_id"]
    declared = {one["account_id"]: one["declaration_id"] for one in declarations}
    ids = {
        "employer_id": employer_id,
        "employee_id": people[0]["employee_id"],
        "account_id": account_id,
        "department_id": made["departments"][0]["department_id"],
        "city": "990100",
        "insurance": "medical",
        "levy_period": period,
        "side": "employee",
        "campaign_id": campaign["campaign_id"],
        "contribution_year": str(_CAMPAIGN["contribution_year"]),
        "run_id": run["run_id"],
        "figure": "net",
        "import_id": staged["import_id"],
        "declaration_id": declared.pop(account_id),
        "spare_declaration_id": next(iter(declared.values())),
        "ticket_id": ticket["ticket_id"],
        "incident_id": str(uuid.uuid4()),
        "uscc": OTHER_EMPLOYER["uscc"],
        "employer_name": OTHER_EMPLOYER["name"],
    }
    return House(ids, first, second, hr, {one["employee_id"]: one["name"] for one in people})


async def _take_in(hr: Person, employer_id: str, file: Path, **changes: object) -> Any:
    rows = [
        roster_row(
            n,
            工号=f"H{n:04d}",
            姓名=name,
            部门="车队",
            参保地=account["city"],
            单位社保账号=account["account_no"],
            入职日期="2024-10-08",
            登录账号=f"haiyan.{n}",
            **changes,
        )
        for n, (name, account) in enumerate(
            zip(("欧阳海生", "司马燕归"), _ACCOUNTS, strict=True), 1
        )
    ]
    await asyncio.to_thread(file.write_bytes, csv_file(rows))
    staged = await hr.upload(
        "payroll-svc", "/imports", file, kind="roster", employer_id=employer_id
    )
    assert not staged["faults"], staged["faults"]
    return await hr.post("payroll-svc", f"/imports/{staged['import_id']}/apply", {"take": "whole"})
