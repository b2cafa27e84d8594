"""What contribution-svc last assessed of each employee and levy period."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from payroll_svc.domain.pay import Assessment, DueLine
from payroll_svc.store.bulk import among, merge
from payroll_svc.store.parts import lines_of
from payroll_svc.tables import assessments
from shared.db import Connection


async def assessments_of(
    conn: Connection, employee_ids: Iterable[str], levy_period: str
) -> dict[str, Assessment]:
    """The newest assessment of each employee for the period, by employee id."""
    wanted = select(assessments).where(
        assessments.c.levy_period == levy_period,
        among(assessments.c.employee_id, employee_ids),
    )
    return {
        row.employee_id: Assessment(row.version, lines_of(row.lines), tuple(row.warnings))
        for row in await conn.execute(wanted)
    }


async def late_lines(
    conn: Connection, employer_id: str, employee_ids: Iterable[str], levy_period: str
) -> dict[str, list[DueLine]]:
    """Due lines of other months that a run up to this period's is to withhold, by employee id; each
    names the month that it is for.
    """
    wanted = select(assessments).where(
        assessments.c.employer_id == employer_id,
        assessments.c.levy_period != levy_period,
        func.cardinality(assessments.c.withheld_in) > 0,
        among(assessments.c.employee_id, employee_ids),
    )
    found: dict[str, list[DueLine]] = {}
    ordered = wanted.order_by(assessments.c.employee_id, assessments.c.levy_period)
    for row in await conn.execute(ordered):
        found.setdefault(row.employee_id, []).extend(
            replace(line, levy_period=row.levy_period)
            for line in lines_of(row.lines)
            if line.state == "due"
            and line.withhold_in not in ("", row.levy_period)
            and line.withhold_in <= levy_period
        )
    return found


async def keep_newest_assessments(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores assessments, each unless its version or a newer one is there; any order, any repeat.

    `rows` hold the table's columns, at most one for each employee and levy period.
    """
    await merge(conn, assessments, rows, only_newer=True)
