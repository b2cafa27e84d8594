"""Cumulative withholding against the worked examples of the tax authority and the year's table."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.income_tax import (
    Bracket,
    TaxPayer,
    TaxTerms,
    TaxTermsUnknown,
    Withholding,
    YearToDate,
    row_of,
    tax_months,
    tax_of,
    terms_on,
    withhold,
)
from payroll_svc.policy import tax_terms
from tests.support.pay import spell

TERMS = tax_terms()[-1]


def annual_tax(taxable_fen: int) -> int:
    return tax_of(row_of(TERMS.annual_table, taxable_fen), taxable_fen)


def after(
    before: YearToDate, income_fen: int, contributions_fen: int, paid: Withholding
) -> YearToDate:
    return YearToDate(
        before.income_fen + income_fen - paid.bonus_fen,
        before.contributions_fen + contributions_fen,
        paid.special_additional_fen,
        before.tax_fen + paid.tax_fen - paid.bonus_tax_fen,
        before.bonus_apart_fen + paid.bonus_fen,
    )


def payer(month: int, *elections: str, months: int = 0, special_fen: int = 0) -> TaxPayer:
    return TaxPayer(date(2026, month, 5), months or month, special_fen, frozenset(elections))


def withheld_by_month(
    gross_fen: int, contributions_fen: int, special_fen: int, months: int, *elections: str
) -> list[int]:
    """What is withheld each month of a year in which every month is alike."""
    before, taxes = YearToDate(), []
    for month in range(1, months + 1):
        who = payer(month, *elections, special_fen=special_fen)
        paid = withhold(TERMS, before, who, gross_fen, contributions_fen)
        taxes.append(paid.tax_fen)
        before = after(before, gross_fen, contributions_fen, paid)
    return taxes


def test_official_example_of_announcement_61_of_2018() -> None:
    """Worked example 8: 30,000 a month, 4,500 own contributions, 2,000 special deductions."""
    assert withheld_by_month(3_000_000, 450_000, 200_000, 3) == [55_500, 62_500, 185_000]


def test_a_withholding_has_every_figure_that_it_comes_from() -> None:
    """March of that example: 55,500 at 10 % less 2,520 is 3,030, of which 1,180 was withheld."""
    before = YearToDate(6_000_000, 900_000, 400_000, 118_000)
    found = withhold(TERMS, before, payer(3, special_fen=200_000), 3_000_000, 450_000)
    assert found == Withholding(
        tax_fen=185_000,
        months=3,
        income_fen=9_000_000,
        allowance_fen=1_500_000,
        contributions_fen=1_350_000,
        special_additional_fen=600_000,
        taxable_fen=5_550_000,
        rate_ppm=100_000,
        quick_deduction_fen=252_000,
        tax_to_date_fen=303_000,
        withheld_before_fen=118_000,
        source=TERMS.source,
    )


def test_shanghai_wage_of_20000_over_a_year() -> None:
    """Worked example 9: 3,500 of own contributions; the fourth month reaches the 10 % bracket."""
    expected = [34_500] * 3 + [104_500] + [115_000] * 8
    assert withheld_by_month(2_000_000, 350_000, 0, 12) == expected


def test_half_a_fen_rounds_up() -> None:
    """小王: 10,000.00 - 997.50 - 5,000.00 = 4,002.50 at 3 % = 120.075."""
    assert withhold(TERMS, YearToDate(), payer(1), 1_000_000, 99_750).tax_fen == 12_008


def test_a_surplus_waits_for_the_yearly_settlement() -> None:
    paid_much = YearToDate(income_fen=5_000_000, tax_fen=300_000)
    assert withhold(TERMS, paid_much, payer(2), 500_000, 0).tax_fen == 0


def test_who_begins_to_earn_in_july_may_deduct_from_january() -> None:
    """公告 2020 年第 13 号: the first wage of the year, in July: 7 x 5,000 at once."""
    whole = payer(7, "first_wage_of_year", months=1)
    assert withhold(TERMS, YearToDate(), whole, 4_000_000, 0).tax_fen == 15_000
    plain = payer(7, months=1)
    assert withhold(TERMS, YearToDate(), plain, 4_000_000, 0).tax_fen == 105_000


def test_who_was_paid_no_more_than_60000_deducts_the_year_at_once() -> None:
    """公告 2020 年第 19 号, its own example: 10,000 a month, own contributions 2,000: nothing is
    withheld up to July, then 60, and 240 a month; the year ends where it ends without it.
    """
    taxes = withheld_by_month(1_000_000, 200_000, 0, 12, "sixty_thousand_at_once")
    assert taxes == [0] * 7 + [12_000] + [24_000] * 4
    assert sum(taxes) == sum(withheld_by_month(1_000_000, 200_000, 0, 12)) == 108_000


def test_a_bonus_is_taxed_apart_once_a_year_if_the_person_so_elects() -> None:
    """财税〔2018〕164号: 36,000 / 12 = 3,000 is in the first row, one fen more is not."""
    who = payer(1, "bonus_taxed_apart")
    paid = withhold(TERMS, YearToDate(), who, 3_600_000 + 500_000, 0, 3_600_000)
    assert (paid.tax_fen, paid.bonus_tax_fen, paid.income_fen) == (108_000, 108_000, 500_000)
    more = withhold(TERMS, YearToDate(), who, 3_600_001, 0, 3_600_001)
    assert more.bonus_tax_fen == 339_000
    again = withhold(TERMS, YearToDate(bonus_apart_fen=1), who, 3_600_000, 0, 3_600_000)
    assert (again.bonus_fen, again.income_fen) == (0, 3_600_000)
    unasked = withhold(TERMS, YearToDate(), payer(1), 3_600_000, 0, 3_600_000)
    assert unasked.bonus_fen == 0


def test_a_bonus_taxed_apart_has_figures_of_its_own() -> None:
    """36,000.01 / 12 is in the second row: at 10 % less 210."""
    found = withhold(TERMS, YearToDate(), payer(1, "bonus_taxed_apart"), 4_100_001, 0, 3_600_001)
    assert found == Withholding(
        tax_fen=339_000,
        months=1,
        income_fen=500_000,
        allowance_fen=500_000,
        rate_ppm=30_000,
        bonus_fen=3_600_001,
        bonus_rate_ppm=100_000,
        bonus_quick_deduction_fen=21_000,
        bonus_tax_fen=339_000,
        elections=("bonus_taxed_apart",),
        source=TERMS.source,
    )


def test_without_a_bonus_the_election_changes_nothing() -> None:
    found = withhold(TERMS, YearToDate(), payer(1, "bonus_taxed_apart"), 1_000_000, 0)
    plain = withhold(TERMS, YearToDate(), payer(1), 1_000_000, 0)
    assert replace(found, elections=()) == plain
    least = withhold(TERMS, YearToDate(), payer(1, "bonus_taxed_apart"), 1, 0, 1)
    assert (least.bonus_fen, least.income_fen) == (1, 0)


def test_no_bonus_is_taxed_apart_after_the_last_day() -> None:
    for payday, apart_fen in ((date(2027, 12, 31), 3_600_000), (date(2028, 1, 1), 0)):
        who = TaxPayer(payday, 1, 0, frozenset({"bonus_taxed_apart"}))
        assert withhold(TERMS, YearToDate(), who, 3_600_000, 0, 3_600_000).bonus_fen == apart_fen


def dated(begins: str, ends: str | None) -> TaxTerms:
    last = date.fromisoformat(ends) if ends else None
    return replace(TERMS, effective_from=date.fromisoformat(begins), effective_to=last)


def test_a_payment_is_taxed_by_the_terms_of_its_day() -> None:
    old, new = dated("2023-01-01", "2026-12-31"), dated("2027-01-01", None)
    assert terms_on((old, new), date(2026, 12, 31)) is old
    assert terms_on((old, new), date(2027, 1, 1)) is new
    with pytest.raises(TaxTermsUnknown, match="2022-12-31"):
        terms_on((old, new), date(2022, 12, 31))


@pytest.mark.parametrize("name", ["annual_table", "monthly_table"])
def test_brackets_meet_without_a_step(name: str) -> None:
    """The quick deductions are right exactly when both formulas agree at each bracket's end."""
    table: tuple[Bracket, ...] = getattr(TERMS, name)
    for row, above in pairwise(table):
        assert row.up_to_fen is not None
        assert tax_of(row, row.up_to_fen) == tax_of(above, row.up_to_fen)


@given(st.integers(0, 10**11), st.integers(0, 10**8))
def test_more_income_is_never_less_tax_and_never_all_of_it(taxable_fen: int, more: int) -> None:
    step = annual_tax(taxable_fen + more) - annual_tax(taxable_fen)
    assert 0 <= step <= more * 45 // 100 + 1


@given(st.lists(st.integers(500_000, 10_000_000), min_size=1, max_size=12))
def test_the_year_is_taxed_as_its_sum_when_no_month_has_a_surplus(wages: list[int]) -> None:
    """Every month above the allowance: taxable income only grows, and no fen is lost between."""
    before = YearToDate()
    for month, gross_fen in enumerate(wages, 1):
        before = after(before, gross_fen, 0, withhold(TERMS, before, payer(month), gross_fen, 0))
    assert before.tax_fen == annual_tax(sum(wages) - 500_000 * len(wages))


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=12))
def test_never_less_than_the_years_tax_is_withheld(wages: list[int]) -> None:
    before = YearToDate()
    for month, gross_fen in enumerate(wages, 1):
        before = after(before, gross_fen, 0, withhold(TERMS, before, payer(month), gross_fen, 0))
    assert before.tax_fen >= annual_tax(sum(wages) - 500_000 * len(wages))


def test_a_year_in_two_parts_is_what_both_have_paid_and_withheld() -> None:
    before = YearToDate(
        *(1_000, 200, 30, 4, 50), months=frozenset({"2026-01"}), imported=frozenset({"2026-01"})
    )
    here = YearToDate(
        *(2_000, 400, 60, 8, 100), months=frozenset({"2026-02"}), imported=frozenset()
    )
    assert before.plus(here) == YearToDate(
        income_fen=3_000,
        contributions_fen=600,
        special_additional_fen=90,
        tax_fen=12,
        bonus_apart_fen=150,
        months=frozenset({"2026-01", "2026-02"}),
        imported=frozenset({"2026-01"}),
    )


def test_months_of_the_companys_own_payroll_are_named_in_their_order() -> None:
    before = YearToDate(imported=frozenset({"2026-02", "2026-01"}))
    found = withhold(TERMS, before, payer(3), 1_000_000, 0)
    assert found.imported == ("2026-01", "2026-02")


@pytest.mark.parametrize(
    ("payday", "joined", "first_payday", "months"),
    [
        ("2024-09-30", "2020-01-01", "2024-09-30", 1),  # the employer's first run here
        ("2024-11-05", "2020-01-01", "2024-09-30", 3),
        ("2024-11-05", "2024-10-08", "2024-09-30", 2),  # joined after the first run
        ("2025-01-03", "2020-01-01", "2024-09-30", 1),  # a new tax year
        ("2025-03-05", "2020-01-01", "2024-09-30", 3),
        ("2024-09-30", "2024-10-08", "2024-09-30", 1),  # paid before the first day of work
        ("2024-12-31", "2025-01-02", "2024-09-30", 1),  # and in the year before it
    ],
)
def test_months_of_employment_in_the_tax_year(
    payday: str, joined: str, first_payday: str, months: int
) -> None:
    paid, first = date.fromisoformat(payday), date.fromisoformat(first_payday)
    assert len(tax_months(paid, [spell(joined)], first)) == months


def test_months_in_which_nobody_is_employed_here_count_for_nothing() -> None:
    """公告 2018 年第 61 号 art. 6: 5,000 for each month of 任职受雇, not of the calendar."""
    came_back = [spell("2020-01-01", "2026-02-10"), spell("2026-06-15", "2026-08-31")]
    paid_in = {
        month: [str(one) for one in tax_months(date(2026, month, 5), came_back, date(2020, 1, 5))]
        for month in (2, 4, 6, 10)
    }
    before = ["2026-01", "2026-02"]
    assert paid_in == {
        2: before,
        4: before,  # a difference after they left
        6: [*before, "2026-06"],
        10: [*before, "2026-06", "2026-07", "2026-08"],
    }
