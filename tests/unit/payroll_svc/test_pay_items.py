"""Sums over pay items, the numbers of their sentences, and the one rounding of pay."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.pay_items import (
    ANNUAL_BONUS,
    Reckoned,
    half_up,
    percent,
    price_text,
    taxed_fen_of,
    thousandths,
)


def test_only_what_is_taxed_is_taxed_be_it_of_one_code() -> None:
    items = [
        Reckoned("base_salary", "", 1_000_000),
        Reckoned("travel_allowance", "", 50_000, taxed=False),
        Reckoned(ANNUAL_BONUS, "", 300_000),
        Reckoned(ANNUAL_BONUS, "", 20_000, taxed=False),
    ]
    assert taxed_fen_of(items) == 1_300_000
    assert taxed_fen_of(items, ANNUAL_BONUS) == 300_000


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (percent(80_000), "8%"),
        (percent(2_000), "0.2%"),
        (percent(1_000_000), "100%"),
        (thousandths(7_500), "7.5"),
        (thousandths(120_000), "120"),
        (price_text(1_250), "0.125"),
        (price_text(1), "0.0001"),
        (price_text(1_500_000), "150"),
        (price_text(100_000_000), "10000"),
    ],
)
def test_a_number_is_written_without_idle_zeros(said: str, text: str) -> None:
    assert said == text


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**9))
def test_half_a_fen_goes_away_from_zero_and_everything_else_to_the_nearest(
    numerator: int, denominator: int
) -> None:
    exact, found = Fraction(numerator, denominator), half_up(numerator, denominator)
    assert abs(found - exact) <= Fraction(1, 2)
    if abs(found - exact) == Fraction(1, 2):
        assert abs(found) > abs(exact)


@pytest.mark.parametrize(("numerator", "fen"), [(1, 1), (-1, -1), (0, 0), (3, 2), (-3, -2)])
def test_a_half_of_either_sign(numerator: int, fen: int) -> None:
    assert half_up(numerator, 2) == fen
