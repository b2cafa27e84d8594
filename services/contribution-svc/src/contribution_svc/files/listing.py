"""A list as a file for spreadsheets, written page by page: CSV in UTF-8 with BOM, or XLSX. Texts
stay texts, whatever they begin with; whole numbers are fen, and written in yuan.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import IO, Protocol

import xlsxwriter

Cell = str | int
"""A text, or fen."""

_FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")
"""What a spreadsheet takes for a formula, also in full width (ASVS 1.2.10)."""


class ListingFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    ListingFormat.CSV: "text/csv; charset=utf-8",
    ListingFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Listing(Protocol):
    """Takes rows until it is closed; then the file is whole."""

    def add(self, rows: Iterable[Sequence[Cell]]) -> None: ...

    def close(self) -> None: ...


def listing(file: IO[bytes], form: ListingFormat, titles: Sequence[str]) -> Listing:
    """A list in an empty binary file, which stays open, under these titles."""
    return (_Csv if form is ListingFormat.CSV else _Workbook)(file, titles)


class _Csv:
    def __init__(self, file: IO[bytes], titles: Sequence[str]) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        self._rows = csv.writer(self._text)
        self._rows.writerow(titles)

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        self._rows.writerows([_csv_text(cell) for cell in row] for row in rows)

    def close(self) -> None:
        self._text.detach()


def _csv_text(cell: Cell) -> str:
    if isinstance(cell, int):
        sign, (yuan, cents) = "-" if cell < 0 else "", divmod(abs(cell), 100)
        return f"{sign}{yuan}.{cents:02d}"
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


class _Workbook:
    """One row at a time is in memory; the rest is in a temporary file of the writer's own."""

    def __init__(self, file: IO[bytes], titles: Sequence[str]) -> None:
        plain = {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True, **plain})
        self._sheet = self._book.add_worksheet()
        self._yuan = self._book.add_format({"num_format": "#,##0.00"})
        self._next = 0
        self.add([titles])

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            for column, cell in enumerate(row):
                if isinstance(cell, int):
                    self._sheet.write_number(self._next, column, cell / 100, self._yuan)
                else:
                    self._sheet.write_string(self._next, column, cell)
            self._next += 1

    def close(self) -> None:
        self._book.close()
