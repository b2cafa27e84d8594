"""Whom a proposed pack affects, and by how much: per employee, and per employer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import RowMapping, text

from contribution_svc.domain.release import Sides
from contribution_svc.store.values import columns, from_json, to_json
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class RosterRow:
    """Who is insured in the city in a levy period, and on which account."""

    employee_id: str
    employer_id: str
    account_id: str
    department_id: str


# A levy period belongs to the spell of its first day, else to the first that begins within it, as
# assessments have it.
_ROSTER = text(
    """
    SELECT s.employee_id, s.employer_id, s.account_id, s.department_id
      FROM (SELECT DISTINCT ON (employee_id) employee_id, employer_id, account_id, department_id
              FROM spells
             WHERE since <= CAST(:last_day AS date)
               AND (until IS NULL OR until >= CAST(:first_day AS date)) AND employee_id > :after
             ORDER BY employee_id, since) s
      JOIN accounts a USING (account_id)
     WHERE a.city = :city ORDER BY s.employee_id LIMIT :limit
    """
)


async def roster(
    conn: Connection, city: str, days: tuple[date, date], after: str, limit: int
) -> list[RosterRow]:
    """Everyone insured in the city in the levy period of these first and last days, by employee id
    after `after`.
    """
    values = {"city": city, "first_day": days[0], "last_day": days[1]}
    rows = await conn.execute(_ROSTER, {**values, "after": after, "limit": limit})
    return [RosterRow(**row) for row in rows.mappings()]


@dataclass(frozen=True, slots=True)
class EffectRow:
    """What changes for one employee in one levy period, in fen; `insurances` has (employer,
    employee) before and after for each that changes.
    """

    proposal_id: str
    employee_id: str
    employer_id: str
    employer_fen_before: int
    employer_fen_after: int
    employee_fen_before: int
    employee_fen_after: int
    insurances: Mapping[str, tuple[Sides, Sides]]
    employee_no: str = ""


_NAMES = tuple(EffectRow.__slots__)[:8]
_ADD = text(
    """
    INSERT INTO policy_effects (proposal_id, employee_id, employer_id, employer_fen_before,
                                employer_fen_after, employee_fen_before, employee_fen_after,
                                insurances)
    SELECT * FROM unnest(
        CAST(:proposal_id AS text[]), CAST(:employee_id AS text[]), CAST(:employer_id AS text[]),
        CAST(:employer_fen_before AS bigint[]), CAST(:employer_fen_after AS bigint[]),
        CAST(:employee_fen_before AS bigint[]), CAST(:employee_fen_after AS bigint[]),
        CAST(:insurances AS jsonb[]))
    """
)


async def add(conn: Connection, rows: Sequence[EffectRow]) -> None:
    if rows:
        values = (
            [
                to_json(row.insurances) if name == "insurances" else getattr(row, name)
                for name in _NAMES
            ]
            for row in rows
        )
        await conn.execute(_ADD, columns(_NAMES, values))


_FORGET = (
    text("DELETE FROM policy_effects WHERE proposal_id = :proposal_id"),
    text("DELETE FROM policy_employer_effects WHERE proposal_id = :proposal_id"),
)


async def forget(conn: Connection, proposal_id: str) -> None:
    """What was simulated before is simulated anew."""
    for statement in _FORGET:
        await conn.execute(statement, {"proposal_id": proposal_id})


# Declared months are counted by who declared them, also where nobody is affected any more.
_SUM_UP = text(
    """
    INSERT INTO policy_employer_effects (proposal_id, employer_id, people, employer_fen,
                                         employee_fen, declared_months)
    SELECT :proposal_id, employer_id, coalesce(e.people, 0), coalesce(e.employer_fen, 0),
           coalesce(e.employee_fen, 0), coalesce(d.months, 0)
      FROM (SELECT DISTINCT employer_id FROM accounts WHERE city = :city) a
      LEFT JOIN (SELECT employer_id, count(*) AS people,
                        sum(employer_fen_after - employer_fen_before) AS employer_fen,
                        sum(employee_fen_after - employee_fen_before) AS employee_fen
                   FROM policy_effects WHERE proposal_id = :proposal_id GROUP BY employer_id) e
           USING (employer_id)
      LEFT JOIN (SELECT employer_id, count(*) AS months FROM assessments
                  WHERE city = :city AND declaration_id IS NOT NULL
                    AND levy_period = ANY(:periods) GROUP BY employer_id) d USING (employer_id)
    """
)
_TOTAL = text(
    """
    SELECT CAST(coalesce(sum(people), 0) AS bigint) AS people,
           CAST(coalesce(sum(employer_fen), 0) AS bigint) AS employer_fen,
           CAST(coalesce(sum(employee_fen), 0) AS bigint) AS employee_fen,
           CAST(coalesce(sum(declared_months), 0) AS bigint) AS declared_months
      FROM policy_employer_effects WHERE proposal_id = :proposal_id
    """
)


async def sum_up(
    conn: Connection, proposal_id: str, city: str, periods: Sequence[str]
) -> dict[str, int]:
    """Sums every employer with an account in the city up; gives the total of all, by column."""
    values = {"proposal_id": proposal_id, "city": city, "periods": list(periods)}
    await conn.execute(_SUM_UP, values)
    return dict((await conn.execute(_TOTAL, values)).mappings().one())


@dataclass(frozen=True, slots=True)
class EmployerEffect:
    """What a proposal changes for one employer: people, fen a month, declared months of
    employees.
    """

    proposal_id: str
    employer_id: str
    people: int
    employer_fen: int
    employee_fen: int
    declared_months: int


_DECLARED_MONTHS = text(
    """
    SELECT count(*) FROM assessments
     WHERE city = :city AND declaration_id IS NOT NULL AND levy_period = ANY(:periods)
    """
)


async def declared_months(conn: Connection, city: str, periods: Sequence[str]) -> int:
    """How many months of employees are declared by now of these levy periods."""
    values = {"city": city, "periods": list(periods)}
    found: int = (await conn.execute(_DECLARED_MONTHS, values)).scalar_one()
    return found


_EMPLOYERS = text(
    """
    SELECT proposal_id, employer_id, people, employer_fen, employee_fen, declared_months
      FROM policy_employer_effects
     WHERE proposal_id = :proposal_id AND employer_id > :after
     ORDER BY employer_id LIMIT :limit
    """
)
_OF_EMPLOYER = text(
    """
    SELECT e.proposal_id, e.employer_id, e.people, e.employer_fen, e.employee_fen,
           e.declared_months
      FROM policy_employer_effects e
     WHERE e.employer_id = :employer_id AND e.proposal_id = ANY(:proposal_ids)
    """
)
_PEOPLE = text(
    """
    SELECT f.proposal_id, f.employee_id, f.employer_id, f.employer_fen_before,
           f.employer_fen_after, f.employee_fen_before, f.employee_fen_after, f.insurances,
           coalesce(e.employee_no, '') AS employee_no
      FROM policy_effects f LEFT JOIN employees e USING (employee_id)
     WHERE f.proposal_id = :proposal_id AND f.employer_id = :employer_id
       AND f.employee_id > :after
     ORDER BY f.employee_id LIMIT :limit
    """
)


async def employers(
    conn: Connection, proposal_id: str, after: str, limit: int
) -> list[EmployerEffect]:
    """By employer id after `after`."""
    values = {"proposal_id": proposal_id, "after": after, "limit": limit}
    return [EmployerEffect(**row) for row in (await conn.execute(_EMPLOYERS, values)).mappings()]


async def of_employer(
    conn: Connection, employer_id: str, proposal_ids: Sequence[str]
) -> dict[str, EmployerEffect]:
    """What each of these proposals changes for the employer, by proposal."""
    values = {"employer_id": employer_id, "proposal_ids": list(proposal_ids)}
    rows = (await conn.execute(_OF_EMPLOYER, values)).mappings()
    return {row["proposal_id"]: EmployerEffect(**row) for row in rows}


async def people(
    conn: Connection, proposal_id: str, employer_id: str, after: str, limit: int
) -> list[EffectRow]:
    """The employer's employees whom the proposal affects, by employee id after `after`."""
    values = {"proposal_id": proposal_id, "employer_id": employer_id}
    rows = await conn.execute(_PEOPLE, {**values, "after": after, "limit": limit})
    return [_effect(row) for row in rows.mappings()]


def _effect(row: RowMapping) -> EffectRow:
    kept = from_json(row["insurances"], dict[str, tuple[Sides, Sides]])
    return EffectRow(**{**row, "insurances": kept})
