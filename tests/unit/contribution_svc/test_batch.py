"""A batch over columns against its people assessed alone: the same bases, words and lines."""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contribution_svc.domain.base import Bases, BaseWages, base_wages, bases_of, held
from contribution_svc.domain.batch import Person, assessed, standing
from contribution_svc.domain.calculation import Columns
from contribution_svc.domain.lines import Insured, LineState, assess
from contribution_svc.domain.policy import Terms
from contribution_svc.domain.rounding import MOST_FEN, MOST_PPM
from contribution_svc.domain.simulation import effects
from contribution_svc.domain.wage_basis import (
    FUND_FROM_SECOND_MONTH,
    WAGE_HISTORY_MISSING,
    BaseRule,
    WageBasis,
    WageFacts,
)
from contribution_svc.errors import LineDisagreesWithPolicy
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod
from tests.support.columns import FEN, PACELESS, SOME_TERMS, effect_of, schemes

KNOWN_NOW = date(2026, 5, 31)
PACKS = load_policies().packs
PLACES = [
    # Medical has a year of its own, so that in May two years' wages are rested on.
    ("440100", LevyPeriod(2026, 5)),
    ("440100", LevyPeriod(2026, 8)),
    ("330100", LevyPeriod(2026, 3)),
    ("990100", LevyPeriod(2024, 10)),
    ("990200", LevyPeriod(2024, 10)),
]
INSUREDS = st.builds(
    Insured,
    st.just("somebody"),
    st.sampled_from([*PACKS["440100"].person_kinds, "unknown_kind"]),
    st.sampled_from([(), ("visa",), ("visa", "work_permit")]),
    on_roster=st.booleans(),
    facts_parked=st.booleans(),
    own_rates=st.sampled_from([{}, {"work_injury": (4_000, 0), "housing_fund": (50_000, 50_000)}]),
)
HIRED = [((date(2020, 1, 1), None),), ((date(2026, 3, 6), None),), ((date(2024, 10, 8), None),), ()]
MONTHS = st.dictionaries(st.integers(1, 12), FEN)
WAGES = st.builds(
    WageFacts,
    spells=st.sampled_from(HIRED),
    by_year_fen=st.dictionaries(st.sampled_from([2023, 2024, 2025]), MONTHS, max_size=3),
    runs_fen=st.dictionaries(st.sampled_from(["2024-10", "2026-03", "2026-04"]), FEN, max_size=2),
    agreed_fen=FEN,
    first_fund_member=st.booleans(),
)
PEOPLE = st.lists(st.tuples(INSUREDS, WAGES), min_size=1, max_size=8)


def account_of(insured: Insured) -> str:
    """Own rates are an account's."""
    return "with rates" if insured.own_rates else "without"


@PACELESS
@given(st.sampled_from(PLACES), PEOPLE)
def test_a_batch_gives_each_of_its_people_what_they_get_alone(
    place: tuple[str, LevyPeriod], people: Sequence[tuple[Insured, WageFacts]]
) -> None:
    city, period = place
    pack = PACKS[city]
    terms = pack.terms(period, KNOWN_NOW)
    years = pack.by_base_year(terms, period)
    batch_of = [
        Person(account_of(insured), insured, base_wages(facts, years, period, pack.after_raise))
        for insured, facts in people
    ]
    found = assessed(batch_of, pack.person_kinds, terms, years)
    for (insured, facts), (bases, lines) in zip(people, found, strict=True):
        alone = bases_of(facts, years, period, pack.after_raise)
        assert lines == assess(insured, pack.person_kinds, terms, alone)
        if isinstance(alone, Bases):
            assert bases == alone
            assert list(bases.bases_fen) == list(alone.bases_fen)
        else:
            assert (bases.rests_on, bases.bases_fen, bases.explanation) == ({}, {}, "")

    columns = standing(batch_of, pack.person_kinds, terms).columns
    for insurance, wage_fen in columns.wage_fen.items():
        known = [one.wages.rests_on.get(insurance) for one in batch_of]
        assert wage_fen.tolist() == [basis.wage_fen if basis else 0 for basis in known]
    nothing = Columns({}, np.zeros(len(people), dtype=np.intp), {})
    costs = dict(effects(nothing, columns))
    for number, (_, lines) in enumerate(found):
        right = effect_of({}, {line.insurance: line for line in lines})
        assert costs.get(number) == (right if right.insurances else None)


LAST_YEAR = WageBasis(900_000, 12, BaseRule.LAST_YEAR_AVERAGE)
KNOWN = BaseWages(dict.fromkeys(Insurance, LAST_YEAR), {}, {})
SOMEBODY = Person("account", Insured("somebody", "regular", ()), KNOWN)


@pytest.mark.parametrize(
    "other",
    [
        {"account_id": "another"},
        {"insured": Insured("somebody", "retired_rehired", ())},
        {"insured": Insured("somebody", "regular", ("visa",))},
        {"insured": Insured("somebody", "regular", (), on_roster=False)},
        {"insured": Insured("somebody", "regular", (), facts_parked=True)},
        {"wages": replace(KNOWN, not_yet={Insurance.HOUSING_FUND: "later"})},
        {"wages": replace(KNOWN, unknown={Insurance.MEDICAL: "wage_history_missing"})},
    ],
    ids=["account", "kind", "papers", "roster", "parked", "not yet", "unknown"],
)
def test_who_differs_in_what_decides_lines_does_not_stand_on_the_same(
    other: dict[str, Any],
) -> None:
    assert replace(SOMEBODY, **other).stands_on() != SOMEBODY.stands_on()


def test_who_differs_in_wage_and_name_alone_stands_on_the_same() -> None:
    poorer = dict.fromkeys(Insurance, replace(LAST_YEAR, wage_fen=1))
    twin = Person("account", Insured("twin", "regular", ()), replace(KNOWN, rests_on=poorer))
    assert twin.stands_on() == SOMEBODY.stands_on()


@pytest.mark.parametrize(("wage_fen", "bound"), [(-5, "floor"), (3 * 10**13, "ceiling")])
def test_an_absurd_wage_rests_on_a_bound_and_holds_nobody_else_back(
    wage_fen: int, bound: str
) -> None:
    pack, period = PACKS["990200"], LevyPeriod(2024, 10)
    terms = pack.terms(period, KNOWN_NOW)
    odd = replace(SOMEBODY, wages=rests_on(wage_fen))
    scheme = (pack.person_kinds, terms, pack.by_base_year(terms, period))
    (bases, lines), other = assessed([odd, SOMEBODY], *scheme)
    assert [bases.bases_fen[t.insurance] for t in terms] == [
        getattr(t, f"{bound}_fen") for t in terms
    ]
    assert all(line.state is LineState.DUE for line in lines)
    assert [other] == assessed([SOMEBODY], *scheme)


def rests_on(wage_fen: int, insurances: Iterable[Insurance] = Insurance) -> BaseWages:
    return BaseWages(dict.fromkeys(insurances, replace(LAST_YEAR, wage_fen=wage_fen)), {}, {})


ABSURD_FEN = st.integers(-(10**14), -1) | st.integers(MOST_FEN + 1, 10**14)


@PACELESS
@given(schemes(), st.lists(st.integers(-1, 2) | FEN | ABSURD_FEN, min_size=1, max_size=8))
def test_bounds_that_were_not_published_hold_nobody(
    terms: Sequence[Terms], wages: Sequence[int]
) -> None:
    """Nor does a city with one insurance alone differ."""
    years, kinds = {2023: terms}, PACKS["990200"].person_kinds
    known = [rests_on(wage_fen, [t.insurance for t in terms]) for wage_fen in wages]
    found = assessed([replace(SOMEBODY, wages=one) for one in known], kinds, terms, years)
    for one, (bases, lines) in zip(known, found, strict=True):
        assert bases == held(one, years)
        assert lines == assess(SOMEBODY.insured, kinds, terms, bases)


@pytest.mark.parametrize(
    ("month", "years"),
    [pytest.param(8, [2024], id="one year"), pytest.param(3, [2024, 2023], id="a year of its own")],
)
def test_who_owes_the_fund_nothing_is_told_nothing_of_its_bounds(
    month: int, years: Sequence[int]
) -> None:
    """With a wage below every floor, as another one's who owes it."""
    pack, period = PACKS["330100"], LevyPeriod(2025, month)
    terms = pack.terms(period, KNOWN_NOW)
    by_base_year = pack.by_base_year(terms, period)
    assert list(by_base_year) == years
    fund = Insurance.HOUSING_FUND
    without = rests_on(100_000, set(Insurance) - {fund})
    known = [
        rests_on(100_000),
        replace(without, not_yet={fund: FUND_FROM_SECOND_MONTH}),
        replace(without, unknown={fund: WAGE_HISTORY_MISSING}),
    ]
    people = [replace(SOMEBODY, wages=wages) for wages in known]
    found = [bases for bases, _ in assessed(people, pack.person_kinds, terms, by_base_year)]
    assert found == [held(wages, by_base_year) for wages in known]
    assert ["住房公积金" in bases.explanation for bases in found] == [True, False, False]


def test_everyone_pays_at_the_own_rates_of_their_own_account() -> None:
    pack, period = PACKS["440100"], LevyPeriod(2026, 3)
    terms = pack.terms(period, KNOWN_NOW)
    insureds = [
        Insured(account_id, "regular", (), own_rates={"work_injury": (ppm, 0), "housing_fund": own})
        for account_id, ppm, own in (("a", 4_000, (50_000, 50_000)), ("b", 2_000, (80_000, 80_000)))
    ]
    people = [Person(one.employee_id, one, KNOWN) for one in insureds]
    found = assessed(people, pack.person_kinds, terms, pack.by_base_year(terms, period))
    for insured, (bases, lines) in zip(insureds, found, strict=True):
        assert lines == assess(insured, pack.person_kinds, terms, bases)
        assert all(line.state is LineState.DUE for line in lines)


def test_a_figure_that_no_column_holds_is_seen_in_whichever_position() -> None:
    terms = [dataclasses.replace(SOME_TERMS, employer_ppm=20 * MOST_PPM, ceiling_fen=None)]
    rich = Person("another", Insured("rich", "regular", ()), rests_on(MOST_FEN))
    with pytest.raises(LineDisagreesWithPolicy, match="employee rich, pension: employer amount"):
        assessed([SOMEBODY, rich], PACKS["990200"].person_kinds, terms, {2023: terms})


def test_columns_of_nobody_are_of_whole_numbers_as_well() -> None:
    columns = standing([], {}, [SOME_TERMS]).columns
    assert [column.dtype for column in columns.wage_fen.values()] == [np.dtype(np.int64)]
