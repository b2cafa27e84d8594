"""缴费基数: worked examples, and what must hold for every wage."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.base import (
    BaseRule,
    Bound,
    WageBasis,
    WageUnknown,
    average_fen,
    base_within,
    bases,
    wage_basis,
)
from contribution_svc.domain.policy import Terms
from contribution_svc.domain.rounding import Rounding
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod

POLICIES = load_policies()
TODAY = date(2024, 10, 1)
FEN = st.integers(min_value=0, max_value=10_000_000_00)


def terms(floor_fen: int, ceiling_fen: int, insurance: Insurance = Insurance.MEDICAL) -> Terms:
    return Terms(
        insurance=insurance,
        authority="medical-990100",
        floor_fen=floor_fen,
        ceiling_fen=ceiling_fen,
        employer_ppm=80_000,
        employee_ppm=20_000,
        employer_rounding=Rounding.FEN_HALF_UP,
        employee_rounding=Rounding.FEN_HALF_UP,
        effective_from=date(2023, 7, 1),
        effective_to=None,
        known_since=date(2023, 6, 20),
        source="test",
        invented=True,
    )


def explained(wage_fen: int) -> str:
    basis = WageBasis(wage_fen, 12, BaseRule.LAST_YEAR_AVERAGE)
    return bases(basis, [terms(500_000, 2_000_000)]).explanation


@pytest.mark.parametrize(
    ("wage_fen", "base_fen", "bound"),
    [
        pytest.param(950_000, 950_000, Bound.WITHIN, id="xiaowang: 9,500.00 is within"),
        pytest.param(499_999, 500_000, Bound.FLOOR, id="one fen under the floor"),
        pytest.param(500_000, 500_000, Bound.WITHIN, id="the floor itself"),
        pytest.param(2_000_000, 2_000_000, Bound.WITHIN, id="the ceiling itself"),
        pytest.param(2_000_001, 2_000_000, Bound.CEILING, id="one fen over the ceiling"),
        pytest.param(0, 500_000, Bound.FLOOR, id="no wage at all"),
    ],
)
def test_a_wage_is_held_between_floor_and_ceiling(
    wage_fen: int, base_fen: int, bound: Bound
) -> None:
    assert base_within(wage_fen, 500_000, 2_000_000) == (base_fen, bound)


@pytest.mark.parametrize(
    ("period", "ceiling_fen"),
    [
        pytest.param("2024-06", 2_400_000, id="average 8,000: 24,000 through June"),
        pytest.param("2024-07", 2_550_000, id="average 8,500: 25,500 from July"),
    ],
)
def test_the_ceiling_moves_on_its_day(period: str, ceiling_fen: int) -> None:
    pack = POLICIES.packs["990200"]
    found = bases(
        WageBasis(3_000_000, 12, BaseRule.LAST_YEAR_AVERAGE),
        pack.terms(LevyPeriod.parse(period), TODAY),
    )
    assert set(found.bases_fen.values()) == {ceiling_fen}
    assert set(found.bounds.values()) == {Bound.CEILING}


def test_a_base_explains_itself_in_one_sentence() -> None:
    assert explained(950_000) == "上年度月均工资9,500.00元，在下限5,000.00元与上限20,000.00元之间"
    assert explained(400_000) == "上年度月均工资4,000.00元，低于下限5,000.00元，按下限核定"
    assert explained(3_000_000) == "上年度月均工资30,000.00元，高于上限20,000.00元，按上限核定"


def test_insurances_with_bounds_of_their_own_are_named() -> None:
    found = bases(
        WageBasis(450_000, 12, BaseRule.LAST_YEAR_AVERAGE),
        [terms(440_300, 2_000_000, Insurance.PENSION), terms(500_000, 2_000_000)],
    )
    assert found.bases_fen == {Insurance.PENSION: 450_000, Insurance.MEDICAL: 500_000}
    assert found.explanation == (
        "上年度月均工资4,500.00元，养老险在下限4,403.00元与上限20,000.00元之间；"
        "医疗险低于下限5,000.00元，按下限核定"
    )


def test_the_average_rounds_half_a_fen_up() -> None:
    assert average_fen([100, 101]) == 101
    assert average_fen([100, 100, 101]) == 100
    assert average_fen([950_000] * 12) == 950_000


@pytest.mark.parametrize(
    ("last_year", "first_month", "joined", "expected"),
    [
        pytest.param(
            [900_000, 1_000_000],
            None,
            date(2023, 11, 1),
            WageBasis(950_000, 2, BaseRule.LAST_YEAR_AVERAGE),
            id="joined in November: the two months count",
        ),
        pytest.param(
            [],
            800_000,
            date(2024, 9, 23),
            WageBasis(800_000, 1, BaseRule.FIRST_MONTH_WAGE),
            id="new hire with a first wage",
        ),
        pytest.param(
            [], None, date(2024, 9, 23), WageUnknown("first_wage_unknown"), id="new hire without"
        ),
        pytest.param(
            [], 800_000, date(2020, 3, 1), WageUnknown("wage_history_missing"), id="history lost"
        ),
    ],
)
def test_what_a_base_rests_on(
    last_year: list[int], first_month: int | None, joined: date, expected: WageBasis | WageUnknown
) -> None:
    assert wage_basis(last_year, first_month, joined, 2023) == expected


@given(FEN, st.tuples(FEN, FEN).map(sorted))
def test_a_base_is_always_within_its_bounds(wage_fen: int, bounds: list[int]) -> None:
    floor_fen, ceiling_fen = bounds
    base_fen, _ = base_within(wage_fen, floor_fen, ceiling_fen)
    assert floor_fen <= base_fen <= ceiling_fen
    assert base_fen in (wage_fen, floor_fen, ceiling_fen)


@given(st.tuples(FEN, FEN).map(sorted), st.tuples(FEN, FEN).map(sorted))
def test_who_earns_more_never_has_a_smaller_base(wages: list[int], bounds: list[int]) -> None:
    less, more = (base_within(wage, *bounds)[0] for wage in wages)
    assert less <= more


@given(st.lists(FEN, min_size=1, max_size=12))
def test_the_average_lies_between_the_months(wages: list[int]) -> None:
    assert min(wages) <= average_fen(wages) <= max(wages)
    assert abs(average_fen(wages) * len(wages) - sum(wages)) * 2 <= len(wages)
