"""One cell at a time: text, fen, days and months out of what a person or a spreadsheet wrote."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from payroll_svc.domain.pay_items import HIGHEST_AMOUNT_FEN
from shared.values import LevyPeriod, parse_fen


class Formula:
    """Stands where a formula was: its cached value may be stale."""


class BrokenCell:
    """Stands where the spreadsheet itself shows an error such as #N/A."""


Cell = str | float | int | bool | date | datetime | time | timedelta | Formula | BrokenCell

_EXACT_INTEGERS = 10**15
_LONGEST_TEXT = 200
_NOT_TEXT = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))
_BLANKS = re.compile(r"\s+")
_FORMULA_LIKE = ("=", "+", "-", "@")
_GROUPED = re.compile(r"^[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?$")
_PLAIN_NUMBER = re.compile(r"^([0-9]{1,9})(?:\.([0-9]{1,12}))?$")
_SCIENTIFIC = re.compile(r"^[0-9.]+[eE][+-]?[0-9]+$")
_DATE_FORMS = (
    re.compile(r"^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$"),
    re.compile(r"^([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})$"),
    re.compile(r"^([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})$"),
    re.compile(r"^([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日$"),
    re.compile(r"^([0-9]{4})([0-9]{2})([0-9]{2})$"),
)
_MIDNIGHT = re.compile(r"[ T]0?0:00(?::00)?$")
_MONTH_FORM = re.compile(r"^(20[0-9][0-9])(?:([0-9]{2})|[-/.年]([0-9]{1,2})月?)$")
_YES = frozenset(("是", "y", "yes", "1", "true", "计入"))
_NO = frozenset(("否", "n", "no", "0", "false", "不计入"))


class CellRefused(ValueError):
    """The cell cannot be read as what its column holds; both texts are for people."""

    def __init__(self, reason: str, todo: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.todo = todo


def shown(value: Cell) -> str:
    """The cell as a person would recognise it; the caller masks it."""
    if isinstance(value, Formula):
        return "(公式)"
    if isinstance(value, BrokenCell):
        return "(错误值)"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    return "".join(ch if ch.isprintable() else "�" for ch in str(value))[:_LONGEST_TEXT]


def is_blank(value: Cell) -> bool:
    return isinstance(value, str) and not value.strip()


def text(value: Cell) -> str:
    """Text in NFC, blanks trimmed: whole numbers as their digits, everything that hides or
    calculates refused.
    """
    if isinstance(value, Formula):
        raise CellRefused("单元格是公式", "复制后用“选择性粘贴-数值”替换公式，再上传")
    if isinstance(value, BrokenCell):
        raise CellRefused("单元格是错误值（如 #N/A）", "改正来源公式，粘贴为数值后再上传")
    if isinstance(value, bool | datetime | date | time | timedelta):
        raise CellRefused("应为文本，单元格却是日期或逻辑值", "把该列设为文本格式后重新填写")
    if isinstance(value, float | int):
        return _digits(value)
    return _plain(value)


def _digits(value: float | int) -> str:
    if abs(value) >= _EXACT_INTEGERS:
        raise CellRefused(
            "长号码存成了数字，末几位已被电子表格丢失", "把该列设为文本格式，重新录入完整号码"
        )
    if value != int(value):
        raise CellRefused("应为文本，单元格却是小数", "把该列设为文本格式后重新填写")
    return str(int(value))


def _plain(value: str) -> str:
    # An apostrophe in front marks text in spreadsheets, and in the files that we write.
    tidy = unicodedata.normalize("NFC", value).strip().removeprefix("'")
    if len(tidy) > _LONGEST_TEXT:
        raise CellRefused(f"超过 {_LONGEST_TEXT} 个字符", "缩短内容")
    if any(unicodedata.category(ch) in _NOT_TEXT for ch in tidy):
        raise CellRefused("含有控制字符、不可见字符或方向控制符", "清除格式后重新录入该单元格")
    if tidy.startswith(_FORMULA_LIKE):
        raise CellRefused("以 = + - @ 开头，像公式", "去掉开头的符号")
    return tidy


def narrow(value: Cell) -> str:
    """Text with full-width letters and digits made half-width and all blanks removed: codes and
    numbers.
    """
    if isinstance(value, str):
        value = _BLANKS.sub("", unicodedata.normalize("NFKC", value))
    return text(value)


def code(value: Cell) -> str:
    """An ASCII code such as an employee number: look-alike letters of other scripts are refused."""
    tidy = narrow(value)
    if not re.match(r"^[0-9A-Za-z][0-9A-Za-z._/-]{0,31}$", tidy):
        raise CellRefused("应为不超过 32 位的字母、数字或 . _ / -", "改为工号等编码本身")
    return tidy


def fen(value: Cell) -> int:
    """Yuan to fen: separators, full-width digits and a currency sign pass; more than two decimals
    do not.
    """
    if isinstance(value, float | int) and not isinstance(value, bool):
        plain = format(Decimal(f"{value:.15g}"), "f")
    else:
        plain = _amount_text(value)
    try:
        amount_fen = parse_fen(_without_zeros(plain))
    except ValueError:
        raise CellRefused("应为金额，最多两位小数，如 9500.00", "改为普通数字，精确到分") from None
    if not 0 <= amount_fen <= HIGHEST_AMOUNT_FEN:
        raise CellRefused("金额应在 0 至 10,000,000.00 元之间", "核对正负号和小数点")
    return amount_fen


def thousandths(value: Cell) -> int:
    """A quantity with at most three decimals, in thousandths: 8.5 is 8,500."""
    return _scaled(value, 3, "应为数量，最多三位小数，如 8.5")


def price(value: Cell) -> int:
    """A price of one piece in yuan with at most four decimals, in hundredths of a fen."""
    return _scaled(value, 4, "应为单价（元），最多四位小数，如 0.125")


def _scaled(value: Cell, places: int, reason: str) -> int:
    if isinstance(value, float | int) and not isinstance(value, bool):
        plain = format(Decimal(f"{value:.15g}"), "f")
    else:
        plain = narrow(value)
    match = _PLAIN_NUMBER.match(plain)
    decimals = (match[2] or "").rstrip("0") if match else ""
    if match is None or len(decimals) > places:
        raise CellRefused(reason, "改为普通数字，不带单位、分隔符和正负号")
    return int(match[1] + decimals.ljust(places, "0"))


def _amount_text(value: Cell) -> str:
    if not isinstance(value, str):
        return text(value)
    tidy = unicodedata.normalize("NFKC", value).strip().lstrip("¥").removesuffix("元").strip()
    if _SCIENTIFIC.match(tidy):
        raise CellRefused("金额写成了科学计数法", "把该列设为数值格式，写出全部数字")
    if tidy.startswith(("-", "−", "(")):
        raise CellRefused("金额为负或带括号，工资不能为负", "核对金额；扣减项请不要写成负数")
    if "," in tidy:
        if not _GROUPED.match(tidy):
            raise CellRefused("千位分隔符的位置不对", "去掉分隔符，如 9500.00")
        tidy = tidy.replace(",", "")
    return tidy


def _without_zeros(plain: str) -> str:
    """'9500.000' is 9500 to the fen; '9500.005' is not."""
    whole, point, decimals = plain.partition(".")
    if not point:
        return plain
    return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}" if decimals else whole


def day(value: Cell) -> date:
    """A calendar day: a date cell, or year-month-day in one of the usual forms."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, float | int) and not isinstance(value, bool):
        return _day_number(value)
    tidy = narrow(_MIDNIGHT.sub("", value.strip()) if isinstance(value, str) else value)
    for form in _DATE_FORMS:
        match = form.match(tidy)
        if match:
            return _real_day(int(match[1]), int(match[2]), int(match[3]))
    raise CellRefused("应为日期，年在前，如 2024-09-23", "改为 年-月-日，四位年份")


def _day_number(value: float) -> date:
    match = _DATE_FORMS[-1].match(str(int(value))) if value == int(value) else None
    if match is None:
        raise CellRefused("日期存成了序列号或小数", "把该列设为日期格式，或写成 2024-09-23")
    return _real_day(int(match[1]), int(match[2]), int(match[3]))


def _real_day(year: int, month: int, day_of_month: int) -> date:
    try:
        return date(year, month, day_of_month)
    except ValueError:
        raise CellRefused("没有这一天", "核对年、月、日") from None


def month(value: Cell) -> str:
    """A wage month as `YYYY-MM`: 202309, 2023-09, 2023年9月, or the date cell that a spreadsheet
    made of it.
    """
    if isinstance(value, datetime | date):
        return f"{value.year:04d}-{value.month:02d}"
    match = _MONTH_FORM.match(narrow(value))
    number = int(match[2] or match[3]) if match else 0
    if match is None or not 1 <= number <= 12:
        raise CellRefused("应为月份，如 202309", "改为六位年月的文本")
    return str(LevyPeriod(int(match[1]), number))


def yes_or_no(value: Cell) -> bool:
    tidy = narrow(str(int(value)) if isinstance(value, bool) else value).lower()
    if tidy in _YES:
        return True
    if tidy in _NO:
        return False
    raise CellRefused("应为 是 或 否", "填写 是 或 否")
