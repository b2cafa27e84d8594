"""Tables to files that people open: text stays text, amounts are numbers."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

import xlsxwriter

from payroll_svc.domain.exports import CSV, XLSX, neutral

WrittenCell = str | Decimal
"""A Decimal is an amount or a quantity; all else is text."""


class TableWriter(Protocol):
    """Takes a table row by row; `close` gives the file."""

    def write(self, rows: Sequence[Sequence[WrittenCell]]) -> None: ...

    def close(self) -> bytes: ...


def table_writer(form: str, name: str, encoding: str) -> TableWriter:
    """A workbook, a CSV, or that in a zip under `name`; a CSV in UTF-8 begins with a BOM."""
    if form == XLSX:
        return _Workbook(name)
    return _Delimited(encoding) if form == CSV else _Zipped(name, encoding)


class _Workbook:
    """Written row by row, so that it takes no more memory than one row."""

    def __init__(self, name: str) -> None:
        self._file = io.BytesIO()
        self._folder = tempfile.TemporaryDirectory()
        options = {
            "constant_memory": True,
            "tmpdir": self._folder.name,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        self._book = xlsxwriter.Workbook(self._file, options)
        self._sheet = self._book.add_worksheet(name[:31])
        self._sheet.freeze_panes(1, 0)
        self._text = self._book.add_format({"num_format": "@"})
        self._row = 0

    def write(self, rows: Sequence[Sequence[WrittenCell]]) -> None:
        for row in rows:
            for column, cell in enumerate(row):
                if isinstance(cell, Decimal):
                    # A number of a workbook is a float by its format (ECMA-376 part 1, 18.3.1.96),
                    # and xlsxwriter writes 16 digits: our amounts have 13 at most, so that the
                    # reader, which takes 15, gets back every fen.
                    self._sheet.write_number(self._row, column, float(cell))
                elif cell:
                    self._sheet.write_string(self._row, column, cell, self._text)
            self._row += 1

    def close(self) -> bytes:
        self._book.close()
        self._folder.cleanup()
        return self._file.getvalue()


class _Delimited:
    def __init__(self, encoding: str) -> None:
        self._file = io.BytesIO()
        self._encoding = encoding
        if encoding == "utf-8":
            self._file.write(b"\xef\xbb\xbf")

    def write(self, rows: Sequence[Sequence[WrittenCell]]) -> None:
        self._file.write(_lines(rows).encode(self._encoding))

    def close(self) -> bytes:
        return self._file.getvalue()


class _Zipped:
    def __init__(self, name: str, encoding: str) -> None:
        self._file = io.BytesIO()
        self._encoding = encoding
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)
        self._member = self._zip.open(f"{name}.csv", "w", force_zip64=True)
        if encoding == "utf-8":
            self._member.write(b"\xef\xbb\xbf")

    def write(self, rows: Sequence[Sequence[WrittenCell]]) -> None:
        self._member.write(_lines(rows).encode(self._encoding))

    def close(self) -> bytes:
        self._member.close()
        self._zip.close()
        return self._file.getvalue()


def _lines(rows: Sequence[Sequence[WrittenCell]]) -> str:
    written = io.StringIO(newline="")
    lines = csv.writer(written)
    for row in rows:
        lines.writerow(str(c) if isinstance(c, Decimal) else neutral(c) for c in row)
    return written.getvalue()
