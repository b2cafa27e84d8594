"""Pay by items: what is entered reaches the payslip, each figure explains itself, and the employee
has the word.
"""

from typing import Any

import pytest

from shared.contracts import PayslipIssued, SalaryComputed
from tests.integration.payroll_svc.conftest import PayrollService
from tests.integration.payroll_svc.paying import (
    PERIOD,
    assessed,
    pay_through,
    run_of,
    step,
    with_people,
)
from tests.support.rosters import ROSTER_HEADER, csv_file, roster_row

NIGHT = {
    "code": "night_allowance",
    "name": "夜班津贴",
    "way": "pieces",
    "law": "《关于工资总额组成的规定》第四条",
}


async def enter(service: PayrollService, employer_id: str, *entries: dict[str, Any]) -> Any:
    body = {"employer_id": employer_id, "levy_period": PERIOD, "entries": list(entries)}
    return await service.post("/entries", service.hr(employer_id), json=body)


async def stand(service: PayrollService, employer_id: str, employee_id: str, **item: Any) -> Any:
    path = f"/employees/{employee_id}/standing-items"
    return await service.post(path, service.hr(employer_id), json={"items": [item]})


async def test_what_is_entered_is_paid_and_explained(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1, 约定月工资="8700"))
    employee_id, hr = ids["E0001"], service.hr(employer_id)
    made = await service.post("/pay-items", hr, json={"employer_id": employer_id, **NIGHT})
    assert made.status_code == 201, made.text
    run = await run_of(service, employer_id)
    # From Wednesday 16 October on: 11 paid days before it and 12 from it.
    rise = {"code": "base_salary", "since": "2024-10-16", "amount_fen": 1_102_000}
    assert (await stand(service, employer_id, employee_id, **rise)).status_code == 200
    entered = await enter(
        service,
        employer_id,
        {"employee_id": employee_id, "code": "overtime_200", "quantity_thousandths": 2_000},
        {
            "employee_id": employee_id,
            "code": "night_allowance",
            "quantity_thousandths": 3_000,
            "unit_price_fen_hundredths": 500_000,
        },
        {"employee_id": employee_id, "code": "travel_allowance", "amount_fen": 20_000},
        {"employee_id": employee_id, "code": "after_tax_deduction", "amount_fen": 5_000},
    )
    assert entered.json() == {"taken_in": 4, "notes": []}
    assert (await step(service, run, "recompute")).status_code == 200
    # 8,700 x 11 / 23 + 11,020 x 12 / 23, two hours at 11,020 / 21.75 / 8 twice, three nights at 50.
    base_fen = (870_000 * 11 + 1_102_000 * 12 + 11) // 23
    gross_fen = base_fen + 25_333 + 15_000 + 20_000
    told = (await service.told(SalaryComputed))[-1]
    assert (told.gross_fen, told.wage_fen) == (gross_fen, gross_fen - 20_000)
    assert {item.code: item.amount_fen for item in told.items} == {
        "base_salary": base_fen,
        "overtime_200": 25_333,
        "night_allowance": 15_000,
        "travel_allowance": 20_000,
    }
    await service.hear(assessed(employer_id, employee_id, warnings=["医疗费率有争议。"]))
    await pay_through(service, run)
    path = f"/payslips/{run['run_id']}/{employee_id}"
    me = service.employee(employer_id, employee_id)
    slip = (await service.http.get(path, headers=me)).json()
    taxable_fen = gross_fen - 20_000 - 99_750 - 500_000
    assert slip["tax"]["taxable_fen"] == taxable_fen
    assert slip["net_fen"] == gross_fen - 99_750 - slip["tax_fen"] - 5_000
    assert slip["employer_cost_fen"] == gross_fen + 244_150
    policy, year = slip["warnings"]
    assert policy == "医疗费率有争议。"
    assert year.startswith("2024-01、")
    assert "2024-09 在职，却没有" in year
    for figure, words in {
        "gross": "应发工资 = ",
        "item:base_salary": "8,700.00 × 11 天 ÷ 23 天 + 11,020.00 × 12 天 ÷ 23 天",
        "item:night_allowance": "3 件 × 50 = 150.00",
        "contributions": "养老险 760.00 + 医疗险 190.00",
        "tax": "减除费用 5,000.00（5,000.00 × 1 个月）",
        "net": "税后扣款 -50.00",
        "employer_cost": "单位社保公积金 2,441.50",
    }.items():
        found = (await service.http.get(f"{path}/figures/{figure}", headers=me)).json()
        assert words in found["sentence"], found
        assert found["steps"]
    for figure, origin in {
        "item:base_salary": "（来源：花名册的约定月工资 8,700.00；自 2024-10-16 起每月 11,020.00，"
        "hr-li 于 2024-09-20 录入）。",
        "item:overtime_200": "（来源：hr-li 于 2024-09-20 录入）。",
    }.items():
        for reader, is_told in ((hr, True), (me, False)):
            found = (await service.http.get(f"{path}/figures/{figure}", headers=reader)).json()
            assert found["sentence"].endswith(origin) is is_told, found
    unknown = await service.http.get(f"{path}/figures/wealth", headers=me)
    assert (unknown.status_code, "item:base_salary" in unknown.text) == (404, True)


async def test_an_employee_confirms_or_disputes_and_hr_answers(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1), roster_row(2))
    mine, other = ids["E0001"], ids["E0002"]
    await service.hear(assessed(employer_id, mine), assessed(employer_id, other))
    run = await run_of(service, employer_id)
    await pay_through(service, run)
    path = f"/payslips/{run['run_id']}/{mine}"
    me, hr = service.employee(employer_id, mine), service.hr(employer_id)

    async def say(headers: dict[str, str], what: str, **body: str) -> int:
        return (await service.post(f"{path}/{what}", headers, json=body or None)).status_code

    assert await say(service.employee(employer_id, other), "confirm") == 404
    assert await say(hr, "confirm") == 403
    assert await say(hr, "answer", words="还没有人问") == 409
    assert await say(me, "confirm") == 200
    assert await say(me, "dispute", words="加班费少了两小时。") == 200
    assert await say(me, "confirm") == 409
    of = {"employer_id": employer_id}
    waiting = (await service.http.get("/payslip-disputes", params=of, headers=hr)).json()
    assert [(one["employee_id"], one["words"]) for one in waiting] == [(mine, "加班费少了两小时。")]
    assert await say(hr, "answer", words="见更正", correction_run_id=run["run_id"]) == 409
    assert await say(hr, "answer", words="考勤只有一小时。") == 200
    assert (await service.http.get("/payslip-disputes", params=of, headers=hr)).json() == []
    said = (await service.http.get(path, headers=me)).json()["replies"]
    assert [(one["kind"], one["said_by"]) for one in said] == [
        ("confirmed", "someone"),
        ("disputed", "someone"),
        ("answered", "hr-li"),
    ]
    assert len(await service.told(PayslipIssued)) == 2


async def test_what_is_declared_reduces_the_tax_from_the_next_payment_on(
    service: PayrollService,
) -> None:
    employer_id, ids = await with_people(service, roster_row(1, 约定月工资="30000"))
    employee_id, hr = ids["E0001"], service.hr(employer_id)
    path = f"/employees/{employee_id}/tax-declaration"

    async def declare(**body: Any) -> Any:
        key = {"Idempotency-Key": f"declare-{len(str(body))}"}
        return await service.http.put(path, headers={**hr, **key}, json=body)

    child = {"kind": "child_education", "since": "2025-01", "amount_fen": 200_000}
    refused = await declare(
        deductions=[child, {**child, "amount_fen": 150_000}],
        elections=[{"tax_year": 2025, "election": "first_wage_of_year"}],
    )
    assert refused.status_code == 422
    assert [fault["where"] for fault in refused.json()["faults"]] == [
        "deductions/1",
        "deductions/1",
        "elections/0",
    ]
    taxes = []
    for period in ("2025-02", "2025-03", "2025-04"):
        await service.hear(assessed(employer_id, employee_id, period=period))
        await pay_through(service, await run_of(service, employer_id, period))
        taxes.append((await service.told(PayslipIssued))[-1].tax_fen)
        # Declared after February's payment: March's catches up February.
        assert (await declare(deductions=[child])).status_code == 200
    # 24,002.50 a month taxable before it; then 48,005 - 4,000 and 72,007.50 - 6,000 at 10 %.
    assert taxes == [72_008, 188_050 - 72_008, 408_075 - 188_050]
    me = service.employee(employer_id, employee_id)
    assert (await service.http.get(path, headers=me)).json()["deductions"][0]["until"] is None


async def test_who_withdraws_what_they_declared_has_the_rosters_sum_for_the_year(
    service: PayrollService,
) -> None:
    person = roster_row(1, 约定月工资="30000", 专项附加扣除="1000")
    header = (*ROSTER_HEADER, "专项附加扣除")
    employer_id = await service.create_employer()
    await service.take_in(employer_id, "roster", "r.csv", csv_file([person], header))
    [found] = await service.rows("SELECT employee_id FROM employees")
    employee_id, hr = found.employee_id, service.hr(employer_id)
    child = {"kind": "child_education", "since": "2025-01", "amount_fen": 200_000}
    taxes = []
    for period, declared in (("2025-02", [child]), ("2025-03", []), ("2025-04", [])):
        await service.hear(assessed(employer_id, employee_id, period=period))
        run = await run_of(service, employer_id, period)
        await pay_through(service, run)
        taxes.append((await service.told(PayslipIssued))[-1].tax_fen)
        answer = await service.http.put(
            f"/employees/{employee_id}/tax-declaration",
            headers={**hr, "Idempotency-Key": f"after-{period}"},
            json={"deductions": declared},
        )
        assert answer.status_code == 200, answer.text
    # February's 1,000; then 2 x 2,000 as declared; then 3 x 1,000 and no longer the declared 4,000.
    assert taxes == [69_008, 188_050 - 69_008, 438_075 - 188_050]
    path = f"/payslips/{run['run_id']}/{employee_id}/figures/special_additional"
    assert (await service.http.get(path, headers=hr)).json()["sentence"] == (
        "专项附加扣除本次计入 -1,000.00：本年累计 3,000.00"
        "（花名册登记的每月合计 1,000.00 × 3 个月）− 此前已计入 4,000.00。"
    )


BAD_ENTRIES: dict[str, Any] = {
    "a fraction": {"code": "bonus", "amount_fen": 1.5},
    "an exponent": {"code": "bonus", "amount_fen": 1e3},
    "a truth": {"code": "bonus", "amount_fen": True},
    "a text": {"code": "bonus", "amount_fen": "100"},
    "less than nothing": {"code": "bonus", "amount_fen": -1},
    "more than anybody has": {"code": "bonus", "amount_fen": 1_000_000_001},
    "no such item": {"code": "gift", "amount_fen": 1},
    "an unknown field": {"code": "bonus", "amount_fen": 1, "approved": True},
    "letters that look like others": {"code": "bоnus", "amount_fen": 1},
    "the wage itself": {"code": "base_salary", "amount_fen": 1},
    "an amount of hours": {"code": "overtime_150", "amount_fen": 1},
    "more hours than a month has": {"code": "overtime_150", "quantity_thousandths": 744_001},
    "pieces without a price": {"code": "piece_pay", "quantity_thousandths": 1_000},
}


@pytest.mark.parametrize("entry", BAD_ENTRIES.values(), ids=list(BAD_ENTRIES))
async def test_a_bad_entry_keeps_all_of_its_request_out(
    service: PayrollService, entry: dict[str, Any]
) -> None:
    employer_id, ids = await with_people(service, roster_row(1), roster_row(2))
    good = {"employee_id": ids["E0001"], "code": "bonus", "amount_fen": 100}
    answer = await enter(service, employer_id, good, {"employee_id": ids["E0002"], **entry})
    assert answer.status_code == 422, answer.text
    assert "1" in answer.json()["faults"][0]["where"]
    assert await service.rows("SELECT 1 FROM entries") == []


async def test_another_employers_people_and_items_are_not_there(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, roster_row(1))
    other_id = await service.create_employer(uscc="91990100MA7A0XYT5Q", group_id="group-2")
    theirs = {"employee_id": ids["E0001"], "code": "bonus", "amount_fen": 1}
    body = {"employer_id": other_id, "levy_period": PERIOD, "entries": [theirs]}
    refused = await service.post("/entries", service.hr(other_id), json=body)
    assert (refused.status_code, refused.json()["faults"][0]["reason"]) == (
        422,
        "not on the roster",
    )
    assert (await enter(service, employer_id, theirs, theirs)).status_code == 422
    path = f"/employees/{ids['E0001']}/standing-items"
    item: dict[str, Any] = {"code": "allowance", "since": "2024-10-01", "amount_fen": 1}
    other = await service.post(path, service.hr(other_id), json={"items": [item]})
    assert other.status_code == 404
    hr = service.hr(employer_id)
    changes: list[dict[str, Any]] = [{"since": "2024-02-30"}, {"since": 20241001}]
    changes += [{"until": "2024-09-30"}, {"code": "overtime_150"}]
    for change in changes:
        bad = {"items": [{**item, **change}]}
        assert (await service.post(path, hr, json=bad)).status_code == 422
    changes = [{"name": "夜班\u202e津贴"}, {"name": ""}, {"way": "magic"}, {"rate_ppm": 0}]
    for change in changes:
        body = {"employer_id": employer_id, **NIGHT, **change}
        assert (await service.post("/pay-items", hr, json=body)).status_code == 422
    taken = {"employer_id": employer_id, **NIGHT, "code": "bonus"}
    assert (await service.post("/pay-items", hr, json=taken)).status_code == 409
