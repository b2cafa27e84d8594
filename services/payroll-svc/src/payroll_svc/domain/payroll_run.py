"""A payroll run: who is in it, gross, the payday, what is withheld, and net."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from payroll_svc.domain.income_tax import YearToDate, withheld_now
from payroll_svc.domain.people import Person, Spell
from shared.values import LevyPeriod, derived_id

PAID_DAYS_HUNDREDTHS = 2_175
"""月计薪天数 21.75, in hundredths: (365 - 104) / 12 (人社部发〔2025〕2号)."""

BASE_SALARY = "base_salary"
FIRST_WAGE_UNKNOWN = "first_wage_unknown"
_FACTS_PARKED = "facts_parked:"
"""The head of a blocked line's reason where what is missing came and could not be taken in."""
NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a run: gross in fen, or named with why not (`left_out`).

    `version` is that of the salary told for them; 0 when none was told.
    """

    employee_id: str
    gross_fen: int
    left_out: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class DueLine:
    """One insurance of an assessment: `state` is due, exempt or blocked (why: `reason`); amounts in
    fen.
    """

    insurance: str
    state: str
    reason: str = ""
    base_fen: int = 0
    employer_fen: int = 0
    employee_fen: int = 0


@dataclass(frozen=True, slots=True)
class Assessment:
    """What contribution-svc last said about one employee and levy period."""

    version: int
    lines: tuple[DueLine, ...]


@dataclass(frozen=True, slots=True)
class Pay:
    """What one member gets and why, in fen. `assessment_version` is the one that `withheld` was
    taken from.
    """

    employee_id: str
    assessment_version: int
    withheld: tuple[DueLine, ...]
    contributions_fen: int
    tax_fen: int
    net_fen: int


@dataclass(frozen=True, slots=True)
class PayrollRun:
    """One employer's run for a levy period: `state` is computed, approved or paid.

    That all its people are assessed is not a state of its own: it follows from `waiting_for`.
    """

    run_id: str
    employer_id: str
    levy_period: str
    payday: date
    state: str
    computed_at: datetime
    approved_at: datetime | None = None
    approved_by: str | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Payslip:
    """工资条 as issued: gross, each insurance withheld, income tax and net, in fen."""

    employee_id: str
    levy_period: str
    employer_id: str
    run_id: str
    payday: date
    gross_fen: int
    contributions_fen: int
    special_additional_fen: int
    tax_fen: int
    net_fen: int
    withheld: tuple[DueLine, ...]
    issued_at: datetime


def run_id_of(employer_id: str, levy_period: str) -> str:
    """An employer has one run a levy period."""
    return str(derived_id("payroll-run", employer_id, levy_period))


def payday_of(
    levy_period: LevyPeriod, day_of_month: int, on_or_before: Callable[[date], date]
) -> date:
    """The payday in the levy period's month, rolled back by `on_or_before` to a working day.

    工资支付暂行规定 art. 7: wages that fall due on a rest day or holiday are paid on the working
    day before. A month that has no such day pays on its last.
    """
    last = levy_period.last_day()
    return on_or_before(last.replace(day=min(day_of_month, last.day)))


def members_of(people: Iterable[Person], levy_period: LevyPeriod) -> list[Member]:
    """Everyone of the roster, each with a gross or with why not.

    People whose last spell ended before the month before this one are history and not named again.
    """
    first, last = levy_period.first_day(), levy_period.last_day()
    still_named = levy_period.shifted(-1).first_day()
    return [
        _member(person, first, last)
        for person in people
        if any(spell.until is None or spell.until >= still_named for spell in person.spells)
    ]


def _member(person: Person, first: date, last: date) -> Member:
    inside = [spell for spell in person.spells if spell.touches(first, last)]
    if not inside:
        joins_later = any(spell.since > last for spell in person.spells)
        reason = "joins_after_period" if joins_later else "left_before_period"
        return Member(person.employee_id, 0, reason)
    wage_fen = person.agreed_wage_fen or person.first_month_wage_fen
    if not wage_fen:
        return Member(person.employee_id, 0, "agreed_wage_unknown")
    return Member(person.employee_id, part_month_fen(wage_fen, inside, first, last))


def recomputed(known: Sequence[Member], fresh: Sequence[Member]) -> list[Member]:
    """The members as they are now; a version grows where the salary to tell has changed.

    Who was told a salary and is left out now is told one of 0. Who is on the roster no more stays
    in the run, named.
    """
    before = {member.employee_id: member for member in known}
    gone = before.keys() - {member.employee_id for member in fresh}
    now = [*fresh, *(Member(employee_id, 0, "left_before_period") for employee_id in sorted(gone))]
    return [_next(before.get(member.employee_id), member) for member in now]


def _next(known: Member | None, fresh: Member) -> Member:
    version = known.version if known else 0
    told_fen = known.gross_fen if known else 0
    is_news = fresh.gross_fen != told_fen if version else not fresh.left_out
    return replace(fresh, version=version + 1 if is_news else version)


def part_month_fen(wage_fen: int, spells: Sequence[Spell], first: date, last: date) -> int:
    """The month's wage, or for a part month 计薪日 (Monday to Friday, paid holidays included) x
    wage / 21.75.

    Never more than the month's wage; a half fen rounds up.
    """
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    employed = [day for day in days if any(spell.touches(day, day) for spell in spells)]
    if len(employed) == len(days):
        return wage_fen
    paid_days = sum(1 for day in employed if day.weekday() < 5)
    part_fen = (wage_fen * paid_days * 200 + PAID_DAYS_HUNDREDTHS) // (PAID_DAYS_HUNDREDTHS * 2)
    return min(wage_fen, part_fen)


def waiting_for(
    members: Iterable[str], assessments: Mapping[str, Assessment]
) -> list[tuple[str, str]]:
    """(employee id, reason) of everyone whose contributions cannot be withheld yet.

    `first_wage_unknown` is a wait as well: the assessment is blocked for want of the wage that this
    very run has told, and its answer is on the way. Any other block (a missing document) does not
    hold up the pay.
    """
    waits: list[tuple[str, str]] = []
    for employee_id in members:
        assessment = assessments.get(employee_id)
        if assessment is None:
            waits.append((employee_id, NOT_ASSESSED))
        elif any(_awaits_first_wage(line) for line in assessment.lines):
            waits.append((employee_id, FIRST_WAGE_UNKNOWN))
    return waits


def _awaits_first_wage(line: DueLine) -> bool:
    # The wage may have come and been parked: it is still waited for, now by way of an operator.
    reason = line.reason.removeprefix(_FACTS_PARKED)
    return line.state == "blocked" and reason == FIRST_WAGE_UNKNOWN


def tax_months(payday: date, joined: date, first_payday: date) -> int:
    """Months of employment here in the payday's tax year, counted from the employer's first run at
    the earliest.

    Before the first run we know neither what was paid nor what was withheld, so those months count
    on neither side.
    """
    begins = max(date(payday.year, 1, 1), joined, first_payday.replace(day=1))
    return max(1, payday.month - begins.month + 1) if begins.year == payday.year else 1


def pay_of(
    member: Member,
    assessment: Assessment,
    before: YearToDate,
    months: int,
    special_additional_fen: int,
) -> Pay:
    """Gross to net of one member: the employee's part of every due line, then income tax."""
    due = tuple(line for line in assessment.lines if line.state == "due")
    contributions_fen = sum(line.employee_fen for line in due)
    tax_fen = withheld_now(
        before, months, member.gross_fen, contributions_fen, special_additional_fen
    )
    return Pay(
        employee_id=member.employee_id,
        assessment_version=assessment.version,
        withheld=due,
        contributions_fen=contributions_fen,
        tax_fen=tax_fen,
        net_fen=member.gross_fen - contributions_fen - tax_fen,
    )
