"""Assessments: one row per employee and levy period, marked when something that it rests on
changes.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import text

from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.employment import Spell
from contribution_svc.domain.lines import Line
from contribution_svc.store import wages
from contribution_svc.store.values import columns, to_json
from contribution_svc.store.wages import Wages
from shared.db import Connection
from shared.values import Insurance


class Assessment(msgspec.Struct, frozen=True):
    """One employee's levy period as last assessed; `told` names the content told under `version`.
    `supplements` are declared beside `lines`, which were declared under `declared_version`;
    `deferred` are the last days of debiting what a deferral covers: not kept, but looked up before
    it is told.
    """

    employee_id: str
    levy_period: str
    employer_id: str
    account_id: str
    department_id: str
    city: str
    version: int
    rests_on: str
    contribution_year: str
    base_explanation: str
    policy_known_since: str
    file_by: date
    debit_by: date
    told: str = ""
    facts_parked: bool = False
    lines: list[Line] = msgspec.field(default_factory=list)
    policy_warnings: list[str] = msgspec.field(default_factory=list)
    supplements: Sequence[SupplementLine] = ()
    declared_version: int = 0
    deferred: Mapping[Insurance, date] = msgspec.field(default_factory=dict)


class Facts(msgspec.Struct, frozen=True):
    """What an assessment rests on, of one employee. `facts_parked`: later events about the employee
    came and could not be taken in.
    """

    person_kind: str
    documents_missing: Sequence[str]
    agreed_fen: int
    first_fund_member: bool
    spells: Sequence[Spell]
    wages: Wages
    on_roster: bool
    facts_parked: bool


# A levy period belongs to the spell of its first day, else to the first that begins within it: one
# month has one account. Whoever moved before the declaration was approved moves over.
_PLACED = """
    SELECT DISTINCT ON (s.employee_id, p.levy_period)
           s.employee_id, p.levy_period, s.employer_id, s.account_id, s.department_id
      FROM spells s
      JOIN (SELECT DISTINCT employer_id, levy_period, to_date(levy_period, 'YYYY-MM') AS first_day
              FROM declarations WHERE {periods}) p USING (employer_id)
     WHERE s.since < p.first_day + interval '1 month'
       AND (s.until IS NULL OR s.until >= p.first_day) {people}
     ORDER BY s.employee_id, p.levy_period, s.since
"""
_PUT_PLACED = """
    INSERT INTO assessments AS a (employee_id, levy_period, employer_id, account_id, department_id,
                                  city, file_by, debit_by, assess_at)
    SELECT p.employee_id, p.levy_period, p.employer_id, p.account_id, p.department_id, d.city,
           d.file_by, d.debit_by, CAST(:now AS timestamptz)
      FROM ({placed}) p
      JOIN declarations d USING (account_id, levy_period)
     WHERE d.number = 0 AND {declarations}
    ON CONFLICT (employee_id, levy_period) DO UPDATE
       SET account_id = excluded.account_id, department_id = excluded.department_id,
           city = excluded.city, file_by = excluded.file_by, debit_by = excluded.debit_by,
           assess_at = excluded.assess_at
     WHERE a.declaration_id IS NULL
"""
_MARK_PERIOD = text(
    _PUT_PLACED.format(
        placed=_PLACED.format(
            periods="employer_id = :employer_id AND levy_period = :period", people=""
        ),
        declarations="d.declaration_id = :declaration_id",
    )
)
_MARK_PEOPLE = text(
    _PUT_PLACED.format(
        placed=_PLACED.format(periods="true", people="AND s.employee_id = ANY(:ids)"),
        declarations="true",
    )
)
_MARK_AGAIN = text(
    """
    UPDATE assessments SET assess_at = :now
     WHERE declaration_id IS NULL AND employee_id = ANY(:ids)
    """
)
# A run is a month of last year to whoever is insured in a later one, though it may come when that
# is open already.
_MARK_RUNS = text(
    """
    UPDATE assessments a SET assess_at = :now
      FROM unnest(CAST(:ids AS text[]), CAST(:months AS text[])) AS r(employee_id, month)
     WHERE a.employee_id = r.employee_id AND a.declaration_id IS NULL
       AND (a.rests_on <> 'last_year_average' OR left(a.levy_period, 4) > left(r.month, 4))
    """
)
_MARK_CITY = text(
    "UPDATE assessments SET assess_at = :now WHERE declaration_id IS NULL AND city = :city"
)


async def mark_period(
    conn: Connection, employer_id: str, period: str, declaration_id: str, now: datetime
) -> int:
    """Everyone on the roster whose levy period belongs to the declaration's account is to be
    assessed.
    """
    values = {"employer_id": employer_id, "period": period, "declaration_id": declaration_id}
    return (await conn.execute(_MARK_PERIOD, {**values, "now": now})).rowcount


async def mark_people(conn: Connection, ids: Collection[str], now: datetime) -> None:
    """These employees are to be assessed for every opened levy period, unless it was declared."""
    if ids:
        await conn.execute(_MARK_AGAIN, {"ids": list(ids), "now": now})
        await conn.execute(_MARK_PEOPLE, {"ids": list(ids), "now": now})


async def mark_wages(
    conn: Connection, history: Collection[str], runs: Mapping[str, str], now: datetime
) -> None:
    """New wages: of last year for whoever has an assessment; of a run, told with its month, for
    whoever rests on no last year or has the run in it.
    """
    if history:
        await conn.execute(_MARK_AGAIN, {"ids": list(history), "now": now})
    if runs:
        values = {"ids": list(runs), "months": list(runs.values()), "now": now}
        await conn.execute(_MARK_RUNS, values)


async def mark_city(conn: Connection, city: str, now: datetime) -> None:
    await conn.execute(_MARK_CITY, {"city": city, "now": now})


_FACTS_TOPIC = "payroll.events"
"""Where facts about employees come from, with the employee's id as their key."""
# From the few whose events are or were parked, never from everyone who was assessed.
_PARKING_CHANGED = """
    SELECT a.employee_id, a.levy_period
      FROM (SELECT * FROM assessments WHERE facts_parked ORDER BY employee_id) a
     WHERE a.declaration_id IS NULL AND a.assess_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM parked_keys p WHERE p.topic = :topic AND p.key = a.employee_id)
    UNION ALL
    SELECT a.employee_id, a.levy_period
      FROM parked_keys p
     CROSS JOIN LATERAL (SELECT * FROM assessments WHERE employee_id = p.key OFFSET 0) a
     WHERE p.topic = :topic
       AND NOT a.facts_parked AND a.declaration_id IS NULL AND a.assess_at IS NULL
"""
_IS_PARKING_CHANGED = text(f"SELECT EXISTS ({_PARKING_CHANGED})")
_MARK_PARKING = text(
    f"""
    UPDATE assessments a SET assess_at = :now FROM ({_PARKING_CHANGED}) c
     WHERE a.employee_id = c.employee_id AND a.levy_period = c.levy_period
    """  # noqa: S608
)


async def is_parking_changed(conn: Connection) -> bool:
    """Whether someone's events were parked, or are parked no longer, since they were assessed."""
    found: bool = (await conn.execute(_IS_PARKING_CHANGED, {"topic": _FACTS_TOPIC})).scalar_one()
    return found


async def mark_parking(conn: Connection, now: datetime) -> int:
    """These are to be assessed again, unless they were declared; gives how many."""
    return (await conn.execute(_MARK_PARKING, {"topic": _FACTS_TOPIC, "now": now})).rowcount


_NEXT = text("SELECT min(assess_at) FROM assessments WHERE assess_at IS NOT NULL")
_TO_DO = text(
    """
    SELECT employee_id, levy_period, employer_id, account_id, department_id, city, version,
           rests_on, contribution_year, base_explanation, policy_known_since, file_by, debit_by,
           told, facts_parked
      FROM assessments WHERE assess_at <= :now
     ORDER BY assess_at, employee_id LIMIT :limit FOR UPDATE SKIP LOCKED
    """
)
# Looked up person by person: joined as tables, a batch would read everyone's.
_FACTS = text(
    f"""
    SELECT k.employee_id, k.levy_period, e.person_kind, e.documents_missing,
           e.first_month_wage_fen, e.first_fund_member, s.since, s.until,
           coalesce(s.on_roster, false) AS on_roster,
           EXISTS (SELECT 1 FROM parked_keys p WHERE p.topic = :topic AND p.key = k.employee_id)
               AS facts_parked,
           w.months, w.fen, w.run_months, w.run_fen
      FROM unnest(CAST(:employee_id AS text[]), CAST(:levy_period AS text[]),
                  CAST(:account_id AS text[])) AS k(employee_id, levy_period, account_id)
     CROSS JOIN LATERAL (SELECT * FROM employees WHERE employee_id = k.employee_id OFFSET 0) e
     CROSS JOIN LATERAL (
        SELECT array_agg(since ORDER BY since) AS since, array_agg(until ORDER BY since) AS until,
               bool_or(account_id = k.account_id
                       AND since < to_date(k.levy_period, 'YYYY-MM') + interval '1 month'
                       AND (until IS NULL OR until >= to_date(k.levy_period, 'YYYY-MM')))
                   AS on_roster
          FROM spells WHERE employee_id = k.employee_id) s
     CROSS JOIN LATERAL ({wages.OF_PERSON}) w
    """  # noqa: S608
)


async def next_to_assess(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(_NEXT)).scalar()
    return found


async def to_assess(conn: Connection, now: datetime, limit: int) -> list[Assessment]:
    """At most `limit` rows that are to be assessed, locked; another replica's are passed over.
    Without their lines, which are to be made anew: `told` says what they were.
    """
    rows = await conn.execute(_TO_DO, {"now": now, "limit": limit})
    # By position: looking names up costs more than reading the row.
    return [Assessment(*row) for row in rows]


async def facts_of(conn: Connection, rows: Sequence[Assessment]) -> dict[tuple[str, str], Facts]:
    """What each row rests on, by employee and levy period."""
    keys = columns(
        ("employee_id", "levy_period", "account_id"),
        ((row.employee_id, row.levy_period, row.account_id) for row in rows),
    )
    # A base rests on the calendar year before a contribution year that began by then.
    first_month = f"{int(min(row.levy_period for row in rows)[:4]) - 2}-01" if rows else ""
    values = {**keys, "topic": _FACTS_TOPIC, "since": first_month}
    found = {}
    for (
        employee_id,
        period,
        kind,
        documents,
        agreed_fen,
        is_first_member,
        since,
        until,
        on_roster,
        parked,
        *told,
    ) in await conn.execute(_FACTS, values):
        found[employee_id, period] = Facts(
            person_kind=kind,
            documents_missing=documents,
            agreed_fen=agreed_fen,
            first_fund_member=is_first_member,
            spells=list(zip(since or (), until or (), strict=True)),
            wages=wages.told(*told),
            on_roster=on_roster,
            facts_parked=parked,
        )
    return found


_PUT = text(
    """
    UPDATE assessments a
       SET version = n.version, rests_on = n.rests_on, contribution_year = n.contribution_year,
           lines = n.lines, base_explanation = n.base_explanation,
           policy_known_since = n.policy_known_since, told = n.told,
           facts_parked = n.facts_parked, policy_warnings = n.policy_warnings, assess_at = NULL,
           assessed_at = :now
      FROM unnest(
        CAST(:employee_id AS text[]), CAST(:levy_period AS text[]), CAST(:version AS bigint[]),
        CAST(:rests_on AS text[]), CAST(:contribution_year AS text[]), CAST(:lines AS jsonb[]),
        CAST(:base_explanation AS text[]), CAST(:policy_known_since AS text[]),
        CAST(:told AS text[]), CAST(:facts_parked AS boolean[]),
        CAST(:policy_warnings AS jsonb[]))
        AS n(employee_id, levy_period, version, rests_on, contribution_year, lines,
             base_explanation, policy_known_since, told, facts_parked, policy_warnings)
     WHERE a.employee_id = n.employee_id AND a.levy_period = n.levy_period
    """
)
_LATER = text(
    """
    UPDATE assessments a SET assess_at = :at
      FROM unnest(CAST(:employee_id AS text[]), CAST(:levy_period AS text[]))
           AS n(employee_id, levy_period)
     WHERE a.employee_id = n.employee_id AND a.levy_period = n.levy_period
    """
)


async def put(conn: Connection, assessments: Sequence[Assessment], now: datetime) -> None:
    """Writes locked rows back: assessed, and up to date."""
    values = {
        "employee_id": [a.employee_id for a in assessments],
        "levy_period": [a.levy_period for a in assessments],
        "version": [a.version for a in assessments],
        "rests_on": [a.rests_on for a in assessments],
        "contribution_year": [a.contribution_year for a in assessments],
        "lines": [to_json(a.lines) for a in assessments],
        "base_explanation": [a.base_explanation for a in assessments],
        "policy_known_since": [a.policy_known_since for a in assessments],
        "told": [a.told for a in assessments],
        "facts_parked": [a.facts_parked for a in assessments],
        "policy_warnings": [to_json(a.policy_warnings) for a in assessments],
    }
    await conn.execute(_PUT, {**values, "now": now})


async def assess_later(conn: Connection, rows: Sequence[Assessment], at: datetime) -> None:
    """What cannot be assessed now (its city has no policy) is looked at again at `at`."""
    keys = columns(("employee_id", "levy_period"), ((r.employee_id, r.levy_period) for r in rows))
    await conn.execute(_LATER, {**keys, "at": at})
