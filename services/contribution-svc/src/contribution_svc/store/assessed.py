"""Assessments as they are shown: a page of them, by employee number, and summed up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.lines import Line
from contribution_svc.store.values import from_json
from shared.db import Connection

_PAGE = text(
    """
    SELECT a.employee_id, a.levy_period, a.account_id, a.department_id, a.city, a.version,
           a.declaration_id, a.lines, a.supplements, a.base_explanation, a.policy_warnings,
           a.file_by, a.debit_by,
           coalesce(b.rows, '[]') AS bureau_rows
      FROM assessments a
      LEFT JOIN bureau_rows b USING (employee_id, levy_period)
     WHERE a.employer_id = :employer_id AND a.levy_period = :period AND a.version > 0
       AND a.employee_id > :after
     ORDER BY a.employee_id LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One assessment as it is shown: its lines, whether it was declared, and the bureau's row
    beside it.
    """

    employee_id: str
    levy_period: str
    account_id: str
    department_id: str
    city: str
    version: int
    declaration_id: str | None
    lines: list[Line]
    supplements: list[SupplementLine]
    base_explanation: str
    policy_warnings: list[str]
    file_by: date
    debit_by: date
    bureau_rows: list[dict[str, object]]


async def page(
    conn: Connection, employer_id: str, period: str, after: str, limit: int
) -> list[Listed]:
    """Assessments of an employer's levy period by employee id, after `after`."""
    values = {"employer_id": employer_id, "period": period, "after": after, "limit": limit}
    return [
        Listed(
            **{
                **row,
                "lines": from_json(row["lines"], list[Line]),
                "supplements": from_json(row["supplements"], list[SupplementLine]),
                "bureau_rows": from_json(row["bureau_rows"], list[dict[str, object]]),
            }
        )
        for row in (await conn.execute(_PAGE, values)).mappings()
    ]


_BY_NUMBER = text(
    """
    SELECT e.employee_no, a.lines FROM assessments a JOIN employees e USING (employee_id)
     WHERE a.employer_id = :employer_id AND a.levy_period = :period
       AND e.employer_id = :employer_id AND e.employee_no = ANY(:numbers)
    """
)


async def lines_by_number(
    conn: Connection, employer_id: str, period: str, numbers: Collection[str]
) -> dict[str, list[Line]]:
    """The assessed lines of a levy period by employee number."""
    values = {"employer_id": employer_id, "period": period, "numbers": sorted(numbers)}
    rows = await conn.execute(_BY_NUMBER, values)
    return {row.employee_no: from_json(row.lines, list[Line]) for row in rows}


_SUMS = text(
    """
    SELECT l->>'insurance' AS insurance,
           CAST(sum(CAST(l->>'employer_fen' AS bigint)) AS bigint) AS employer_fen,
           CAST(sum(CAST(l->>'employee_fen' AS bigint)) AS bigint) AS employee_fen
      FROM assessments, jsonb_array_elements(lines || supplements) AS l
     WHERE employer_id = :employer_id AND levy_period = :period
       AND coalesce(l->>'state', 'due') = 'due'
     GROUP BY 1
    """
)


async def sums(conn: Connection, employer_id: str, period: str) -> dict[str, tuple[int, int]]:
    """Fen due per insurance, employer's and employees'."""
    rows = await conn.execute(_SUMS, {"employer_id": employer_id, "period": period})
    return {row.insurance: (row.employer_fen, row.employee_fen) for row in rows}
