"""CSV files to grids: UTF-8 or GB18030, told by strict decoding, never by a guess."""

import csv
import io
import unicodedata
from collections.abc import Sequence

from charset_normalizer import from_bytes

from payroll_svc.domain.faults import Fault
from payroll_svc.files.cells import Cell
from payroll_svc.files.grid import MOST_COLUMNS, MOST_ROWS, Grid, unreadable

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ",\t;"
_SAMPLE_BYTES = 65_536
_TELLING_BYTES = 6
"""Two Chinese characters in UTF-8: fewer bytes may by chance be read either way."""


def delimited_grid(file: str, data: bytes) -> Grid:
    """Every record with the line on which it begins; FileUnreadable when the bytes are no text that
    we know.

    An unclosed quote swallows the rest of the file: what came before it is kept, and the fault
    names its line.
    """
    text, encoding = _decoded(file, data)
    delimiter = _delimiter(text)
    rows: list[tuple[int, Sequence[Cell]]] = []
    faults: list[Fault] = []
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    began = 1
    try:
        for record in records:
            if record:
                rows.append((began, record))
            if len(rows) > MOST_ROWS + 100 or len(record) > MOST_COLUMNS:
                raise unreadable(
                    file, f"超过 {MOST_ROWS} 行或 {MOST_COLUMNS} 列", "分成几个文件上传", began
                )
            began = records.line_num + 1
    except csv.Error:
        todo = "补上缺少的引号；单元格里的引号要写成两个"
        faults.append(Fault(began, "", "", "从这一行起引号不成对，其后的内容无法读取", todo))
    if not rows:
        raise unreadable(file, "文件是空的", "选择有数据的文件")
    return Grid(file, rows, (f"按 {encoding} 编码读取",), tuple(faults))


def _decoded(file: str, data: bytes) -> tuple[str, str]:
    if data.startswith(_UTF16_BOMS):
        raise unreadable(file, "编码是 UTF-16", "另存为 UTF-8 编码的 CSV")
    if not data.strip():
        raise unreadable(file, "文件是空的", "选择有数据的文件")
    if b"\x00" in data:
        line = data.count(b"\n", 0, data.index(b"\x00")) + 1
        raise unreadable(
            file, "含有零字节，不是文本文件", "用表格软件重新导出为 CSV 或 .xlsx", line
        )
    try:
        return data.removeprefix(_UTF8_BOM).decode("utf-8"), "UTF-8"
    except UnicodeDecodeError as error:
        changed = _where_encoding_changes(data, error.start)
    if changed:
        raise unreadable(
            file, "文件中途改变了编码（一部分是 UTF-8，一部分不是）", "用一种编码重新导出", changed
        )
    try:
        return data.decode("gb18030"), "GB18030"
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise unreadable(
            file, f"既不是 UTF-8 也不是 GB18030{_guess(data)}", "另存为 UTF-8 编码的 CSV", line
        ) from None


def _where_encoding_changes(data: bytes, first_not_utf8: int) -> int:
    """The line on which a file that is not all UTF-8 stops being it (or starts), or 0.

    A line counts as UTF-8 when enough of it is beyond ASCII and all of that reads as Chinese;
    GB18030 text practically never does.
    """
    if data.startswith(_UTF8_BOM):
        return data.count(b"\n", 0, first_not_utf8) + 1
    chinese = [
        (number, _is_chinese_utf8(line))
        for number, line in enumerate(data.split(b"\n"), start=1)
        if sum(byte >= 0x80 for byte in line) >= _TELLING_BYTES
    ]
    kinds = {is_utf8 for _, is_utf8 in chinese}
    if len(kinds) < 2:
        return 0
    return next(number for number, is_utf8 in chinese if is_utf8 != chinese[0][1])


def _is_chinese_utf8(line: bytes) -> bool:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(_is_chinese(ch) for ch in text if ord(ch) >= 0x80)


def _is_chinese(ch: str) -> bool:
    return unicodedata.name(ch, "").startswith(("CJK", "FULLWIDTH", "IDEOGRAPHIC"))


def _guess(data: bytes) -> str:
    """What a detector thinks, only to help the sender: it is wrong on short files, so nothing is
    read by it.
    """
    best = from_bytes(data[:_SAMPLE_BYTES]).best()
    return f"，像是 {best.encoding}" if best is not None else ""


def _delimiter(text: str) -> str:
    """The delimiter that splits the first line that any does into the most cells, which a title
    above the header is not; a comma when none does.
    """
    lines = text[:_SAMPLE_BYTES].splitlines()
    first = next((line for line in lines if set(line) & set(_DELIMITERS)), "")
    return max(_DELIMITERS, key=first.count)
