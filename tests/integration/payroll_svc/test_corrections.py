"""What comes late: differences in the next run, correction runs, contributions withheld later."""

from typing import Any

from shared.contracts import AssessedLine, PayslipIssued, SalaryComputed
from shared.values import Insurance
from tests.integration.payroll_svc.conftest import PayrollService
from tests.integration.payroll_svc.paying import (
    XIAOWANG,
    assessed,
    at,
    pay_through,
    run_of,
    step,
    with_people,
)
from tests.support.rosters import csv_file, roster_row

RAISED = {"code": "base_salary", "since": "2024-10-01", "amount_fen": 1_200_000}


async def raise_wage(
    service: PayrollService, employer_id: str, employee_id: str, **changes: Any
) -> None:
    path = f"/employees/{employee_id}/standing-items"
    body = {"items": [{**RAISED, **changes}]}
    answer = await service.post(path, service.hr(employer_id), json=body)
    assert answer.status_code == 200, answer.text


async def correct(service: PayrollService, run: Any, payday: str = "2024-09-30") -> Any:
    return await step(service, run, "correct", payday=payday, reason="十月工资更正")


async def people(service: PayrollService, run: Any) -> dict[str, Any]:
    path = f"/payroll-runs/{run['run_id']}/people"
    answer = await service.http.get(path, headers=service.hr(run["employer_id"]))
    return {one["employee_id"]: one for one in answer.json()["items"]}


async def paid_october(service: PayrollService, *rows: dict[str, object]) -> tuple[str, Any, Any]:
    """(employer id, employee ids by number, run) of an October that is paid."""
    employer_id, ids = await with_people(service, *(rows or (roster_row(1),)))
    await service.hear(*(assessed(employer_id, one) for one in ids.values()))
    run = await run_of(service, employer_id)
    await pay_through(service, run)
    return employer_id, ids, run


async def test_a_raise_dated_back_is_made_good_in_the_next_run(service: PayrollService) -> None:
    employer_id, ids, _ = await paid_october(service)
    employee_id = ids["E0001"]
    await raise_wage(service, employer_id, employee_id)
    await service.hear(assessed(employer_id, employee_id, period="2024-11"))
    november = await run_of(service, employer_id, "2024-11")
    told = (await service.told(SalaryComputed))[-1]
    assert [(i.code, i.amount_fen, i.belongs_to) for i in told.items] == [
        ("base_salary", 1_200_000, ""),
        ("base_salary", 200_000, "2024-10"),
    ]
    await pay_through(service, november)
    await service.hear(assessed(employer_id, employee_id, period="2024-12"))
    december = await run_of(service, employer_id, "2024-12")
    assert december["gross_fen"] == 1_200_000


async def test_a_correction_run_pays_what_a_right_run_would_have_paid(
    service: PayrollService,
) -> None:
    rows = (roster_row(1), roster_row(2), roster_row(3, 约定月工资=""))
    employer_id, ids, october = await paid_october(service, *rows)
    first, unchanged, forgotten = (ids[f"E000{n}"] for n in (1, 2, 3))
    before = {slip.employee_id: slip for slip in await service.told(PayslipIssued)}
    assert before.keys() == {first, unchanged}
    await raise_wage(service, employer_id, first)
    await raise_wage(service, employer_id, forgotten, amount_fen=900_000)
    early = await correct(service, october, "2024-09-01")
    assert early.status_code == 409
    correction = (await correct(service, october)).json()
    assert (correction["kind"], correction["corrects"]) == ("correction", october["run_id"])
    assert (correction["people"], correction["gross_fen"]) == (2, 200_000 + 900_000)
    assert correction["left_out"] == [{"employee_id": unchanged, "reason": "no_difference"}]
    assert (await correct(service, october)).status_code == 409
    await pay_through(service, correction)
    slips = {
        slip.employee_id: slip for slip in await service.told(PayslipIssued) if slip.version == 2
    }
    # The month as it stands: 12,000.00 - 997.50 - 5,000.00 at 3 %.
    assert slips.keys() == {first}
    assert (slips[first].gross_fen, slips[first].tax_fen) == (1_200_000, 18_008)
    assert slips[first].net_fen == 1_200_000 - 99_750 - 18_008
    assert slips[first].withheld == before[first].withheld
    new = [s for s in await service.told(PayslipIssued) if s.employee_id == forgotten]
    assert [(slip.version, slip.gross_fen, len(slip.withheld)) for slip in new] == [(1, 900_000, 5)]
    salaries = {s.employee_id: s for s in await service.told(SalaryComputed)}
    assert (salaries[first].version, salaries[first].gross_fen) == (2, 1_200_000)
    again = (await correct(service, october)).json()
    assert again["people"] == 0
    # Nor does the next run make good again what the correction has.
    await step(service, again, "check")
    november = await run_of(service, employer_id, "2024-11")
    assert november["gross_fen"] == 1_200_000 + 1_000_000 + 900_000


async def test_what_another_run_made_good_is_not_made_good_twice(service: PayrollService) -> None:
    employer_id, ids, october = await paid_october(service)
    employee_id = ids["E0001"]
    await raise_wage(service, employer_id, employee_id)
    await service.hear(assessed(employer_id, employee_id, period="2024-11"))
    november = await run_of(service, employer_id, "2024-11")
    assert november["gross_fen"] == 1_400_000
    await pay_through(service, (await correct(service, october)).json())
    stale = await step(service, november, "check")
    assert (stale.status_code, stale.json()["faults"][0]["reason"]) == (409, "differences_changed")
    anew = (await step(service, november, "recompute")).json()
    assert anew["gross_fen"] == 1_200_000
    await pay_through(service, november)


async def test_no_correction_is_paid_before_what_was_paid_already(service: PayrollService) -> None:
    """Income tax is cumulative: dated back to October's payday, November would not count."""
    employer_id, ids, october = await paid_october(service)
    await service.hear(assessed(employer_id, ids["E0001"], period="2024-11"))
    await pay_through(service, await run_of(service, employer_id, "2024-11"))
    await raise_wage(service, employer_id, ids["E0001"], until="2024-10-31")
    early = await correct(service, october, "2024-10-31")
    assert (early.status_code, "2024-11-05" in early.json()["detail"]) == (409, True)
    assert (await correct(service, october, "2024-11-05")).status_code == 201


async def test_a_raise_from_before_what_the_next_run_looks_back_on_is_said_to_stay_unpaid(
    service: PayrollService,
) -> None:
    """October 2023 and 2024 are paid: the run of November 2024 makes good from November 2023 on."""
    employer_id, ids = await with_people(service, roster_row(1))
    employee_id, hr = ids["E0001"], service.hr(employer_id)
    for period in ("2023-10", "2024-10"):
        await service.hear(assessed(employer_id, employee_id, period=period))
        await pay_through(service, await run_of(service, employer_id, period))

    async def notes(path: str, body: dict[str, Any]) -> list[str]:
        answer = await service.post(path, hr, json=body)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["notes"])

    path = f"/employees/{employee_id}/standing-items"
    assert await notes(path, {"items": [{**RAISED, "since": "2023-11-01"}]}) == []
    back = {"items": [{**RAISED, "since": "2023-10-16", "amount_fen": 1_100_000}]}
    [said] = await notes(path, back)
    assert said == (
        "2023-10（1 人）已发薪，早于下一次工资核算会补差的 2023-11 及以后月份："
        "其中的差额不会自动补发或扣回，请对这些月份逐月做更正发薪"
    )
    # What is known already changes nothing.
    assert await notes(path, back) == []
    bonus = {"employee_id": employee_id, "code": "bonus", "amount_fen": 1}
    month = {"employer_id": employer_id, "levy_period": "2023-10", "entries": [bonus]}
    assert await notes("/entries", month) == [said]
    assert await notes("/entries", {**month, "levy_period": "2024-10"}) == []
    roster = csv_file([roster_row(1, 约定月工资="12000")])
    staged = (await service.upload(employer_id, "roster", "r.csv", roster)).json()
    assert staged["notes"][-1].startswith("1 人的约定月工资有变：花名册的工资没有起始日")


async def test_a_correction_is_paid_in_this_tax_year_and_soon(service: PayrollService) -> None:
    _, _, october = await paid_october(service)

    async def refused(payday: str) -> str:
        answer = await correct(service, october, payday)
        assert answer.status_code == 409, answer.text
        return str(answer.json()["detail"])

    assert "give 2024-10-31 or an earlier day" in await refused("2024-11-01")
    service.clock.set(at("2025-01-10"))
    assert "give 2025-01-01 or a later day" in await refused("2024-12-31")
    assert "give 2025-02-28 or an earlier day" in await refused("2035-01-10")
    assert (await correct(service, october, "2025-02-28")).status_code == 201


async def test_one_run_is_checked_at_a_time(service: PayrollService) -> None:
    employer_id, ids, october = await paid_october(service)
    await raise_wage(service, employer_id, ids["E0001"])
    correction = (await correct(service, october)).json()
    assert (await step(service, correction, "check")).status_code == 200
    await service.hear(assessed(employer_id, ids["E0001"], period="2024-11"))
    november = await run_of(service, employer_id, "2024-11")
    refused = await step(service, november, "check")
    assert (refused.status_code, "2024-10" in refused.json()["detail"]) == (409, True)


async def test_a_correction_withholds_what_was_assessed_since(service: PayrollService) -> None:
    """The papers came after the payday: the whole of October's contributions are withheld."""
    employer_id, ids = await with_people(service, roster_row(1))
    employee_id = ids["E0001"]
    await service.hear(assessed(employer_id, employee_id, blocked="work_permit"))
    october = await run_of(service, employer_id)
    await pay_through(service, october)
    await service.hear(assessed(employer_id, employee_id, version=2))
    correction = (await correct(service, october)).json()
    assert (correction["people"], correction["gross_fen"]) == (1, 0)
    await pay_through(service, correction)
    slip = (await service.told(PayslipIssued))[-1]
    assert (slip.version, slip.gross_fen) == (2, 1_000_000)
    taken = {line.insurance: line.employee_fen for line in slip.withheld if line.employee_fen}
    assert taken == {insurance: own for insurance, _, own in XIAOWANG if own}
    own = (await people(service, correction))[employee_id]
    assert (own["contributions_fen"], own["net_fen"]) == (99_750, -99_750)


def late_line(insurance: Insurance, own_fen: int) -> AssessedLine:
    """A difference of an old fee month, to be withheld in November."""
    return AssessedLine(
        insurance=insurance,
        state="due",
        authority="any",
        kind="difference",
        base_fen=4_300,
        employer_fen=2 * own_fen,
        employee_fen=own_fen,
        withhold_in="2024-11",
    )


async def test_a_difference_line_is_withheld_in_the_month_that_it_names(
    service: PayrollService,
) -> None:
    """Worked example 12: 3.44 of pension of an old fee month, withheld in November."""
    employer_id, ids, october = await paid_october(service)
    employee_id = ids["E0001"]
    late = late_line(Insurance.PENSION, 344)
    await service.hear(
        assessed(employer_id, employee_id, version=2, more=[late]),
        assessed(employer_id, employee_id, period="2024-11"),
    )
    november = await run_of(service, employer_id, "2024-11")
    await pay_through(service, november)
    told = await service.told(PayslipIssued)
    newest = {slip.levy_period: slip for slip in told}
    pension = {
        month: line.employee_fen
        for month, slip in newest.items()
        for line in slip.withheld
        if line.insurance == Insurance.PENSION
    }
    assert pension == {"2024-10": 76_000 + 344, "2024-11": 76_000}
    assert [slip.version for slip in told if slip.levy_period == "2024-10"] == [1, 2]
    hr = service.hr(employer_id)
    path = f"/payslips/{november['run_id']}/{employee_id}"
    slip = (await service.http.get(path, headers=hr)).json()
    assert slip["contributions_fen"] == 99_750 + 344
    assert [line["levy_period"] for line in slip["withheld"]][-1] == "2024-10"
    # One more came after the payday of the month that it names: the next run takes it, and no run
    # what is taken.
    more = [late, late_line(Insurance.MEDICAL, 86)]
    await service.hear(
        assessed(employer_id, employee_id, version=3, more=more),
        assessed(employer_id, employee_id, period="2024-12"),
    )
    december = await run_of(service, employer_id, "2024-12")
    await pay_through(service, december)
    again = (await correct(service, october, december["payday"])).json()
    assert again["people"] == 0
    own = (await people(service, december))[employee_id]
    assert own["contributions_fen"] == 99_750 + 86
    of = {"employer_id": employer_id, "levy_period": "2024-10"}
    sums = (await service.http.get("/sums", params=of, headers=hr)).json()["withheld"]
    assert sums["pension"] == {"employer_fen": 152_688, "employee_fen": 76_344}


async def test_who_left_before_they_were_paid_owes_it_back(service: PayrollService) -> None:
    employer_id, ids, _ = await paid_october(service)
    left = roster_row(1, 离职日期="2024-09-30")
    await service.take_in(employer_id, "roster", "left.csv", csv_file([left]))
    november = await run_of(service, employer_id, "2024-11")
    assert november["left_out"] == [{"employee_id": ids["E0001"], "reason": "owes_back"}]
