"""Identity documents 证件: what a number must look like before it may be sealed and filed."""

import re
from datetime import date

RESIDENT = "resident_id"
RESIDENCE_PERMIT = "hmt_residence_permit"
PERMANENT_RESIDENT = "foreigner_permanent_resident"
PASSPORT = "passport"
TRAVEL_PERMIT = "hmt_travel_permit"

ID_TYPES: dict[str, str] = {
    "居民身份证": RESIDENT,
    "身份证": RESIDENT,
    "港澳台居民居住证": RESIDENCE_PERMIT,
    "外国人永久居留身份证": PERMANENT_RESIDENT,
    "外国人永久居留证": PERMANENT_RESIDENT,
    "护照": PASSPORT,
    "外国护照": PASSPORT,
    "港澳居民来往内地通行证": TRAVEL_PERMIT,
    "台湾居民来往大陆通行证": TRAVEL_PERMIT,
    "来往内地通行证": TRAVEL_PERMIT,
}
"""证件类型 as people write it, to our code; the codes themselves are accepted too."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_EIGHTEEN = re.compile(r"^[1-9][0-9]{16}[0-9X]$")
_FIRST_BIRTH_YEAR = 1900
_PROVINCES = frozenset().union(
    range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66), (71,)
)
_PERMIT_REGIONS = frozenset((81, 82, 83))
_OLD_PERMANENT_RESIDENT = re.compile(r"^[A-Z]{3}[0-9]{12}$")
_PASSPORT = re.compile(r"^[A-Z0-9]{5,20}$")
_TRAVEL_PERMIT = re.compile(r"^(?:[HM][0-9]{8}(?:[0-9]{2})?|[0-9]{8}(?:[0-9]{2})?)$")


def check_digit(first_seventeen: str) -> str:
    """The 18th character of an identity number by ISO 7064 MOD 11-2 (GB 11643-1999)."""
    total = sum(
        int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True)
    )
    return _CHECK_DIGITS[total % 11]


def id_type_of(words: str, number: str) -> str | None:
    """The code of a document: named by the column, or told from the number where the column is
    empty.
    """
    if not words:
        return _guessed_type(number)
    if words in ID_TYPES.values():
        return words
    return ID_TYPES.get(words)


def _guessed_type(number: str) -> str:
    if _EIGHTEEN.match(number) and int(number[:2]) in _PERMIT_REGIONS:
        return RESIDENCE_PERMIT
    return RESIDENT


def number_fault(id_type: str, number: str, today: date) -> str:
    """Why this number cannot be of this document, or an empty text. `number` is upper case, without
    blanks.
    """
    if id_type == PASSPORT:
        return "" if _PASSPORT.match(number) else "护照号码应为 5 至 20 位字母或数字"
    if id_type == TRAVEL_PERMIT:
        expected = "通行证号码应为 8 位数字，或 H、M 开头加 8 或 10 位数字"
        return "" if _TRAVEL_PERMIT.match(number) else expected
    if id_type == PERMANENT_RESIDENT and _OLD_PERMANENT_RESIDENT.match(number):
        return ""
    return _eighteen_fault(id_type, number, today)


def _eighteen_fault(id_type: str, number: str, today: date) -> str:
    if re.match(r"^[0-9]{15}$", number):
        return "15 位的旧号码已停用，应为 18 位"
    if not _EIGHTEEN.match(number):
        return f"应为 18 位号码，实际 {len(number)} 位或含有其他字符"
    if not _region_fits(id_type, int(number[:2])):
        return "前两位地区码与证件类型不符"
    if not _is_birth_date(number[6:14], today):
        return "第 7 至 14 位不是可能的出生日期"
    if check_digit(number[:17]) != number[17]:
        return "校验码不符，号码中有一位或多位抄错"
    return ""


def _region_fits(id_type: str, region: int) -> bool:
    if id_type == RESIDENT:
        return region in _PROVINCES
    if id_type == RESIDENCE_PERMIT:
        return region in _PERMIT_REGIONS
    return region // 10 == 9


def _is_birth_date(digits: str, today: date) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return date(_FIRST_BIRTH_YEAR, 1, 1) <= born <= today
