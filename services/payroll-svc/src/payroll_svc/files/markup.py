"""The XML inside a workbook, scanned for what the reader of cells does not tell: formulas, errors,
hidden and merged.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

_PLACE = re.compile(r"^([A-Z]{1,3})(\d{1,7})$")
_DEEPEST = 60


class MarkupRefused(ValueError):
    """The XML is broken, or brings a document type of its own (entities, external parts)."""


@dataclass(slots=True)
class SheetMarks:
    """Places are (row, column), both from 1; `rows` and `columns` are how far the cells reach."""

    formulas: set[tuple[int, int]] = field(default_factory=set)
    errors: set[tuple[int, int]] = field(default_factory=set)
    hidden_rows: list[int] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    hidden_columns: bool = False
    rows: int = 0
    columns: int = 0


def elements(xml: bytes, *names: str) -> list[tuple[str, dict[str, str]]]:
    """(local name, attributes by local name) of every element with one of `names`, in document
    order.
    """
    found: list[tuple[str, dict[str, str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        if local in names:
            found.append((local, {_local(key): value for key, value in attributes.items()}))

    _parse(xml, start)
    return found


def sheet_marks(xml: bytes) -> SheetMarks:
    """One pass over a worksheet."""
    scan = _SheetScan()
    _parse(xml, scan.start)
    return scan.marks


class _SheetScan:
    """Follows the rows and cells; a cell without a reference stands right of the one before it."""

    def __init__(self) -> None:
        self.marks = SheetMarks()
        self._row = 0
        self._column = 0
        self._on = {
            "row": self._start_row,
            "c": self._start_cell,
            "f": self._start_formula,
            "col": self._start_column,
            "mergeCell": self._start_merged,
        }

    def start(self, name: str, attributes: dict[str, str]) -> None:
        step = self._on.get(_local(name))
        if step is not None:
            step(attributes)

    def _start_row(self, attributes: dict[str, str]) -> None:
        before, self._row = self._row, _number(attributes.get("r"), self._row + 1)
        self._column = 0
        _refuse_unless(self._row > before)
        if attributes.get("hidden") in ("1", "true"):
            self.marks.hidden_rows.append(self._row)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        before = (self._row, self._column)
        reference = attributes.get("r")
        self._row, self._column = _place(reference) if reference else (self._row, self._column + 1)
        _refuse_unless((self._row, self._column) > before)
        self.marks.rows = max(self.marks.rows, self._row)
        self.marks.columns = max(self.marks.columns, self._column)
        if attributes.get("t") == "e":
            self.marks.errors.add((self._row, self._column))

    def _start_formula(self, _: dict[str, str]) -> None:
        self.marks.formulas.add((self._row, self._column))

    def _start_column(self, attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in ("1", "true"):
            self.marks.hidden_columns = True

    def _start_merged(self, attributes: dict[str, str]) -> None:
        self.marks.merged.append(attributes.get("ref", ""))


def _parse(xml: bytes, start: Callable[[str, dict[str, str]], None]) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    depth = 0

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise MarkupRefused("elements are nested too deeply")
        start(name, attributes)

    def closed(_: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:
        raise MarkupRefused("a document type is not allowed")

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise MarkupRefused(str(error)) from error


def _refuse_unless(is_in_order: bool) -> None:
    """Of a cell that is there twice, one reader believes the first and another the second."""
    if not is_in_order:
        raise MarkupRefused("a cell is there twice, or out of its order")


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdecimal() else otherwise


def _place(reference: str) -> tuple[int, int]:
    match = _PLACE.match(reference)
    if match is None:
        raise MarkupRefused("a cell has no valid reference")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]), column
