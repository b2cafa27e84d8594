"""Departments hand in their wage data by a day: reminded, handed in, missed, and how punctual."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.clock import china_time
from shared.contracts import WageDataDue
from tests.integration.payroll_svc.conftest import PayrollService
from tests.integration.payroll_svc.paying import with_people
from tests.integration.payroll_svc.test_wage_data import stage, undo, wide
from tests.support.broken_pay_files import WIDE_HEADER
from tests.support.rosters import csv_file, roster_row


async def work(service: PayrollService, day: date) -> None:
    """What the clock brings until that morning."""
    service.clock.set(china_time(day, "08:30"))
    for job in service.wiring.jobs:
        if job.name != "erase":
            await job.run(service.clock.now())


async def stages(service: PayrollService, department: str) -> list[tuple[str, str, bool]]:
    told = await service.told(WageDataDue)
    return [(e.levy_period, e.stage, e.late) for e in told if e.department == department]


async def test_an_employer_without_a_deadline_is_told_nothing(service: PayrollService) -> None:
    employer_id, _ = await with_people(service, roster_row(1))
    await work(service, date(2024, 10, 20))
    staged = await stage(service, employer_id, csv_file([wide(1, 奖金=1)], WIDE_HEADER))
    assert (await service.apply(employer_id, staged)).status_code == 200
    assert await service.told(WageDataDue) == []


@dataclass
class Deadlines:
    """Of October's data: sales by 25 September, all others by the 28th, a free Saturday, hence the
    27th.
    """

    service: PayrollService
    employer_id: str
    departments: dict[str, str]

    @property
    def path(self) -> str:
        return f"/wage-deadlines/{self.employer_id}"

    @property
    def hand_ins(self) -> str:
        return f"/wage-hand-ins?employer_id={self.employer_id}&levy_period=2024-10"

    @property
    def rates(self) -> str:
        of = f"employer_id={self.employer_id}&levy_period=2024-11&months=2"
        return f"/wage-hand-ins/on-time?{of}"

    def nothing(self, department: str) -> str:
        return f"/wage-hand-ins/{self.departments[department]}/2024-10/nothing"

    async def put(self, *more: dict[str, object]) -> Any:
        wanted = [
            {"day": 28, "month_shift": -1, "remind_days": 3},
            {
                "department_id": self.departments["销售部"],
                "day": 25,
                "month_shift": -1,
                "remind_days": 1,
            },
            *more,
        ]
        return await self.service.http.put(
            self.path, headers=self.service.hr(self.employer_id), json={"deadlines": wanted}
        )

    async def listed(self, path: str) -> dict[str, Any]:
        """By department."""
        headers = self.service.hr(self.employer_id)
        items = (await self.service.http.get(path, headers=headers)).json()["items"]
        names = {department_id: name for name, department_id in self.departments.items()}
        return {names[one["department_id"]]: one for one in items}


async def with_deadlines(service: PayrollService) -> Deadlines:
    employer_id, _ = await with_people(service, roster_row(1), roster_row(2, 部门="销售部"))
    path = f"/employers/{employer_id}"
    employer = (await service.http.get(path, headers=service.hr(employer_id))).json()
    departments = {one["name"]: one["department_id"] for one in employer["departments"]}
    deadlines = Deadlines(service, employer_id, departments)
    assert (await deadlines.put()).status_code == 200
    return deadlines


async def hand_in(deadlines: Deadlines) -> Any:
    """Operations hands in one person's bonus."""
    service, employer_id = deadlines.service, deadlines.employer_id
    staged = await stage(service, employer_id, csv_file([wide(1, 奖金=1)], WIDE_HEADER))
    assert (await service.apply(employer_id, staged)).status_code == 200
    return staged


async def test_two_departments_over_two_months(service: PayrollService) -> None:
    deadlines = await with_deadlines(service)
    found = await deadlines.listed(deadlines.hand_ins)
    assert {name: one["due_on"] for name, one in found.items()} == {
        "运营部": "2024-09-27",
        "销售部": "2024-09-25",
    }
    for day in (24, 25, 26):
        await work(service, date(2024, 9, day))
    staged = await hand_in(deadlines)
    assert await stages(service, "运营部") == [
        ("2024-10", "ahead", False),
        ("2024-10", "due_soon", False),
        ("2024-10", "handed_in", False),
    ]
    assert await stages(service, "销售部") == [
        ("2024-10", "ahead", False),
        ("2024-10", "due_soon", False),
        ("2024-10", "due_today", False),
        ("2024-10", "missed", True),
    ]
    headers = service.hr(deadlines.employer_id)
    said = (await service.post(deadlines.nothing("销售部"), headers)).json()
    assert (said["state"], said["late"], said["handed_in_by"]) == ("nothing", True, "hr-li")
    assert (await deadlines.listed(deadlines.hand_ins))["运营部"]["rows"] == 1
    # Undone: awaited again, though its day has not passed.
    assert (await undo(service, deadlines.employer_id, staged)).status_code == 200
    assert (await deadlines.listed(deadlines.hand_ins))["运营部"]["stage"] == "due_soon"
    await hand_in(deadlines)
    # The next month opens by itself.
    await work(service, date(2024, 10, 1))
    assert (await stages(service, "销售部"))[-1] == ("2024-11", "ahead", False)
    await work(service, date(2024, 10, 26))
    rates = await deadlines.listed(deadlines.rates)
    assert {name: (one["due"], one["on_time"]) for name, one in rates.items()} == {
        "运营部": (1, 1),
        "销售部": (2, 0),
    }


async def test_what_a_second_file_handed_in_stands_without_the_first(
    service: PayrollService,
) -> None:
    deadlines = await with_deadlines(service)
    await work(service, date(2024, 9, 26))
    first = await hand_in(deadlines)
    await work(service, date(2024, 9, 28))
    more = csv_file([wide(1, 加班小时数=2, 事假天数=1)], WIDE_HEADER)
    second = await stage(service, deadlines.employer_id, more)
    assert (await service.apply(deadlines.employer_id, second)).status_code == 200

    async def operations() -> tuple[str, bool, int, str]:
        one = (await deadlines.listed(deadlines.hand_ins))["运营部"]
        return one["state"], one["late"], one["rows"], (one["handed_in_at"] or "")[:10]

    assert await operations() == ("handed_in", False, 2, "2024-09-26")
    assert (await undo(service, deadlines.employer_id, first)).status_code == 200
    assert await operations() == ("handed_in", True, 1, "2024-09-28")
    assert (await undo(service, deadlines.employer_id, second)).status_code == 200
    assert await operations() == ("awaited", True, 0, "")
    # The other way round: what the first brought stands, and its rows alone.
    await hand_in(deadlines)
    again = await stage(service, deadlines.employer_id, more)
    assert (await service.apply(deadlines.employer_id, again)).status_code == 200
    assert (await undo(service, deadlines.employer_id, again)).status_code == 200
    assert (await operations())[:3] == ("handed_in", True, 1)


async def test_deadlines_are_their_employers_alone(service: PayrollService) -> None:
    deadlines = await with_deadlines(service)
    refused = await deadlines.put({"department_id": "nobody", "day": 1}, {"day": 3})
    assert refused.status_code == 422
    assert [fault["value"] for fault in refused.json()["faults"]] == ["nobody", ""]
    stranger = service.hr("another-employer")
    for asked in (deadlines.path, deadlines.hand_ins, deadlines.rates):
        assert (await service.http.get(asked, headers=stranger)).status_code == 404
    assert (await service.post(deadlines.nothing("销售部"), stranger)).status_code == 404
    put = await service.http.put(deadlines.path, headers=stranger, json={"deadlines": []})
    assert put.status_code == 404
