"""Cumulative withholding against the worked examples of the tax authority and the year's table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.income_tax import ANNUAL_TABLE, YearToDate, tax_of, withheld_now


def withheld_by_month(
    gross_fen: int, contributions_fen: int, special_fen: int, months: int
) -> list[int]:
    """What is withheld each month of a year in which every month is alike."""
    before, taxes = YearToDate(), []
    for month in range(1, months + 1):
        tax_fen = withheld_now(before, month, gross_fen, contributions_fen, special_fen)
        taxes.append(tax_fen)
        before = YearToDate(
            before.gross_fen + gross_fen,
            before.contributions_fen + contributions_fen,
            before.special_additional_fen + special_fen,
            before.tax_fen + tax_fen,
        )
    return taxes


def test_official_example_of_announcement_61_of_2018() -> None:
    """30,000 a month, 4,500 own contributions, 2,000 special additional deductions."""
    assert withheld_by_month(3_000_000, 450_000, 200_000, 3) == [55_500, 62_500, 185_000]


def test_shanghai_wage_of_20000_over_a_year() -> None:
    """3,500 of own contributions a month; the fourth month reaches the 10 % bracket."""
    expected = [34_500] * 3 + [104_500] + [115_000] * 8
    assert withheld_by_month(2_000_000, 350_000, 0, 12) == expected


@pytest.mark.parametrize(
    ("gross_fen", "contributions_fen", "tax_fen"),
    [
        (5_000_000, 652_771, 132_723),  # Shanghai, December 2025, above the ceiling
        (3_000_000, 97_130, 72_086),  # Shanghai, January 2026, declared at the floors
        (3_000_000, 675_300, 54_741),  # Beijing 2026
        (400_000, 93_259, 0),  # Kunming, January 2026, below the allowance
    ],
)
def test_worked_examples_of_a_first_month(
    gross_fen: int, contributions_fen: int, tax_fen: int
) -> None:
    assert withheld_now(YearToDate(), 1, gross_fen, contributions_fen) == tax_fen


def test_half_a_fen_rounds_up() -> None:
    """小王: 10,000.00 - 997.50 - 5,000.00 = 4,002.50 at 3 % = 120.075."""
    assert withheld_now(YearToDate(), 1, 1_000_000, 99_750) == 12_008


def test_a_surplus_waits_for_the_yearly_settlement() -> None:
    paid_much = YearToDate(gross_fen=5_000_000, tax_fen=300_000)
    assert withheld_now(paid_much, 2, 500_000, 0) == 0


@pytest.mark.parametrize("row", range(len(ANNUAL_TABLE) - 1))
def test_brackets_meet_without_a_step(row: int) -> None:
    """The quick deductions are right exactly when both formulas agree at each bracket's end."""
    end_fen = ANNUAL_TABLE[row].up_to_fen
    assert end_fen is not None
    above = ANNUAL_TABLE[row + 1]
    assert tax_of(end_fen) == end_fen * above.rate_ppm // 1_000_000 - above.quick_deduction_fen


@given(st.integers(0, 10**11), st.integers(0, 10**8))
def test_more_income_is_never_less_tax_and_never_all_of_it(taxable_fen: int, more: int) -> None:
    step = tax_of(taxable_fen + more) - tax_of(taxable_fen)
    assert 0 <= step <= more * 45 // 100 + 1


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=12))
def test_the_year_adds_up_to_the_table_when_no_month_has_a_surplus(wages: list[int]) -> None:
    before, months = YearToDate(), 0
    for gross_fen in sorted(wages):
        months += 1
        tax_fen = withheld_now(before, months, gross_fen, 0)
        before = YearToDate(before.gross_fen + gross_fen, 0, 0, before.tax_fen + tax_fen)
    assert before.tax_fen >= tax_of(before.gross_fen - 500_000 * months)
