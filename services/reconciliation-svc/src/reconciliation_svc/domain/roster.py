"""Which cells the roster and the scheme imply, and when a levy period opens: K is counted from here
alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from reconciliation_svc.domain.sides import RosterSide
from shared.values import Insurance, LevyPeriod

OPENING_DAY = 25
OPENING_TIME = "06:00"
"""A levy period opens on the 25th of the month before at 06:00 China time, together with its
assessments.
"""


@dataclass(frozen=True, slots=True)
class Spell:
    """One stretch of employment, both ends inclusive; `until` None: still running."""

    since: date
    until: date | None
    city: str
    account_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class Scheme:
    """One insurance of a city's scheme, in force from `effective_from` to `ends_on`."""

    insurance: Insurance
    authority: str
    effective_from: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Policy:
    """What reconciliation keeps of a city's policy; `look_up_at` (HH:MM) is when records are looked
    up each day, `months_after` how long after the levy period's own month its days are.
    """

    city: str
    filing_day: int
    debit_day: int
    scheme: tuple[Scheme, ...]
    look_up_at: str = "08:00"
    months_after: int = 0


@dataclass(frozen=True, slots=True)
class Employee:
    """An employee on the rosters of one employer."""

    employee_id: str
    employer_id: str
    spells: tuple[Spell, ...]


NOWHERE = RosterSide(city="", account_id="", department_id="", authorities={})
"""The roster's side of a levy period in which the employee is not on it."""


def spell_of(spells: Iterable[Spell], period: LevyPeriod) -> Spell | None:
    """The spell that a levy period belongs to: that of its first day, else the first that begins
    within it.

    One month has one place: who moves in the middle of it stays where the month was opened.
    """
    first, last = period.first_day(), period.last_day()
    meeting = [
        spell
        for spell in spells
        if spell.since <= last and (spell.until is None or spell.until >= first)
    ]
    return min(meeting, key=lambda spell: spell.since, default=None)


def insurances_of(policy: Policy, period: LevyPeriod) -> dict[Insurance, str]:
    """Each insurance of the scheme in force on the period's first day, with the authority that
    records it.
    """
    day = period.first_day()
    in_force = [
        line
        for line in policy.scheme
        if line.effective_from <= day and (line.ends_on is None or line.ends_on >= day)
    ]
    newest_last = sorted(in_force, key=lambda line: line.effective_from)
    return {line.insurance: line.authority for line in newest_last}


def roster_side(
    employee: Employee, period: LevyPeriod, policies: dict[str, Policy]
) -> RosterSide | None:
    """What roster and scheme imply for a levy period; None while the city's policy is unknown."""
    spell = spell_of(employee.spells, period)
    if spell is None:
        return NOWHERE
    policy = policies.get(spell.city)
    if policy is None:
        return None
    return RosterSide(
        city=spell.city,
        account_id=spell.account_id,
        department_id=spell.department_id,
        authorities=insurances_of(policy, period),
    )


def periods_to_open(
    employee: Employee, cut_over: LevyPeriod, current: LevyPeriod, known: Iterable[LevyPeriod]
) -> list[LevyPeriod]:
    """The cut-over and every later period that has opened, where a spell meets it; and those that
    facts have named.
    """
    opened = {
        period
        for period in _from(employee.spells, cut_over).through(current)
        if spell_of(employee.spells, period) is not None
    }
    return sorted(opened | set(known))


def _from(spells: Sequence[Spell], cut_over: LevyPeriod) -> LevyPeriod:
    first = min((LevyPeriod.of(spell.since) for spell in spells), default=cut_over)
    return max(first, cut_over)


def next_to_open(
    employee: Employee, cut_over: LevyPeriod, current: LevyPeriod
) -> LevyPeriod | None:
    """The first period after `current` that will need opening for this employee, if any."""
    candidate = max(current.shifted(1), _from(employee.spells, cut_over))
    ends = [spell.until for spell in employee.spells]
    runs_on = any(until is None or until >= candidate.first_day() for until in ends)
    return candidate if runs_on else None
