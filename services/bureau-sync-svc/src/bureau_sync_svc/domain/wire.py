"""The bureaus' own codes and habits: insurances as AAE140, months as YYYYMM, yuan as text; and how
replies are read.

Codes are those of GB/T 40217-2021 and GB/T 31594-2015: AAC002 证件号码, AAC003 姓名, AAE140 险种,
AAE003 费款所属期, AAA115 应缴类型, AAE180 缴费基数, AAE020/AAE022 单位/个人应缴, AAE080/AAE082
单位/个人实缴, AAE078 足额到账标志, EAD131 到账日期.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

import msgspec

from bureau_sync_svc.domain.lines import Sums
from shared.values import Insurance, LevyPeriod, parse_fen

CODE_OF_INSURANCE = {
    Insurance.PENSION.value: "110",
    Insurance.UNEMPLOYMENT.value: "210",
    Insurance.MEDICAL.value: "310",
    Insurance.WORK_INJURY.value: "410",
    Insurance.MATERNITY.value: "510",
}
INSURANCE_OF_CODE = {code: insurance for insurance, code in CODE_OF_INSURANCE.items()}
REGULAR = "10"

_WORDS_MAX = 300
_IDENTITY_TEXT = re.compile(r"(?<![0-9A-Za-z])(?:\d{17}[\dXx]|\d{15,19})(?![0-9A-Za-z])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")

ModelT = TypeVar("ModelT")
Item = dict[str, object]


class Unreadable(Exception):
    """A reply that does not say what the interface promises; nothing in it is believed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as it came: the status, the body, and how long the party asks us to wait, in
    seconds.
    """

    status: int
    body: bytes
    retry_after: int | None = None


def read_json(body: bytes, model: type[ModelT]) -> ModelT:
    """The body as `model`; Unreadable for half a body, a web page, another shape or another
    type.
    """
    if not body.strip():
        raise Unreadable("回执为空")
    try:
        return msgspec.json.decode(body, type=model)
    except msgspec.ValidationError as fault:
        raise Unreadable(f"回执字段不符合接口规范: {fault}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable("回执不是完整的 JSON") from None


def words(text: str) -> str:
    """A party's free text as we keep it: one line, bounded, and without identity numbers."""
    return without_identity(_CONTROL.sub(" ", text)).strip()[:_WORDS_MAX]


def without_identity(text: str) -> str:
    """The text with whatever looks like an identity or card number taken out."""
    return _IDENTITY_TEXT.sub("***", text)


def yuan_text(fen: int) -> str:
    """Fen as the bureaus write yuan: 76000 -> '760.00'."""
    assert fen >= 0, "a bureau takes no negative amounts"
    return f"{fen // 100}.{fen % 100:02d}"


def month_text(levy_period: str) -> str:
    """'2024-10' -> '202410'."""
    return levy_period.replace("-", "")


def levy_period_of(item: Item, code: str) -> LevyPeriod:
    """The month under `code`; Unreadable unless it is written YYYYMM."""
    text = text_of(item, code)
    try:
        return LevyPeriod.parse(f"{text[:4]}-{text[4:]}")
    except ValueError:
        raise Unreadable(f"{code} 不是 YYYYMM: {words(text)}") from None


def text_of(item: Item, code: str) -> str:
    """The text under `code`; Unreadable when it is missing, empty or no text."""
    value = item.get(code)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{code} 缺失或不是文本")
    return value


def fen_of(item: Item, code: str) -> int:
    """The amount under `code`, in fen. A number is refused: it may be yuan or fen, and guessing
    moves money.
    """
    text = text_of(item, code)
    try:
        fen = parse_fen(text)
    except ValueError:
        raise Unreadable(f"{code} 不是以元为单位的金额: {words(text)}") from None
    if fen < 0:
        raise Unreadable(f"{code} 为负数: {words(text)}")
    return fen


def insurance_of(item: Item) -> str:
    """The insurance of a row; Unreadable with the original code when it is not one that we know."""
    code = text_of(item, "AAE140")
    if code not in INSURANCE_OF_CODE:
        raise Unreadable(f"AAE140 未知险种代码: {words(code)}")
    return INSURANCE_OF_CODE[code]


def sums_of(item: Item, employer_code: str, employee_code: str) -> Sums:
    """Base and both amounts of a row."""
    return Sums(fen_of(item, "AAE180"), fen_of(item, employer_code), fen_of(item, employee_code))


def day_of(item: Item, code: str) -> str:
    """The day under `code` as YYYY-MM-DD, empty when there is none; Unreadable when there is no
    such day.
    """
    text = item.get(code) or ""
    if not text:
        return ""
    if not isinstance(text, str) or not re.fullmatch(r"\d{8}", text, re.ASCII):
        raise Unreadable(f"{code} 不是 YYYYMMDD")
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat()
    except ValueError:
        raise Unreadable(f"{code} 没有这一天: {text}") from None


def moment_of(text: str) -> datetime:
    """An RFC 3339 moment with its zone, in UTC; Unreadable otherwise."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"不是 RFC 3339 时间: {words(text)}") from None
    if at.tzinfo is None:
        raise Unreadable(f"时间没有时区: {words(text)}")
    return at.astimezone(UTC)


def identity_numbers(body: bytes) -> set[str]:
    """Every identity number that a reply names, wherever it stands; empty for what is no JSON."""
    try:
        open_ends = [msgspec.json.decode(body)]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return set()
    numbers: set[str] = set()
    while open_ends:
        value = open_ends.pop()
        if isinstance(value, dict):
            number = value.get("AAC002")
            if isinstance(number, str):
                numbers.add(number.upper())
            open_ends.extend(value.values())
        elif isinstance(value, list):
            open_ends.extend(value)
    return numbers
