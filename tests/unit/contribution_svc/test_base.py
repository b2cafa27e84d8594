"""缴费基数: worked examples, and what must hold for every wage."""

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from contribution_svc.domain.base import Bases, Bound, base_within, bases_of
from contribution_svc.domain.policy import AfterRaise, Terms
from contribution_svc.domain.rounding import Rounding
from contribution_svc.domain.wage_basis import (
    BaseRule,
    WageBasis,
    WageFacts,
    WageUnknown,
    average_fen,
    wage_basis,
    whole_month_fen,
)
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod
from tests.support.bases import bases

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


YEAR, JULY = 2023, LevyPeriod(2024, 7)
FIXED, AT_ONCE = AfterRaise.FIXED_FOR_THE_YEAR, AfterRaise.AT_ONCE
LONG_AGO = [(date(2020, 3, 1), None)]
AVERAGE = BaseRule.LAST_YEAR_AVERAGE
FIRST = BaseRule.FIRST_MONTH_WAGE


def year_of(wage_fen: int, *months: int) -> dict[int, int]:
    return dict.fromkeys(months or range(1, 13), wage_fen)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(
            WageFacts([(date(2023, 11, 1), None)], {YEAR: {11: 900_000, 12: 1_000_000}}),
            WageBasis(950_000, 2, AVERAGE),
            id="joined in November: the two months count, and none is missing",
        ),
        pytest.param(
            WageFacts(LONG_AGO, {YEAR: {**year_of(950_000), 3: 0, 4: 0}}),
            WageBasis(950_000, 10, AVERAGE),
            id="two months told to have had no wage do not count",
        ),
        pytest.param(
            WageFacts(LONG_AGO, {YEAR: year_of(950_000, *range(1, 11))}),
            WageBasis(950_000, 10, AVERAGE, missing=(11, 12)),
            id="two months of which nothing was told are missing",
        ),
        pytest.param(
            WageFacts(
                [(date(2020, 3, 1), date(2023, 6, 30)), (date(2023, 7, 1), None)],
                {YEAR: {**year_of(800_000, *range(1, 7)), **year_of(1_000_000, *range(7, 13))}},
            ),
            WageBasis(900_000, 12, AVERAGE),
            id="moved to another account in July: one employment, one average",
        ),
        pytest.param(
            WageFacts(
                [(date(2020, 3, 1), date(2023, 3, 31)), (date(2023, 9, 1), None)],
                {YEAR: {**year_of(800_000, 1, 2, 3), **year_of(1_000_000, 9, 10, 11, 12)}},
            ),
            WageBasis(914_286, 7, AVERAGE),
            id="came back inside last year: the months of both spells count",
        ),
        pytest.param(
            WageFacts(
                [(date(2020, 3, 1), date(2023, 9, 30)), (date(2024, 2, 1), None)],
                {YEAR: year_of(800_000, *range(1, 10))},
                {"2024-02": 1_100_000, "2024-03": 1_300_000},
            ),
            WageBasis(1_100_000, 1, FIRST, period="2024-02"),
            id="came back this year after a gap: newly hired, the first month's wage",
        ),
        pytest.param(
            WageFacts([(date(2024, 9, 23), None)], agreed_fen=800_000),
            WageBasis(800_000, 1, FIRST),
            id="new hire whose wage was agreed",
        ),
        pytest.param(
            WageFacts([(date(2025, 12, 15), None)], {}, {"2025-12": 1_300_000}),
            WageBasis(2_175_000, 1, FIRST, period="2025-12", paid_days=13),
            id="new hire whose first run paid 13 days: 13,000.00 / 13 x 21.75",
        ),
        pytest.param(
            WageFacts([(date(2024, 6, 3), None)], {}, {"2024-06": 1_300_000}),
            WageBasis(1_300_000, 1, FIRST, period="2024-06"),
            id="joined on the month's first Monday: a whole month",
        ),
        pytest.param(
            WageFacts([(date(2024, 9, 23), None)], {}, {"2024-10": 800_000, "2024-11": 900_000}),
            WageBasis(800_000, 1, FIRST, period="2024-10"),
            id="first run a month later: the first of them, whole",
        ),
        pytest.param(
            WageFacts([(date(2024, 3, 1), None)], {2024: {3: 800_000, 4: 900_000}}),
            WageBasis(800_000, 1, FIRST, period="2024-03"),
            id="new hire whose first months HR imported from the time before",
        ),
        pytest.param(
            WageFacts([(date(2024, 3, 1), None)], {2024: {3: 800_000}}, {"2024-10": 1_000_000}),
            WageBasis(800_000, 1, FIRST, period="2024-03"),
            id="the first month was imported, and the first run here came after a raise",
        ),
        pytest.param(
            WageFacts([(date(2024, 3, 1), None)], {2024: {2: 700_000, 3: 0, 4: 900_000}}),
            WageBasis(900_000, 1, FIRST, period="2024-04"),
            id="no month before the employment, and none told to have had no wage",
        ),
        pytest.param(
            WageFacts([(date(2024, 9, 23), None)]),
            WageUnknown("first_wage_unknown"),
            id="new hire without any wage",
        ),
        pytest.param(
            WageFacts(LONG_AGO, {}, {"2024-06": 800_000}),
            WageUnknown("wage_history_missing"),
            id="history lost: this year's runs do not stand in for it",
        ),
        pytest.param(WageFacts([]), WageUnknown("no_employment"), id="never employed"),
    ],
)
def test_what_a_base_rests_on(facts: WageFacts, expected: WageBasis | WageUnknown) -> None:
    first = facts.spells[-1][0] if facts.spells else date(2024, 7, 1)
    period = max(JULY, LevyPeriod.of(first))
    assert wage_basis(facts, YEAR, period, FIXED) == expected


RAISED_IN_AUGUST = WageFacts(
    LONG_AGO,
    {YEAR: year_of(900_000)},
    {"2023-12": 2_000_000, "2024-07": 900_000, "2024-08": 1_200_000},
)


@pytest.mark.parametrize(
    ("period", "after_raise", "expected"),
    [
        pytest.param("2024-07", AT_ONCE, WageBasis(900_000, 12, AVERAGE), id="before the raise"),
        pytest.param(
            "2024-08",
            AT_ONCE,
            WageBasis(1_200_000, 1, BaseRule.RAISED_WAGE, period="2024-08"),
            id="at once",
        ),
        pytest.param("2024-08", FIXED, WageBasis(900_000, 12, AVERAGE), id="fixed for the year"),
    ],
)
def test_a_raise_moves_a_base_as_the_pack_says(
    period: str, after_raise: AfterRaise, expected: WageBasis
) -> None:
    found = wage_basis(RAISED_IN_AUGUST, YEAR, LevyPeriod.parse(period), after_raise)
    assert found == expected


def test_a_wage_that_falls_moves_nothing() -> None:
    facts = WageFacts(LONG_AGO, {YEAR: year_of(900_000)}, {"2024-08": 500_000})
    assert wage_basis(facts, YEAR, LevyPeriod(2024, 8), AT_ONCE) == WageBasis(900_000, 12, AVERAGE)


def test_a_run_of_an_employment_that_ended_is_no_raise_of_the_next() -> None:
    """Who comes back after a gap is newly hired, on the wage that was agreed for that."""
    spells = [(date(2020, 3, 1), date(2024, 2, 29)), (date(2024, 6, 3), None)]
    facts = WageFacts(spells, runs_fen={"2024-01": 3_000_000}, agreed_fen=1_000_000)
    assert wage_basis(facts, YEAR, LevyPeriod(2024, 6), AT_ONCE) == WageBasis(1_000_000, 1, FIRST)
    told = structs.replace(facts, runs_fen={**facts.runs_fen, "2024-06": 1_100_000})
    raised = WageBasis(1_100_000, 1, BaseRule.RAISED_WAGE, period="2024-06")
    assert wage_basis(told, YEAR, LevyPeriod(2024, 6), AT_ONCE) == raised


JOINED = WageFacts(
    [(date(2025, 12, 15), None)],
    runs_fen={"2025-12": 1_300_000, "2026-01": 2_200_000},
    agreed_fen=2_175_000,
    first_fund_member=True,
)
SCHEME = [terms(700_000, 3_000_000), terms(269_000, 3_730_200, Insurance.HOUSING_FUND)]


def test_the_fund_takes_nothing_of_a_first_member_in_the_joining_month() -> None:
    found = bases_of(JOINED, {2024: SCHEME}, LevyPeriod(2025, 12), FIXED)
    assert isinstance(found, Bases)
    assert found.bases_fen == {Insurance.MEDICAL: 2_175_000}
    assert found.not_yet == {Insurance.HOUSING_FUND: "fund_from_second_month"}


def test_the_fund_rests_on_the_second_months_wage_from_then_on() -> None:
    found = bases_of(JOINED, {2024: SCHEME}, LevyPeriod(2026, 2), FIXED)
    assert isinstance(found, Bases)
    assert found.bases_fen == {Insurance.MEDICAL: 2_175_000, Insurance.HOUSING_FUND: 2_200_000}
    assert found.rests_on[Insurance.HOUSING_FUND].rule is BaseRule.SECOND_MONTH_WAGE
    assert found.explanation == (
        "新入职首月工资21,750.00元，医疗险在下限7,000.00元与上限30,000.00元之间；"
        "入职次月工资22,000.00元，住房公积金在下限2,690.00元与上限37,302.00元之间"
    )


def test_a_member_who_changes_employer_pays_from_the_first_month_on() -> None:
    facts = structs.replace(JOINED, first_fund_member=False)
    found = bases_of(facts, {2024: SCHEME}, LevyPeriod(2025, 12), FIXED)
    assert isinstance(found, Bases)
    assert found.bases_fen[Insurance.HOUSING_FUND] == 2_175_000


def test_missing_months_and_part_months_are_said() -> None:
    missing = WageBasis(950_000, 10, AVERAGE, missing=(11, 12))
    assert missing.said() == "上年度月均工资9,500.00元（缺11月、12月工资，按有工资的10个月平均）"
    part = WageBasis(2_175_000, 1, FIRST, period="2025-12", paid_days=13)
    assert part.said() == "新入职首月工资21,750.00元（首月计薪13天，按21.75天折算为整月）"


def test_a_bound_that_was_not_published_holds_nothing() -> None:
    assert base_within(1, None, None) == (1, Bound.WITHIN)
    assert base_within(400, 500, None) == (500, Bound.FLOOR)
    assert base_within(600, None, 500) == (500, Bound.CEILING)


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


@given(st.lists(FEN, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_months_changes_no_average(wages: list[int], random: Random) -> None:
    shuffled = list(wages)
    random.shuffle(shuffled)
    assert average_fen(shuffled) == average_fen(wages)


@given(FEN, st.integers(min_value=1, max_value=11))
def test_one_month_more_of_the_same_wage_changes_nothing(wage_fen: int, months: int) -> None:
    assert average_fen([wage_fen] * (months + 1)) == average_fen([wage_fen] * months) == wage_fen


@given(st.lists(FEN, min_size=1, max_size=12), st.integers(0, 11), FEN)
def test_a_higher_month_never_lowers_the_average(wages: list[int], at: int, more: int) -> None:
    raised = list(wages)
    raised[at % len(wages)] += more
    assert average_fen(raised) >= average_fen(wages)


@given(FEN, st.integers(min_value=1, max_value=23))
def test_a_part_month_brought_to_a_whole_one_keeps_the_daily_wage(wage_fen: int, days: int) -> None:
    whole = whole_month_fen(wage_fen, days)
    assert abs(whole * days * 100 - wage_fen * 2_175) * 2 <= days * 100
