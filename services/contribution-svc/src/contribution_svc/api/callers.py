"""Who calls, what they write, and whose rows they may touch."""

import re
from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BeforeValidator, StringConstraints

from shared.http_writes import Write, idempotent
from shared.serve import Caller, require

Hr = Annotated[Caller, Depends(require("hr"))]
Employee = Annotated[Caller, Depends(require("employee"))]
Operator = Annotated[Caller, Depends(require("operator"))]
HrOrOperator = Annotated[Caller, Depends(require("hr", "operator"))]
HrOrEmployee = Annotated[Caller, Depends(require("hr", "employee"))]
Anyone = Annotated[Caller, Depends(require("hr", "employee", "operator", "service"))]
Once = Annotated[Write, Depends(idempotent)]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows of one page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the last page.")]
EmployerId = Annotated[str, Query(max_length=64, description="用人单位")]
LevyPeriodText = Annotated[
    str, Query(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", examples=["2024-10"], description="费款所属期")
]


def _written(value: object) -> object:
    """A day is written; a number would be taken for seconds since 1970."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        return value
    raise ValueError("a day is written YYYY-MM-DD, as in 2026-09-30")


_DAY = re.compile(r"20\d\d-\d\d-\d\d")
Day = Annotated[date, BeforeValidator(_written)]


_SHOWN = r"[^\x00-\x1f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
Named = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=f"^{_SHOWN}+$"),
]
"""A document number or an office: not blank, no control character, nothing that hides what it
says.
"""
Sentence = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=200, pattern=f"^{_SHOWN}*$")
]


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
