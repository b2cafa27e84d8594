"""取整: the rules by name, and against exact fractions, for one employee and for a column."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.rounding import (
    MOST_FEN,
    MOST_PPM,
    Column,
    Rounding,
    countable_fen,
    held_fen,
    highest_fen,
    lowest_fen,
    rounded_fen,
)

BASE_FEN = st.integers(min_value=0, max_value=10_000_000_00)
PPM = st.integers(min_value=0, max_value=300_000)
ANY_FEN = st.one_of(BASE_FEN, st.integers(min_value=0, max_value=MOST_FEN))
ANY_PPM = st.one_of(PPM, st.sampled_from([5_000, 2_000, 500_000, MOST_PPM]))
UNITS = {
    Rounding.JIAO_HALF_UP: 10,
    Rounding.FEN_UP_TO_JIAO: 10,
    Rounding.CUT_FEN: 10,
    Rounding.YUAN_HALF_UP: 100,
    Rounding.JIAO_UP_TO_YUAN: 100,
    Rounding.UP_TO_YUAN: 100,
    Rounding.CUT_JIAO: 100,
}


@pytest.mark.parametrize(
    ("base_fen", "rate_ppm", "rule", "fen"),
    [
        pytest.param(950_000, 80_000, Rounding.FEN_HALF_UP, 76_000, id="xiaowang 8 %"),
        pytest.param(950_000, 20_000, Rounding.FEN_HALF_UP, 19_000, id="xiaowang 2 %"),
        pytest.param(3_773_100, 5_000, Rounding.FEN_HALF_UP, 18_866, id="Shanghai 188.655 up"),
        pytest.param(3_773_100, 2_000, Rounding.FEN_HALF_UP, 7_546, id="Shanghai 75.462 down"),
        pytest.param(3_730_200, 2_000, Rounding.FEN_HALF_UP, 7_460, id="Shanghai 74.604 down"),
        pytest.param(2_175_000, 70_000, Rounding.YUAN_HALF_UP, 152_300, id="fund 1,522.50 up"),
        pytest.param(3_773_100, 5_000, Rounding.HALF_EVEN, 18_866, id="188.655 to even"),
        pytest.param(3_773_300, 5_000, Rounding.HALF_EVEN, 18_866, id="188.665 to even"),
        pytest.param(3_773_100, 5_000, Rounding.CUT_LI, 18_865, id="188.655 cut"),
        pytest.param(3_773_100, 5_000, Rounding.LI_UP_TO_FEN, 18_866, id="5 li make a fen"),
        pytest.param(100_001, 5_000, Rounding.LI_UP_TO_FEN, 500, id="5.00005: no li, no fen"),
        pytest.param(100_001, 5_000, Rounding.UP_TO_YUAN, 600, id="5.00005: any rest, a yuan"),
        pytest.param(101_000, 5_000, Rounding.JIAO_UP_TO_YUAN, 500, id="5.05: no jiao, no yuan"),
        pytest.param(102_000, 5_000, Rounding.JIAO_UP_TO_YUAN, 600, id="5.10: a jiao, a yuan"),
        pytest.param(101_000, 5_000, Rounding.FEN_UP_TO_JIAO, 510, id="5.05: fen make a jiao"),
        pytest.param(101_000, 5_000, Rounding.JIAO_HALF_UP, 510, id="5.05: half a jiao up"),
        pytest.param(109_800, 5_000, Rounding.CUT_FEN, 540, id="5.49: the fen cut"),
        pytest.param(119_800, 5_000, Rounding.CUT_JIAO, 500, id="5.99: the jiao cut"),
    ],
)
def test_worked_examples(base_fen: int, rate_ppm: int, rule: Rounding, fen: int) -> None:
    assert rounded_fen(base_fen, rate_ppm, rule) == fen


def half_up(exact: Fraction, unit: int) -> int:
    return math.floor(exact / unit + Fraction(1, 2)) * unit


def cut(exact: Fraction, unit: int) -> int:
    return math.floor(exact / unit) * unit


def up(exact: Fraction, digit: Fraction, unit: int) -> int:
    """Up to the next unit if a digit or more is over; what is smaller than the digit is unseen."""
    return math.ceil(math.floor(exact / digit) * digit / unit) * unit


AGREED: dict[Rounding, Callable[[Fraction], int]] = {
    Rounding.FEN_HALF_UP: lambda exact: half_up(exact, 1),
    Rounding.JIAO_HALF_UP: lambda exact: half_up(exact, 10),
    Rounding.YUAN_HALF_UP: lambda exact: half_up(exact, 100),
    Rounding.LI_UP_TO_FEN: lambda exact: up(exact, Fraction(1, 10), 1),
    Rounding.FEN_UP_TO_JIAO: lambda exact: up(exact, Fraction(1), 10),
    Rounding.JIAO_UP_TO_YUAN: lambda exact: up(exact, Fraction(10), 100),
    Rounding.UP_TO_YUAN: lambda exact: math.ceil(exact / 100) * 100,
    Rounding.HALF_EVEN: round,
    Rounding.CUT_LI: lambda exact: cut(exact, 1),
    Rounding.CUT_FEN: lambda exact: cut(exact, 10),
    Rounding.CUT_JIAO: lambda exact: cut(exact, 100),
}
"""What each rule means, said in exact fractions of a fen."""


def column(values: list[int]) -> Column:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize("rule", Rounding)
@given(st.lists(st.tuples(ANY_FEN, ANY_PPM), min_size=1, max_size=40))
def test_one_and_a_column_round_as_the_rule_means(
    rule: Rounding, lines: list[tuple[int, int]]
) -> None:
    meant = [AGREED[rule](Fraction(base * rate, 1_000_000)) for base, rate in lines]
    assert [rounded_fen(base, rate, rule) for base, rate in lines] == meant
    bases, rates = (column(list(values)) for values in zip(*lines, strict=True))
    assert rounded_fen(bases, rates, rule).tolist() == meant


@pytest.mark.parametrize("rule", Rounding)
def test_the_largest_amounts_do_not_overflow_a_column(rule: Rounding) -> None:
    largest = rounded_fen(column([MOST_FEN]), column([MOST_PPM]), rule)
    assert largest.dtype == np.int64
    assert largest.tolist() == [rounded_fen(MOST_FEN, MOST_PPM, rule)] == [MOST_FEN]


@given(st.lists(st.tuples(ANY_FEN, ANY_FEN, ANY_FEN), min_size=1, max_size=40))
def test_a_wage_is_held_alike_for_one_and_for_a_column(people: list[tuple[int, int, int]]) -> None:
    rows = [(wage, *sorted(bounds)) for wage, *bounds in people]
    held = [max(floor, min(wage, ceiling)) for wage, floor, ceiling in rows]
    assert [held_fen(*row) for row in rows] == held
    wages, floors, ceilings = (column(list(values)) for values in zip(*rows, strict=True))
    assert held_fen(wages, floors, ceilings).tolist() == held


@given(BASE_FEN, PPM, st.sampled_from(Rounding))
def test_every_rule_stays_within_one_unit_and_lands_on_it(
    base_fen: int, rate_ppm: int, rule: Rounding
) -> None:
    unit = UNITS.get(rule, 1)
    fen = rounded_fen(base_fen, rate_ppm, rule)
    assert fen % unit == 0
    assert abs(fen * 1_000_000 - base_fen * rate_ppm) < unit * 1_000_000


@given(st.tuples(BASE_FEN, BASE_FEN).map(sorted), PPM, st.sampled_from(Rounding))
def test_a_larger_base_never_pays_less(bases: list[int], rate_ppm: int, rule: Rounding) -> None:
    less, more = (rounded_fen(base_fen, rate_ppm, rule) for base_fen in bases)
    assert less <= more


@given(ANY_FEN)
def test_where_no_bound_was_published_no_wage_is_held(wage_fen: int) -> None:
    assert held_fen(wage_fen, lowest_fen(None), highest_fen(None)) == wage_fen
    assert (lowest_fen(5), highest_fen(7)) == (5, 7)


@pytest.mark.parametrize(
    ("wage_fen", "counts_fen"),
    [(-1, 0), (0, 0), (1, 1), (MOST_FEN, MOST_FEN), (MOST_FEN + 1, MOST_FEN)],
)
def test_a_wage_counts_from_nothing_to_the_most(wage_fen: int, counts_fen: int) -> None:
    assert countable_fen(wage_fen) == counts_fen
