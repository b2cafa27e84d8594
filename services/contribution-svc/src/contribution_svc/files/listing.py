"""A list as a file for spreadsheets, written page by page: CSV in UTF-8 with BOM, or XLSX. Texts
stay texts, whatever they begin with; whole numbers are fen, and written in yuan.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterable, Iterable, Sequence
from enum import StrEnum
from typing import IO, Protocol

import xlsxwriter

Cell = str | int
"""A text, or fen."""

_FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")
"""What a spreadsheet takes for a formula, also in full width (ASVS 1.2.10)."""

_WIDTH = 16
"""Of a column, in characters: a sum of yuan or an account number."""


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


async def written(
    form: ListingFormat,
    titles: Sequence[str],
    pages: AsyncIterable[Iterable[Sequence[Cell]]],
    name: str = "",
) -> bytes:
    """The file of all pages, of whose rows one page at a time is in memory."""
    file = io.BytesIO()
    rows = listing(file, form, titles, name)
    # Writing is CPU: other requests go on meanwhile.
    async for page in pages:
        await asyncio.to_thread(rows.add, page)
    await asyncio.to_thread(rows.close)
    return file.getvalue()


def listing(file: IO[bytes], form: ListingFormat, titles: Sequence[str], name: str = "") -> Listing:
    """A list in an empty binary file, which stays open, under these titles; `name` is that of a
    workbook's sheet.
    """
    return _Csv(file, titles) if form is ListingFormat.CSV else _Workbook(file, titles, name)


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

    def __init__(self, file: IO[bytes], titles: Sequence[str], name: str) -> None:
        plain = {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True, **plain})
        self._sheet = self._book.add_worksheet(name or None)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(titles) - 1, _WIDTH)
        self._yuan = self._book.add_format({"num_format": "#,##0.00"})
        head = self._book.add_format({"bold": True})
        for column, title in enumerate(titles):
            self._sheet.write_string(0, column, title, head)
        self._next = 1

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            for column, cell in enumerate(row):
                if isinstance(cell, int):
                    self._sheet.write_number(self._next, column, cell / 100, self._yuan)
                elif cell:
                    self._sheet.write_string(self._next, column, cell)
            self._next += 1

    def close(self) -> None:
        self._book.close()
