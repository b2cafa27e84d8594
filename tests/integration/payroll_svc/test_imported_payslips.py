"""A company that keeps its own payroll: its payslips are the withheld side, as it said them."""

from decimal import Decimal
from typing import Any

import msgspec

from shared.contracts import AssessedLine, PayslipIssued, PeriodClosed
from shared.values import Insurance
from tests.integration.payroll_svc.conftest import PayrollService
from tests.integration.payroll_svc.paying import assessed, at, pay_through, run_of, with_people
from tests.integration.payroll_svc.test_wage_data import undo
from tests.support.broken_pay_files import (
    BROKEN_SLIP_ROWS,
    PAYSLIP_HEADER,
    after,
    places,
    slip_row,
)
from tests.support.rosters import csv_file, roster_row, xlsx_file


async def upload(service: PayrollService, employer_id: str, *rows: Any, **form: str) -> Any:
    data = xlsx_file(rows, PAYSLIP_HEADER)
    answer = await service.upload(employer_id, "payslips", "工资条.xlsx", data, **form)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_payslips_are_told_as_said_corrected_and_withdrawn_with_a_reason(
    service: PayrollService,
) -> None:
    employer_id, ids = await with_people(service, roster_row(1), roster_row(2))
    staged = await upload(service, employer_id, slip_row())
    assert staged["changes"] == {"added": 1, "changed": 0, "unchanged": 0, "missing": 1}
    assert (await service.apply(employer_id, staged)).status_code == 200
    [told] = await service.told(PayslipIssued)
    assert (told.employee_id, told.levy_period, told.version) == (ids["E0001"], "2024-10", 1)
    assert (told.origin, told.run_id, told.reason) == ("imported", "", "")
    # Payday the 5th of October is rolled back over the holiday.
    assert (told.payday, told.gross_fen, told.tax_fen, told.net_fen) == (
        "2024-09-30",
        1_000_000,
        7_155,
        831_345,
    )
    assert {line.insurance.value: line.employee_fen for line in told.withheld} == {
        "pension": 76_000,
        "medical": 19_000,
        "work_injury": 0,
        "housing_fund": 66_500,
    }
    headers = service.hr(employer_id)
    sums = f"/sums?employer_id={employer_id}&levy_period=2024-10"
    assert (await service.http.get(sums, headers=headers)).json()["withheld"]["pension"] == {
        "employer_fen": 152_000,
        "employee_fen": 76_000,
    }
    body = {"employer_id": employer_id, "levy_period": "2024-10"}
    run = await service.post("/payroll-runs", headers, json=body)
    assert run.json()["type"].endswith("payslips-imported")
    other = slip_row(个税="70.00", 实发合计="8315.00")
    assert (await upload(service, employer_id, other))["fault_count"] == 1
    corrected = await upload(service, employer_id, other, corrects="true")
    assert (await service.apply(employer_id, corrected)).status_code == 200
    gone = await undo(service, employer_id, corrected, "税额抄错")
    assert gone.status_code == 200, gone.text
    assert (await undo(service, employer_id, staged)).status_code == 200
    versions = [(e.version, e.tax_fen, e.reason) for e in await service.told(PayslipIssued)]
    assert versions == [
        (1, 7_155, ""),
        (2, 7_000, "以“工资条.xlsx”更正"),
        (3, 7_155, "撤销导入：税额抄错"),
        (4, 0, "撤销导入：传错了文件"),
    ]
    last = (await service.told(PayslipIssued))[-1]
    assert (last.gross_fen, last.net_fen, last.withheld) == (0, 0, ())
    path = f"/imported-payslips?employer_id={employer_id}"
    mine = service.employee(employer_id, ids["E0001"])
    slips = (await service.http.get(path, headers=mine)).json()["items"]
    assert [slip["version"] for slip in slips] == [4, 3, 2, 1]
    theirs = service.employee(employer_id, ids["E0002"])
    assert (await service.http.get(path, headers=theirs)).json()["items"] == []


async def test_every_version_says_in_one_sentence_where_its_figures_come_from(
    service: PayrollService,
) -> None:
    employer_id, ids = await with_people(service, roster_row(1))
    staged = await upload(service, employer_id, slip_row())
    other = slip_row(个税="70.00", 实发合计="8315.00")
    await service.apply(employer_id, staged)
    corrected = await upload(service, employer_id, other, corrects="true")
    await service.apply(employer_id, corrected)
    service.clock.set(at("2024-10-08"))
    assert (await undo(service, employer_id, corrected, "税额抄错")).status_code == 200
    assert (await undo(service, employer_id, staged)).status_code == 200
    path = f"/imported-payslips?employer_id={employer_id}"

    async def sources(headers: dict[str, str]) -> list[str]:
        slips = (await service.http.get(path, headers=headers)).json()["items"]
        return [slip["source"] for slip in slips]

    said = "2024-10 各项金额均为本单位自行核算的工资条所列{}，实发 = 应发 10,000.00"
    said += " − 个人社保公积金 1,615.00 − 个人所得税 {} − 其他扣款 0.00 = {}。"
    first, second = ("71.55", "8,313.45"), ("70.00", "8,315.00")
    file = "文件“工资条.xlsx”"
    brought = f"{file}第 2 行，hr-li 于 2024-09-20 导入"
    restored = f"撤销{file}后，恢复为它之前的一版；撤销导入：税额抄错"
    withdrawn = "2024-10 的工资条已撤回：撤销导入：传错了文件。"
    assert await sources(service.hr(employer_id)) == [
        withdrawn,
        said.format(f"（{restored}）", *first),
        said.format(f"（{brought}；以“工资条.xlsx”更正）", *second),
        said.format(f"（{brought}）", *first),
    ]
    # An employee is told the same without the file, which names others as well.
    assert await sources(service.employee(employer_id, ids["E0001"])) == [
        withdrawn,
        *(said.format("", *figures) for figures in (first, second, first)),
    ]


async def test_a_closed_month_keeps_its_payslips(service: PayrollService) -> None:
    employer_id, _ = await with_people(service, roster_row(1))
    staged = await upload(service, employer_id, slip_row())
    assert (await service.apply(employer_id, staged)).status_code == 200
    await service.hear(
        PeriodClosed(
            version=1,
            employer_id=employer_id,
            levy_period="2024-10",
            cells=6,
            states={"arrived": 6},
            sums_fen={},
            closed_at="2024-11-20T01:00:00+00:00",
            closed_by="hr-li",
        )
    )
    kept = await undo(service, employer_id, staged)
    assert (kept.status_code, kept.json()["faults"][0]["reason"]) == (409, "2024-10 已关账")
    other = slip_row(个税="70.00", 实发合计="8315.00")
    late = await upload(service, employer_id, other, corrects="true")
    assert [fault["reason"] for fault in late["faults"]] == ["2024-10 已关账"]


async def test_every_broken_payslip_is_named_and_none_is_told(service: PayrollService) -> None:
    employer_id, _ = await with_people(service, roster_row(1))
    data = csv_file(after(slip_row(), BROKEN_SLIP_ROWS), PAYSLIP_HEADER, "gb18030")
    staged = (await service.upload(employer_id, "payslips", "s.csv", data)).json()
    assert {(f["row"], f["column"]) for f in staged["faults"]} == places(BROKEN_SLIP_ROWS)
    assert (await service.apply(employer_id, staged)).status_code == 409
    assert await service.told(PayslipIssued) == []


TAXES = ("345.00", "345.00", "345.00", "1045.00", "1150.00", "1150.00")
"""Worked example 9, January to June: 20,000 a month, 3,500 of it own contributions."""

SWITCHED_HEADER = (
    *("工号", "所属月份", "发薪日期", "应发合计", "养老基数", "养老个人", "养老单位"),
    *("本期收入", "专项附加扣除", "个税", "实发合计"),
)


def half_a_year(number: str, **changes: str) -> list[dict[str, object]]:
    return [
        {
            **{"工号": number, "所属月份": f"20240{month}", "发薪日期": f"2024-0{month}-05"},
            **{"应发合计": "20000", "养老基数": "20000", "养老个人": "3500", "养老单位": "3200"},
            **{"本期收入": "20000", "专项附加扣除": "0"},
            **{"个税": tax, "实发合计": str(Decimal(16_500) - Decimal(tax))},
            **changes,
        }
        for month, tax in enumerate(TAXES, 1)
    ]


async def test_july_goes_on_from_the_payslips_that_the_company_paid_until_june(
    service: PayrollService,
) -> None:
    """E0001 is whole, E0002 has no 专项附加扣除, of E0003 no payslip was imported."""
    service.clock.set(at("2024-07-01"))
    joined = {"入职日期": "2023-05-08", "约定月工资": "20000"}
    employer_id, ids = await with_people(
        service, *(roster_row(number, **joined) for number in (1, 2, 3))
    )
    rows = [*half_a_year("E0001"), *half_a_year("E0002", 专项附加扣除="")]
    data = csv_file(rows, SWITCHED_HEADER)
    staged = (await service.upload(employer_id, "payslips", "上半年.csv", data)).json()
    assert staged["faults"] == []
    assert (await service.apply(employer_id, staged)).status_code == 200
    line = AssessedLine(
        insurance=Insurance.PENSION,
        state="due",
        authority="any",
        base_fen=2_000_000,
        employer_fen=320_000,
        employee_fen=350_000,
    )
    for name in ids.values():
        month = assessed(employer_id, name, period="2024-07", blocked="document_missing")
        await service.hear(msgspec.structs.replace(month, lines=(line,)))
    run = await run_of(service, employer_id, "2024-07")
    await pay_through(service, run)
    slips = await service.http.get(
        f"/payslips?employer_id={employer_id}", headers=service.hr(employer_id)
    )
    july = {slip["employee_id"]: slip for slip in slips.json()["items"]}
    whole, unsaid, alone = (july[ids[f"E000{number}"]] for number in (1, 2, 3))
    assert (whole["tax_fen"], whole["warnings"]) == (115_000, [])
    assert whole["tax"]["imported"] == [f"2024-0{number}" for number in range(1, 7)]
    assert (whole["tax"]["months"], whole["tax"]["withheld_before_fen"]) == (7, 438_000)
    assert unsaid["tax_fen"] == 115_000
    [doubt] = unsaid["warnings"]
    assert "2024-06 导入的工资条没有“专项附加扣除”" in doubt
    # Those months count on neither side, and HR is told so.
    assert (alone["tax_fen"], alone["tax"]["months"]) == (34_500, 1)
    [doubt] = alone["warnings"]
    assert doubt.startswith("2024-01、2024-02、2024-03、2024-04、2024-05、2024-06 在职，却没有")
    told = {slip.employee_id: slip for slip in await service.told(PayslipIssued)}
    assert told[ids["E0001"]].income_fen == 2_000_000
    stays = await undo(service, employer_id, staged)
    assert stays.status_code == 409
    assert "2024-07 的工资核算已按这些工资条累计预扣并审批" in stays.text
