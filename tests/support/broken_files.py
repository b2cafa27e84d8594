"""Wage files that are hostile or broken, by the classes of reliability.md 4.2: rows that are wrong,
and whole files that are something else.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import xlsxwriter

from tests.support.rosters import csv_file, xlsx_file

WAGES_HEADER = ("工号", "姓名", "工资月份", "项目", "金额", "计入工资总额")
KNOWN = "E0001"
"""The one employee number of the roster; the month 2023-12 is taken in for it with 9,500.00."""


@dataclass(frozen=True)
class BrokenRow:
    """A class, the row that shows it, and the column whose fault is told."""

    name: str
    cells: Mapping[str, object]
    column: str


def wage_row(month: int, **changes: object) -> dict[str, object]:
    """A good row of KNOWN for 2023."""
    return {
        "工号": KNOWN,
        "姓名": "王小二",
        "工资月份": f"2023{month:02d}",
        "金额": "9500.00",
        **changes,
    }


BROKEN_ROWS = (
    BrokenRow("(2) a formula for a number", wage_row(1, 工号="=HYPERLINK(1)"), "工号"),
    BrokenRow("(2) formula-like text", wage_row(1, 项目="@SUM(1)"), "项目"),
    BrokenRow("(2) a formula for an amount", wage_row(1, 金额="=1+1"), "金额"),
    BrokenRow("(3) another amount than was taken in", wage_row(12, 金额="9600"), "工资月份"),
    BrokenRow("(4) separators in the wrong place", wage_row(1, 金额="1,00,00"), "金额"),
    BrokenRow("(4) a foreign currency", wage_row(1, 金额="$9500"), "金额"),
    BrokenRow("(4) brackets", wage_row(1, 金额="(9500.00)"), "金额"),
    BrokenRow("(4) a minus of Unicode", wage_row(1, 金额="−9500"), "金额"),
    BrokenRow("(4) scientific notation", wage_row(1, 金额="9.5E3"), "金额"),
    BrokenRow("(4) more than two decimals", wage_row(1, 金额="9500.005"), "金额"),
    BrokenRow("(4) words for a number", wage_row(1, 金额="九千五"), "金额"),
    BrokenRow("(4) an amount out of this world", wage_row(1, 金额="95000000000"), "金额"),
    BrokenRow("(6) month thirteen", wage_row(1, 工资月份="202313"), "工资月份"),
    BrokenRow("(6) a serial number", wage_row(1, 工资月份="45200"), "工资月份"),
    BrokenRow("(6) a month to come", wage_row(1, 工资月份="203001"), "工资月份"),
    BrokenRow("(6) not a month", wage_row(1, 工资月份="2023/02/30/1"), "工资月份"),
    BrokenRow("(9) a direction override", wage_row(1, 项目="奖\u202e金"), "项目"),
    BrokenRow("(9) a control character", wage_row(1, 项目="奖\x07金"), "项目"),
    BrokenRow("(9) an invisible character", wage_row(1, 工号="E0\u200b001"), "工号"),
    BrokenRow("(8) look-alike letters", wage_row(1, 工号="Е0001"), "工号"),
    BrokenRow("(12) another employer's number", wage_row(1, 工号="X-77"), "工号"),
    BrokenRow("(14) an empty cell that must not be", wage_row(1, 金额=""), "金额"),
    BrokenRow("(14) neither yes nor no", wage_row(1, 计入工资总额="也许"), "计入工资总额"),
)
GOOD_ROWS = (
    wage_row(2, 金额="９，５００．００元"),
    wage_row(3, 金额="¥9,500.00", 工资月份="2023年3月"),
)
"""Odd spellings that mean one thing only are read."""

REPEATED_ROW = wage_row(3)
"""(3) The same employee, month and item as a good row."""


def broken_wages() -> list[dict[str, object]]:
    """Good rows first, then one row of each class, then the repeated one; the header is row 1."""
    rows = [*GOOD_ROWS, *(dict(row.cells) for row in BROKEN_ROWS), REPEATED_ROW]
    return [dict(row) for row in rows]


def broken_wage_places() -> set[tuple[int, str]]:
    """(row, column) of every fault of `broken_wages`."""
    first = 2 + len(GOOD_ROWS)
    places = {(first + number, row.column) for number, row in enumerate(BROKEN_ROWS)}
    return {*places, (first + len(BROKEN_ROWS), "工号")}


def wages_csv(rows: list[dict[str, object]], encoding: str = "utf-8-sig") -> bytes:
    return csv_file(rows, WAGES_HEADER, encoding)


def wages_xlsx(rows: list[dict[str, object]]) -> bytes:
    return xlsx_file(rows, WAGES_HEADER)


def workbook_of_1904() -> bytes:
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"date_1904": True})
    book.add_worksheet().write_row(0, 0, WAGES_HEADER)
    book.close()
    return written.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return {name: book.read(name) for name in book.namelist()}


def packed(parts: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return written.getvalue()


def with_part(workbook: bytes, name: str, content: bytes = b"x") -> bytes:
    """The workbook with a part more, or another in its place."""
    return packed({**unpacked(workbook), name: content})


def with_sheet(workbook: bytes, old: bytes, new: bytes) -> bytes:
    """The workbook with its sheet's markup changed once."""
    name = "xl/worksheets/sheet1.xml"
    return with_part(workbook, name, unpacked(workbook)[name].replace(old, new, 1))


def encrypted(workbook: bytes) -> bytes:
    """With the mark of encryption on its first part."""
    data = bytearray(workbook)
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def whole_files(
    columns: Sequence[str] = WAGES_HEADER, row: Mapping[str, object] | None = None
) -> dict[str, tuple[bytes, str]]:
    """Each class that concerns the whole file, and a word of its refusal; `row` is a good one under
    `columns`, the first of which is 工号.
    """
    row = row or wage_row(1)
    csv, book = csv_file([row], columns), xlsx_file([row], columns)
    header = ",".join(columns)
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    return {
        "(1) UTF-16": (csv_file([row], columns, "utf-16"), "UTF-16"),
        "(1) a change of encoding": (csv + "赵,".encode("gbk"), "改变了编码"),
        "(1) no encoding that we know": (
            csv_file([row], columns, "gbk") + b"\xff\xff",
            "GB18030",
        ),
        "(2) macros": (with_part(book, "xl/vbaProject.bin"), "宏"),
        "(2) external links": (with_part(book, "xl/externalLinks/externalLink1.xml"), "外部链接"),
        "(2) embedded objects": (with_part(book, "xl/embeddings/oleObject1.bin"), "嵌入对象"),
        "(6) a workbook of 1904": (workbook_of_1904(), "1904"),
        "(7) no header": (b"E0001,202301,9500\n", "没有“工号”列"),
        "(7) a column missing": ("工号,姓名\nE0001,王\n".encode(), "缺少"),
        "(7) a column twice": (f"{header},工号\nE0001,,202301,,1,,2\n".encode(), "两次"),
        "(7) a separator of nobody": (csv.replace(b",", b"|"), "没有“工号”列"),
        "(9) zero bytes": (csv.replace(b"E0001", b"E0\x0001"), "零字节"),
        "(10) a bomb": (with_part(book, "xl/bomb.xml", b"0" * 30_000_000), "压缩比"),
        "(10) a larger bomb": (with_part(book, "xl/huge.xml", b"0" * 70_000_000), "过大"),
        "(10) a huge used range": (
            with_sheet(
                book, b"</sheetData>", b'<row r="1048576"><c r="A1048576"/></row></sheetData>'
            ),
            "已用区域",
        ),
        "(10) a cell that is there twice": (
            with_sheet(
                book, b"</sheetData>", b'<row r="2"><c r="A2"><v>1</v></c></row></sheetData>'
            ),
            "损坏",
        ),
        "(10) deep parts": (
            with_sheet(book, b"<sheetData>", b"<sheetData>" + b"<x>" * 100),
            "不允许",
        ),
        "(10) entities": (
            with_sheet(book, b"<worksheet", b'<!DOCTYPE x [<!ENTITY e "x">]><worksheet'),
            "不允许",
        ),
        "(10) repeated parts": (with_part(book, "XL/WORKBOOK.XML"), "重名"),
        "(10) path names": (with_part(book, "../outside.xml"), "外部路径"),
        "(10) too many parts": (
            packed({**unpacked(book), **{f"xl/media/{n}.png": b"" for n in range(600)}}),
            "部件",
        ),
        "(10) encrypted": (encrypted(book), "已加密"),
        "(10) encrypted by Office": (ole + "EncryptedPackage".encode("utf-16-le"), "已加密"),
        "(10) old": (ole + b"\x00" * 100, "旧版 .xls"),
        "(10) renamed, a page": (b"<html><table><tr><td>1</td></tr></table>", "网页"),
        "(10) renamed, a PDF": (b"%PDF-1.7 ...", "PDF"),
        "(10) renamed, a document": (
            packed({"word/document.xml": b"x", "[Content_Types].xml": b"x"}),
            "不是 .xlsx",
        ),
        "(10) truncated": (book[:-200], "不完整"),
        "(10) the reader breaks": (
            with_part(book, "xl/styles.xml", b"<styleSheet>"),
            "损坏",
        ),
        "(14) empty": (b"\n\n", "空"),
        "(14) header only": (csv_file([], columns), "只有表头"),
        "(14) too many rows": (header.encode() + b"\nE0001,,202301,,1," * 50_001, "超过"),
    }
