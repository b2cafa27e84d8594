"""Files: everything wrong in them is answered at once, and nothing is applied before it is whole or
the user has chosen the good rows.
"""

import json
from typing import Any

from shared.contracts import EmployeeChanged, EmployeeSealed, EmployerChanged, SalaryComputed
from shared.sealed import Sealed
from tests.integration.payroll_svc.conftest import PayrollService
from tests.support.rosters import csv_file, resident_number, roster_row, xlsx_file

BROKEN: list[dict[str, object]] = [
    {"工号": ""},
    {"工号": "工号一"},
    {"姓名": "=HYPERLINK(1)"},
    {"姓名": "王\u202e明"},
    {"证件号码": "110101199003070012"},
    {"证件号码": "110101900307001"},
    {"证件号码": "110101199013070018"},
    {"证件号码": "1.10101E+17"},
    {"证件类型": "学生证"},
    {"部门": "不存在部"},
    {"参保地": "北京"},
    {"单位社保账号": "123"},
    {"人员类别": "神仙"},
    {"入职日期": "2024-02-30"},
    {"入职日期": "09/23/2024"},
    {"离职日期": "2020-01-01"},
    {"约定月工资": "1,00,00"},
    {"约定月工资": "9500.005"},
    {"约定月工资": "9.5E3"},
    {"约定月工资": "-9500"},
    {"缺少材料": "那个材料"},
    {"手机": "1380000"},
    {"邮箱": "not-an-address"},
    {"银行账号": "6222"},
    {"登录账号": "小王"},
]


def broken_roster() -> list[dict[str, object]]:
    """Two good rows, one row for each class, then a repeated number and a repeated identity."""
    rows = [roster_row(1), roster_row(2)]
    rows += [roster_row(number, **change) for number, change in enumerate(BROKEN, start=3)]
    rows.append(roster_row(90, 工号="E0001"))
    rows.append(roster_row(91, 证件号码=resident_number(2)))
    return rows


async def test_every_broken_row_is_named_and_nothing_is_applied(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    for name, data in (
        ("roster.csv", csv_file(broken_roster())),
        ("roster.xlsx", xlsx_file(broken_roster())),
    ):
        answer = await service.upload(employer_id, "roster", name, data)
        assert answer.status_code == 201, answer.text
        staged = answer.json()
        expected = {(number, *change) for number, change in enumerate(BROKEN, start=4)}
        expected |= {(29, "工号"), (30, "证件号码")}
        assert {(fault["row"], fault["column"]) for fault in staged["faults"]} == expected
        assert staged["fault_count"] == len(expected)
        assert staged["rows"] == len(BROKEN) + 4
        assert staged["good_rows"] == 2
        assert all(fault["reason"] and fault["todo"] for fault in staged["faults"])
        assert all(fault["file"] == name for fault in staged["faults"])
        assert resident_number(2) not in answer.text
        whole = await service.apply(employer_id, staged)
        assert whole.status_code == 409
        assert len(whole.json()["faults"]) == len(expected)
    assert await service.rows("SELECT 1 FROM employees") == []
    assert await service.told(EmployeeChanged) == []


async def test_the_good_rows_are_taken_when_chosen(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    staged = (
        await service.upload(employer_id, "roster", "r.csv", csv_file(broken_roster()))
    ).json()
    applied = await service.apply(employer_id, staged, "good_rows")
    assert applied.status_code == 200
    assert applied.json()["applied_rows"] == 2
    people = await service.rows("SELECT employee_no FROM employees ORDER BY 1")
    assert [row.employee_no for row in people] == ["E0001", "E0002"]
    again = await service.apply(employer_id, staged, "good_rows")
    assert again.status_code == 409
    assert again.json()["type"].endswith("import-applied")


async def test_a_person_is_told_without_and_sealed_with_personal_data(
    service: PayrollService,
) -> None:
    employer_id = await service.create_employer()
    [employer] = await service.told(EmployerChanged)
    row = roster_row(1, 人员类别="外籍", 缺少材料="外国人工作许可证", 邮箱="w@example.com")
    await service.take_in(employer_id, "roster", "r.xlsx", xlsx_file([row]))
    [person] = await service.told(EmployeeChanged)
    assert (person.employee_no, person.person_kind) == ("E0001", "foreigner")
    assert person.documents_missing == ("work_permit",)
    [spell] = person.spells
    assert (spell.since, spell.until, spell.city) == ("2021-03-01", "", "990100")
    assert spell.account_id == employer.accounts[0].account_id
    assert spell.department_id == employer.departments[0].department_id
    [sealed] = await service.told(EmployeeSealed)
    opened = service.sealer.open(
        employer_id,
        sealed.employee_id,
        Sealed(sealed.sealed, sealed.wrapped_key, sealed.root_key_id),
    )
    assert opened == {
        "name": "王小二",
        "id_type": "resident_id",
        "id_no": resident_number(1),
        "phone": "13800000001",
        "email": "w@example.com",
        "bank_account": "",
    }
    kept = await service.rows(
        "SELECT to_jsonb(e)::text || to_jsonb(i)::text AS stored FROM employees e, identities i"
        " UNION ALL SELECT to_jsonb(s)::text FROM staged_rows s"
        " UNION ALL SELECT convert_from(payload, 'UTF8') FROM outbox"
    )
    assert not [row for row in kept if resident_number(1) in row.stored or "1380000" in row.stored]


async def test_faults_are_kept_without_names_and_numbers(service: PayrollService) -> None:
    """A name is short: it used to be stored whole, in the import and in the answer that is kept."""
    employer_id = await service.create_employer()
    broken = roster_row(1, 姓名="欧阳春★", 手机="1380013", 银行账号="622700", 证件号码="1101011")
    answer = await service.upload(employer_id, "roster", "r.csv", csv_file([broken]))
    shown = {fault["column"]: fault["value"] for fault in answer.json()["faults"]}
    assert shown == {"姓名": "欧***", "手机": "1***", "银行账号": "6***", "证件号码": "1***"}
    rows = await service.rows(
        "SELECT to_jsonb(i)::text AS kept FROM imports i"
        " UNION ALL SELECT convert_from(answer, 'UTF8') FROM http_writes WHERE answer IS NOT NULL"
    )
    assert len(rows) >= 2
    for value in ("欧阳", "1380013", "622700", "1101011"):
        assert not [row for row in rows if value in row.kept], value


async def test_staged_rows_hold_no_identity_in_clear(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    await service.upload(employer_id, "roster", "r.csv", csv_file([roster_row(1)]))
    [row] = await service.rows("SELECT content::text AS content FROM staged_rows")
    assert resident_number(1) not in row.content
    assert "13800000001" not in row.content


async def test_the_same_file_again_is_recognised(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    data = csv_file([roster_row(1)], encoding="gb18030")
    first = await service.take_in(employer_id, "roster", "r.csv", data)
    again = (await service.upload(employer_id, "roster", "copy of r.csv", data)).json()
    assert again["seen_before"]
    assert (again["import_id"], again["state"]) == (first["import_id"], "applied")
    assert again["notes"] == ["按 GB18030 编码读取"]


async def test_only_what_changed_is_told_again(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    rows = [roster_row(1), roster_row(2), roster_row(3)]
    await service.take_in(employer_id, "roster", "a.csv", csv_file(rows))
    rows[0]["手机"] = "13900000001"
    rows[1] |= {"部门": "销售部", "离职日期": "2024-09-30"}
    await service.take_in(employer_id, "roster", "b.csv", csv_file(rows))
    changed = [(e.employee_no, e.version) for e in await service.told(EmployeeChanged)]
    assert sorted(changed) == [("E0001", 1), ("E0002", 1), ("E0002", 2), ("E0003", 1)]
    sealed = [event.version for event in await service.told(EmployeeSealed)]
    assert sorted(sealed) == [1, 1, 1, 2]
    keys = await service.rows("SELECT DISTINCT wrapped_key FROM identities")
    assert len(keys) == 3


async def test_a_number_that_another_employee_holds_is_refused(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    await service.take_in(employer_id, "roster", "a.csv", csv_file([roster_row(1)]))
    taken = roster_row(2, 证件号码=resident_number(1))
    staged = (await service.upload(employer_id, "roster", "b.csv", csv_file([taken]))).json()
    assert [(f["row"], f["column"]) for f in staged["faults"]] == [(2, "证件号码")]
    empty = await service.apply(employer_id, staged, "good_rows")
    assert empty.status_code == 409


async def test_rows_are_held_against_the_store_again_when_applied(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    staged = (
        await service.upload(employer_id, "roster", "a.csv", csv_file([roster_row(1)]))
    ).json()
    thief = roster_row(2, 证件号码=resident_number(1))
    await service.take_in(employer_id, "roster", "b.csv", csv_file([thief]))
    late = await service.apply(employer_id, staged)
    assert late.status_code == 409
    assert late.json()["faults"][0]["where"] == "a.csv:2:证件号码"


async def test_two_people_may_swap_mistaken_numbers(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    rows = [roster_row(1), roster_row(2)]
    await service.take_in(employer_id, "roster", "a.csv", csv_file(rows))
    rows[0]["证件号码"], rows[1]["证件号码"] = rows[1]["证件号码"], rows[0]["证件号码"]
    await service.take_in(employer_id, "roster", "b.csv", csv_file(rows))
    assert len(await service.told(EmployeeSealed)) == 4


async def test_wages_come_long_and_wide_and_make_history(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    people = [roster_row(1), roster_row(2)]
    await service.take_in(employer_id, "roster", "r.csv", csv_file(people))
    months = [f"2023{month:02d}" for month in range(1, 13)]
    wide = [{"工号": "E0001", **dict.fromkeys(months, "9,500.00")}]
    applied = await service.take_in(
        employer_id, "wages", "wide.csv", csv_file(wide, ["工号", *months])
    )
    assert applied["applied_rows"] == 1
    header = ["工号", "工资月份", "项目", "金额", "计入工资总额"]
    long: list[dict[str, object]] = [
        {"工号": "E0002", "工资月份": "202301", "项目": "基本工资", "金额": 9000.5},
        {"工号": "E0002", "工资月份": "202301", "项目": "差旅费", "金额": 300},
        {"工号": "E0002", "工资月份": "202302", "金额": 8000, "计入工资总额": "是"},
    ]
    await service.take_in(employer_id, "wages", "long.xlsx", xlsx_file(long, header))
    told = await service.told(SalaryComputed)
    assert {event.purpose for event in told} == {"history"}
    by_month = {(e.employee_id, e.levy_period): (e.gross_fen, e.wage_fen) for e in told}
    assert len(by_month) == 14
    amounts = sorted(by_month.values())
    assert amounts == [(800_000, 800_000), (930_050, 900_050), *([(950_000, 950_000)] * 12)]


async def test_a_month_taken_in_is_corrected_only_on_purpose(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    await service.take_in(employer_id, "roster", "r.csv", csv_file([roster_row(1)]))
    header = ["工号", "工资月份", "金额"]

    def wages(amount: str, month: str = "202301") -> bytes:
        return csv_file([{"工号": "E0001", "工资月份": month, "金额": amount}], header)

    await service.take_in(employer_id, "wages", "a.csv", wages("9500"))
    same = (await service.upload(employer_id, "wages", "b.csv", wages("9,500.00"))).json()
    assert same["faults"] == []
    other = (await service.upload(employer_id, "wages", "c.csv", wages("9600"))).json()
    assert [fault["column"] for fault in other["faults"]] == ["工资月份"]
    corrected = await service.upload(employer_id, "wages", "c.csv", wages("9600"), corrects="true")
    assert corrected.json()["faults"] == []
    assert (await service.apply(employer_id, corrected.json())).status_code == 200
    versions = [(e.version, e.wage_fen) for e in await service.told(SalaryComputed)]
    assert versions == [(1, 950_000), (2, 960_000)]


async def test_wages_of_strangers_and_of_the_future_are_named(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    await service.take_in(employer_id, "roster", "r.csv", csv_file([roster_row(1)]))
    rows: list[dict[str, object]] = [
        {"工号": "E0001", "工资月份": "202301", "金额": "１２，３４５．６０元"},
        {"工号": "E9999", "工资月份": "202301", "金额": "1"},
        {"工号": "E0001", "工资月份": "202501", "金额": "1"},
        {"工号": "E0001", "工资月份": "2023年1月", "金额": "2"},
        {"工号": "E0001", "工资月份": "202313", "金额": "2"},
    ]
    data = csv_file(rows, ["工号", "工资月份", "金额"])
    staged = (await service.upload(employer_id, "wages", "w.csv", data)).json()
    named = [(fault["row"], fault["column"]) for fault in staged["faults"]]
    assert named == [(3, "工号"), (4, "工资月份"), (5, "工号"), (6, "工资月份")]
    assert (staged["rows"], staged["good_rows"]) == (5, 1)


async def test_a_file_that_is_none_is_a_problem_with_its_fault(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    for data, reason in (
        (b"", "空"),
        ("工号,姓名\n".encode(), "缺少"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04 truncated", "不完整"),
        ("工号,工号,姓名,证件号码,部门,入职日期\n1,2,3,4,5,6\n".encode(), "两次"),
    ):
        answer = await service.upload(employer_id, "roster", "x.csv", data)
        problem: dict[str, Any] = answer.json()
        assert answer.status_code == 422, problem
        assert problem["type"] == "urn:daozhang:problem:file-unreadable"
        assert reason in json.dumps(problem, ensure_ascii=False)


async def test_a_thousand_faults_are_listed_and_all_are_counted(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    rows = [roster_row(1, 工号=f"E{number:05d}", 部门="无") for number in range(1_200)]
    staged = (await service.upload(employer_id, "roster", "r.csv", csv_file(rows))).json()
    assert (staged["fault_count"], len(staged["faults"])) == (1_200, 1_000)
    assert staged["good_rows"] == 0
