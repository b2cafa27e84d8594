"""缴费基数 from the wages that are known, at the edges: what each insurance rests on, and what
people read of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from contribution_svc.domain.base import Bases, base_within, bases_of, place_said, together
from contribution_svc.domain.employment import Spell
from contribution_svc.domain.policy import AfterRaise, Terms
from contribution_svc.domain.wage_basis import (
    BaseRule,
    WageBasis,
    WageFacts,
    average_fen,
    whole_month_fen,
)
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod

I = Insurance  # noqa: E741
FIXED, AT_ONCE = AfterRaise.FIXED_FOR_THE_YEAR, AfterRaise.AT_ONCE
YEAR, JULY = 2023, LevyPeriod(2024, 7)
"""The bases of July 2024 rest on the wages of 2023."""
LONG_AGO = ((date(2020, 3, 1), None),)
SOME_TERMS = replace(
    load_policies().packs["990200"].terms(JULY, date(2024, 10, 1))[0],
    floor_fen=500_000,
    ceiling_fen=2_000_000,
)


def scheme(*insurances: Insurance, **bounds: int | None) -> list[Terms]:
    changed: Mapping[str, Any] = bounds
    return [replace(SOME_TERMS, insurance=insurance, **changed) for insurance in insurances]


SCHEME = scheme(I.PENSION, I.MEDICAL, I.HOUSING_FUND)


def facts(
    spells: Sequence[Spell], wages: Mapping[int, int] | None = None, **known: Any
) -> WageFacts:
    """`wages` are those of 2023, by month."""
    return WageFacts(spells, {YEAR: wages or {}}, **known)


def found(
    known: WageFacts,
    period: LevyPeriod = JULY,
    after_raise: AfterRaise = FIXED,
    terms: Sequence[Terms] = SCHEME,
) -> Bases:
    bases = bases_of(known, {YEAR: terms}, period, after_raise)
    assert isinstance(bases, Bases), bases
    return bases


def rests_on(bases: Bases) -> list[WageBasis]:
    """By the order of SCHEME, but for those that are not due yet."""
    return [bases.rests_on[t.insurance] for t in SCHEME if t.insurance not in bases.not_yet]


AVERAGE = WageBasis(900_000, 12, BaseRule.LAST_YEAR_AVERAGE)
WHOLE_YEAR = dict.fromkeys(range(1, 13), 900_000)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param({}, AVERAGE, id="no run of this year yet"),
        pytest.param({"2023-12": 1_200_000}, AVERAGE, id="a run of last year is no raise"),
        pytest.param(
            {"2024-01": 1_200_000},
            WageBasis(1_200_000, 1, BaseRule.RAISED_WAGE, period="2024-01"),
            id="one of January is",
        ),
        pytest.param({"2024-08": 1_200_000}, AVERAGE, id="one of a later month is not yet"),
        pytest.param({"2024-07": 900_000}, AVERAGE, id="the same wage is no raise"),
    ],
)
def test_a_raise_counts_from_the_first_month_of_this_year_on(
    runs: dict[str, int], expected: WageBasis
) -> None:
    bases = found(facts(LONG_AGO, WHOLE_YEAR, runs_fen=runs), after_raise=AT_ONCE)
    assert rests_on(bases) == [expected] * 3


@given(st.dictionaries(st.integers(1, 12), st.sampled_from([0, 1, 2, 900_000]), min_size=1))
def test_every_month_with_a_wage_counts_be_it_a_fen_and_no_month_without(
    wages: dict[int, int],
) -> None:
    paid = [fen for fen in wages.values() if fen]
    known = facts(LONG_AGO, wages)
    if not paid:
        assert bases_of(known, {YEAR: SCHEME}, JULY, FIXED) == "wage_history_missing"
        return
    missing = tuple(month for month in range(1, 13) if month not in wages)
    basis = WageBasis(average_fen(paid), len(paid), BaseRule.LAST_YEAR_AVERAGE, missing)
    assert rests_on(found(known)) == [basis] * 3


NEW = ((date(2024, 6, 17), None),)
AGREED = WageBasis(1_000_000, 1, BaseRule.FIRST_MONTH_WAGE)


def new_member(spells: Sequence[Spell] = NEW, **known: Any) -> WageFacts:
    return facts(spells, agreed_fen=1_000_000, first_fund_member=True, **known)


@pytest.mark.parametrize(
    ("period", "runs", "expected"),
    [
        pytest.param("2024-06", {}, None, id="nothing in the joining month"),
        pytest.param("2024-07", {}, AGREED, id="as agreed until the second month's wage is told"),
        pytest.param("2024-08", {"2024-06": 430_000}, AGREED, id="the first month is not it"),
        pytest.param(
            "2024-07",
            {"2024-07": 1_100_000, "2024-08": 1_300_000},
            WageBasis(1_100_000, 1, BaseRule.SECOND_MONTH_WAGE, period="2024-07"),
            id="the second month's wage",
        ),
    ],
)
def test_the_fund_of_a_first_member(
    period: str, runs: dict[str, int], expected: WageBasis | None
) -> None:
    bases = found(new_member(runs_fen=runs), LevyPeriod.parse(period))
    assert rests_on(bases) == [AGREED, AGREED, *([expected] if expected else [])]
    assert dict(bases.not_yet) == ({} if expected else {I.HOUSING_FUND: "fund_from_second_month"})


def test_a_first_member_of_last_year_rests_on_last_years_average_in_the_fund_as_well() -> None:
    joined = ((date(2023, 11, 1), None),)
    wages = {11: 900_000, 12: 900_000}
    known = new_member(joined, wages=wages, runs_fen={"2023-12": 1_500_000})
    assert rests_on(found(known)) == [WageBasis(900_000, 2, BaseRule.LAST_YEAR_AVERAGE)] * 3


def test_a_first_member_who_will_come_back_is_judged_by_the_spell_of_the_month() -> None:
    spells = (*((since, date(2024, 8, 31)) for since, _ in NEW), (date(2024, 11, 1), None))
    bases = found(new_member(spells, runs_fen={"2024-07": 1_100_000}))
    assert bases.bases_fen[I.HOUSING_FUND] == 1_100_000
    again = found(new_member(spells, runs_fen={"2024-07": 1_100_000}), LevyPeriod(2024, 11))
    assert I.HOUSING_FUND in again.not_yet


def test_a_first_member_without_employment_has_no_base() -> None:
    assert bases_of(new_member(()), {YEAR: SCHEME}, JULY, FIXED) == "no_employment"


@pytest.mark.parametrize(
    ("floor_fen", "ceiling_fen", "said"),
    [
        (500_000, 2_000_000, "在下限5,000.00元与上限20,000.00元之间"),
        (500_000, None, "不低于下限5,000.00元，未公布上限"),
        (None, 2_000_000, "不高于上限20,000.00元，未公布下限"),
        (None, None, "未公布上下限"),
        (900_001, None, "低于下限9,000.01元，按下限核定"),
        (None, 899_999, "高于上限8,999.99元，按上限核定"),
        (900_000, 900_000, "在下限9,000.00元与上限9,000.00元之间"),
    ],
)
def test_where_a_wage_lies_is_said_with_the_bounds_that_were_published(
    floor_fen: int | None, ceiling_fen: int | None, said: str
) -> None:
    _, bound = base_within(900_000, floor_fen, ceiling_fen)
    assert place_said(bound, floor_fen, ceiling_fen) == said


def test_insurances_of_one_pair_of_bounds_are_named_together() -> None:
    terms = [*scheme(I.PENSION, I.UNEMPLOYMENT), *scheme(I.MEDICAL, floor_fen=1_000_000)]
    assert found(facts(LONG_AGO, WHOLE_YEAR), terms=terms).explanation == (
        "上年度月均工资9,000.00元，养老险、失业险在下限5,000.00元与上限20,000.00元之间；"
        "医疗险低于下限10,000.00元，按下限核定"
    )


INSURED, FUND = scheme(I.PENSION, I.MEDICAL), scheme(I.HOUSING_FUND)


def apart(insured: Bases | str, fund: Bases | str) -> Bases | str:
    return together([("社保", INSURED, insured), ("公积金", FUND, fund)])


@pytest.mark.parametrize(
    ("known", "period", "said"),
    [
        pytest.param(
            facts(LONG_AGO, WHOLE_YEAR),
            JULY,
            "社保：上年度月均工资9,000.00元，养老险、医疗险在下限5,000.00元与上限20,000.00元之间；"
            "公积金：上年度月均工资9,000.00元，住房公积金在下限5,000.00元与上限20,000.00元之间",
            id="both",
        ),
        pytest.param(
            new_member(),
            LevyPeriod(2024, 6),
            "社保：新入职首月工资10,000.00元，养老险、医疗险在下限5,000.00元与上限20,000.00元之间",
            id="the fund takes nothing yet and is not spoken of",
        ),
    ],
)
def test_bases_found_apart_are_those_found_at_once_and_each_part_is_named(
    known: WageFacts, period: LevyPeriod, said: str
) -> None:
    insured, fund = (bases_of(known, {YEAR: part}, period, FIXED) for part in (INSURED, FUND))
    assert apart(insured, fund) == structs.replace(found(known, period), explanation=said)
    assert together([("社保", INSURED, insured)]) == insured


def test_a_part_without_a_base_says_why_and_does_not_keep_the_other_from_its_own() -> None:
    insured = found(facts(LONG_AGO, WHOLE_YEAR), terms=INSURED)
    one = apart(insured, "wage_history_missing")
    assert isinstance(one, Bases)
    assert (one.bases_fen, one.unknown) == (
        insured.bases_fen,
        {I.HOUSING_FUND: "wage_history_missing"},
    )
    assert apart("no_employment", "no_employment") == "no_employment"
    neither = apart("no_employment", "wage_history_missing")
    assert neither == Bases(
        *({}, {}, {}, "", {}),
        {
            I.PENSION: "no_employment",
            I.MEDICAL: "no_employment",
            I.HOUSING_FUND: "wage_history_missing",
        },
    )


@pytest.mark.parametrize(
    ("wage_fen", "days", "whole_fen"),
    [
        pytest.param(2, 1, 44, id="43.5: half a fen up"),
        pytest.param(1_300_000, 13, 2_175_000, id="13 of 21.75 days"),
        pytest.param(45, 23, 43, id="42.55"),
        pytest.param(15, 23, 14, id="14.18"),
    ],
)
def test_a_part_month_is_brought_to_a_whole_one(wage_fen: int, days: int, whole_fen: int) -> None:
    assert whole_month_fen(wage_fen, days) == whole_fen
