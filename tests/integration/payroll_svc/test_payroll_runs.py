"""A payroll run from the roster to the payslip, with assessments that come in any order."""

import asyncio
from itertools import permutations

import msgspec
import pytest

from shared.contracts import ContributionAssessed, PayslipIssued, SalaryComputed
from tests.integration.payroll_svc.conftest import PayrollService
from tests.integration.payroll_svc.paying import (
    PERIOD,
    XIAOWANG,
    assessed,
    at,
    pay_through,
    run_of,
    step,
    with_people,
)
from tests.support.rosters import csv_file, roster_row


async def test_a_month_from_roster_to_payslip(service: PayrollService) -> None:
    employer_id, ids = await with_people(
        service,
        roster_row(1),
        roster_row(2, 人员类别="外籍", 缺少材料="工作许可证"),
        roster_row(3, 入职日期="2024-09-23"),
        roster_row(4, 离职日期="2024-09-20"),
        roster_row(5, 入职日期="2024-11-04"),
        roster_row(6, 约定月工资=""),
    )
    first, foreigner, hire = ids["E0001"], ids["E0002"], ids["E0003"]
    # Two assessments come before the run, one of them for want of the wage that the run will tell.
    await service.hear(
        assessed(employer_id, first), assessed(employer_id, hire, blocked="first_wage_unknown")
    )
    service.clock.set(at("2024-09-27"))
    run = await run_of(service, employer_id)
    assert (run["payday"], run["state"], run["people"]) == ("2024-09-30", "computed", 3)
    left_out = {(one["employee_id"], one["reason"]) for one in run["left_out"]}
    assert left_out == {
        (ids["E0004"], "left_before_period"),
        (ids["E0005"], "joins_after_period"),
        (ids["E0006"], "agreed_wage_unknown"),
    }
    waiting = {(one["employee_id"], one["reason"]) for one in run["waiting_for"]}
    assert waiting == {(foreigner, "not_assessed"), (hire, "first_wage_unknown")}
    salaries = await service.told(SalaryComputed)
    assert {(s.employee_id, s.purpose, s.gross_fen, s.payday) for s in salaries} == {
        (employee_id, "run", 1_000_000, "2024-09-30") for employee_id in (first, foreigner, hire)
    }
    early = await step(service, run, "check")
    assert early.status_code == 409
    assert {fault["reason"] for fault in early.json()["faults"]} == {
        "not_assessed",
        "first_wage_unknown",
    }
    assert (await step(service, run, "pay")).status_code == 409

    await service.hear(
        assessed(employer_id, foreigner, blocked="work_permit"),
        assessed(employer_id, hire, version=2),
    )
    path = f"/payroll-runs/{run['run_id']}"
    headers = service.hr(employer_id)
    assert (await service.http.get(path, headers=headers)).json()["state"] == "assessed"
    checked = (await step(service, run, "check")).json()
    assert (checked["state"], checked["checked_by"]) == ("checked", "hr-li")
    # 10,000.00 - 997.50 - 5,000.00 = 4,002.50 at 3 %: 120.075, a half fen up.
    assert checked["contributions_fen"] == 2 * 99_750
    assert checked["tax_fen"] == 2 * 12_008 + 15_000
    assert (await step(service, run, "approve")).json()["state"] == "approved"
    service.clock.set(at("2024-09-30"))
    paid = (await step(service, run, "pay")).json()
    assert (paid["state"], paid["net_fen"]) == ("paid", 2 * 888_242 + 985_000)
    slips = {slip.employee_id: slip for slip in await service.told(PayslipIssued)}
    assert set(slips) == {first, foreigner, hire}
    taken = {line.insurance: line.employee_fen for line in slips[first].withheld}
    assert taken == {insurance: employee_fen for insurance, _, employee_fen in XIAOWANG}
    assert slips[foreigner].withheld == ()
    query = {"employer_id": employer_id, "levy_period": PERIOD}
    sums = (await service.http.get("/sums", params=query, headers=service.operator())).json()
    assert sums["withheld"]["medical"] == {"employer_fen": 152_000, "employee_fen": 38_000}

    edited = await step(service, run, "check")
    assert edited.status_code == 409
    assert edited.json()["type"].endswith("payroll-run-paid")
    assert (await step(service, run, "pay")).status_code == 409


async def test_a_run_is_read_in_numbers_and_its_people_in_pages(service: PayrollService) -> None:
    rows = [
        roster_row(1),
        roster_row(2, 部门="销售部"),
        roster_row(3, 部门="销售部", 约定月工资="6000"),
        roster_row(4, 离职日期="2024-09-20"),
        roster_row(5, 约定月工资=""),
    ]
    employer_id, ids = await with_people(service, *rows)
    await service.hear(*(assessed(employer_id, employee_id) for employee_id in ids.values()))
    run = await run_of(service, employer_id)
    assert (run["people"], run["left_out_count"], run["departments"]) == (3, 2, [])
    checked = (await step(service, run, "check")).json()
    assert {one["name"]: (one["people"], one["gross_fen"]) for one in checked["departments"]} == {
        "运营部": (1, 1_000_000),
        "销售部": (2, 1_600_000),
    }
    # 10,000.00 twice; and 6,000.00 - 997.50 - 5,000.00 at 3 %: 0.075, a half fen up.
    assert (checked["tax_fen"], checked["net_fen"]) == (24_024, 2 * 888_242 + 500_242)
    path, headers = f"/payroll-runs/{run['run_id']}/people", service.hr(employer_id)
    people: list[tuple[str, int | None]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=2&cursor={cursor}" if cursor else "?limit=2"
        page = (await service.http.get(path + query, headers=headers)).json()
        people += [(one["employee_id"], one["net_fen"]) for one in page["items"]]
        cursor = page["next_cursor"]
    nets = dict.fromkeys(ids.values(), None) | {
        ids["E0001"]: 888_242,
        ids["E0002"]: 888_242,
        ids["E0003"]: 500_242,
    }
    assert people == sorted(nets.items())


async def test_assessments_keep_the_newest_in_any_order_and_repetition(
    service: PayrollService,
) -> None:
    versions = [assessed("employer", "employee", version=version) for version in (1, 2, 3)]
    versions[2] = replace_base(versions[2], 960_000)
    for order in permutations(versions):
        for event in (*order, order[0]):
            await service.hear(event)
        await service.rows("SELECT 1")
        [row] = await service.rows("SELECT version, lines FROM assessments")
        assert row.version == 3
        assert row.lines[0]["base_fen"] == 960_000
    outcome = await service.hear(*versions, *versions)
    assert outcome is not None
    assert len(await service.rows("SELECT 1 FROM assessments")) == 1


def replace_base(event: ContributionAssessed, base_fen: int) -> ContributionAssessed:
    lines = tuple(msgspec.structs.replace(line, base_fen=base_fen) for line in event.lines)
    return msgspec.structs.replace(event, lines=lines)


async def test_a_newer_assessment_asks_for_a_new_approval(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1))
    run = await run_of(service, employer_id)
    await service.hear(assessed(employer_id, ids["E0001"]))
    assert (await step(service, run, "check")).status_code == 200
    assert (await step(service, run, "approve")).status_code == 200
    await service.hear(assessed(employer_id, ids["E0001"], version=2, blocked="work_permit"))
    refused = await step(service, run, "pay")
    assert refused.status_code == 409
    assert refused.json()["faults"][0]["reason"] == "assessment_changed"
    await pay_through(service, run)
    [slip] = await service.told(PayslipIssued)
    assert slip.withheld == ()


async def test_a_run_is_computed_anew_from_the_roster_as_it_is(service: PayrollService) -> None:
    rows = [roster_row(1), roster_row(2, 约定月工资=""), roster_row(3), roster_row(4)]
    employer_id, ids = await with_people(service, *rows)
    run = await run_of(service, employer_id)
    await service.hear(*(assessed(employer_id, employee_id) for employee_id in ids.values()))
    assert (await step(service, run, "check")).status_code == 200
    assert (await step(service, run, "approve")).status_code == 200
    rows[0]["约定月工资"] = "12000"
    rows[1]["约定月工资"] = "8000"
    rows[2]["离职日期"] = "2024-09-30"
    await service.take_in(employer_id, "roster", "corrected.csv", csv_file(rows))
    anew = (await step(service, run, "recompute")).json()
    assert (anew["state"], anew["people"], anew["gross_fen"]) == ("assessed", 3, 3_000_000)
    assert anew["left_out"] == [{"employee_id": ids["E0003"], "reason": "left_before_period"}]
    told = {(s.employee_id, s.version, s.gross_fen) for s in await service.told(SalaryComputed)}
    assert told == {
        (ids["E0001"], 1, 1_000_000),
        (ids["E0001"], 2, 1_200_000),
        (ids["E0002"], 1, 800_000),
        (ids["E0003"], 1, 1_000_000),
        (ids["E0003"], 2, 0),
        (ids["E0004"], 1, 1_000_000),
    }
    assert (await step(service, run, "pay")).status_code == 409
    await pay_through(service, run)
    paid = {slip.employee_id: slip.gross_fen for slip in await service.told(PayslipIssued)}
    assert paid == {ids["E0001"]: 1_200_000, ids["E0002"]: 800_000, ids["E0004"]: 1_000_000}
    assert (await step(service, run, "recompute")).status_code == 409


async def test_one_key_sent_at_once_by_many_has_one_effect(service: PayrollService) -> None:
    employer_id, _ = await with_people(service, roster_row(1))
    body = {"employer_id": employer_id, "levy_period": PERIOD}
    headers = service.hr(employer_id)
    answers = await asyncio.gather(
        *(service.post("/payroll-runs", headers, "one-key", json=body) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(await service.told(SalaryComputed)) == 1


async def test_an_unknown_first_wage_may_be_accepted(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1))
    run = await run_of(service, employer_id)
    await service.hear(assessed(employer_id, ids["E0001"], blocked="first_wage_unknown"))
    assert (await step(service, run, "check")).status_code == 409
    accepted = await step(service, run, "check", accept_first_wage_unknown=True)
    assert accepted.status_code == 200


async def test_tax_cumulates_over_the_year_and_begins_anew(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1, 约定月工资="30000", 部门="sales"))
    employee_id = ids["E0001"]
    for period in ("2024-11", "2024-12", "2025-01"):
        await service.hear(assessed(employer_id, employee_id, period=period))
        await pay_through(service, await run_of(service, employer_id, period))
    slips = [(s.levy_period, s.payday, s.tax_fen) for s in await service.told(PayslipIssued)]
    # 30,000.00 - 997.50 - 5,000.00 = 24,002.50 a month; the second month reaches the 10 % bracket.
    # January's payday, the 5th, is a Sunday: it is paid on the 3rd and begins a new tax year.
    assert slips == [
        ("2024-11", "2024-11-05", 72_008),
        ("2024-12", "2024-12-05", 156_042),
        ("2025-01", "2025-01-03", 72_008),
    ]


async def test_an_earlier_run_is_paid_first(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1))
    for period in ("2024-10", "2024-11"):
        await service.hear(assessed(employer_id, ids["E0001"], period=period))
    october = await run_of(service, employer_id, "2024-10")
    november = await run_of(service, employer_id, "2024-11")
    refused = await step(service, november, "check")
    assert refused.status_code == 409
    assert "2024-10" in refused.json()["detail"]
    await pay_through(service, october)
    await pay_through(service, november)


async def test_a_net_below_zero_is_named(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1, 约定月工资="500"))
    await service.hear(assessed(employer_id, ids["E0001"]))
    refused = await step(service, await run_of(service, employer_id), "check")
    assert refused.json()["faults"][0]["reason"] == "net_negative"


async def test_a_period_has_one_run_and_a_key_one_answer(service: PayrollService) -> None:
    employer_id, _ = await with_people(service, roster_row(1))
    body = {"employer_id": employer_id, "levy_period": PERIOD}
    headers = service.hr(employer_id)
    first = await service.post("/payroll-runs", headers, "the-key", json=body)
    again = await service.post("/payroll-runs", headers, "the-key", json=body)
    assert (again.status_code, again.json()) == (201, first.json())
    other = await service.post(
        "/payroll-runs", headers, "the-key", json={**body, "levy_period": "2024-11"}
    )
    assert other.status_code == 422
    second = await service.post("/payroll-runs", headers, json=body)
    assert second.status_code == 409
    assert len(await service.told(SalaryComputed)) == 1


@pytest.mark.parametrize("period", ["2024-13", "2024-1", "1999-10", "202410"])
async def test_a_period_is_spelt_one_way(service: PayrollService, period: str) -> None:
    employer_id = await service.create_employer()
    body = {"employer_id": employer_id, "levy_period": period}
    answer = await service.post("/payroll-runs", service.hr(employer_id), json=body)
    assert answer.status_code == 422


async def test_a_year_without_announced_holidays_has_no_payday_yet(
    service: PayrollService,
) -> None:
    employer_id = await service.create_employer()
    body = {"employer_id": employer_id, "levy_period": "2031-10"}
    answer = await service.post("/payroll-runs", service.hr(employer_id), json=body)
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("payday-unknown")


async def test_who_checks_a_run_does_not_approve_it(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1), roster_row(2, 部门="sales"))
    run = await run_of(service, employer_id)
    await service.hear(*(assessed(employer_id, employee_id) for employee_id in ids.values()))
    assert (await step(service, run, "approve")).status_code == 409
    checked = (await step(service, run, "check")).json()
    costs = {one["code"]: one["employer_cost_fen"] for one in checked["departments"]}
    assert costs == {"operations": 1_244_150, "sales": 1_244_150}
    assert checked["employer_cost_fen"] == 2 * 1_244_150
    alone = await step(service, run, "approve", sub="hr-li")
    assert (alone.status_code, alone.json()["type"][-16:]) == (409, "approver-checked")
    approved = (await step(service, run, "approve")).json()
    assert (approved["checked_by"], approved["approved_by"]) == ("hr-li", "hr-wang")
    # Checked again by the same person it stays as it is; another's check would change nothing.
    assert (await step(service, run, "check")).json()["approved_by"] == "hr-wang"
    taken = await step(service, run, "check", sub="hr-wang")
    assert (taken.status_code, "hr-li" in taken.json()["detail"]) == (409, True)
    # Checked again with a newer assessment, it wants another approval.
    await service.hear(assessed(employer_id, ids["E0001"], version=2))
    assert (await step(service, run, "check", sub="hr-wang")).json()["approved_by"] is None
    assert (await step(service, run, "approve", sub="hr-wang")).status_code == 409


async def test_of_two_checks_at_once_one_stands(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1))
    run = await run_of(service, employer_id)
    await service.hear(assessed(employer_id, ids["E0001"]))
    answers = await asyncio.gather(
        *(step(service, run, "check", sub=who) for who in ("hr-li", "hr-wang"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [checked] = [answer.json() for answer in answers if answer.status_code == 200]
    [other] = {"hr-li", "hr-wang"} - {checked["checked_by"]}
    assert (await step(service, run, "approve", sub=other)).status_code == 200


async def test_what_came_after_a_run_was_computed_is_never_left_out_in_silence(
    service: PayrollService,
) -> None:
    employer_id, ids = await with_people(service, roster_row(1))
    run = await run_of(service, employer_id)

    async def hire(number: int) -> str:
        rows = [roster_row(one) for one in range(1, number + 1)]
        await service.take_in(employer_id, "roster", f"{number}.csv", csv_file(rows))
        found = await service.rows("SELECT employee_no, employee_id FROM employees")
        ids.update({row.employee_no: row.employee_id for row in found})
        await service.hear(assessed(employer_id, ids[f"E{number:04d}"]))
        return ids[f"E{number:04d}"]

    async def enter(amount_fen: int) -> None:
        entry = {"employee_id": ids["E0001"], "code": "bonus", "amount_fen": amount_fen}
        body = {"employer_id": employer_id, "levy_period": PERIOD, "entries": [entry]}
        answer = await service.post("/entries", service.hr(employer_id), json=body)
        assert answer.status_code == 200

    async def refused(verb: str) -> list[tuple[str, str]]:
        answer = await step(service, run, verb)
        assert answer.status_code == 409, answer.text
        return [(one["where"], one["reason"]) for one in answer.json()["faults"]]

    await service.hear(assessed(employer_id, ids["E0001"]))
    second = await hire(2)
    assert await refused("check") == [(f"employees/{second}", "not_in_run")]
    await step(service, run, "recompute")
    assert (await step(service, run, "check")).status_code == 200
    await enter(130_000)
    assert await refused("approve") == [(f"employees/{ids['E0001']}", "changed_since_computed")]
    await step(service, run, "recompute")
    for verb in ("check", "approve"):
        assert (await step(service, run, verb)).status_code == 200
    third = await hire(3)
    assert await refused("pay") == [(f"employees/{third}", "not_in_run")]
    await step(service, run, "recompute")
    for verb in ("check", "approve"):
        assert (await step(service, run, verb)).status_code == 200
    # What is entered for those who are in it makes a difference in the next run.
    await enter(0)
    assert (await step(service, run, "pay")).json()["gross_fen"] == 3_000_000 + 130_000
    november = await run_of(service, employer_id, "2024-11")
    assert november["gross_fen"] == 3_000_000 - 130_000
