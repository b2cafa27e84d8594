"""Wage data and finished payslips: how people write them, and everything that may be wrong."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.imported_payslips import INSURANCE_NAMES, SaidLine, SaidPayslip
from payroll_svc.domain.pay_items import Entry, PayItem
from payroll_svc.domain.wage_inputs import (
    INPUT_ITEMS,
    InputItem,
    InputItems,
    WageInput,
    excess_of,
    value_text,
)
from payroll_svc.errors import FileUnreadable
from payroll_svc.files.payslips import read_payslips
from payroll_svc.files.person_rows import RowsRead
from payroll_svc.files.reader import read_grid
from payroll_svc.files.wage_data import read_wage_data
from payroll_svc.policy import statutory_items
from tests.support.broken_files import KNOWN, BrokenRow, whole_files
from tests.support.broken_pay_files import (
    BROKEN_DATA_ROWS,
    BROKEN_SLIP_ROWS,
    PAYSLIP_HEADER,
    WAGE_DATA_HEADER,
    WIDE_HEADER,
    after,
    data_row,
    places,
    slip_row,
)
from tests.support.rosters import csv_file, xlsx_file

NUMBERS = {KNOWN: "id-1", "E0002": "id-2"}
WRITERS = {"csv": csv_file, "xlsx": xlsx_file}


input_item = InputItems().named

OWN = (
    PayItem("night_allowance", "夜班津贴"),
    PayItem("night_shift", "夜班", way="hours"),
    PayItem("on_call", "值班", way="days"),
    PayItem("part_a", "零件甲", way="pieces"),
    PayItem("part_b", "零件乙", way="pieces"),
)


def test_every_statutory_item_but_the_agreed_wage_can_be_named_by_a_file() -> None:
    named = {item.code for item in INPUT_ITEMS.values()}
    assert statutory_items().keys() - named == {"base_salary"}
    assert {code for code in named if input_item(code) is None} == set()


def test_a_run_reckons_every_item_of_a_file_the_way_that_it_is_measured() -> None:
    ways = {"fen": ("amount", "pieces"), "piece": ("pieces",), "hour": ("hours",), "day": ("days",)}
    catalogue = statutory_items()
    assert [i for i in INPUT_ITEMS.values() if catalogue[i.code].way not in ways[i.unit]] == []


def wage_data(data: bytes, month: str = "", own: Sequence[PayItem] = ()) -> RowsRead[WageInput]:
    return read_wage_data(read_grid("f", data), "employer", NUMBERS, month, own)


def payslips(data: bytes, month: str = "") -> RowsRead[SaidPayslip]:
    return read_payslips(read_grid("f", data), "employer", NUMBERS, month)


def said(read: RowsRead[WageInput]) -> set[tuple[str, str, str, str]]:
    return {(one.employee_no, one.code, one.unit, value_text(one)) for one in read.rows}


@pytest.mark.parametrize("form", WRITERS)
def test_the_wide_form_says_what_the_long_form_says(form: str) -> None:
    wide = {"工号": KNOWN, "奖金": "1,200.00", "计件数量": "120.5", "计件单价": "0.125"}
    wide |= {"加班小时数": "8", "事假天数": "1.5"}
    long = [
        data_row(),
        data_row(项目="计件件数", 金额="", 数量=120.5, 计件单价=0.125),
        data_row(项目="加班小时数", 金额="", 数量=8, 单位="小时"),
        data_row(项目="事假（天数）", 金额="", 数量="1.500"),
    ]
    by_row = wage_data(WRITERS[form](long, WAGE_DATA_HEADER))
    by_column = wage_data(WRITERS[form]([wide], WIDE_HEADER), "2024-10")
    assert by_row.faults == by_column.faults == ()
    assert said(by_row) == said(by_column)
    assert said(by_row) == {
        (KNOWN, "bonus", "fen", "1200.00"),
        (KNOWN, "piece_pay", "piece", "120.5"),
        (KNOWN, "overtime_150", "hour", "8"),
        (KNOWN, "personal_leave", "day", "1.5"),
    }
    [piece] = [one for one in by_column.rows if one.code == "piece_pay"]
    assert piece.unit_price_fen_hundredths == 1_250


@pytest.mark.parametrize("form", WRITERS)
def test_every_broken_row_of_wage_data_is_named(form: str) -> None:
    read = wage_data(WRITERS[form](after(data_row(), BROKEN_DATA_ROWS), WAGE_DATA_HEADER))
    _hold(read.faults, BROKEN_DATA_ROWS)
    assert [one.row for one in read.rows] == [2]


@pytest.mark.parametrize("form", WRITERS)
def test_every_broken_payslip_is_named(form: str) -> None:
    read = payslips(WRITERS[form](after(slip_row(), BROKEN_SLIP_ROWS), PAYSLIP_HEADER))
    _hold(read.faults, BROKEN_SLIP_ROWS)
    assert [one.row for one in read.rows] == [2]


def _hold(faults: Sequence[object], broken: tuple[BrokenRow, ...]) -> None:
    found = {(fault.row, fault.column) for fault in faults}  # type: ignore[attr-defined]
    assert found == places(broken)
    assert all(fault.reason and fault.todo for fault in faults)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["wage data", "payslips"])
@pytest.mark.parametrize("name", whole_files())
def test_a_file_that_is_something_else_is_refused(kind: str, name: str) -> None:
    columns, row = (
        (WAGE_DATA_HEADER, data_row()) if kind == "wage data" else (PAYSLIP_HEADER, slip_row())
    )
    data, word = whole_files(columns, row)[name]
    with pytest.raises(FileUnreadable) as refused:
        (wage_data if kind == "wage data" else payslips)(data)
    assert word in refused.value.faults[0].reason
    assert all(fault.todo for fault in refused.value.faults)


@pytest.mark.parametrize("reader", [wage_data, payslips])
def test_a_month_is_named_by_the_sender_or_the_file_and_not_by_two(reader: object) -> None:
    columns = [*WIDE_HEADER] if reader is wage_data else [*PAYSLIP_HEADER]
    row = {"工号": KNOWN, "奖金": "1"} if reader is wage_data else slip_row()
    nowhere = [name for name in columns if name != "所属月份"]
    with pytest.raises(FileUnreadable, match="f cannot be read") as refused:
        reader(csv_file([row], nowhere))  # type: ignore[operator]
    assert "没有写明" in refused.value.faults[0].reason
    other = csv_file([{**row, "所属月份": "202409"}], [*nowhere, "所属月份"])
    assert [fault.column for fault in reader(other, "2024-10").faults] == ["所属月份"]  # type: ignore[operator]


def test_an_item_in_two_columns_is_refused() -> None:
    with pytest.raises(FileUnreadable) as refused:
        wage_data(f"工号,奖金,奖 金（元）\n{KNOWN},1,1\n".encode(), "2024-10")
    assert "两次" in refused.value.faults[0].reason
    header = "工号,计件工资,计件数量,计件单价"
    both = wage_data(f"{header}\n{KNOWN},1,1,1\nE0002,1,,\n".encode(), "2024-10")
    assert [(fault.row, fault.column) for fault in both.faults] == [(2, "计件数量")]
    assert [(one.employee_no, one.amount_fen) for one in both.rows] == [("E0002", 100)]


@pytest.mark.parametrize("form", WRITERS)
def test_own_items_are_named_by_name_or_code_in_both_forms(form: str) -> None:
    wide = {"工号": KNOWN, "夜班津贴（元）": "300", "night_shift": "8.5", "值班天数": "2"}
    wide |= {"零件甲": "100", "零件甲单价": "0.125", "零件乙数量": "7", "part_b单价": "1.5"}
    long = [
        data_row(项目="night_allowance", 金额="300.00"),
        data_row(项目="夜班", 金额="", 数量="8.5", 单位="小时"),
        data_row(项目="值班", 金额="", 数量="2", 单位="天"),
        data_row(项目="零件甲", 金额="", 数量="100", 计件单价="0.125"),
        data_row(项目="part_b", 金额="", 数量="7", 计件单价="1.5"),
    ]
    by_column = wage_data(WRITERS[form]([wide], [*wide]), "2024-10", OWN)
    by_row = wage_data(WRITERS[form](long, WAGE_DATA_HEADER), "", OWN)
    assert by_column.faults == by_row.faults == ()
    assert said(by_column) == said(by_row)
    assert {(one.code, one.words, one.unit, value_text(one)) for one in by_column.rows} == {
        ("night_allowance", "夜班津贴", "fen", "300.00"),
        ("night_shift", "夜班", "hour", "8.5"),
        ("on_call", "值班", "day", "2"),
        ("part_a", "零件甲", "piece", "100"),
        ("part_b", "零件乙", "piece", "7"),
    }
    prices = {one.code: one.unit_price_fen_hundredths for one in by_column.rows}
    assert (prices["part_a"], prices["part_b"]) == (1_250, 15_000)


def test_what_no_item_is_called_is_refused_with_what_there_is() -> None:
    unknown = wage_data(f"工号,奖金,高温补贴\n{KNOWN},1,2\n".encode(), "2024-10", OWN)
    [fault] = unknown.faults
    assert (fault.row, fault.column, fault.reason) == (1, "高温补贴", "不认识的列")
    assert all(name in fault.todo for name in ("工号", "奖金", "事假天数", "夜班津贴", "零件乙"))
    long = wage_data(csv_file([data_row(项目="高温补贴")], WAGE_DATA_HEADER), "", OWN)
    assert "夜班津贴" in long.faults[0].todo


def test_one_price_is_not_that_of_two_items_by_pieces() -> None:
    shared = f"工号,零件甲,零件乙,计件单价\n{KNOWN},1,1,1\n".encode()
    with pytest.raises(FileUnreadable) as refused:
        wage_data(shared, "2024-10", OWN)
    assert refused.value.faults[0].reason == "零件甲、零件乙 共用一列单价"
    assert refused.value.faults[0].todo == "给每个项目加一列单价，如“零件乙单价”"
    alone = wage_data(f"工号,零件甲,计件单价\n{KNOWN},1,1\n".encode(), "2024-10", OWN)
    assert alone.rows[0].unit_price_fen_hundredths == 10_000


def test_a_name_with_two_meanings_means_neither() -> None:
    """Items of before names were held apart: only their codes tell them apart."""
    items = InputItems([PayItem("sales_bonus", "奖金"), PayItem("team_bonus", "团队奖")])
    assert items.named("奖金") is None
    assert items.named("sales_bonus") == InputItem("sales_bonus", "fen")
    assert items.named("团队奖") == InputItem("team_bonus", "fen")
    assert {"bonus", "sales_bonus", "团队奖"} <= set(items.words)


def test_hours_of_leave_are_not_read_as_days() -> None:
    assert input_item("事假") == input_item("事假天数") == InputItem("personal_leave", "day")
    assert input_item("事假（小时）") is None
    assert input_item("奖金（元）") == input_item("奖 金") == InputItem("bonus", "fen")


@given(st.sampled_from(sorted(INPUT_ITEMS)), st.sampled_from(["{}", " {} ", "*{}"]))
def test_an_item_is_known_by_every_of_its_words(words: str, written: str) -> None:
    assert input_item(written.format(words)) == INPUT_ITEMS[words]


def test_a_payslip_is_read_as_it_is_said() -> None:
    read = payslips(csv_file([slip_row()], PAYSLIP_HEADER))
    assert read.faults == ()
    [slip] = read.rows
    assert (slip.gross_fen, slip.tax_fen, slip.net_fen) == (1_000_000, 7_155, 831_345)
    assert slip.withheld == (
        SaidLine("pension", 950_000, 76_000, 152_000),
        SaidLine("medical", 950_000, 19_000, 76_000),
        SaidLine("work_injury", 950_000, 0, 3_800),
        SaidLine("housing_fund", 950_000, 66_500, 66_500),
    )


def test_what_the_tax_year_goes_on_from_is_read_and_what_is_not_said_is_not_zero() -> None:
    said = {"本期收入": "9,800", "专项附加扣除": "0", "单独计税奖金": "100", "奖金个税": "3"}
    read = payslips(csv_file([slip_row(**said), slip_row(工号="E0002")], PAYSLIP_HEADER))
    assert read.faults == ()
    assert [
        (one.income_fen, one.special_additional_fen, one.bonus_apart_fen, one.bonus_tax_fen)
        for one in read.rows
    ] == [(980_000, 0, 10_000, 300), (None, None, 0, 0)]
    columns = ["本月收入" if name == "本期收入" else name for name in PAYSLIP_HEADER]
    again = payslips(csv_file([slip_row(本月收入="9800")], columns))
    assert again.rows[0].income_fen == 980_000


@pytest.mark.parametrize(
    ("insurance", "names"),
    [
        ("pension", ("养老保险个人", "养老个人", "个人养老保险", "基本养老保险（个人缴费）")),
        ("medical", ("医疗保险个人", "医保个人", "个人部分-医疗保险")),
        ("housing_fund", ("公积金个人", "住房公积金个人缴纳", "个人公积金")),
    ],
)
def test_insurances_are_known_by_the_words_that_people_use(
    insurance: str, names: tuple[str, ...]
) -> None:
    short = INSURANCE_NAMES[insurance][1]
    for name in names:
        columns = ("工号", "应发工资", f"{short}基数", name, f"单位{short}", "个税", "实发工资")
        cells: Mapping[str, object] = {
            **{"工号": KNOWN, "应发工资": "100", f"{short}基数": "100", name: "8"},
            **{f"单位{short}": "16", "个税": "0", "实发工资": "92"},
        }
        read = payslips(csv_file([cells], columns), "2024-10")
        assert read.faults == (), name
        assert read.rows[0].withheld == (SaidLine(insurance, 10_000, 800, 1_600),)


@pytest.mark.parametrize("form", WRITERS)
def test_a_header_of_two_rows_names_each_column_by_both(form: str) -> None:
    """养老保险 over 基数, 个人 and 单位, as merged cells leave it; 个税 has nothing below it."""
    groups = ("工号", "应发项目", "养老保险", "", " ", "医疗保险", "  ", "   ", "个税", "实发合计")
    divisions = ("", "应发合计", *("基数", "个人", "单位") * 2, "", "")
    row = (KNOWN, "10000", *("9500", "760", "1520"), *("9500", "190", "760"), "120.5", "8929.5")
    rows = [dict(zip(groups, one, strict=True)) for one in (divisions, row)]
    read = payslips(WRITERS[form](rows, groups), "2024-10")
    assert (read.faults, read.row_count) == ((), 1)
    assert read.rows[0].withheld == (
        SaidLine("pension", 950_000, 76_000, 152_000),
        SaidLine("medical", 950_000, 19_000, 76_000),
    )
    # A first row of data, though all of it is text, divides nothing.
    plain = csv_file([{"工号": KNOWN, "奖金": "100"}], ("工号", "奖金", "签字"))
    assert said(wage_data(plain, "2024-10")) == {(KNOWN, "bonus", "fen", "100.00")}


@pytest.mark.parametrize(
    ("way", "quantity", "price", "is_too_much"),
    [
        ("hours", 744_000, 0, False),
        ("hours", 744_001, 0, True),
        ("days", 31_001, 0, True),
        ("pieces", 1_000_000, 100_000_000, False),
        ("pieces", 1_000_000, 100_000_100, True),
        ("pieces", 1_000_000_001, 1, True),
    ],
)
def test_a_month_holds_no_more_hours_days_or_pieces(
    way: str, quantity: int, price: int, is_too_much: bool
) -> None:
    assert bool(excess_of(Entry("any", 0, quantity, price), way)) is is_too_much


def test_pieces_and_price_together_are_no_more_than_an_amount() -> None:
    """As quantity and price apart, each may be right."""
    row = {"工号": KNOWN, "计件数量": "900000", "计件单价": "1250"}
    read = wage_data(csv_file([row], ("工号", "计件数量", "计件单价")), "2024-10")
    assert [(fault.column, fault.reason) for fault in read.faults] == [
        ("计件单价", "计件数量：数量乘单价超过 10,000,000.00 元")
    ]


def test_a_number_that_lost_its_zeros_says_so() -> None:
    numbers = {"00123": "id-1", "0123": "id-2"}
    file = read_grid("f", xlsx_file([{"工号": 123, "奖金": 100}], ("工号", "奖金")))
    [fault] = read_wage_data(file, "employer", numbers, "2024-10").faults
    assert (fault.reason, "0123、00123" in fault.todo) == ("花名册里没有这个工号", True)


def test_an_insurance_of_which_a_side_has_no_column_is_refused() -> None:
    columns = [name for name in PAYSLIP_HEADER if name != "公积金单位"]
    with pytest.raises(FileUnreadable) as refused:
        payslips(csv_file([slip_row()], columns))
    assert [fault.where for fault in refused.value.faults] == ["f:1:住房公积金单位"]


def test_a_contributions_column_must_be_the_sum_of_the_insurances() -> None:
    columns = [*PAYSLIP_HEADER, "个人社保公积金合计"]
    right = payslips(csv_file([slip_row(个人社保公积金合计="1615")], columns))
    wrong = payslips(csv_file([slip_row(个人社保公积金合计="1600")], columns))
    assert right.faults == ()
    assert [fault.column for fault in wrong.faults] == ["个人社保公积金合计"]
    assert "1,615.00" in wrong.faults[0].reason
