"""Builders of what pay is reckoned from: months, lines, people; and a month paid to the net."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from payroll_svc.domain.imported_payslips import ImportedPayslip
from payroll_svc.domain.income_tax import TaxPayer, YearToDate
from payroll_svc.domain.pay import Assessment, DueLine, Pay, pay_of
from payroll_svc.domain.pay_items import Entry, Reckoned, Standing, Step
from payroll_svc.domain.people import Person, Spell
from payroll_svc.domain.reckoning import Month, reckoned
from payroll_svc.policy import statutory_items, tax_terms
from shared.values import LevyPeriod

CATALOGUE = statutory_items()
TERMS = tax_terms()[-1]


def spell(since: str, until: str = "") -> Spell:
    end = date.fromisoformat(until) if until else None
    return Spell(date.fromisoformat(since), "department", "990100", "account", end)


def person(name: str, *spells: Spell, wage_fen: int = 1_000_000, version: int = 0) -> Person:
    return Person(name, name, "regular", (), wage_fen, 0, 0, "", "", spells, version)


def standing(code: str, since: str, amount_fen: int, until: str = "") -> Standing:
    end = date.fromisoformat(until) if until else None
    return Standing(code, date.fromisoformat(since), amount_fen, end)


def month(
    period: str,
    wage_fen: int,
    *entries: Entry,
    spells: Sequence[Spell] = (spell("2020-01-01"),),
    rises: Sequence[Standing] = (),
) -> Month:
    return Month(LevyPeriod.parse(period), tuple(spells), wage_fen, tuple(rises), tuple(entries))


def items_of(one: Month) -> dict[str, int]:
    """Amounts in fen by code."""
    return {item.code: item.amount_fen for item in reckoned(one, CATALOGUE)}


def line(insurance: str, base_fen: int, employee_fen: int, employer_fen: int) -> DueLine:
    return DueLine(insurance, "due", "", base_fen, employer_fen, employee_fen)


def yuan_lines(base: str, **sides: str) -> tuple[DueLine, ...]:
    """Due lines as the worked examples write them: insurance = 'employee / employer' in yuan."""
    made = []
    for insurance, both in sides.items():
        own_fen, employer_fen = (round_fen(side) for side in both.split("/"))
        made.append(line(insurance, round_fen(base), own_fen, employer_fen))
    return tuple(made)


def round_fen(text: str) -> int:
    """'1,600.00' in yuan, to fen."""
    whole, _, cents = text.strip().replace(",", "").partition(".")
    return int(whole) * 100 + int(cents.ljust(2, "0"))


def imported(
    levy_period: str, gross_fen: int, own_fen: int, tax_fen: int, **said: int
) -> ImportedPayslip:
    """A payslip of the company's own payroll, paid on the month's last day; `said` of the tax
    year.
    """
    payday = LevyPeriod.parse(levy_period).last_day()
    return ImportedPayslip(
        employee_id="employee",
        levy_period=levy_period,
        version=1,
        employer_id="employer",
        payday=payday,
        gross_fen=gross_fen,
        contributions_fen=own_fen,
        tax_fen=tax_fen,
        other_fen=0,
        net_fen=gross_fen - own_fen - tax_fen,
        withheld=(),
        reason="",
        import_id="import",
        issued_at=datetime(payday.year, payday.month, payday.day, tzinfo=UTC),
        **said,
    )


@dataclass(frozen=True)
class Paid:
    """One payment, and where the year stands after it."""

    items: tuple[Reckoned, ...]
    pay: Pay
    after: YearToDate


def paid(
    one: Month,
    lines: Sequence[DueLine],
    payday: date,
    months: int,
    before: YearToDate = YearToDate(),  # noqa: B008 - frozen
    special_fen: int = 0,
    elections: frozenset[str] = frozenset(),
    special: tuple[Step, ...] = (),
) -> Paid:
    """A month from what it is reckoned from to the net, as a run pays it; `special` is what
    专项附加扣除 is made of.
    """
    items = reckoned(one, CATALOGUE)
    payer = TaxPayer(payday, months, special_fen, elections, special)
    assessment = Assessment(1, tuple(lines))
    withheld = assessment.due(str(one.period))
    pay = pay_of("employee", items, withheld, assessment, before, payer, TERMS)
    after = YearToDate(
        before.income_fen + pay.income_fen,
        before.contributions_fen + pay.contributions_fen,
        before.special_additional_fen + special_fen,
        before.tax_fen + pay.tax_fen - pay.tax.bonus_tax_fen,
        before.bonus_apart_fen + pay.tax.bonus_fen,
    )
    return Paid(items, pay, after)
