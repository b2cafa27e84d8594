"""What approved declarations declared, line by line, and whom a bank's remark names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import text

from contribution_svc.domain.allocation import DueLine
from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.lines import Line, LineState
from contribution_svc.store.declarations import Declaration
from contribution_svc.store.values import from_json
from shared.db import Connection

_DECLARED = text(
    "SELECT employee_id, lines FROM assessments WHERE declaration_id = :id ORDER BY employee_id"
)
_SUPPLEMENTED = text(
    """
    SELECT employee_id, supplements FROM assessments
     WHERE account_id = :account_id AND levy_period = :period AND supplements <> '[]'
     ORDER BY employee_id
    """
)
_PEOPLE_BY_NO = text(
    """
    SELECT e.employer_id, e.employee_no, e.employee_id, a.levy_period, a.declaration_id
      FROM employees e LEFT JOIN assessments a USING (employee_id)
     WHERE e.employer_id = ANY(:employers) AND e.employee_no = ANY(:numbers)
    """
)


async def due_lines(conn: Connection, declaration: Declaration) -> list[DueLine]:
    """Every line that an approved declaration declared."""
    if declaration.number:
        return await _supplement_lines(conn, declaration)
    rows = await conn.execute(_DECLARED, {"id": declaration.declaration_id})
    return [
        DueLine(row.employee_id, line.insurance, line.employer_fen, line.employee_fen)
        for row in rows
        for line in from_json(row.lines, list[Line])
        if line.state is LineState.DUE
    ]


async def _supplement_lines(conn: Connection, declaration: Declaration) -> list[DueLine]:
    values = {"account_id": declaration.account_id, "period": declaration.levy_period}
    return [
        DueLine(
            row.employee_id,
            line.insurance,
            line.employer_fen,
            line.employee_fen,
            line.kind,
            line.due_on,
        )
        for row in await conn.execute(_SUPPLEMENTED, values)
        for line in from_json(row.supplements, list[SupplementLine])
        if line.declaration_id == declaration.declaration_id
    ]


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """An employee whom a remark names, and by levy period the declaration that they are in."""

    employee_id: str
    declared_in: Mapping[str, str]


async def people_by_no(
    conn: Connection, employers: Collection[str], numbers: Collection[str]
) -> dict[tuple[str, str], NamedPerson]:
    """Employees by employer and employee number."""
    if not numbers:
        return {}
    values = {"employers": sorted(employers), "numbers": sorted(numbers)}
    found: dict[tuple[str, str], tuple[str, dict[str, str]]] = {}
    for row in await conn.execute(_PEOPLE_BY_NO, values):
        _, declared = found.setdefault((row.employer_id, row.employee_no), (row.employee_id, {}))
        if row.declaration_id is not None:
            declared[row.levy_period] = row.declaration_id
    return {key: NamedPerson(*value) for key, value in found.items()}
