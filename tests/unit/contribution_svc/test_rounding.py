"""取整: the rules by name, and against exact decimals."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.rounding import Rounding, rounded_fen

BASE_FEN = st.integers(min_value=0, max_value=10_000_000_00)
PPM = st.integers(min_value=0, max_value=300_000)
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


@given(BASE_FEN, PPM)
def test_half_up_and_half_even_agree_with_decimal(base_fen: int, rate_ppm: int) -> None:
    exact = Decimal(base_fen) * rate_ppm / 1_000_000
    up, even = (int(exact.quantize(Decimal(1), mode)) for mode in (ROUND_HALF_UP, ROUND_HALF_EVEN))
    assert rounded_fen(base_fen, rate_ppm, Rounding.FEN_HALF_UP) == up
    assert rounded_fen(base_fen, rate_ppm, Rounding.HALF_EVEN) == even


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
