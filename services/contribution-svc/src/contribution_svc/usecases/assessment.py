"""Assessing: base, lines and their check for every employee that is marked, told when something has
changed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from contribution_svc.domain.base import Bases
from contribution_svc.domain.batch import assessed
from contribution_svc.domain.lines import Line, LineState
from contribution_svc.domain.policy import AfterRaise, Terms
from contribution_svc.domain.wage_basis import BaseRule
from contribution_svc.policy import Policies
from contribution_svc.store import assessments, declarations
from contribution_svc.store import bases as base_store
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.bases import BaseBody, BaseRow
from contribution_svc.store.values import to_json
from contribution_svc.usecases.deferred import with_deferred
from contribution_svc.usecases.grounds import Scheme, grounds_of, key, schemes_of
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.told import base_changed, contribution_assessed, deferred_lines
from shared import outbox
from shared.clock import china_day
from shared.db import Connection
from shared.logs import get_logger
from shared.values import Insurance

BATCH = 2_000
"""Employees per transaction: some 10,000 lines. More would gain little, and hold up whoever asks
by HTTP meanwhile (measured: 5,000 on a busy machine, seconds).
"""
_TRY_AGAIN = timedelta(days=1)

_log = get_logger(__name__)


async def assess_marked(conn: Connection, library: Library, now: datetime) -> int:
    """Assesses one batch of marked employees; returns how many. Only what changed is told."""
    rows = await assessments.to_assess(conn, now, BATCH)
    if not rows:
        return 0
    rows = await with_deferred(conn, rows)
    schemes = schemes_of(await library.in_force(conn), rows, china_day(now))
    found = await _reckoned(conn, schemes, rows)
    unknown = [row for row, one in zip(rows, found, strict=True) if one is None]
    if unknown:
        _log.warning("assessment_without_policy", cities=sorted({row.city for row in unknown}))
        await assessments.assess_later(conn, unknown, now + _TRY_AGAIN)
    known = [row for row, one in zip(rows, found, strict=True) if one is not None]
    await _save(conn, known, [one for one in found if one is not None], now)
    return len(rows)


_Reckoned = tuple[Assessment, Sequence[BaseRow]]
"""A row with its lines, and the bases that they rest on, one for each contribution year of which
any of them is due.
"""


async def _reckoned(
    conn: Connection, schemes: Mapping[tuple[str, str], Scheme], rows: Sequence[Assessment]
) -> list[_Reckoned | None]:
    """Each row by its scheme; None where there is none. Nothing is written."""
    places: dict[tuple[str, str], list[int]] = {name: [] for name in schemes}
    for place, row in enumerate(rows):
        if (name := key(row)) in schemes:
            places[name].append(place)
    grounds = await grounds_of(conn, [rows[place] for some in places.values() for place in some])
    found: list[_Reckoned | None] = [None] * len(rows)
    for name, scheme in schemes.items():
        people = [grounds.person(rows[place], scheme) for place in places[name]]
        done = assessed(people, scheme.kinds, scheme.terms, scheme.by_base_year)
        for place, person, (bases, lines) in zip(places[name], people, done, strict=True):
            parked = person.insured.facts_parked
            found[place] = _assessed(rows[place], bases, lines, scheme, parked)
    return found


@dataclass(frozen=True, slots=True)
class AsKnown:
    """What a month would be if it were assessed now, and the terms that say so."""

    lines: Sequence[Line]
    terms_of: Mapping[Insurance, Terms]


async def as_known_now(
    conn: Connection, policies: Policies, rows: Sequence[Assessment], known_on: date
) -> dict[tuple[str, str], AsKnown]:
    """By employee and levy period; a month whose city has no policy is left out. Nothing is
    kept.
    """
    schemes = schemes_of(policies, rows, known_on)
    found = await _reckoned(conn, schemes, rows)
    return {
        (row.employee_id, row.levy_period): AsKnown(one[0].lines, schemes[key(row)].terms_of)
        for row, one in zip(rows, found, strict=True)
        if one is not None
    }


def _assessed(
    row: Assessment, bases: Bases, lines: list[Line], scheme: Scheme, facts_parked: bool
) -> _Reckoned:
    rested = _base_rows(row, bases, lines, scheme)
    return (
        replace(
            row,
            rests_on=_rests_on(bases, scheme.after_raise),
            contribution_year=str(scheme.contribution_year),
            lines=lines,
            base_explanation=bases.explanation if rested else "",
            policy_known_since=scheme.known_since,
            policy_warnings=_warnings(lines, scheme),
            facts_parked=facts_parked,
        ),
        rested,
    )


def _warnings(lines: Sequence[Line], scheme: Scheme) -> list[str]:
    """What people are to know of the figures that were used."""
    due = [scheme.terms_of[line.insurance] for line in lines if line.state is LineState.DUE]
    return [*(warning for terms in due for warning in terms.warnings), *scheme.day_warnings]


def _rests_on(found: Bases, after_raise: AfterRaise) -> str:
    """The rule, by which a new run is known to change nothing; it may wherever raises count."""
    if found.unknown:
        return ""
    if after_raise is AfterRaise.AT_ONCE:
        return after_raise
    rules = (basis.rule for basis in found.rests_on.values())
    average = BaseRule.LAST_YEAR_AVERAGE
    return next((rule for rule in rules if rule is not average), average)


def _base_rows(
    row: Assessment, found: Bases, lines: Sequence[Line], scheme: Scheme
) -> list[BaseRow]:
    """One for each contribution year of which a line is due, with the bases of its insurances."""
    due = {line.insurance for line in lines if line.state is LineState.DUE}
    is_one = len(scheme.by_contribution_year) == 1
    return [
        _base_row(row, year, found if is_one else found.of(terms))
        for year, terms in scheme.by_contribution_year.items()
        if any(one.insurance in due for one in terms)
    ]


def _base_row(row: Assessment, year: str, found: Bases) -> BaseRow:
    basis = found.basis()
    body = BaseBody(
        average_fen=basis.wage_fen,
        months=basis.months,
        rule=basis.rule,
        bases_fen={str(insurance): fen for insurance, fen in found.bases_fen.items()},
        bounds={str(insurance): str(bound) for insurance, bound in found.bounds.items()},
        explanation=found.explanation,
    )
    return BaseRow(row.employee_id, year, row.employer_id, 0, row.levy_period, body)


async def _save(
    conn: Connection,
    before: Sequence[Assessment],
    done: Sequence[_Reckoned],
    now: datetime,
) -> None:
    written, changed = [], []
    for old, (new, _) in zip(before, done, strict=True):
        content = content_of(new)
        if content != old.told:
            versioned = replace(new, told=content, version=old.version + 1)
            changed.append(versioned)
            written.append(versioned)
        else:
            written.append(new)
    parked = [new for old, (new, _) in zip(before, done, strict=True) if _parking_differs(old, new)]
    await assessments.put(conn, written, now)
    told = await base_store.put(conn, [base for _, bases in done for base in bases])
    await outbox.add(conn, [base_changed(row) for row in told], now)
    await outbox.add(conn, [contribution_assessed(row) for row in changed], now)
    touched = [(row.account_id, row.levy_period) for row in (*changed, *parked)]
    await declarations.risk_again(conn, touched, now, china_day(now))


def _parking_differs(old: Assessment, new: Assessment) -> bool:
    """Whose lines are due tells no reason: a deadline at risk names them all the same."""
    return old.facts_parked != new.facts_parked


def content_of(row: Assessment) -> str:
    """Names everything that an assessment tells, but its version."""
    facts = (
        row.city,
        row.account_id,
        row.department_id,
        row.file_by,
        row.debit_by,
        row.lines,
        row.base_explanation,
        row.policy_known_since,
        # Only where there are some: what was told before there could be any keeps its name.
        *((row.policy_warnings,) if row.policy_warnings else ()),
        *((row.supplements,) if row.supplements else ()),
        *((later,) if (later := deferred_lines(row)) else ()),
    )
    return hashlib.sha256(to_json(facts).encode()).hexdigest()
