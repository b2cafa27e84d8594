"""Whole files: encodings, separators, headers, ragged rows, workbooks, and hostile ones."""

import io
from collections.abc import Callable
from datetime import date

import pytest
import xlsxwriter

from payroll_svc.domain.employers import Account, Department, Employer
from payroll_svc.domain.wages import WageRow
from payroll_svc.errors import FileUnreadable
from payroll_svc.files import archive, grid
from payroll_svc.files.person_rows import RowsRead
from payroll_svc.files.reader import read_grid
from payroll_svc.files.roster import RosterFile, read_roster
from payroll_svc.files.wages import read_wages
from tests.support import broken_files
from tests.support.broken_files import packed, unpacked
from tests.support.rosters import ROSTER_HEADER, csv_file, roster_row, xlsx_file

TODAY = date(2024, 9, 20)
EMPLOYER = Employer(
    employer_id="employer",
    group_id="group",
    name="示例",
    uscc="91110000600037341L",
    cut_over="2024-10",
    payday=5,
    accounts=(
        Account("account-1", "9901000001", "990100", "示例甲市", "tax-990100", "B1", True),
        Account("account-2", "9902000001", "990200", "", "tax-990200", "B2", True),
        Account("account-3", "9902000002", "990200", "", "tax-990200", "B3", True),
    ),
    departments=(Department("operations", "operations", "运营部"),),
)


def roster(data: bytes) -> RosterFile:
    return read_roster(read_grid("f", data), EMPLOYER, TODAY)


def wages(data: bytes) -> RowsRead[WageRow]:
    return read_wages(read_grid("f", data), "employer", {"E0001": "id-1"}, TODAY)


def refusal(data: bytes) -> str:
    with pytest.raises(FileUnreadable) as refused:
        roster(data)
    assert all(fault.reason and fault.todo for fault in refused.value.faults)
    return refused.value.faults[0].reason


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030", "gbk"])
def test_encodings_that_are_read(encoding: str) -> None:
    read = roster(csv_file([roster_row(1), roster_row(2)], encoding=encoding))
    assert [dict(row.identity)["name"] for row in read.rows] == ["王小二", "王小三"]
    assert read.faults == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (csv_file([roster_row(1)], encoding="utf-16"), "UTF-16"),
        (csv_file([roster_row(1)]) + "赵,".encode("gbk"), "改变了编码"),
        (csv_file([roster_row(1)], encoding="gbk") + "赵钱孙李,".encode(), "改变了编码"),
        (csv_file([roster_row(1)], encoding="utf-8") + "赵钱孙李,".encode("gbk"), "改变了编码"),
        (csv_file([roster_row(1)], encoding="gbk") + b"\xff\xff", "GB18030"),
        (csv_file([roster_row(1)]).replace(b"E0001", b"E00\x001"), "零字节"),
    ],
)
def test_encodings_that_are_refused_by_name(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_other_separators_are_told_from_the_header(delimiter: str) -> None:
    data = csv_file([roster_row(1)]).decode("utf-8-sig").replace(",", delimiter).encode()
    assert len(roster(data).rows) == 1


def test_headers_in_any_order_width_and_spelling() -> None:
    names = {
        "姓名": " 员工姓名 ",
        "证件号码": "身份证号（必填）"[:4],
        "部门": "部 门",
        "工号": "工\u3000号",
    }
    header = [*reversed(ROSTER_HEADER)]
    data = csv_file([roster_row(1)], header).decode("utf-8-sig")
    for name, spelling in names.items():
        data = data.replace(name, spelling, 1)
    assert len(roster(data.encode()).rows) == 1


def test_a_second_header_row_of_keys_and_rows_above_the_header_are_passed_over() -> None:
    lines = csv_file([roster_row(1)]).decode("utf-8-sig").splitlines()
    keys = "employee_no,name,id_type,id_no,department,city,account_no,person_kind,joined,left,"
    keys += "agreed_wage,documents_missing,phone,email,bank_account,sub"
    text = "\n".join(["示例公司花名册", lines[0], keys, *lines[1:]])
    read = roster(text.encode())
    assert [row.row for row in read.rows] == [4]
    assert read.faults == ()


@pytest.mark.parametrize("at", ["工号", "姓名"])
def test_rows_that_add_up_the_others_are_passed_over_and_said(at: str) -> None:
    blank = dict.fromkeys(ROSTER_HEADER, "")
    sums = [dict[str, object](blank | {at: words}) for words in ("运营部 小计", "合计：")]
    rows = [roster_row(1), sums[0], roster_row(2), sums[1]]
    read = roster(csv_file(rows))
    assert [row.employee_no for row in read.rows] == ["E0001", "E0002"]
    assert (read.faults, read.row_count) == ((), 2)
    assert read.notes[-1] == "合计行未读取：第 3、5 行"


def test_a_person_is_none_of_them_whatever_stands_before_their_number() -> None:
    header = ("班组", *ROSTER_HEADER)
    read = roster(csv_file([{**roster_row(1), "班组": "合计"}], header))
    assert [fault.column for fault in read.faults] == ["班组"]
    assert (read.row_count, read.notes) == (1, ("按 UTF-8 编码读取",))


def test_a_title_above_the_header_does_not_hide_the_separator() -> None:
    text = csv_file([roster_row(1)]).decode("utf-8-sig").replace(",", "\t")
    assert len(roster(f"示例公司花名册\r\n{text}".encode("gbk")).rows) == 1


def test_what_is_wrong_with_a_header() -> None:
    assert "没有“工号”" in refusal("姓名,部门\n王,运营部\n".encode())
    assert "缺少" in refusal("工号,姓名\nE1,王\n".encode())
    assert "两次" in refusal("工号,员工编号,姓名,证件号码,部门,入职日期\n1,1,1,1,1,1\n".encode())
    assert "只有表头" in refusal(csv_file([]))
    assert "空" in refusal(b"\n\n")
    unknown = csv_file([roster_row(1)], [*ROSTER_HEADER, "离职曰期", "备注"])
    assert [(f.row, f.column, f.reason) for f in roster(unknown).faults] == [
        (1, "离职曰期", "不认识的列")
    ]


def test_ragged_rows_and_open_quotes_name_their_line() -> None:
    lines = csv_file([roster_row(1), roster_row(2), roster_row(3)]).decode("utf-8-sig")
    short, long, opened = lines.splitlines()[1:4]
    text = "\n".join([lines.splitlines()[0], short[:-10], long + ",x", opened.replace("E", '"E')])
    read = roster(text.encode())
    assert {fault.row for fault in read.faults} == {2, 3, 4}
    assert read.rows == ()


def test_lone_carriage_returns_and_blank_lines_are_line_ends() -> None:
    text = csv_file([roster_row(1), roster_row(2)]).decode("utf-8-sig")
    assert len(roster(text.replace("\r\n", "\r").encode()).rows) == 2
    assert [row.row for row in roster(text.replace("\r\n", "\n\n").encode()).rows] == [3, 5]


def test_a_workbook_keeps_its_types() -> None:
    whole = roster_row(1, 入职日期=date(2024, 9, 23), 约定月工资=9500.5, 手机=13800000001)
    [row] = roster(xlsx_file([whole])).rows
    assert (row.spell.since, row.agreed_wage_fen) == (date(2024, 9, 23), 950_050)
    assert dict(row.identity)["phone"] == "13800000001"


def test_an_identity_number_stored_as_a_number_is_named() -> None:
    read = roster(xlsx_file([roster_row(1, 证件号码=110101199003070012)]))
    [fault] = read.faults
    assert (fault.row, fault.column) == (2, "证件号码")
    assert "丢失" in fault.reason


def test_the_account_is_found_from_what_is_there() -> None:
    by_name = roster_row(1, 参保地="示例甲市", 单位社保账号="")
    by_number = roster_row(2, 参保地="", 单位社保账号="9902000002")
    unclear = roster_row(3, 参保地="990200", 单位社保账号="")
    read = roster(csv_file([by_name, by_number, unclear]))
    assert [row.spell.account_id for row in read.rows] == ["account-1", "account-3"]
    assert [(fault.row, fault.column) for fault in read.faults] == [(4, "参保地")]


def workbook(change: Callable[[xlsxwriter.Workbook, object], None]) -> bytes:
    """A whole roster in a workbook that `change` adds something to."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written)
    sheet = book.add_worksheet("花名册")
    row = roster_row(1)
    for column, name in enumerate(ROSTER_HEADER):
        sheet.write_string(0, column, name)
        sheet.write_string(1, column, str(row[name]))
    change(book, sheet)
    book.close()
    return written.getvalue()


def test_formulas_and_errors_are_faults_of_their_cells() -> None:
    wage = ROSTER_HEADER.index("约定月工资")
    sum_of = roster(workbook(lambda _, s: s.write_formula(1, wage, "=5000+4500", None, 9500)))  # type: ignore[attr-defined]
    assert [(f.row, f.column, f.reason) for f in sum_of.faults] == [
        (2, "约定月工资", "单元格是公式")
    ]
    error = workbook(lambda _, s: s.write_string(1, wage, "broken-here"))  # type: ignore[attr-defined]
    parts = unpacked(error)
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    cell = sheet.split('r="K2"')[1].split("</c>")[0]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(
        f'r="K2"{cell}', 'r="K2" t="e"><v>#N/A</v>'
    ).encode()
    assert "错误值" in roster(packed(parts)).faults[0].reason


def test_hidden_and_merged_are_noted() -> None:
    def hide(book: xlsxwriter.Workbook, sheet: object) -> None:
        sheet.set_row(1, None, None, {"hidden": True})  # type: ignore[attr-defined]
        sheet.set_column(3, 3, None, None, {"hidden": True})  # type: ignore[attr-defined]
        sheet.merge_range(4, 0, 5, 0, "")  # type: ignore[attr-defined]
        book.add_worksheet("旧表").hide()
        book.add_worksheet("字典代码项").write_string(0, 0, "x")

    notes = "".join(roster(workbook(hide)).notes)
    for word in ("隐藏行", "第 2 行", "隐藏列", "A5:A6", "“旧表”", "“字典代码项”"):
        assert word in notes


def with_part(name: str, content: bytes = b"x") -> bytes:
    return broken_files.with_part(xlsx_file([roster_row(1)]), name, content)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (with_part("xl/vbaProject.bin"), "宏"),
        (with_part("xl/externalLinks/externalLink1.xml"), "外部链接"),
        (with_part("xl/embeddings/oleObject1.bin"), "嵌入对象"),
        (with_part("../outside.xml"), "外部路径"),
        (with_part("/xl/absolute.xml"), "外部路径"),
        (with_part("XL/WORKBOOK.XML"), "重名"),
        (with_part("xl/bomb.xml", b"0" * 30_000_000), "压缩比"),
        (with_part("xl/huge.xml", b"0" * 70_000_000), "过大"),
        (packed({"word/document.xml": b"x", "[Content_Types].xml": b"x"}), "不是 .xlsx"),
        (xlsx_file([roster_row(1)])[:-200], "不完整"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100, "旧版 .xls"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "已加密",
        ),
        (b"<html><table><tr><td>1</td></tr></table>", "网页"),
        (b"%PDF-1.7 ...", "PDF"),
    ],
)
def test_files_that_are_something_else_are_named(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


def test_too_many_parts_are_refused_before_any_is_opened() -> None:
    parts = {f"xl/media/image{number}.png": b"" for number in range(600)}
    data = packed({**unpacked(xlsx_file([roster_row(1)])), **parts})
    assert "部件" in refusal(data)


def test_an_encrypted_part_is_refused() -> None:
    data = bytearray(xlsx_file([roster_row(1)]))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "已加密" in refusal(bytes(data))


def test_a_part_larger_than_its_directory_says_is_refused() -> None:
    data = bytearray(xlsx_file([roster_row(number) for number in range(50)]))
    name = b"xl/worksheets/sheet1.xml"
    entry = data.index(name, data.index(b"PK\x01\x02")) - 46
    data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    assert "不完整" in refusal(bytes(data))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"<worksheet", b'<!DOCTYPE x [<!ENTITY e "x">]><worksheet', "不允许"),
        (b"</sheetData>", b'<row r="1048576"><c r="A1048576"/></row></sheetData>', "已用区域"),
        (b"</sheetData>", b'<row r="9"><c r="XFD9"/></row></sheetData>', "已用区域"),
        (b"</sheetData>", b'<row r="50000"><c r="GR50000"/></row></sheetData>', "已用区域"),
        # There twice, each reader believes another one.
        (b'<c r="B2"', b'<c r="A2"/><c r="B2"', "损坏"),
        (b"<sheetData>", b"<sheetData>" + b"<x>" * 100, "不允许"),
        (b"</sheetData>", b"", "损坏"),
    ],
)
def test_hostile_markup_is_refused(old: bytes, new: bytes, reason: str) -> None:
    parts = unpacked(xlsx_file([roster_row(1)]))
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(old, new, 1)
    assert reason in refusal(packed(parts))


def test_a_1904_workbook_is_refused() -> None:
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"date_1904": True})
    book.add_worksheet().write_string(0, 0, "工号")
    book.close()
    assert "1904" in refusal(written.getvalue())


def test_only_vetted_parts_reach_the_reader() -> None:
    parts = archive.vetted_parts("f", with_part("docProps/custom.xml", b"<secret/>"))
    assert "docProps/custom.xml" not in parts
    assert "xl/worksheets/sheet1.xml" in parts


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MOST_ROWS", 3)
    data = csv_file([roster_row(number) for number in range(1, 6)])
    assert "超过 3 行" in refusal(data)


def test_wide_months_may_be_text_numbers_or_dates() -> None:
    header = ["工号", "2023-01", "202302", "2023年3月"]
    data = csv_file([{"工号": "E0001", "2023-01": "1", "202302": "", "2023年3月": "3"}], header)
    read = wages(data)
    assert [(row.wage_month, row.amount_fen) for row in read.rows] == [
        ("2023-01", 100),
        ("2023-03", 300),
    ]
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written)
    sheet = book.add_worksheet()
    sheet.write_string(0, 0, "工号")
    sheet.write_datetime(0, 1, date(2023, 4, 1), book.add_format({"num_format": "yyyy-mm"}))
    sheet.write_number(0, 2, 202305)
    sheet.write_row(1, 0, ["E0001", 4, 5])
    book.close()
    months = [(row.wage_month, row.amount_fen) for row in wages(written.getvalue()).rows]
    assert months == [("2023-04", 400), ("2023-05", 500)]


def test_wide_months_may_stand_below_their_year() -> None:
    header, month = ("工号", "2023年", " "), ("", "11月", "12月")
    rows = [dict(zip(header, one, strict=True)) for one in (month, ("E0001", "1", "2"))]
    read = wages(csv_file(rows, header))
    assert [(row.wage_month, row.amount_fen) for row in read.rows] == [
        ("2023-11", 100),
        ("2023-12", 200),
    ]


def test_the_same_month_in_two_columns_is_refused() -> None:
    with pytest.raises(FileUnreadable):
        wages("工号,2023-01,202301\nE0001,1,2\n".encode())


def test_a_row_with_one_bad_month_gives_none_of_its_months() -> None:
    read = wages("工号,2023-01,2023-02\nE0001,1,abc\n".encode())
    assert read.rows == ()
    assert [(fault.row, fault.column) for fault in read.faults] == [(2, "2023-02")]


def test_whoever_never_was_in_a_housing_fund_says_so() -> None:
    header = (*ROSTER_HEADER, "首月工资", "首次缴存公积金")
    rows = [
        roster_row(1, 首月工资="21750.00", 首次缴存公积金="是"),
        roster_row(2, 首月工资="", 首次缴存公积金=""),
    ]
    found = roster(csv_file(rows, header))
    assert [(x.first_month_wage_fen, x.first_fund_member) for x in found.rows] == [
        (2_175_000, True),
        (0, False),
    ]
