"""个人所得税 on wages: cumulative withholding within one tax year, by dated terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from payroll_svc.domain.pay_items import Step, half_up
from payroll_svc.domain.people import Spell
from shared.values import LevyPeriod

FIRST_WAGE_OF_YEAR = "first_wage_of_year"
SIXTY_THOUSAND_AT_ONCE = "sixty_thousand_at_once"
BONUS_TAXED_APART = "bonus_taxed_apart"


@dataclass(frozen=True, slots=True)
class Bracket:
    """One row of a table: income up to `up_to_fen` (None: no end), rate and quick deduction."""

    up_to_fen: int | None
    rate_ppm: int
    quick_deduction_fen: int


@dataclass(frozen=True, slots=True)
class DeductionKind:
    """A kind of 专项附加扣除: which amounts may be declared, `per` month, year or settlement.

    `choices_fen` are the amounts allowed; with `up_to_fen` any amount up to it is. Kinds of one
    `exclusive` group do not overlap in time, nor does a kind with itself unless it `repeats` (for
    several children).
    """

    code: str
    name: str
    per: str
    choices_fen: tuple[int, ...] = ()
    up_to_fen: int = 0
    exclusive: str = ""
    repeats: bool = False
    longest_months: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class TaxTerms:
    """What holds for payments from `effective_from` to `effective_to` (None: no end)."""

    effective_from: date
    effective_to: date | None
    allowance_per_month_fen: int
    annual_table: tuple[Bracket, ...]
    monthly_table: tuple[Bracket, ...]
    bonus_taxed_apart_until: date
    low_income_ceiling_fen: int
    elections: Mapping[str, str]
    deductions: Mapping[str, DeductionKind]
    source: str = ""


class TaxTermsUnknown(Exception):
    """No terms are known for a payday."""


def terms_on(known: Sequence[TaxTerms], payday: date) -> TaxTerms:
    """The terms that a payment of this day is taxed by; TaxTermsUnknown before the first."""
    for terms in known:
        ends = terms.effective_to
        if terms.effective_from <= payday and (ends is None or payday <= ends):
            return terms
    raise TaxTermsUnknown(f"no income tax terms are known for {payday.isoformat()}")


@dataclass(frozen=True, slots=True)
class YearToDate:
    """What one employer has paid and withheld in this tax year before this payday, in fen.

    What was taxed apart is in none of the sums; `bonus_apart_fen` is the bonus that was. `months`
    are the levy periods that were paid, `imported` those of them by the company's own payroll;
    `by_declaration` says that some of 专项附加扣除 was counted from what the person declared.
    """

    income_fen: int = 0
    contributions_fen: int = 0
    special_additional_fen: int = 0
    tax_fen: int = 0
    bonus_apart_fen: int = 0
    months: frozenset[str] = frozenset()
    imported: frozenset[str] = frozenset()
    by_declaration: bool = False

    def plus(self, other: "YearToDate") -> "YearToDate":
        """What both have paid and withheld."""
        return YearToDate(
            self.income_fen + other.income_fen,
            self.contributions_fen + other.contributions_fen,
            self.special_additional_fen + other.special_additional_fen,
            self.tax_fen + other.tax_fen,
            self.bonus_apart_fen + other.bonus_apart_fen,
            self.months | other.months,
            self.imported | other.imported,
            self.by_declaration or other.by_declaration,
        )


@dataclass(frozen=True, slots=True)
class TaxPayer:
    """What of a person their tax depends on beside the money.

    `months` of employment here in this tax year up to this payment; `special_additional_fen` what
    of 专项附加扣除 comes new with this payment, and `special` what it is made of.
    """

    payday: date
    months: int
    special_additional_fen: int = 0
    elections: frozenset[str] = frozenset()
    special: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Withholding:
    """One payment's income tax and all that it comes from; sums are of the tax year so far.

    `tax_fen` is withheld from this payment in all, `bonus_tax_fen` of it from a bonus taxed apart;
    `imported` are the months of the sums that the company's own payroll paid. `special` are the
    deductions declared that count so far in the year, or the roster's sum of this month.
    """

    tax_fen: int
    months: int = 0
    income_fen: int = 0
    allowance_fen: int = 0
    contributions_fen: int = 0
    special_additional_fen: int = 0
    taxable_fen: int = 0
    rate_ppm: int = 0
    quick_deduction_fen: int = 0
    tax_to_date_fen: int = 0
    withheld_before_fen: int = 0
    bonus_fen: int = 0
    bonus_rate_ppm: int = 0
    bonus_quick_deduction_fen: int = 0
    bonus_tax_fen: int = 0
    elections: tuple[str, ...] = ()
    source: str = ""
    imported: tuple[str, ...] = ()
    special: tuple[Step, ...] = ()


def row_of(table: Sequence[Bracket], fen: int) -> Bracket:
    """The row that an amount falls in; an amount on a bound is still in the lower one."""
    return next(row for row in table if row.up_to_fen is None or fen <= row.up_to_fen)


def tax_of(row: Bracket, taxable_fen: int) -> int:
    """Taxable income at its row; a half fen rounds up; nothing below nothing."""
    if taxable_fen <= 0:
        return 0
    return half_up(taxable_fen * row.rate_ppm, 1_000_000) - row.quick_deduction_fen


def allowance_of(terms: TaxTerms, payer: TaxPayer) -> int:
    """减除费用 of the year so far, in fen.

    5,000 for each month of employment here; from January where this is the year's first wage
    (公告 2020 年第 13 号); the year's 60,000 at once for who was paid no more last year (公告 2020
    年第 19 号).
    """
    months = payer.months
    if SIXTY_THOUSAND_AT_ONCE in payer.elections:
        months = 12
    elif FIRST_WAGE_OF_YEAR in payer.elections:
        months = payer.payday.month
    return terms.allowance_per_month_fen * months


def withhold(
    terms: TaxTerms,
    before: YearToDate,
    payer: TaxPayer,
    income_fen: int,
    contributions_fen: int,
    bonus_fen: int = 0,
) -> Withholding:
    """Tax to withhold from this payment (公告 2018 年第 61 号 art. 6); never negative: a surplus
    waits for the yearly settlement.

    `income_fen` is all taxed income with the annual bonus; `bonus_fen` of it is that bonus, taxed
    apart by its twelfth if the person has so elected, once a year. `contributions_fen` is the
    employee's own part that is actually due.
    """
    apart_fen = bonus_fen if _apart(terms, before, payer, bonus_fen) else 0
    income = before.income_fen + income_fen - apart_fen
    contributions = before.contributions_fen + contributions_fen
    special = before.special_additional_fen + payer.special_additional_fen
    allowance = allowance_of(terms, payer)
    taxable = income - allowance - contributions - special
    row = row_of(terms.annual_table, taxable)
    to_date = tax_of(row, taxable)
    bonus_row = row_of(terms.monthly_table, -(-apart_fen // 12))
    bonus_tax = tax_of(bonus_row, apart_fen)
    return Withholding(
        tax_fen=max(0, to_date - before.tax_fen) + bonus_tax,
        months=allowance // terms.allowance_per_month_fen,
        income_fen=income,
        allowance_fen=allowance,
        contributions_fen=contributions,
        special_additional_fen=special,
        taxable_fen=taxable,
        rate_ppm=row.rate_ppm,
        quick_deduction_fen=row.quick_deduction_fen,
        tax_to_date_fen=to_date,
        withheld_before_fen=before.tax_fen,
        bonus_fen=apart_fen,
        bonus_rate_ppm=bonus_row.rate_ppm if apart_fen else 0,
        bonus_quick_deduction_fen=bonus_row.quick_deduction_fen if apart_fen else 0,
        bonus_tax_fen=bonus_tax,
        elections=tuple(sorted(payer.elections)),
        source=terms.source,
        imported=tuple(sorted(before.imported)),
        special=payer.special,
    )


def _apart(terms: TaxTerms, before: YearToDate, payer: TaxPayer, bonus_fen: int) -> bool:
    return (
        bonus_fen > 0
        and not before.bonus_apart_fen
        and BONUS_TAXED_APART in payer.elections
        and payer.payday <= terms.bonus_taxed_apart_until
    )


def tax_months(payday: date, spells: Sequence[Spell], first_paid: date) -> list[LevyPeriod]:
    """Months of employment here 任职受雇月份数 in the payday's tax year up to its own (公告 2018 年
    第 61 号 art. 6): months between two spells, or after the last, are none.

    They begin with the first payslip that we know of, of the employer's first run or of the
    company's own payroll: before it we know neither what was paid nor what was withheld. Who is
    paid before their first day has the payday's month.
    """
    last = LevyPeriod.of(payday)
    begins = max(LevyPeriod(payday.year, 1), LevyPeriod.of(first_paid))
    employed = [
        month
        for month in begins.through(last)
        if any(spell.touches(month.first_day(), month.last_day()) for spell in spells)
    ]
    return employed or [last]
