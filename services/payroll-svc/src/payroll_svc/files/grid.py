"""A file as rows of cells, and the columns that its header names, in any order and spelling that
people use.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TypeVar

from payroll_svc.domain.faults import Fault
from payroll_svc.errors import FileUnreadable
from payroll_svc.files.cells import Cell, CellRefused, is_blank, shown
from shared.refusal import FieldFault, masked

T = TypeVar("T")

MOST_ROWS = 50_000
"""Rows of one file: the wages of 4,000 people in the long form, of 50,000 in the wide one."""

MOST_COLUMNS = 200
MOST_CELLS = 4_000_000
"""Of the used range: two cells in far corners unfold into everything between them."""

_HEADER_SEARCH_ROWS = 10
_HEADER_NOISE = re.compile(r"[\s*_\-:：（）()/\[\]【】]+")
ERRORS_COLUMN = "错误"
"""How the column begins that names what is wrong in each row of a file that we hand back."""
_PASSED_OVER = frozenset(
    ("序号", "备注", "性别", "民族", "年龄", "出生日期", "户口性质", "籍贯", "学历", "岗位")
) | frozenset(("职务", "签字", "签名", "签收"))
"""Columns that such files usually bring along and that nothing here needs."""
_SUMS = ("合计", "总计", "小计", "共计", "累计")
"""How the first cell of a row ends that adds up others: 合计, 本页小计, 运营部合计."""
_PERSONAL = frozenset(("name", "id_no", "phone", "email", "bank_account"))
"""Columns of which not even a short value may be shown: faults are stored, and a name is short."""
_NAMED_ROWS = 20
_SHORT = 8
"""What `masked` leaves readable."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as it stands in the file: (row number as a spreadsheet counts, cells), notes, and
    broken rows.
    """

    file: str
    rows: Sequence[tuple[int, Sequence[Cell]]]
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds (`name`), its header, and what else people call it. Comparison ignores
    blanks and width.
    """

    name: str
    header: str
    aliases: tuple[str, ...] = ()

    def spellings(self) -> frozenset[str]:
        return frozenset(header_key(words) for words in (self.name, self.header, *self.aliases))


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header stands, which place holds what, and the words that the file uses for it."""

    row: int
    places: Mapping[str, int]
    words: Mapping[str, str]
    width: int
    faults: tuple[Fault, ...]


def header_key(words: str) -> str:
    """A header as compared: half-width, lower case, without blanks, brackets or marks."""
    return _HEADER_NOISE.sub("", unicodedata.normalize("NFKC", words)).lower()


def unreadable(file: str, reason: str, todo: str, row: int = 0) -> FileUnreadable:
    """The refusal of a whole file, with its one fault."""
    return FileUnreadable(
        f"{file} cannot be read: {reason}", (FieldFault(f"{file}:{row}:", "", reason, todo),)
    )


def find_header(
    grid: Grid,
    columns: Sequence[Column],
    more: Callable[[Cell], str | None] = lambda _: None,
    more_words: Sequence[str] = (),
) -> Header:
    """The first row that names the first of `columns`, with the row below it where that divides its
    groups; FileUnreadable when there is none.

    `more` names further columns that a fixed list cannot, such as months; `more_words` are what
    people call these. An unknown header is a fault of the header's row, which names all that there
    are: a misspelt column that is quietly left out would lose its data.
    """
    expected = "、".join([*(column.header for column in columns), *more_words])
    spellings = {key: column.name for column in columns for key in column.spellings()}
    for at, (number, cells) in enumerate(grid.rows[:_HEADER_SEARCH_ROWS]):
        named = [_named(cell, spellings, more) for cell in cells]
        if columns[0].name in named:
            for below, divisions in grid.rows[at + 1 : at + 2]:
                titles = _divided(cells, divisions, lambda cell: _named(cell, spellings, more))
                both = [_named(title, spellings, more) for title in titles]
                if _is_header_of(divisions, named, both):
                    return _header(grid, below, titles, both, expected)
            return _header(grid, number, cells, named, expected)
    raise unreadable(
        grid.file,
        f"前 {_HEADER_SEARCH_ROWS} 行里没有“{columns[0].header}”列",
        f"表头应有：{expected}",
    )


def _named(
    cell: Cell, spellings: Mapping[str, str], more: Callable[[Cell], str | None]
) -> str | None:
    known = spellings.get(header_key(cell)) if isinstance(cell, str) else None
    return known or more(cell)


def _divided(
    groups: Sequence[Cell], divisions: Sequence[Cell], name: Callable[[Cell], str | None]
) -> list[Cell]:
    """Titles of a header of two rows: 养老保险 over 基数 and 个人 is 养老保险基数, 养老保险个人;
    奖金 is 奖金 whatever is over it. A merged cell has its words in its left corner.
    """
    titles: list[Cell] = []
    group: Cell = ""
    for above, below in zip_longest(groups, divisions, fillvalue=""):
        group = group if is_blank(above) else above
        whole = f"{shown(group)}{shown(below)}"
        divided = whole if name(whole) or not name(below) else below
        titles.append(above if is_blank(below) else divided)
    return titles


def _is_header_of(
    divisions: Sequence[Cell], named: Sequence[str | None], both: Sequence[str | None]
) -> bool:
    """Whether the row below a header divides it: all words, and they name what it does not."""
    is_words = all(isinstance(cell, str) for cell in divisions)
    known = set(filter(None, named))
    return is_words and known < set(filter(None, both))


def _header(
    grid: Grid, row: int, cells: Sequence[Cell], named: Sequence[str | None], expected: str
) -> Header:
    places: dict[str, int] = {}
    words: dict[str, str] = {}
    faults: list[Fault] = []
    for place, (cell, name) in enumerate(zip(cells, named, strict=True)):
        title = shown(cell).strip()
        if name is None:
            if title and not _is_passed_over(title):
                todo = f"删去该列，或改成这些列名之一：{expected}"
                faults.append(Fault(row, title, title, "不认识的列", todo))
        elif name in places:
            raise unreadable(grid.file, f"列“{title}”出现了两次", "只保留一列", row)
        else:
            places[name] = place
            words[name] = title
    width = max(place + 1 for place, cell in enumerate(cells) if not is_blank(cell))
    return Header(row, places, words, width, tuple(faults))


def _is_passed_over(title: str) -> bool:
    return header_key(title) in _PASSED_OVER or title.startswith(ERRORS_COLUMN)


def require(grid: Grid, header: Header, columns: Sequence[Column]) -> None:
    """FileUnreadable, naming every one of `columns` that the header lacks."""
    lacking = [column for column in columns if column.name not in header.places]
    if lacking:
        faults = tuple(
            FieldFault(f"{grid.file}:{header.row}:{column.header}", "", "缺少这一列", "补上该列")
            for column in lacking
        )
        names = "、".join(column.header for column in lacking)
        raise FileUnreadable(f"{grid.file} lacks the columns {names}", faults)


@dataclass(slots=True)
class RowReader:
    """One row being read: each cell is taken once, and what cannot be read becomes a fault of this
    row.
    """

    row: int
    cells: Sequence[Cell]
    header: Header
    faults: list[Fault] = field(default_factory=list)

    def cell(self, name: str) -> Cell:
        place = self.header.places.get(name)
        return "" if place is None or place >= len(self.cells) else self.cells[place]

    def required(self, name: str, parse: Callable[[Cell], T]) -> T | None:
        """The parsed cell; a fault and None when it is empty or cannot be parsed."""
        if is_blank(self.cell(name)):
            self.refuse(name, "必填，却是空的", "填写该单元格")
            return None
        return self.optional(name, parse, None)

    def optional(self, name: str, parse: Callable[[Cell], T], default: T) -> T:
        """The parsed cell, `default` when it is empty; a fault and `default` when it cannot be
        parsed.
        """
        value = self.cell(name)
        if is_blank(value):
            return default
        try:
            return parse(value)
        except CellRefused as refused:
            self.refuse(name, refused.reason, refused.todo)
            return default

    def refuse(self, name: str, reason: str, todo: str) -> None:
        """Something is wrong with the cell of that column."""
        text = shown(self.cell(name))
        value = f"{text[:1]}***" if name in _PERSONAL and len(text) <= _SHORT else masked(text)
        self.faults.append(Fault(self.row, self.header.words.get(name, name), value, reason, todo))


def without_sums(grid: Grid, header: Header) -> Grid:
    """The grid without the rows below the header that add up the others; a note names them. A row
    with an employee's number is none, whatever it begins with.
    """
    at = header.places["employee_no"]
    sums = {number for number, cells in grid.rows if number > header.row and _is_sum(cells, at)}
    if not sums:
        return grid
    note = f"合计行未读取：第 {'、'.join(map(str, sorted(sums)[:_NAMED_ROWS]))} 行"
    rows = [row for row in grid.rows if row[0] not in sums]
    return replace(grid, rows=rows, notes=(*grid.notes, note))


def _is_sum(cells: Sequence[Cell], number_at: int) -> bool:
    first = next((at for at, cell in enumerate(cells) if not is_blank(cell)), None)
    if first is None or not header_key(shown(cells[first])).endswith(_SUMS):
        return False
    return first == number_at or all(map(is_blank, cells[number_at : number_at + 1]))


def data_rows(grid: Grid, header: Header) -> Iterator[RowReader]:
    """Every row below the header that holds anything; a second row of keys right below it is passed
    over.

    FileUnreadable when there is none, or more than MOST_ROWS.
    """
    below = [(number, cells) for number, cells in grid.rows if number > header.row]
    filled = [(number, cells) for number, cells in below if not all(map(is_blank, cells))]
    if not filled:
        raise unreadable(grid.file, "只有表头，没有数据", "填写数据后再上传", header.row)
    if len(filled) > MOST_ROWS:
        raise unreadable(grid.file, f"数据超过 {MOST_ROWS} 行", "分成几个文件上传")
    if _is_key_row(filled[0][1], header):
        filled = filled[1:]
    for number, cells in filled:
        yield _even(RowReader(number, cells, header))


def _is_key_row(cells: Sequence[Cell], header: Header) -> bool:
    """English keys under Chinese names (or the reverse) are common in templates: they name the
    columns again.
    """
    keys = {header_key(cell) for cell in cells if isinstance(cell, str) and cell.strip()}
    names = {header_key(words) for words in (*header.places, *header.words.values())}
    return len(keys) > 1 and keys <= names


def _even(reader: RowReader) -> RowReader:
    """A row with more or fewer cells than the header has slipped: nothing in it can be trusted to
    its column.
    """
    surplus = any(not is_blank(cell) for cell in reader.cells[reader.header.width :])
    if surplus or len(reader.cells) < reader.header.width:
        todo = "检查引号和分隔符，使每行的列数与表头一致"
        reader.faults.append(Fault(reader.row, "", "", "这一行的列数与表头不同", todo))
    return reader
