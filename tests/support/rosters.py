"""Roster and wages files as people send them, made row by row."""

import io
from collections.abc import Mapping, Sequence
from datetime import date

import xlsxwriter

from payroll_svc.domain.identity import check_digit

ROSTER_HEADER = (
    "工号",
    "姓名",
    "证件类型",
    "证件号码",
    "部门",
    "参保地",
    "单位社保账号",
    "人员类别",
    "入职日期",
    "离职日期",
    "约定月工资",
    "缺少材料",
    "手机",
    "邮箱",
    "银行账号",
    "登录账号",
)


def resident_number(sequence: int, born: str = "19900307") -> str:
    """A number that passes every check and belongs to nobody: region 110101, invented sequence."""
    first = f"110101{born}{sequence:03d}"
    return first + check_digit(first)


def roster_row(number: int, **changes: object) -> dict[str, object]:
    """A whole row: person `number` of operations in 990100 on 10,000 yuan."""
    row: dict[str, object] = {
        "工号": f"E{number:04d}",
        "姓名": f"王小{'一二三四五六七八九十'[number % 10]}",
        "证件类型": "居民身份证",
        "证件号码": resident_number(number),
        "部门": "运营部",
        "参保地": "990100",
        "单位社保账号": "9901000001",
        "人员类别": "正式",
        "入职日期": "2021-03-01",
        "离职日期": "",
        "约定月工资": "10000.00",
        "缺少材料": "",
        "手机": f"138{number:08d}",
        "邮箱": "",
        "银行账号": "",
        "登录账号": f"person-{number}",
    }
    return {**row, **changes}


def csv_file(
    rows: Sequence[Mapping[str, object]],
    header: Sequence[str] = ROSTER_HEADER,
    encoding: str = "utf-8-sig",
) -> bytes:
    """A comma-separated file; cells that hold a comma or a quote are quoted."""
    lines = [",".join(header)]
    lines += [",".join(_quoted(str(row.get(name, ""))) for name in header) for row in rows]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def _quoted(text: str) -> str:
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set(',"\n') else text


def xlsx_file(rows: Sequence[Mapping[str, object]], header: Sequence[str] = ROSTER_HEADER) -> bytes:
    """A workbook with one sheet: dates as date cells, numbers as numbers, all else as text."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written)
    sheet = book.add_worksheet("花名册")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for column, name in enumerate(header):
        sheet.write_string(0, column, name)
    for line, row in enumerate(rows, start=1):
        for column, name in enumerate(header):
            value = row.get(name, "")
            if isinstance(value, date):
                sheet.write_datetime(line, column, value, day)
            elif isinstance(value, int | float):
                sheet.write_number(line, column, value)
            else:
                sheet.write_string(line, column, str(value))
    book.close()
    return written.getvalue()
