"""Who calls, what they write, and whose rows they may touch."""

import unicodedata
from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from shared.http_writes import Write, idempotent
from shared.refusal import NotFound
from shared.serve import Caller, require

Operator = Annotated[Caller, Depends(require("operator"))]
Hr = Annotated[Caller, Depends(require("hr"))]
HrOrOperator = Annotated[Caller, Depends(require("hr", "operator"))]
Employee = Annotated[Caller, Depends(require("employee"))]
HrOrEmployee = Annotated[Caller, Depends(require("hr", "employee"))]
Once = Annotated[Write, Depends(idempotent)]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows of one page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the last page.")]
LevyPeriodText = Annotated[
    str,
    Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2024-10"], description="费款所属期"),
]


def _day(value: object) -> date:
    """Only the one spelling: a number or a moment is no day."""
    if isinstance(value, str) and len(value) == len("2026-03-16"):
        return date.fromisoformat(value)
    raise ValueError("expected a day such as 2026-03-16")


Day = Annotated[date, BeforeValidator(_day)]


def _one_line(words: str) -> str:
    marks = {unicodedata.category(mark) for mark in words}
    if marks & {"Cc", "Cf", "Cs", "Zl", "Zp"} or not unicodedata.is_normalized("NFC", words):
        raise ValueError("expected plain text in one line, without invisible characters")
    return words


OneLine = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_one_line)]
"""Names and sources that people read: nothing in them that they would not see."""

Words = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")]
"""What somebody says, in as many lines as they like; shown as text."""

LevyPeriodIn = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-03"])]


class Strict(BaseModel):
    """A body: no unknown fields, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


def themselves(caller: Caller, employee_id: str) -> Caller:
    """The caller narrowed to their own rows, also where they are HR staff as well; NotFound for
    anybody else's.
    """
    own = caller.employee_id or caller.own_employee_id
    if own != employee_id:
        raise NotFound(f"There is no payslip of {employee_id} that is yours.")
    return replace(caller, employee_id=own)


def of_employer(caller: Caller, employer_id: str) -> Caller:
    """The caller narrowed to one of their own employers; NotFound for another's, as if there were
    none.
    """
    caller.must_act_for(employer_id)
    return replace(caller, employer_ids=(employer_id,))


def numbers_of(caller: Caller, employer_id: str) -> Caller:
    """The same where nothing about persons is shown: an operator may name any employer.

    Apart from `of_employer`, so that HR who are operators too see no other employer's persons.
    """
    if "operator" in caller.roles:
        return replace(caller, employer_ids=(employer_id,))
    return of_employer(caller, employer_id)
