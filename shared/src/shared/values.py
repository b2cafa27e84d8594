"""Value types and words that every service shares: levy periods, insurances, fen, derived ids,
words for people.
"""

import hashlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

_LEVY_PERIOD = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:daozhang")
"""Root of every derived id, so that a replay makes the same ids everywhere."""
_ROOT = NAMESPACE.bytes
_UUID_5 = 0x5000_8000_0000_0000_0000
"""Version 5 and the variant of RFC 9562, and every bit but theirs."""
_UUID_REST = ~0xF000_C000_0000_0000_0000


ERASED_WORD = "已删除"
"""What stands where a name was, once the person's identity has been destroyed."""


class Insurance(StrEnum):
    """险种: what a contribution insures."""

    PENSION = "pension"
    MEDICAL = "medical"
    UNEMPLOYMENT = "unemployment"
    WORK_INJURY = "work_injury"
    MATERNITY = "maternity"
    HOUSING_FUND = "housing_fund"
    SUPPLEMENTARY_PENSION = "supplementary_pension"


class Payer(StrEnum):
    """Who bears an amount: 单位 or 个人."""

    EMPLOYER = "employer"
    EMPLOYEE = "employee"


@dataclass(frozen=True, order=True, slots=True)
class LevyPeriod:
    """费款所属期: the month that a contribution is for, never when it is filed or arrives."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`YYYY-MM`; ValueError with what was expected otherwise."""
        match = _LEVY_PERIOD.fullmatch(text)
        if match is None:
            raise ValueError(f"a levy period is written YYYY-MM, as in 2024-10; got {text!r}")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    def shifted(self, months: int) -> "LevyPeriod":
        index = self.year * 12 + self.month - 1 + months
        return LevyPeriod(index // 12, index % 12 + 1)

    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    def last_day(self) -> date:
        return date.fromordinal(self.shifted(1).first_day().toordinal() - 1)

    def through(self, last: "LevyPeriod") -> Iterator["LevyPeriod"]:
        """This period and every one after it up to and with `last`."""
        period = self
        while period <= last:
            yield period
            period = period.shifted(1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def derived_id(*parts: object) -> uuid.UUID:
    """A UUIDv5 of its parts: the same facts give the same id, on every run and in every service.

    As `uuid.uuid5` makes it, in half the time: two are made for every employee and month.
    """
    digest = hashlib.sha1(_ROOT + "\x1f".join(map(str, parts)).encode(), usedforsecurity=False)
    return uuid.UUID(int=int.from_bytes(digest.digest()[:16]) & _UUID_REST | _UUID_5)


def fen_text(fen: int) -> str:
    """Fen as yuan with two decimals and thousands separators: 76000 -> '760.00'."""
    sign = "-" if fen < 0 else ""
    yuan, cents = divmod(abs(fen), 100)
    return f"{sign}{yuan:,}.{cents:02d}"


_FEN = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,2}))?")


def parse_fen(text: str) -> int:
    """Yuan as plain decimal text ('760', '760.5', '-3.00') to fen; ValueError for anything else.

    Thousands separators, exponents, signs of currency and full-width digits are refused here: a
    reader of files normalises what it accepts before it calls this.
    """
    match = _FEN.fullmatch(text)
    if match is None:
        raise ValueError(f"expected yuan with at most two decimals, as in 760.00; got {text!r}")
    fen = int(match[2]) * 100 + int((match[3] or "").ljust(2, "0"))
    return -fen if match[1] else fen


INSURANCE_WORDS: dict[str, str] = {
    Insurance.PENSION: "养老险",
    Insurance.MEDICAL: "医疗险",
    Insurance.UNEMPLOYMENT: "失业险",
    Insurance.WORK_INJURY: "工伤险",
    Insurance.MATERNITY: "生育险",
    Insurance.HOUSING_FUND: "住房公积金",
    Insurance.SUPPLEMENTARY_PENSION: "地方补充养老险",
}


class Outcome(StrEnum):
    """What `judge` says of a cell (design.md section 4), in the order of its table."""

    HISTORY = "history"
    UNDECLARED_DEBIT = "UndeclaredDebit"
    UNEXPECTED_RECORD = "UnexpectedRecord"
    NOT_REQUIRED = "not_required"
    NOT_ASSESSED = "not_assessed"
    NOT_ASSESSED_LATE = "NotAssessed"
    ASSESSMENT_BLOCKED = "AssessmentBlocked"
    DUPLICATE_DEBIT = "DuplicateDebit"
    DUPLICATE_RECORD = "DuplicateRecord"
    RECORD_REJECTED = "RecordRejected"
    ENROLMENT_INTERRUPTED = "EnrolmentInterrupted"
    DEBIT_REFUSED = "DebitRefused"
    DEBIT_REVERSED = "DebitReversed"
    OUTCOME_UNKNOWN = "outcome_unknown"
    OUTCOME_UNKNOWN_LATE = "OutcomeUnknown"
    VERIFIED_DIFFERS = "VerifiedDiffers"
    AWAITING_FILING = "awaiting_filing"
    AWAITING_DEBIT = "awaiting_debit"
    NOT_FILED = "NotFiled"
    DEBIT_MISSING = "DebitMissing"
    RECORD_WITHOUT_DEBIT = "RecordWithoutDebit"
    DEBIT_DIFFERS = "DebitDiffers"
    BASE_DIFFERS = "BaseDiffers"
    AMOUNT_DIFFERS = "AmountDiffers"
    ARRIVED_IN_PART = "ArrivedInPart"
    ARRIVED = "arrived"
    AWAITING_RECORD = "awaiting_record"
    RECORD_MISSING = "RecordMissing"
    NOT_LOOKED_UP = "not_looked_up"


OUTCOME_WORDS: dict[Outcome, str] = {
    Outcome.HISTORY: "历史月份",
    Outcome.UNDECLARED_DEBIT: "未申报却扣款",
    Outcome.UNEXPECTED_RECORD: "不应有的记录",
    Outcome.NOT_REQUIRED: "无需缴纳",
    Outcome.NOT_ASSESSED: "待核算",
    Outcome.NOT_ASSESSED_LATE: "逾期未核算",
    Outcome.ASSESSMENT_BLOCKED: "资料不全，暂停核算",
    Outcome.DUPLICATE_DEBIT: "重复扣款",
    Outcome.DUPLICATE_RECORD: "重复记录",
    Outcome.RECORD_REJECTED: "被退回",
    Outcome.ENROLMENT_INTERRUPTED: "参保中断",
    Outcome.DEBIT_REFUSED: "扣款失败",
    Outcome.DEBIT_REVERSED: "扣款被冲正",
    Outcome.OUTCOME_UNKNOWN: "结果待确认",
    Outcome.OUTCOME_UNKNOWN_LATE: "结果逾期未明",
    Outcome.VERIFIED_DIFFERS: "核定金额不符",
    Outcome.AWAITING_FILING: "待申报",
    Outcome.AWAITING_DEBIT: "待扣款",
    Outcome.NOT_FILED: "逾期未申报",
    Outcome.DEBIT_MISSING: "逾期未扣款",
    Outcome.RECORD_WITHOUT_DEBIT: "有记录无扣款",
    Outcome.DEBIT_DIFFERS: "扣款金额不符",
    Outcome.BASE_DIFFERS: "基数不符",
    Outcome.AMOUNT_DIFFERS: "金额不符",
    Outcome.ARRIVED_IN_PART: "部分到账",
    Outcome.ARRIVED: "已到账",
    Outcome.AWAITING_RECORD: "处理中",
    Outcome.RECORD_MISSING: "未到账",
    Outcome.NOT_LOOKED_UP: "尚未查询",
}
"""The one table from outcomes to words for people: pages, files, API and notices all read it.

Before the window has closed a debited cell reads 处理中, not 未到账: the words must not frighten on
day 11.
"""

ANOMALIES: frozenset[Outcome] = frozenset(o for o in Outcome if o.value[0].isupper())
"""Outcomes that raise an anomaly event; the others are stations on the way, or an alarm for
operators.
"""
