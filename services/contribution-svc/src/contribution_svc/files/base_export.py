"""基数申报表: a campaign's members as XLSX or CSV, to be filed with the collector.

Names and identity numbers rest in payroll-svc: whoever files joins them by 工号.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import xlsxwriter

Cell = str | Decimal | None
"""A text, a sum of yuan with two decimals, or nothing."""

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_WIDTH = 16


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its name, the columns, and a row of cells for each member."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def csv_of(sheet: Sheet) -> bytes:
    """UTF-8 with BOM and CRLF, as spreadsheet programs in China open it. A text that such a program
    would take for a formula is quoted with an apostrophe.
    """
    written = io.StringIO(newline="")
    rows = csv.writer(written, lineterminator="\r\n")
    rows.writerow(sheet.columns)
    rows.writerows([_plain(cell) for cell in row] for row in sheet.rows)
    return "\ufeff".encode() + written.getvalue().encode()


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:.2f}"
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell


def xlsx_of(sheet: Sheet) -> bytes:
    """A workbook of one sheet; texts are texts, whatever they look like."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"constant_memory": True})
    page = book.add_worksheet(sheet.name)
    head = book.add_format({"bold": True})
    money = book.add_format({"num_format": "#,##0.00"})
    page.freeze_panes(1, 0)
    page.set_column(0, len(sheet.columns) - 1, _WIDTH)
    for at, name in enumerate(sheet.columns):
        page.write_string(0, at, name, head)
    for number, row in enumerate(sheet.rows, start=1):
        for at, cell in enumerate(row):
            if isinstance(cell, Decimal):
                page.write_number(number, at, cell, money)
            elif cell:
                page.write_string(number, at, cell)
    book.close()
    return written.getvalue()
