"""Cells: what people write for an amount, a day, a month or a code, and what is refused."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.pay_items import HIGHEST_AMOUNT_FEN
from payroll_svc.files import cells
from payroll_svc.files.cells import BrokenCell, Cell, CellRefused, Formula
from shared.values import fen_text


@pytest.mark.parametrize(
    ("value", "fen"),
    [
        ("9500", 950_000),
        ("9500.5", 950_050),
        ("9,500.00", 950_000),
        ("1,234,567.89", 123_456_789),
        ("９５００．００", 950_000),
        ("１，２３４．５０", 123_450),
        ("¥9500", 950_000),
        ("￥9,500.00", 950_000),
        ("9500元", 950_000),
        (" 9500 ", 950_000),
        ("9500.000", 950_000),
        ("0", 0),
        (9500.0, 950_000),
        (7600.25, 760_025),
        (0.1 + 0.2, 30),
        (8000, 800_000),
    ],
)
def test_amounts_as_people_write_them(value: Cell, fen: int) -> None:
    assert cells.fen(value) == fen


@pytest.mark.parametrize(
    "value",
    [
        "9500.005",
        0.005,
        "1,00,00",
        "9.5E3",
        "9.5e+3",
        "-9500",
        "−9500",
        "－9500",
        "(9,500.00)",
        "（9500）",
        "9元500",
        "九千五百",
        "1.234,56",
        "10000000.01",
        1e20,
        True,
        date(2024, 1, 1),
        Formula(),
        BrokenCell(),
        "=1+1",
        "9500\u200b",
        "",
    ],
)
def test_amounts_that_are_refused(value: Cell) -> None:
    with pytest.raises(CellRefused) as refused:
        cells.fen(value)
    assert refused.value.reason
    assert refused.value.todo


@given(st.integers(0, HIGHEST_AMOUNT_FEN))
def test_every_amount_survives_each_way_of_writing_it(fen: int) -> None:
    assert cells.fen(fen_text(fen)) == fen
    assert cells.fen(fen_text(fen).replace(",", "")) == fen
    assert cells.fen(fen / 100) == fen


@pytest.mark.parametrize(
    "value",
    [
        "2024-09-23",
        "2024/9/23",
        "2024.9.23",
        "2024年9月23日",
        "20240923",
        "２０２４－０９－２３",
        "2024-09-23 00:00:00",
        20240923.0,
        date(2024, 9, 23),
        datetime(2024, 9, 23),  # noqa: DTZ001  # as a spreadsheet's reader gives it
    ],
)
def test_days_as_people_write_them(value: Cell) -> None:
    assert cells.day(value) == date(2024, 9, 23)


@pytest.mark.parametrize(
    "value",
    [
        *("2024-02-30", "2024-13-01", "09/23/2024", "23.09.2024", "24-09-23", "2024-9", "昨天"),
        *("2024-09-23 08:30", 45558.0, 45558.5, True, Formula()),
    ],
)
def test_days_that_are_refused(value: Cell) -> None:
    with pytest.raises(CellRefused):
        cells.day(value)


@given(st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_every_day_survives_each_way_of_writing_it(day: date) -> None:
    forms = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日")
    assert {cells.day(day.strftime(form)) for form in forms} == {day}


@pytest.mark.parametrize(
    "value",
    [
        *("202309", "2023-09", "2023-9", "2023/9", "2023.09", "2023年9月", "２０２３０９"),
        *(202309.0, date(2023, 9, 1)),
    ],
)
def test_months_as_people_write_them(value: Cell) -> None:
    assert cells.month(value) == "2023-09"


@pytest.mark.parametrize("value", ["202313", "20239", "9月", "2023", "1023-09", 45170.0, ""])
def test_months_that_are_refused(value: Cell) -> None:
    with pytest.raises(CellRefused):
        cells.month(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [("E0001", "E0001"), ("Ｅ０００１", "E0001"), (" E 1 ", "E1"), (1001.0, "1001")],
)
def test_codes(value: Cell, code: str) -> None:
    assert cells.code(value) == code


@pytest.mark.parametrize(
    "value",
    # The second begins with the Cyrillic letter that looks like E.
    ["工号1", "\u0415001", "=E1", "@x", "E1\u202e", "x" * 33, 1.5, 1.1010519491231e17, True],
)
def test_codes_that_are_refused(value: Cell) -> None:
    with pytest.raises(CellRefused):
        cells.code(value)


@pytest.mark.parametrize("bad", ["\x07", "\u202e", "\u200b", "\ud800", "\ue000", "\u2028"])
def test_text_that_hides_something_is_refused(bad: str) -> None:
    with pytest.raises(CellRefused):
        cells.text(f"王{bad}明")


def test_long_numbers_say_that_the_spreadsheet_lost_digits() -> None:
    with pytest.raises(CellRefused, match="丢失"):
        cells.text(110101199003070012.0)


@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(value: str) -> None:
    for parse in (cells.text, cells.narrow, cells.code, cells.fen, cells.day, cells.month):
        try:
            parse(value)
        except CellRefused:
            continue
    assert cells.shown(value).isprintable() or "�" in cells.shown(value)
