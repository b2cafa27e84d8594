"""Lists for spreadsheets: no text of a file is ever a formula, and fen are yuan."""

import csv
import io
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from contribution_svc.files.listing import Cell, ListingFormat, listing, written

TITLES = ("工号", "单位增减")
HOSTILE = ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠A1"]


def whole(form: ListingFormat, *rows: tuple[str, int]) -> bytes:
    file = io.BytesIO()
    made = listing(file, form, TITLES)
    for row in rows:
        made.add([row])
    made.close()
    return file.getvalue()


def csv_rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_csv_says_that_it_is_utf8_and_has_its_titles() -> None:
    content = whole(ListingFormat.CSV, ("A0017", 107_700))
    assert content.startswith("\ufeff工号,单位增减".encode())
    assert csv_rows(content) == [list(TITLES), ["A0017", "1077.00"]]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_looks_like_a_formula_stays_a_text(text: str) -> None:
    [_, [shown, _]] = csv_rows(whole(ListingFormat.CSV, (text, 0)))
    assert shown == f"'{text}"
    book = CalamineWorkbook.from_filelike(io.BytesIO(whole(ListingFormat.XLSX, (text, 0))))
    assert book.get_sheet_by_index(0).to_python()[1][0].strip() == text.strip()  # type: ignore[union-attr]


@given(st.integers(min_value=-(10**13), max_value=10**13))
def test_fen_are_yuan_to_the_cent(fen: int) -> None:
    [_, [_, shown]] = csv_rows(whole(ListingFormat.CSV, ("A", fen)))
    sign = -1 if shown.startswith("-") else 1
    yuan, cents = shown.lstrip("-").split(".")
    assert sign * (int(yuan) * 100 + int(cents)) == fen


def test_a_workbook_holds_numbers_that_add_up() -> None:
    content = whole(ListingFormat.XLSX, ("A", -107_700), ("B", 5))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    assert sheet.to_python() == [list(TITLES), ["A", -1_077.0], ["B", 0.05]]


async def test_pages_become_one_file_under_its_name() -> None:
    async def pages() -> AsyncIterator[list[list[Cell]]]:
        yield [["A", 1], ["", 2]]
        yield [["B", 3]]

    content = await written(ListingFormat.XLSX, TITLES, pages(), "2024年度基数申报")
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["2024年度基数申报"]
    sheet = book.get_sheet_by_index(0)
    assert sheet.to_python() == [list(TITLES), ["A", 0.01], ["", 0.02], ["B", 0.03]]
    plain = await written(ListingFormat.CSV, TITLES, pages())
    assert csv_rows(plain) == [list(TITLES), ["A", "0.01"], ["", "0.02"], ["B", "0.03"]]
