"""Who may see and do what: another's data is never told apart from none."""

from typing import Any

import pytest

from shared.contracts import EmployerChanged
from tests.integration.payroll_svc.conftest import EMPLOYER, PayrollService
from tests.integration.payroll_svc.paying import (
    assessed,
    pay_through,
    run_of,
    with_people,
)
from tests.support.rosters import csv_file, roster_row


async def test_another_employers_hr_gets_404_everywhere(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1))
    staged = (
        await service.upload(employer_id, "roster", "x.csv", csv_file([roster_row(2)]))
    ).json()
    run = await run_of(service, employer_id)
    stranger = service.hr("another-employer")
    seen = [
        f"/employers/{employer_id}",
        f"/employees?employer_id={employer_id}",
        f"/employees/{ids['E0001']}",
        f"/imports?employer_id={employer_id}",
        f"/imports/{staged['import_id']}",
        f"/payroll-runs?employer_id={employer_id}",
        f"/payroll-runs/{run['run_id']}",
        f"/payslips?employer_id={employer_id}",
        f"/sums?employer_id={employer_id}&levy_period=2024-10",
    ]
    for path in seen:
        assert (await service.http.get(path, headers=stranger)).status_code == 404, path
        own = await service.http.get(path, headers=service.hr(employer_id))
        assert own.status_code == 200, path
    done = [
        ("/payroll-runs", {"employer_id": employer_id, "levy_period": "2024-11"}),
        (f"/payroll-runs/{run['run_id']}/approve", {}),
        (f"/payroll-runs/{run['run_id']}/pay", {}),
        (f"/imports/{staged['import_id']}/apply", {"take": "whole"}),
    ]
    for path, body in done:
        assert (await service.post(path, stranger, json=body)).status_code == 404, path
    upload = await service.post(
        "/imports",
        stranger,
        data={"kind": "roster", "employer_id": employer_id},
        files={"file": ("r.csv", csv_file([roster_row(3)]))},
    )
    assert upload.status_code == 404
    assert (await service.http.get("/payslips", headers=stranger)).json()["items"] == []
    assert (await service.http.get("/employers", headers=stranger)).json()["items"] == []


async def test_an_employee_sees_their_own_profile_and_payslips_only(
    service: PayrollService,
) -> None:
    employer_id, ids = await with_people(service, roster_row(1), roster_row(2))
    await service.hear(*(assessed(employer_id, employee_id) for employee_id in ids.values()))
    await pay_through(service, await run_of(service, employer_id))
    me, colleague = ids["E0001"], ids["E0002"]
    headers = service.employee(employer_id, me)
    profile = await service.http.get(f"/employees/{me}", headers=headers)
    assert profile.json()["employee_no"] == "E0001"
    other = await service.http.get(f"/employees/{colleague}", headers=headers)
    assert other.status_code == 404
    for path in ("/payslips", f"/payslips?employer_id={employer_id}&levy_period=2024-10"):
        slips = (await service.http.get(path, headers=headers)).json()["items"]
        assert [slip["employee_id"] for slip in slips] == [me]
    for path in ("/employees?employer_id=" + employer_id, "/employers"):
        assert (await service.http.get(path, headers=headers)).status_code == 403


@pytest.mark.parametrize("role", ["hr", "employee", "service"])
async def test_only_operators_create_employers(service: PayrollService, role: str) -> None:
    headers = service.issuer.headers("any", [role], employer_ids=["e"], employee_id="x")
    assert (await service.post("/employers", headers, json=EMPLOYER)).status_code == 403


async def test_without_a_token_nothing_answers(service: PayrollService) -> None:
    for path in ("/employers", "/payslips", "/employees/x", "/imports/x", "/payroll-runs/x"):
        assert (await service.http.get(path)).status_code == 401, path


async def test_an_employer_is_created_once_and_told(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    again = await service.post("/employers", service.operator(), json=EMPLOYER)
    assert again.status_code == 409
    [told] = await service.told(EmployerChanged)
    assert (told.employer_id, told.version, told.payday) == (employer_id, 1, 5)
    operations = next(item for item in told.departments if item.code == "operations")
    assert told.hr_staff[0].department_ids == (operations.department_id,)
    assert [account.auto_debit for account in told.accounts] == [True, True]


async def test_the_rates_that_an_account_has_of_its_own_are_kept_and_told(
    service: PayrollService,
) -> None:
    injury = {"injury_class": 2, "class_ppm": 4_000, "float_percent": 120}
    fund = {"employer_ppm": 70_000, "employee_ppm": 70_000}
    account = {**EMPLOYER["accounts"][0], "work_injury": injury, "housing_fund": fund}
    body = {**EMPLOYER, "accounts": [account, EMPLOYER["accounts"][1]]}
    created = await service.post("/employers", service.operator(), json=body)
    assert created.status_code == 201, created.text
    own = {"work_injury": [4_800, 0], "housing_fund": [70_000, 70_000]}
    assert created.json()["accounts"][0]["own_rates"] == own
    path = f"/employers/{created.json()['employer_id']}"
    same = await service.http.put(path, headers=service.operator(), json=body)
    assert same.json()["accounts"][0]["own_rates"] == own
    [told] = await service.told(EmployerChanged)
    first, second = told.accounts
    assert first.own_rates == {"work_injury": (4_800, 0), "housing_fund": (70_000, 70_000)}
    assert (first.injury_class, first.injury_float_percent) == (2, 120)
    assert second.own_rates == {}
    account["housing_fund"] = {"employer_ppm": 80_000, "employee_ppm": 80_000}
    changed = await service.http.put(path, headers=service.operator(), json=body)
    assert changed.json()["accounts"][0]["own_rates"]["housing_fund"] == [80_000, 80_000]
    assert len(await service.told(EmployerChanged)) == 2


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("work_injury", {"injury_class": 9, "class_ppm": 4_000, "float_percent": 100}),
        ("work_injury", {"injury_class": 1, "class_ppm": 2_000, "float_percent": 50}),
        ("work_injury", {"injury_class": 2, "class_ppm": 19_100, "float_percent": 100}),
        ("work_injury", {"injury_class": 2, "class_ppm": 4_000, "float_percent": 110}),
        ("work_injury", {"injury_class": 2, "class_ppm": 0.4, "float_percent": 100}),
        ("housing_fund", {"employer_ppm": 40_000, "employee_ppm": 40_000}),
        ("housing_fund", {"employer_ppm": 130_000, "employee_ppm": 130_000}),
        ("housing_fund", {"employer_ppm": 75_000, "employee_ppm": 75_000}),
    ],
    ids=[
        "class 9",
        "class 1 floats down",
        "above 1.9 %",
        "no such float",
        "a float number",
        "fund of 4 %",
        "fund of 13 %",
        "half a percent",
    ],
)
async def test_own_rates_that_cannot_be_are_refused(
    service: PayrollService, part: str, wrong: dict[str, Any]
) -> None:
    body = {**EMPLOYER, "accounts": [{**EMPLOYER["accounts"][0], part: wrong}]}
    answer = await service.post("/employers", service.operator(), json=body)
    assert answer.status_code == 422, answer.text
    assert await service.told(EmployerChanged) == []


async def test_an_employer_changes_but_loses_no_place_with_people(
    service: PayrollService,
) -> None:
    employer_id, _ = await with_people(service, roster_row(1))
    path, headers = f"/employers/{employer_id}", service.operator()
    same = {**EMPLOYER, "departments": EMPLOYER["departments"][::-1]}
    assert (await service.http.put(path, headers=headers, json=same)).status_code == 200
    assert len(await service.told(EmployerChanged)) == 1
    wanted = {**EMPLOYER, "departments": [{"code": "operations", "name": "运营中心"}], "payday": 10}
    changed = await service.http.put(path, headers=headers, json=wanted)
    assert [item["name"] for item in changed.json()["departments"]] == ["运营中心"]
    told = (await service.told(EmployerChanged))[-1]
    assert (told.version, told.payday, len(told.departments)) == (2, 10, 1)
    moved = {**wanted, "departments": EMPLOYER["departments"][1:], "hr_staff": []}
    lost = await service.http.put(path, headers=headers, json=moved)
    assert lost.status_code == 422
    assert [fault["value"] for fault in lost.json()["faults"]] == ["operations"]
    other = await service.http.put(
        path, headers=headers, json={**EMPLOYER, "uscc": "91990100MA00000A1T"}
    )
    assert other.status_code == 422
    hr = service.hr(employer_id)
    assert (await service.http.put(path, headers=hr, json=EMPLOYER)).status_code == 403


async def test_an_employer_that_contradicts_itself_is_refused_with_every_fault(
    service: PayrollService,
) -> None:
    body = {
        **EMPLOYER,
        "uscc": "91110000600037341A",
        "departments": [{"code": "a", "name": "甲"}, {"code": "a", "name": "乙"}],
        "hr_staff": [{"sub": "hr-li", "department_codes": ["gone"]}],
    }
    answer = await service.post("/employers", service.operator(), json=body)
    assert answer.status_code == 422
    assert {fault["value"] for fault in answer.json()["faults"]} == {
        "a",
        "gone",
        "91110000600037341A",
    }


@pytest.mark.parametrize("change", [{"payday": 5.0}, {"payday": "5"}, {"extra": 1}, {"payday": 32}])
async def test_types_are_strict_and_unknown_fields_refused(
    service: PayrollService, change: dict[str, object]
) -> None:
    answer = await service.post("/employers", service.operator(), json={**EMPLOYER, **change})
    assert answer.status_code == 422


async def test_lists_come_in_pages(service: PayrollService) -> None:
    employer_id, _ = await with_people(service, *(roster_row(number) for number in range(1, 6)))
    numbers: list[str] = []
    query: dict[str, str | int] = {"employer_id": employer_id, "limit": 2}
    while True:
        headers = service.hr(employer_id)
        page = (await service.http.get("/employees", params=query, headers=headers)).json()
        numbers += [person["employee_no"] for person in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert numbers == ["E0001", "E0002", "E0003", "E0004", "E0005"]
