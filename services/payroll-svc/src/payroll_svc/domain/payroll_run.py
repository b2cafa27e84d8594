"""A payroll run: who is in it, what they are paid, the payday, and its states."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from payroll_svc.domain.differences import PaidMonth, differences
from payroll_svc.domain.pay_items import Entry, Reckoned, Standing, gross_fen_of, wage_fen_of
from payroll_svc.domain.people import Person, Spell
from payroll_svc.domain.reckoning import Catalogue, Month, last_wage, reckoned
from shared.values import LevyPeriod, derived_id

REGULAR = "regular"
CORRECTION = "correction"

OWES_BACK = "owes_back"
"""Nothing is paid this month that a difference to claim back could be taken from."""
NO_DIFFERENCE = "no_difference"

NOT_IN_RUN = "not_in_run"
DIFFERENCES_CHANGED = "differences_changed"
CHANGED_SINCE = "changed_since_computed"
_NOT_OF_THE_MONTH = ("joins_after_period", "left_before_period")


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a run: the items that they are paid, or named with why not (`left_out`).

    `version` is that of the salary told for them, 0 when none was told; `agreed_wage_fen` the
    undated wage that was reckoned with; `person_version` the employee's. Who is no longer on the
    roster and is paid something yet has no assessment to wait for.
    """

    employee_id: str
    items: tuple[Reckoned, ...] = ()
    left_out: str = ""
    version: int = 0
    agreed_wage_fen: int = 0
    department_id: str = ""
    person_version: int = 0
    awaits_assessment: bool = True

    @property
    def gross_fen(self) -> int:
        return gross_fen_of(self.items)

    @property
    def wage_fen(self) -> int:
        return wage_fen_of(self.items)


@dataclass(frozen=True, slots=True)
class PayrollRun:
    """One employer's run for a levy period: `state` is computed (a draft), checked, approved or
    paid.

    That all its people are assessed is not a state of its own: it follows from `waiting_for`. A
    run of `kind` correction carries what the paid run `corrects` should have paid beside it.
    """

    run_id: str
    employer_id: str
    levy_period: str
    payday: date
    state: str
    computed_at: datetime
    checked_at: datetime | None = None
    checked_by: str | None = None
    approved_at: datetime | None = None
    approved_by: str | None = None
    paid_at: datetime | None = None
    kind: str = REGULAR
    corrects: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DepartmentSums:
    """What the people of one department are paid by a run together, in fen."""

    department_id: str
    people: int
    gross_fen: int
    contributions_fen: int
    tax_fen: int
    net_fen: int
    employer_fen: int


SUMMED = ("gross_fen", "contributions_fen", "tax_fen", "net_fen", "employer_fen")


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered for one person: standing items, and entries by month."""

    standing: tuple[Standing, ...] = ()
    entries: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)


NOTHING_ENTERED = Entered()


def run_id_of(employer_id: str, levy_period: str) -> str:
    """An employer has one regular run a levy period."""
    return str(derived_id("payroll-run", employer_id, levy_period))


def correction_id_of(corrected_run_id: str, ordinal: int) -> str:
    """The first, second, ... correction of a run."""
    return str(derived_id("payroll-run", corrected_run_id, "correction", str(ordinal)))


def payday_of(
    levy_period: LevyPeriod, day_of_month: int, on_or_before: Callable[[date], date]
) -> date:
    """The payday in the levy period's month, rolled back by `on_or_before` to a working day.

    工资支付暂行规定 art. 7: wages that fall due on a rest day or holiday are paid on the working
    day before. A month that has no such day pays on its last.
    """
    last = levy_period.last_day()
    return on_or_before(last.replace(day=min(day_of_month, last.day)))


def members_of(
    people: Iterable[Person],
    levy_period: LevyPeriod,
    catalogue: Catalogue,
    entered: Mapping[str, Entered],
    paid: Mapping[str, Sequence[PaidMonth]],
) -> list[Member]:
    """Everyone of the roster, each with what they are paid or with why not.

    `paid` has, by employee id, the paid months whose grounds may have changed since: what they
    should have been is made good here. People whose last spell ended before the month before this
    one are history and not named again, unless something is owed to them or by them.
    """
    still_named = levy_period.shifted(-1).first_day()
    members = []
    for person in people:
        theirs = entered.get(person.employee_id, NOTHING_ENTERED)
        member = _member(person, levy_period, catalogue, theirs, paid.get(person.employee_id, ()))
        recent = any(spell.until is None or spell.until >= still_named for spell in person.spells)
        if recent or member.left_out in ("", OWES_BACK):
            members.append(member)
    return members


def _member(
    person: Person,
    levy_period: LevyPeriod,
    catalogue: Catalogue,
    entered: Entered,
    paid: Sequence[PaidMonth],
) -> Member:
    month = month_of(person, levy_period, entered)
    late = tuple(
        item for before in paid for item in differences_of(person, before, catalogue, entered)
    )
    named = Member(
        person.employee_id,
        agreed_wage_fen=month.agreed_wage_fen,
        department_id=_department(person.spells, levy_period),
        person_version=person.version,
    )
    if month.spells and not last_wage(month):
        return replace(named, left_out="agreed_wage_unknown")
    items = (*reckoned(month, catalogue), *late)
    if month.spells:
        return replace(named, items=items)
    if items and gross_fen_of(items) >= 0:
        return replace(named, items=items, awaits_assessment=False)
    return replace(named, left_out=OWES_BACK if items else _why_not(person, levy_period))


def month_of(
    person: Person,
    levy_period: LevyPeriod,
    entered: Entered,
    agreed_wage_fen: int | None = None,
) -> Month:
    """What the person's month is reckoned from; the undated wage is today's unless given."""
    first, last = levy_period.first_day(), levy_period.last_day()
    if agreed_wage_fen is None:
        agreed_wage_fen = person.agreed_wage_fen or person.first_month_wage_fen
    return Month(
        period=levy_period,
        spells=tuple(spell for spell in sorted(person.spells) if spell.touches(first, last)),
        agreed_wage_fen=agreed_wage_fen,
        standing=entered.standing,
        entries=entered.entries.get(str(levy_period), ()),
    )


def differences_of(
    person: Person, before: PaidMonth, catalogue: Catalogue, entered: Entered
) -> tuple[Reckoned, ...]:
    """What a paid month should have paid, as known now, less what was paid for it."""
    period = LevyPeriod.parse(before.levy_period)
    right = reckoned(month_of(person, period, entered, before.agreed_wage_fen), catalogue)
    return differences(before.levy_period, right, before.items)


def _department(spells: Sequence[Spell], levy_period: LevyPeriod) -> str:
    """Where the person worked last, up to the month's end."""
    begun = [spell for spell in spells if spell.since <= levy_period.last_day()]
    return max(begun, key=lambda spell: spell.since).department_id if begun else ""


def _why_not(person: Person, levy_period: LevyPeriod) -> str:
    joins_later = any(spell.since > levy_period.last_day() for spell in person.spells)
    return "joins_after_period" if joins_later else "left_before_period"


def recomputed(known: Sequence[Member], fresh: Sequence[Member]) -> list[Member]:
    """The members as they are now; a version grows where the salary to tell has changed.

    Who was told a salary and is left out now is told one of 0. Who is on the roster no more stays
    in the run, named.
    """
    before = {member.employee_id: member for member in known}
    gone = before.keys() - {member.employee_id for member in fresh}
    now = [
        *fresh,
        *(Member(employee_id, left_out="left_before_period") for employee_id in sorted(gone)),
    ]
    return [_next(before.get(member.employee_id), member) for member in now]


def _next(known: Member | None, fresh: Member) -> Member:
    version = known.version if known else 0
    told = known.items if known else ()
    is_news = _salary(fresh.items) != _salary(told) if version else not fresh.left_out
    return replace(fresh, version=version + 1 if is_news else version)


def outdated(known: Sequence[Member], fresh: Sequence[Member]) -> list[tuple[str, str]]:
    """(employee id, reason) of everyone who would be paid something else, or be in the run at all,
    were it computed now.

    What was undone or taken back would be paid, and who came to the roster left out in silence.
    """
    now = {member.employee_id: member for member in fresh}
    before = {member.employee_id: member for member in known}
    reasons = {
        employee_id: _why_outdated(before.get(employee_id), now.get(employee_id))
        for employee_id in sorted(before.keys() | now.keys())
    }
    return [(employee_id, reason) for employee_id, reason in reasons.items() if reason]


def _why_outdated(known: Member | None, fresh: Member | None) -> str:
    if known is None:
        assert fresh is not None
        return "" if fresh.left_out in _NOT_OF_THE_MONTH else NOT_IN_RUN
    if fresh is None:
        return "" if known.left_out else CHANGED_SINCE
    if _late(known) != _late(fresh):
        return DIFFERENCES_CHANGED
    is_same = _salary(known.items) == _salary(fresh.items)
    return "" if is_same and bool(known.left_out) == bool(fresh.left_out) else CHANGED_SINCE


def _late(member: Member) -> list[tuple[str, str, int, bool]]:
    return _salary(item for item in member.items if item.belongs_to)


def _salary(items: Iterable[Reckoned]) -> list[tuple[str, str, int, bool]]:
    """What SalaryComputed tells of the items."""
    return sorted((i.code, i.belongs_to, i.amount_fen, i.counts_as_wage) for i in items)
