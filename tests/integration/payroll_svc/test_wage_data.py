"""Wage data of a month: dry run, applied, corrected, undone; a run that is approved keeps them."""

from typing import Any

from payroll_svc.files.reader import read_grid
from shared.contracts import EmployeeChanged, EmployeeSealed, SalaryComputed
from tests.integration.payroll_svc.conftest import PayrollService
from tests.integration.payroll_svc.paying import (
    assessed,
    at,
    pay_through,
    run_of,
    step,
    with_people,
)
from tests.support.broken_files import wage_row, wages_csv, whole_files
from tests.support.broken_pay_files import (
    BROKEN_DATA_ROWS,
    WAGE_DATA_HEADER,
    WIDE_HEADER,
    after,
    data_row,
    places,
)
from tests.support.rosters import csv_file, roster_row, xlsx_file


def wide(number: int, **cells: object) -> dict[str, object]:
    return {"工号": f"E{number:04d}", **cells}


async def stage(service: PayrollService, employer_id: str, data: bytes, **form: str) -> Any:
    form = {"levy_period": "2024-10", **form}
    answer = await service.upload(employer_id, "wage_data", "变动.xlsx", data, **form)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def stored(service: PayrollService, employer_id: str) -> dict[str, list[tuple[str, int]]]:
    """What a run of October would compute with: the month's entries, by employee number."""
    path = f"/entries?employer_id={employer_id}&levy_period=2024-10"
    answer = await service.http.get(path, headers=service.hr(employer_id))
    assert answer.status_code == 200, answer.text
    people = await service.rows("SELECT employee_no, employee_id FROM employees")
    numbers = {row.employee_id: row.employee_no for row in people}
    found: dict[str, list[tuple[str, int]]] = {}
    for one in answer.json()["items"]:
        value = one["amount_fen"] or one["quantity_thousandths"]
        found.setdefault(numbers[one["employee_id"]], []).append((one["code"], value))
    return found


async def changes(service: PayrollService, employer_id: str, staged: Any) -> list[Any]:
    path = f"/imports/{staged['import_id']}/changes"
    answer = await service.http.get(path, headers=service.hr(employer_id))
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def undo(
    service: PayrollService, employer_id: str, staged: Any, reason: str = "传错了文件"
) -> Any:
    path = f"/imports/{staged['import_id']}/undo"
    return await service.post(path, service.hr(employer_id), json={"reason": reason})


async def test_a_file_is_tried_applied_corrected_and_undone(service: PayrollService) -> None:
    employer_id, ids = await with_people(service, *(roster_row(n) for n in range(1, 4)))
    first = xlsx_file([wide(1, 奖金=1200, 事假天数=1.5), wide(2, 奖金="0")], WIDE_HEADER)
    staged = await stage(service, employer_id, first)
    assert staged["changes"] == {"added": 3, "changed": 0, "unchanged": 0, "missing": 1}
    assert await stored(service, employer_id) == {}
    listed = await changes(service, employer_id, staged)
    assert [(one["change"], one["employee_no"], one["what"]) for one in listed] == [
        ("added", "E0001", "2024-10 奖金"),
        ("added", "E0001", "2024-10 事假天数"),
        ("added", "E0002", "2024-10 奖金"),
        ("missing", "E0003", ""),
    ]
    assert (await service.apply(employer_id, staged)).status_code == 200
    assert await stored(service, employer_id) == {
        "E0001": [("bonus", 120_000), ("personal_leave", 1_500)],
    }
    assert (await stage(service, employer_id, first))["seen_before"]
    other = xlsx_file([wide(1, 奖金=1300), wide(3, 奖金=5)], WIDE_HEADER)
    refused = await stage(service, employer_id, other)
    assert [fault["column"] for fault in refused["faults"]] == ["奖金"]
    corrected = await stage(service, employer_id, other, corrects="true")
    assert corrected["changes"] == {"added": 1, "changed": 1, "unchanged": 0, "missing": 1}
    assert (await service.apply(employer_id, corrected)).status_code == 200
    # The first cannot go before what came after it.
    early = await undo(service, employer_id, staged)
    assert (early.status_code, early.json()["type"].rpartition(":")[2]) == (409, "import-stays")
    assert [fault["value"] for fault in early.json()["faults"]] == ["E0001 2024-10 奖金"]
    gone = (await undo(service, employer_id, corrected)).json()
    assert (gone["state"], gone["undone_by"], gone["undo_reason"]) == (
        "undone",
        "hr-li",
        "传错了文件",
    )
    assert (await stored(service, employer_id))["E0001"][0] == ("bonus", 120_000)
    assert (await undo(service, employer_id, staged)).status_code == 200
    assert await stored(service, employer_id) == {}
    twice = await undo(service, employer_id, staged)
    assert twice.json()["type"].endswith("import-not-applied")
    # The same file is taken in again.
    again = await stage(service, employer_id, first)
    assert (again["state"], again["seen_before"]) == ("staged", False)
    assert (await service.apply(employer_id, again)).status_code == 200
    assert await stored(service, employer_id)
    await _an_approved_run_keeps_them(service, employer_id, ids, again)


async def _an_approved_run_keeps_them(
    service: PayrollService, employer_id: str, ids: dict[str, str], applied: Any
) -> None:
    before = await stored(service, employer_id)
    run = await run_of(service, employer_id)
    await service.hear(*(assessed(employer_id, employee_id) for employee_id in ids.values()))
    for verb in ("check", "approve"):
        taken = await step(service, run, verb)
        assert taken.status_code == 200, taken.text
        kept = await undo(service, employer_id, applied)
        assert kept.status_code == 409
        assert "2024-10" in kept.json()["faults"][0]["reason"]
    late = await stage(service, employer_id, csv_file([wide(3, 奖金=7)], WIDE_HEADER))
    assert ["审批" in fault["reason"] for fault in late["faults"]] == [True]
    assert await stored(service, employer_id) == before


async def reckonings(service: PayrollService, run: Any) -> dict[str, tuple[int, str]]:
    """(amount in fen, reckoning) of each item of E0001 in the run, by code."""
    path = f"/payroll-runs/{run['run_id']}/people"
    answer = await service.http.get(path, headers=service.hr(run["employer_id"]))
    assert answer.status_code == 200, answer.text
    (person,) = answer.json()["items"]
    assert person["gross_fen"] == sum(item["amount_fen"] for item in person["items"])
    return {item["code"]: (item["amount_fen"], item["reckoning"]) for item in person["items"]}


async def test_a_run_reckons_with_what_was_imported_and_without_what_was_undone(
    service: PayrollService,
) -> None:
    employer_id, ids = await with_people(service, roster_row(1))
    data = [wide(1, 奖金="1200.00", 计件数量="250", 计件单价="1.25", 加班小时数=8)]
    staged = await stage(service, employer_id, xlsx_file(data, WIDE_HEADER))
    assert (await service.apply(employer_id, staged)).status_code == 200
    run = await run_of(service, employer_id)
    agreed = {"base_salary": (1_000_000, "基本工资：全月在职，10,000.00")}
    imported = {
        "bonus": (120_000, "奖金：录入 1,200.00"),
        "overtime_150": (
            68_966,
            "工作日加班工资：10,000.00 ÷ 21.75 ÷ 8 × 8 小时 × 150% = 689.66",
        ),
        "piece_pay": (31_250, "计件工资：250 件 × 1.25 = 312.50"),
    }
    assert await reckonings(service, run) == {**agreed, **imported}
    # What HR enters afterwards stays: the import is no longer as it came.
    entered = {"employee_id": ids["E0001"], "code": "bonus", "amount_fen": 130_000}
    month = {"employer_id": employer_id, "levy_period": "2024-10"}
    hr = service.hr(employer_id)
    for amount_fen, status in ((130_000, 409), (120_000, 200)):
        body = {**month, "entries": [{**entered, "amount_fen": amount_fen}]}
        assert (await service.post("/entries", hr, json=body)).status_code == 200
        assert (await undo(service, employer_id, staged)).status_code == status
    assert (await step(service, run, "recompute")).status_code == 200
    assert await reckonings(service, run) == agreed


async def test_a_paid_amount_names_the_row_of_the_file_that_brought_it(
    service: PayrollService,
) -> None:
    employer_id, ids = await with_people(service, roster_row(1))
    data = xlsx_file([wide(1, 奖金="1200.00")], WIDE_HEADER)
    staged = await stage(service, employer_id, data)
    assert (await service.apply(employer_id, staged)).status_code == 200
    run = await run_of(service, employer_id)
    await service.hear(assessed(employer_id, ids["E0001"]))
    await pay_through(service, run)
    path, hr = (
        f"/payslips/{run['run_id']}/{ids['E0001']}/figures/item:bonus",
        service.hr(employer_id),
    )
    wanted = "奖金：录入 1,200.00（来源：文件“变动.xlsx”第 2 行，hr-li 于 2024-09-20 导入）。"
    assert (await service.http.get(path, headers=hr)).json()["sentence"] == wanted
    # What is entered afterwards was not what this payslip rests on.
    service.clock.set(at("2024-10-08"))
    entry = {"employee_id": ids["E0001"], "code": "bonus", "amount_fen": 1}
    month = {"employer_id": employer_id, "levy_period": "2024-10", "entries": [entry]}
    assert (await service.post("/entries", hr, json=month)).status_code == 200
    again = (await service.http.get(path, headers=hr)).json()["sentence"]
    assert again == "奖金：录入 1,200.00。"


async def test_a_number_beside_another_ones_name_is_no_ones(service: PayrollService) -> None:
    """One column was sorted without the others; blanks and dots in a name are no difference."""
    names = {"姓名": "阿依古丽·买买提"}
    employer_id, _ = await with_people(service, roster_row(1), roster_row(2, **names))
    rows = [wide(1, 姓名="王 小二", 奖金="1200"), wide(2, 姓名="王小二", 奖金="900")]
    staged = await stage(service, employer_id, xlsx_file(rows, WIDE_HEADER))
    [fault] = staged["faults"]
    assert (fault["row"], fault["column"], fault["value"]) == (3, "姓名", "王***")
    rows[1]["姓名"] = "阿依古丽买买提"
    again = await stage(service, employer_id, xlsx_file(rows, WIDE_HEADER))
    assert (again["faults"], again["good_rows"]) == ([], 2)


async def test_every_broken_row_comes_back_in_the_file_and_nothing_is_applied(
    service: PayrollService,
) -> None:
    employer_id, _ = await with_people(service, roster_row(1))
    for name, write in (("数据.csv", csv_file), ("数据.xlsx", xlsx_file)):
        data = write(after(data_row(), BROKEN_DATA_ROWS), WAGE_DATA_HEADER)
        answer = await service.upload(employer_id, "wage_data", name, data)
        staged = answer.json()
        assert {(f["row"], f["column"]) for f in staged["faults"]} == places(BROKEN_DATA_ROWS)
        assert (await service.apply(employer_id, staged)).status_code == 409
        path = f"/imports/{staged['import_id']}/annotated"
        back = await service.http.get(path, headers=service.hr(employer_id))
        assert back.status_code == 200, back.text
        assert "filename*=UTF-8''" in back.headers["content-disposition"]
        marked = read_grid("f", back.content)
        said = {number for number, row in marked.rows if row[-1]}
        assert said == {1, *(fault["row"] for fault in staged["faults"])}
    assert await stored(service, employer_id) == {}
    # Every class is held against the reader itself; these show that its refusals come through.
    files = whole_files(WAGE_DATA_HEADER, data_row())
    for name in ("(1) UTF-16", "(2) macros", "(10) a bomb", "(14) header only"):
        data, word = files[name]
        answer = await service.upload(employer_id, "wage_data", "f", data)
        assert answer.status_code == 422, answer.text
        assert word in answer.json()["faults"][0]["reason"]


async def test_a_roster_and_past_wages_are_undone_as_new_versions(
    service: PayrollService,
) -> None:
    employer_id = await service.create_employer()
    await service.take_in(employer_id, "roster", "a.csv", csv_file([roster_row(1)]))
    changed = [roster_row(1, 约定月工资="12000", 手机="13900000001"), roster_row(2)]
    answer = await service.upload(employer_id, "roster", "b.csv", csv_file(changed))
    staged = answer.json()
    assert staged["changes"] == {"added": 1, "changed": 1, "unchanged": 0, "missing": 0}
    listed = await changes(service, employer_id, staged)
    assert listed[0]["fields"] == {
        "agreed_wage_fen": [1_000_000, 1_200_000],
        "identity": ["", "changed"],
    }
    assert (await service.apply(employer_id, staged)).status_code == 200
    wages = await service.take_in(employer_id, "wages", "w.csv", wages_csv([wage_row(1)]))
    assert (await undo(service, employer_id, wages)).status_code == 200
    assert (await undo(service, employer_id, staged)).status_code == 200
    told = await service.told(EmployeeChanged)
    assert [(one.employee_no, one.version, len(one.spells)) for one in told] == [
        ("E0001", 1, 1),
        ("E0001", 2, 1),
        ("E0002", 1, 1),
        ("E0001", 3, 1),
        ("E0002", 2, 0),
    ]
    sealed = [event.version for event in await service.told(EmployeeSealed)]
    assert sorted(sealed) == [1, 1, 2, 3]
    months = [(e.version, e.gross_fen, len(e.items)) for e in await service.told(SalaryComputed)]
    assert months == [(1, 950_000, 1), (2, 0, 0)]
    # Whoever was undone comes in again, also under another number.
    again = await service.upload(
        employer_id, "roster", "c.csv", csv_file([roster_row(2, 工号="E0022"), roster_row(1)])
    )
    assert again.json()["changes"] == {"added": 1, "changed": 0, "unchanged": 1, "missing": 0}
    assert (await service.apply(employer_id, again.json())).status_code == 200


async def test_what_was_applied_of_a_workbook_is_what_it_says(service: PayrollService) -> None:
    """One bad row among thousands: the others are taken when chosen."""
    employer_id, _ = await with_people(service, *(roster_row(n) for n in range(1, 4)))
    rows = [wide(n, 奖金=n) for n in range(1, 4)] + [wide(9, 奖金=1)]
    staged = await stage(service, employer_id, csv_file(rows, WIDE_HEADER))
    assert (staged["rows"], staged["good_rows"]) == (4, 3)
    taken = await service.apply(employer_id, staged, "good_rows")
    assert taken.json()["applied_rows"] == 3
    assert len(await stored(service, employer_id)) == 3


async def test_own_items_come_in_go_out_and_are_undone(service: PayrollService) -> None:
    employer_id, _ = await with_people(
        service, roster_row(1), roster_row(2), hr_staff=[{"sub": "hr-li", "department_codes": []}]
    )
    headers = service.hr(employer_id)
    for code, name, way in (("night", "夜班津贴", "amount"), ("part_a", "零件甲", "pieces")):
        item = {"employer_id": employer_id, "code": code, "name": name, "way": way, "law": "约定"}
        answer = await service.post("/pay-items", headers, json=item)
        assert answer.status_code == 201, answer.text
    taken = await service.post(
        "/pay-items", headers, json={**item, "code": "other", "name": "奖金"}
    )
    assert taken.json()["type"].endswith("pay-item-known")
    cells = {"夜班津贴": "300.00", "零件甲": "100", "零件甲单价": "0.125", "奖金": "5"}
    header = ["工号", *cells]
    broken = await stage(
        service, employer_id, xlsx_file([wide(1, **cells), wide(2, 夜班津贴="三百")], header)
    )
    assert [(fault["row"], fault["column"]) for fault in broken["faults"]] == [(3, "夜班津贴")]
    path = f"/imports/{broken['import_id']}/annotated"
    marked = await service.http.get(path, headers=headers)
    said = dict(read_grid("f", marked.content).rows)[3][-1]
    assert "夜班津贴：应为金额" in str(said)
    data = xlsx_file([wide(1, **cells), wide(2, 夜班津贴="0.00")], header)
    staged = await stage(service, employer_id, data)
    listed = await changes(service, employer_id, staged)
    assert [one["what"] for one in listed] == [
        *("2024-10 夜班津贴", "2024-10 零件甲", "2024-10 奖金", "2024-10 夜班津贴"),
    ]
    assert (await service.apply(employer_id, staged)).status_code == 200
    # What HR enters itself goes out with it.
    entry = {"code": "night", "amount_fen": 20_000}
    body = {"employer_id": employer_id, "levy_period": "2024-11"}
    [person] = [one for one in listed if one["employee_no"] == "E0002"]
    entered = {**body, "entries": [{"employee_id": person["employee_id"], **entry}]}
    assert (await service.post("/entries", headers, json=entered)).status_code == 200
    for month, count in (("2024-10", 4), ("2024-11", 1)):
        for layout in (False, True):
            wanted = {"kind": "wage_data", "form": "csv", "reason": "核对", "wide": layout}
            asked = await service.post(
                "/exports", headers, json={**body, **wanted, "levy_period": month}
            )
            assert (asked.status_code, asked.json()["rows"]) == (201, count), asked.text
            path = f"/exports/{asked.json()['export_id']}/file"
            content = (await service.http.get(path, headers=headers)).content
            lines = content.decode("utf-8-sig").splitlines()
            if month == "2024-10" and layout:
                assert lines[0] == "工号,姓名,所属月份,部门,奖金,夜班津贴,零件甲,零件甲单价"
                assert lines[1].endswith(",运营部,5.00,300.00,100.000,0.1250")
            back = await stage(service, employer_id, content, levy_period=month)
            assert back["faults"] == []
            assert (back["changes"]["unchanged"], back["changes"]["added"]) == (count, 0)
    assert (await undo(service, employer_id, staged)).status_code == 200
    assert await stored(service, employer_id) == {}
