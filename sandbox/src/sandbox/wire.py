"""What collectors and authorities speak: national data elements, yuan as text, months YYYYMM, and
plain refusals.

The codes are those of GB/T 40217-2021: AAC002 公民身份号码, AAC003 姓名, AAE140 险种, AAE003
费款所属期, AAA115 应缴类型, AAE180 缴费基数, AAE020/AAE022 单位/个人应缴, AAE080/AAE082
单位/个人实缴, AAE078 足额到账标志, EAD131 到账日期.
"""

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, ClassVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from shared.clock import CHINA
from shared.values import Insurance, parse_fen

INSURANCE_CODES: dict[Insurance, str] = {
    Insurance.PENSION: "110",
    Insurance.UNEMPLOYMENT: "210",
    Insurance.MEDICAL: "310",
    Insurance.WORK_INJURY: "410",
    Insurance.MATERNITY: "510",
}
INSURANCE_OF_CODE = {code: insurance for insurance, code in INSURANCE_CODES.items()}

MOST_LINES = 100_000
"""Of one submission: ten thousand employees with every insurance and a difference line each."""


def yuan_text(fen: int) -> str:
    """Fen as the bureaus write yuan: 76000 -> '760.00', without separators."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def local_text(at: datetime) -> str:
    """A moment as RFC 3339 in Asia/Shanghai."""
    return at.astimezone(CHINA).isoformat(timespec="seconds")


def _fen(value: object) -> int:
    if isinstance(value, str):
        # What parse_fen says quotes the value, which may be somebody's wage.
        with suppress(ValueError):
            return parse_fen(value)
    raise ValueError("an amount is yuan as text with at most two decimals, as in '760.00'")


def _insurance(value: object) -> Insurance:
    insurance = INSURANCE_OF_CODE.get(value) if isinstance(value, str) else None
    if insurance is None:
        raise ValueError(f"AAE140 is one of {', '.join(INSURANCE_OF_CODE)}")
    return insurance


def _day(value: object) -> date:
    if not isinstance(value, str) or len(value) != 8 or not value.isdecimal():
        raise ValueError("a day is written YYYYMMDD, as in 20241010")
    return date(int(value[:4]), int(value[4:6]), int(value[6:]))


Yuan = Annotated[int, BeforeValidator(_fen), PlainSerializer(yuan_text)]
Due = Annotated[Yuan, Field(ge=0)]
InsuranceCode = Annotated[
    Insurance, BeforeValidator(_insurance), PlainSerializer(lambda i: INSURANCE_CODES[i])
]
Day = Annotated[date, BeforeValidator(_day), PlainSerializer(lambda day: f"{day:%Y%m%d}")]
Month = Annotated[str, StringConstraints(pattern=r"^20\d\d(0[1-9]|1[0-2])$")]
# 35 characters: the serial is the end-to-end id of the debit, and camt allows no more.
Serial = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,34}$")]
AccountNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,33}$")]
IdNo = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{5,18}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")]


class Wire(BaseModel):
    """A body in the bureaus' codes: read by alias, unknown fields ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    def content_hash(self) -> str:
        """Tells whether a serial comes again with the same content, however its JSON is spelt."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()


class Line(Wire):
    """What every line says: who, which insurance, which month, of which kind, on which base
    (fen).
    """

    id_no: IdNo = Field(alias="AAC002")
    name: Name = Field(alias="AAC003")
    insurance: InsuranceCode = Field(alias="AAE140")
    month: Month = Field(alias="AAE003")
    kind: Annotated[str, StringConstraints(pattern=r"^\d{2}$")] = Field(alias="AAA115")
    base_fen: Due = Field(alias="AAE180")


class DueLine(Line):
    """应缴: a line of a declaration."""

    employer_fen: Due = Field(alias="AAE020")
    employee_fen: Due = Field(alias="AAE022")


class PaidLine(Line):
    """实缴: a line of the paid detail."""

    employer_fen: Due = Field(alias="AAE080")
    employee_fen: Due = Field(alias="AAE082")


class Declaration(Wire):
    """申报: what an employer tells the collector for one account and month."""

    serial: Serial
    account_no: AccountNo = Field(alias="AAB001")
    month: Month = Field(alias="AAE003")
    debit_on: Day
    lines: Annotated[tuple[DueLine, ...], Field(min_length=1, max_length=MOST_LINES)]


class Detail(Wire):
    """The paid detail (缴费明细) of one account and month, for one authority."""

    serial: Serial
    account_no: AccountNo = Field(alias="AAB001")
    month: Month = Field(alias="AAE003")
    lines: Annotated[tuple[PaidLine, ...], Field(min_length=1, max_length=MOST_LINES)]


@dataclass(frozen=True)
class Answer:
    """What a party says: a JSON body, an XML document, or nothing for `withheld_seconds`."""

    PROBLEM: ClassVar[str] = "application/problem+json"

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    document: bytes | None = None
    withheld_seconds: float | None = None

    async def response(self) -> Response:
        """The reply. A withheld one ends as the 504 of the gateway before the party, which tells
        nothing of the outcome.
        """
        if self.withheld_seconds is not None:
            await asyncio.sleep(self.withheld_seconds)
            return await said_no(504, "NO_ANSWER", "前置机未收到应答，业务结果未知").response()
        if self.document is not None:
            return Response(self.document, media_type="application/xml")
        media_type = self.PROBLEM if self.status >= 400 else "application/json"
        return JSONResponse(self.body, self.status, self.headers, media_type)


def said_no(
    status: int, code: str, text: str, headers: dict[str, str] | None = None, **facts: Any
) -> Answer:
    """A problem document (RFC 9457) with the party's own `code` and `text` beside the standard
    members.
    """
    body = {"type": "about:blank", "title": code, "status": status, "detail": text}
    return Answer(status, {**body, "code": code, "text": text, **facts}, headers or {})


async def malformed(_: Request, fault: Exception) -> Response:
    """A body or query that does not have the documented shape; the values are not echoed: they may
    be personal.
    """
    assert isinstance(fault, RequestValidationError)
    faults = [
        {"where": "/" + "/".join(str(part) for part in error["loc"]), "reason": error["msg"]}
        for error in fault.errors()[:1_000]
    ]
    return await said_no(400, "MALFORMED", "报文格式不符合接口规范", faults=faults).response()


async def away(_: Request, __: Exception) -> Response:
    """The store does not answer: what was asked may have been done or not, as at a true party."""
    return await said_no(503, "AWAY", "系统暂时无法访问", {"Retry-After": "1"}).response()


class Refused(Exception):
    """A dependency's answer in place of the route's."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body.get("code"))
        self.answer = answer


async def refused(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Refused)
    return await fault.answer.response()
