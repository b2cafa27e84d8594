"""应缴明细核对表: lines that another system computed, one a row, in CSV. Every fault of the file is
told, and nothing of it is guessed.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contribution_svc.domain.lines import StatedLine
from contribution_svc.errors import LinesFileInvalid
from shared.refusal import FieldFault
from shared.values import INSURANCE_WORDS, Insurance, parse_fen

MOST_LINES = 5_000
"""The lines of 800 people with six insurances each; more come in several requests."""

COLUMNS = {
    "employee_no": "工号",
    "insurance": "险种",
    "base_fen": "缴费基数",
    "employer_ppm": "单位费率",
    "employee_ppm": "个人费率",
    "employer_fen": "单位缴费",
    "employee_fen": "个人缴费",
}
"""By what a line says: the title of its column. What a cell leaves empty is not stated."""

_FIELDS = {title: name for name, title in COLUMNS.items()}
_NEEDED = ("employee_no", "insurance")
_OTHER_FILES = {
    b"PK\x03\x04": "是 .xlsx 工作簿",
    b"\xd0\xcf\x11\xe0": "是旧版 .xls 工作簿",
    b"\xff\xfe": "编码是 UTF-16",
    b"\xfe\xff": "编码是 UTF-16",
}
_AS_CSV = "另存为“CSV UTF-8（逗号分隔）”后再上传"
_DELIMITERS = ",\t;"
_MOST_COLUMNS = 50
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?")
_AMOUNT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,2})?")
_RATE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,4}))? ?%")
_NUMBER = re.compile(r"[\w\-./·]{1,32}")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class StatedRow:
    """A line with the row of the file on which it begins."""

    row: int
    line: StatedLine


class _Refused(ValueError):
    """A cell that is not what its column holds: the reason, and what to do."""

    def __init__(self, reason: str, todo: str) -> None:
        super().__init__(reason)
        self.reason, self.todo = reason, todo


def read_lines(file: str, data: bytes) -> list[StatedRow]:
    """Every line of the file; LinesFileInvalid with all faults, by file, row and column."""
    records = list(_records(file, _decoded(file, data)))
    if not records:
        raise _unreadable(file, 1, "文件是空的", "选择有数据的文件")
    (top, titles), *rows = records
    fields = _header(file, top, titles)
    if not rows:
        raise _unreadable(file, top, "只有表头，没有数据", "选择有数据的文件")
    if len(rows) > MOST_LINES:
        raise _unreadable(file, rows[MOST_LINES][0], f"超过 {MOST_LINES} 行", "分成几个文件上传")
    faults: list[FieldFault] = []
    found = [_line(file, row, fields, cells, faults) for row, cells in rows]
    lines = [one for one in found if one is not None]
    faults += _repeats(file, lines)
    if faults:
        raise LinesFileInvalid.of(faults)
    return lines


def _unreadable(file: str, row: int, reason: str, todo: str) -> LinesFileInvalid:
    return LinesFileInvalid.of([FieldFault(f"{file}:{row}:", "", reason, todo)])


def _decoded(file: str, data: bytes) -> str:
    """UTF-8, with or without BOM, else GB18030; by strict decoding, never by a guess."""
    for start, reason in _OTHER_FILES.items():
        if data.startswith(start):
            raise _unreadable(file, 1, reason, _AS_CSV)
    if b"\x00" in data:
        raise _unreadable(file, _row(data, data.index(b"\x00")), "含有零字节", _AS_CSV)
    encoding = "utf-8-sig" if _is_utf8(data.split(b"\n", 1)[0]) else "gb18030"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"从这一行起不是 {encoding.upper().removesuffix('-SIG')} 编码"
        raise _unreadable(file, _row(data, error.start), reason, _AS_CSV) from None


def _is_utf8(line: bytes) -> bool:
    """The header has Chinese in it, and so decides."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _row(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _records(file: str, text: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Each record that is not empty, with the row on which it begins."""
    delimiter = max(_DELIMITERS, key=text.split("\n", 1)[0].count)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    began = 1
    try:
        for record in records:
            if any(cell.strip() for cell in record):
                yield began, record
            began = records.line_num + 1
    except csv.Error:
        todo = "补上缺少的引号；单元格里的引号要写成两个"
        raise _unreadable(file, began, "从这一行起引号不成对，其后的内容无法读取", todo) from None


def _header(file: str, row: int, titles: Sequence[str]) -> list[str]:
    """What each column says."""
    named = [title.strip() for title in titles]
    faults = []
    for title in dict.fromkeys(named[:_MOST_COLUMNS]):
        where = f"{file}:{row}:{title[:_SHOWN]}"
        if title not in _FIELDS:
            todo = f"列名只能是 {'、'.join(_FIELDS)}"
            faults.append(FieldFault(where, title[:_SHOWN], "不认识这一列", todo))
        elif named.count(title) > 1:
            faults.append(FieldFault(where, title, "这一列重复了", "只保留一列"))
    for needed in (COLUMNS[name] for name in _NEEDED):
        if needed not in named:
            faults.append(FieldFault(f"{file}:{row}:{needed}", "", "缺少这一列", "补上这一列"))
    if faults:
        raise LinesFileInvalid.of(faults)
    return [_FIELDS[title] for title in named]


def _line(
    file: str, row: int, fields: Sequence[str], cells: Sequence[str], faults: list[FieldFault]
) -> StatedRow | None:
    """The row's line; None, and its faults, where any of its cells is wrong."""
    if len(cells) != len(fields):
        reason = f"有 {len(cells)} 个单元格，表头有 {len(fields)} 列"
        faults.append(FieldFault(f"{file}:{row}:", "", reason, "核对分隔符和引号"))
        return None
    said: dict[str, Any] = {}
    before = len(faults)
    for field, cell in zip(fields, cells, strict=True):
        try:
            said[field] = _READ[field](cell.strip())
        except _Refused as refused:
            where, shown = f"{file}:{row}:{COLUMNS[field]}", _printable(cell)
            faults.append(FieldFault(where, shown, refused.reason, refused.todo))
    return StatedRow(row, StatedLine(**said)) if len(faults) == before else None


def _printable(cell: str) -> str:
    return "".join(ch if ch.isprintable() else "�" for ch in cell)[:_SHOWN]


def _number(cell: str) -> str:
    text = unicodedata.normalize("NFC", cell).removeprefix("'")
    if not _NUMBER.fullmatch(text):
        raise _Refused("不是工号", "填写花名册里的工号，不含公式和不可见字符")
    return text


def _insurance(cell: str) -> Insurance:
    stem = cell.removeprefix("职工").removeprefix("基本").removesuffix("保险").removesuffix("险")
    if stem not in _INSURANCES:
        raise _Refused("不认识这个险种", f"填写 {'、'.join(INSURANCE_WORDS.values())}")
    return _INSURANCES[stem]


_INSURANCES = {
    **{word.removesuffix("险"): Insurance(code) for code, word in INSURANCE_WORDS.items()},
    "公积金": Insurance.HOUSING_FUND,
}


def _fen(cell: str) -> int | None:
    if not cell:
        return None
    text = cell.replace(",", "") if _GROUPED.fullmatch(cell) else cell
    if not _AMOUNT.fullmatch(text):
        raise _Refused("不是金额", "写成如 760.00：元，最多两位小数，不带符号和公式")
    return parse_fen(text)


def _ppm(cell: str) -> int | None:
    """A rate without its sign could be either of two."""
    if not cell:
        return None
    match = _RATE.fullmatch(cell)
    if match is None:
        raise _Refused("不是费率", "带百分号，如 8% 或 0.5%")
    return int(match[1]) * 10_000 + int((match[2] or "").ljust(4, "0"))


_READ: Mapping[str, Callable[[str], Any]] = {
    "employee_no": _number,
    "insurance": _insurance,
    "base_fen": _fen,
    "employer_ppm": _ppm,
    "employee_ppm": _ppm,
    "employer_fen": _fen,
    "employee_fen": _fen,
}


def _repeats(file: str, lines: Sequence[StatedRow]) -> Iterator[FieldFault]:
    first: dict[tuple[str, Insurance], int] = {}
    for one in lines:
        key = (one.line.employee_no, one.line.insurance)
        if first.setdefault(key, one.row) != one.row:
            yield FieldFault(
                f"{file}:{one.row}:{COLUMNS['employee_no']}",
                one.line.employee_no,
                f"与第 {first[key]} 行是同一人、同一险种",
                "只保留一行",
            )
