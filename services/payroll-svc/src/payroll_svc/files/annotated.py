"""A file handed back with what is wrong in it: every row where it was, the faulty ones marked."""

import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from payroll_svc.domain.faults import Fault
from payroll_svc.files.cells import Cell, shown
from payroll_svc.files.grid import ERRORS_COLUMN, MOST_COLUMNS, Grid, header_key
from payroll_svc.files.person_rows import EMPLOYEE_NO

_LONGEST_CELL = 32_000
"""A spreadsheet's own limit is 32,767 characters."""

_EXACT = 10**15
_WIDE = 60
_DAY: dict[str, Any] = {"num_format": "yyyy-mm-dd"}
_RED: dict[str, Any] = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}


def annotated(grid: Grid, faults: Sequence[Fault]) -> bytes:
    """The grid as a workbook with one column more, which names per row the reasons and what to do.

    Nothing in it is calculated or followed: text stays text, whatever it begins with. The column of
    an earlier answer is replaced, and an upload passes it over.
    """
    header, place = _header_place(grid)
    said: dict[int, list[str]] = defaultdict(list)
    for fault in faults:
        said[max(fault.row, header)].append(_sentence(fault))
    written = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(written, options) as book:
        sheet = book.add_worksheet("错误")
        plain = _Look(None, book.add_format(_DAY))
        marked = _Look(book.add_format(_RED), book.add_format(_RED | _DAY))
        wrapped = book.add_format(_RED | {"text_wrap": True})
        for number, cells in grid.rows:
            look = marked if number in said else plain
            for column, cell in enumerate(cells[:MOST_COLUMNS]):
                if column != place:
                    _write(sheet, number - 1, column, cell, look)
            words = "；".join(said[number]) if number in said else ""
            if number == header:
                words = f"{ERRORS_COLUMN}：{words}" if words else ERRORS_COLUMN
            if words:
                sheet.write_string(number - 1, place, words[:_LONGEST_CELL], wrapped)
        sheet.set_column(place, place, _WIDE)
    return written.getvalue()


def _sentence(fault: Fault) -> str:
    where = f"{fault.column}：" if fault.column else ""
    return f"{where}{fault.reason}（{fault.todo}）"


def _header_place(grid: Grid) -> tuple[int, int]:
    """(row of the header, column for the errors): where an earlier answer had them, else the first
    free one.
    """
    spellings = EMPLOYEE_NO.spellings()
    header, titles = grid.rows[0]
    for number, cells in grid.rows:
        if any(isinstance(cell, str) and header_key(cell) in spellings for cell in cells):
            header, titles = number, cells
            break
    for column, title in enumerate(titles):
        if isinstance(title, str) and title.startswith(ERRORS_COLUMN):
            return header, column
    return header, min(max(len(cells) for _, cells in grid.rows), MOST_COLUMNS)


@dataclass(frozen=True, slots=True)
class _Look:
    """How cells and days of a row look."""

    cell: Format | None
    day: Format


def _write(sheet: Worksheet, row: int, column: int, cell: Cell, look: _Look) -> None:
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell, look.cell)
    elif isinstance(cell, int | float) and abs(cell) < _EXACT:
        sheet.write_number(row, column, cell, look.cell)
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, cell, look.day)
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell[:_LONGEST_CELL], look.cell)
    else:
        sheet.write_string(row, column, shown(cell), look.cell)
