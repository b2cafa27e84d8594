"""Who calls, what they write, and whose rows they may touch."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Query

from shared.http_writes import Write, idempotent
from shared.refusal import NotFound
from shared.serve import Caller, require

Operator = Annotated[Caller, Depends(require("operator"))]
Hr = Annotated[Caller, Depends(require("hr"))]
HrOrOperator = Annotated[Caller, Depends(require("hr", "operator"))]
HrOrEmployee = Annotated[Caller, Depends(require("hr", "employee"))]
Once = Annotated[Write, Depends(idempotent)]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows of one page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the last page.")]
LevyPeriodText = Annotated[
    str,
    Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2024-10"], description="费款所属期"),
]


def of_employer(caller: Caller, employer_id: str) -> Caller:
    """The caller narrowed to one employer: HR to one of their own, an operator to the one named.

    NotFound for another's employer, as if there were none.
    """
    if "operator" not in caller.roles and not caller.may_act_for(employer_id):
        raise NotFound(f"There is no employer {employer_id} that you may see.")
    return replace(caller, employer_ids=(employer_id,))
