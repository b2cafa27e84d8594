"""What a figure is explained from: the employee, the spells, and the line as it was assessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from contribution_svc.domain.difference import Kind, SupplementLine
from contribution_svc.domain.lines import Line, LineState
from contribution_svc.store.values import from_json
from shared.db import Connection
from shared.values import Insurance


@dataclass(frozen=True, slots=True)
class Placed:
    """A spell, and the account and city that it is insured in."""

    since: date
    until: date | None
    account_id: str
    city: str


@dataclass(frozen=True, slots=True)
class Employed:
    """One employee as the roster has them now; spells in the order of their days."""

    employee_id: str
    employer_id: str
    person_kind: str
    agreed_fen: int
    first_fund_member: bool
    spells: Sequence[Placed]


@dataclass(frozen=True, slots=True)
class AssessedMonth:
    """One levy period as it was assessed last, and when; `elsewhere` are lines that the payroll of
    another month withholds, with that month.
    """

    city: str
    lines: Sequence[Line]
    elsewhere: Mapping[Insurance, str]
    base_explanation: str
    assessed_at: datetime | None


_EMPLOYED = text(
    """
    SELECT e.employee_id, e.employer_id, e.person_kind, e.first_month_wage_fen AS agreed_fen,
           e.first_fund_member, s.since, s.until, s.account_id, s.city
      FROM employees e LEFT JOIN spells s USING (employee_id)
     WHERE e.employee_id = :employee_id ORDER BY s.since
    """
)
_ASSESSED = text(
    """
    SELECT city, lines, supplements, base_explanation, assessed_at FROM assessments
     WHERE employee_id = :employee_id AND levy_period = :period AND version > 0
    """
)

_WITHHELD_IN = text(
    """
    SELECT levy_period, supplements FROM assessments
     WHERE employee_id = :employee_id
       AND supplements @> jsonb_build_array(
           jsonb_build_object('withhold_in', CAST(:period AS text)))
     ORDER BY levy_period
    """
)


async def employed(conn: Connection, employee_id: str) -> Employed | None:
    rows = (await conn.execute(_EMPLOYED, {"employee_id": employee_id})).all()
    if not rows:
        return None
    first = rows[0]
    return Employed(
        employee_id=first.employee_id,
        employer_id=first.employer_id,
        person_kind=first.person_kind,
        agreed_fen=first.agreed_fen,
        first_fund_member=first.first_fund_member,
        spells=[
            Placed(row.since, row.until, row.account_id, row.city)
            for row in rows
            if row.since is not None
        ],
    )


async def assessed(conn: Connection, employee_id: str, period: str) -> AssessedMonth | None:
    values = {"employee_id": employee_id, "period": period}
    row = (await conn.execute(_ASSESSED, values)).first()
    if row is None:
        return None
    lines = from_json(row.lines, list[Line])
    regular = {line.insurance for line in lines}
    # A month that was declared late as a whole has no regular lines: these stand in their place.
    late = [
        one
        for one in from_json(row.supplements, list[SupplementLine])
        if one.insurance not in regular and one.kind is not Kind.DIFFERENCE
    ]
    lines += [_line(one) for one in late]
    elsewhere = {one.insurance: one.withhold_in for one in late if one.withhold_in}
    return AssessedMonth(row.city, lines, elsewhere, row.base_explanation, row.assessed_at)


def _line(one: SupplementLine) -> Line:
    return Line(
        insurance=one.insurance,
        state=LineState.DUE,
        authority=one.authority,
        base_fen=one.base_fen,
        employer_ppm=one.employer_ppm,
        employee_ppm=one.employee_ppm,
        employer_fen=one.employer_fen,
        employee_fen=one.employee_fen,
    )


async def withheld_in(
    conn: Connection, employee_id: str, period: str
) -> list[tuple[str, SupplementLine]]:
    """The lines of other levy periods that the payroll of `period` withholds, each with its own."""
    rows = await conn.execute(_WITHHELD_IN, {"employee_id": employee_id, "period": period})
    return [
        (row.levy_period, line)
        for row in rows
        for line in from_json(row.supplements, list[SupplementLine])
        if line.withhold_in == period
    ]
