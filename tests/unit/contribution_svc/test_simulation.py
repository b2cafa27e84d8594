"""The simulation over columns: the difference of everyone's own lines under old and new terms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.base import base_wages, bases_of
from contribution_svc.domain.calculation import Position, figures_of, position_of, stands_on
from contribution_svc.domain.lines import Insured, Line, assess
from contribution_svc.domain.release import Effect, Sides
from contribution_svc.domain.rounding import MOST_FEN
from contribution_svc.domain.simulation import Columns, Simulation, effects, simulated
from contribution_svc.domain.wage_basis import WageBasis, WageFacts
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod
from tests.support.columns import (
    FEN,
    KNOWN_ON,
    NOBODY,
    PACELESS,
    PACK,
    PLACES,
    SOME_TERMS,
    Place,
    Roster,
    rosters,
    shown,
)


def under(roster: Roster) -> Columns:
    scheme, (position, wage_fen) = roster.scheme(), roster.columns()
    return Columns(scheme, position, dict.fromkeys(scheme, wage_fen))


def compared(old: Roster, new: Roster) -> Simulation:
    return simulated(under(old), under(new))


@PACELESS
@given(rosters(), st.data())
def test_a_simulation_is_the_difference_of_everyones_own_lines(
    old: Roster, data: st.DataObject
) -> None:
    places = data.draw(st.lists(PLACES, min_size=len(old.places), max_size=len(old.places)))
    new = Roster(places, old.people)
    found = compared(old, new)
    was, will = (
        [{x.insurance: x for x in roster.places[p].lines(w)} for p, w in roster.people]
        for roster in (old, new)
    )
    for row, (before, after) in enumerate(zip(was, will, strict=True)):
        assert found.employer_fen[row] == sum(x.employer_fen for x in after.values()) - sum(
            x.employer_fen for x in before.values()
        )
        assert found.employee_fen[row] == sum(x.employee_fen for x in after.values()) - sum(
            x.employee_fen for x in before.values()
        )
        differs = {shown(x) for x in before.values()} != {shown(x) for x in after.values()}
        assert found.is_affected[row] == differs
    assert found.total_fen() == int(found.employer_fen.sum() + found.employee_fen.sum())
    named = dict(effects(under(old), under(new)))
    right = {row: effect_of(*pair) for row, pair in enumerate(zip(was, will, strict=True))}
    assert named == {row: effect for row, effect in right.items() if effect.insurances}


def effect_of(before: Mapping[Insurance, Line], after: Mapping[Insurance, Line]) -> Effect:
    """What changes between one person's own lines."""

    def sides(lines: Mapping[Insurance, Line], insurance: Insurance) -> Sides:
        line = lines.get(insurance)
        return (line.employer_fen, line.employee_fen) if line else (0, 0)

    pairs = {i: (sides(before, i), sides(after, i)) for i in {*before, *after}}
    return Effect.of(
        (old for old, _ in pairs.values()),
        (new for _, new in pairs.values()),
        {i: pair for i, pair in pairs.items() if pair[0] != pair[1]},
    )


@PACELESS
@given(rosters())
def test_no_column_of_a_simulation_is_of_floats(roster: Roster) -> None:
    found = compared(roster, roster)
    assert {found.employer_fen.dtype, found.employee_fen.dtype} == {np.dtype(np.int64)}
    assert found.is_affected.dtype == np.bool_


@pytest.mark.parametrize("wage_fen", [-1, MOST_FEN + 1])
@pytest.mark.parametrize("is_old", [True, False])
def test_a_wage_that_columns_cannot_hold_is_not_simulated(wage_fen: int, is_old: bool) -> None:
    """Whichever of the columns has it."""
    place = Place([SOME_TERMS], NOBODY, is_paper_missing=False)
    good, bad = (under(Roster([place], [(0, fen)])) for fen in (1_000_000, wage_fen))
    with pytest.raises(AssertionError):
        simulated(bad, good) if is_old else simulated(good, bad)


@PACELESS
@given(rosters())
def test_the_same_terms_affect_nobody(roster: Roster) -> None:
    found = compared(roster, roster)
    assert (found.people(), found.total_fen()) == (0, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({"employee_ppm": 20_000}, {"employee_ppm": 30_000}, id="one side's rate"),
        pytest.param({"employer_ppm": 80_000}, {"employer_ppm": 70_000}, id="the other's"),
        pytest.param(
            {"floor_fen": 500_000, "employer_ppm": 0, "employee_ppm": 0},
            {"floor_fen": 600_000, "employer_ppm": 0, "employee_ppm": 0},
            id="a base that nothing is paid on",
        ),
    ],
)
def test_whatever_changes_of_a_line_affects_its_person(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    was, will = (
        Roster([Place([replace(SOME_TERMS, **terms)], frozenset(), False)], [(0, 550_000)])
        for terms in (old, new)
    )
    assert compared(was, will).is_affected.tolist() == [True]


@pytest.mark.parametrize("people", [8_191, 8_192, 8_193, 20_000])
def test_a_simulation_longer_than_a_step_counts_nobody_twice(people: int) -> None:
    old, new = (
        Place([replace(SOME_TERMS, employer_ppm=ppm)], frozenset(), is_paper_missing=False)
        for ppm in (80_000, 90_000)
    )
    wage_fen = 1_000_000
    people_of = [(0, wage_fen)] * people
    found = compared(Roster([old], people_of), Roster([new], people_of))
    assert found.people() == people
    assert set(found.employer_fen.tolist()) == {10_000}
    assert found.total_fen() == 10_000 * people


def test_the_articles_ceiling_moves_from_24000_to_25500() -> None:
    """Average 8,000 to 8,500: whoever earns more than the old ceiling is affected, by the rates of
    what lies between.
    """
    old, new = (
        Place(PACK.terms(period, KNOWN_ON), frozenset(), is_paper_missing=False)
        for period in (LevyPeriod(2024, 6), LevyPeriod(2024, 7))
    )
    people = [(0, 2_400_000), (0, 2_450_000), (0, 9_000_000)]
    found = compared(Roster([old], people), Roster([new], people))
    assert found.is_affected.tolist() == [False, True, True]
    more_fen = (2_450_000 - 2_400_000) + (2_550_000 - 2_400_000)
    for terms in new.scheme:
        assert terms.employer_ppm is not None
        assert terms.employee_ppm is not None
        assert found.sums[terms.insurance] == (
            more_fen * terms.employer_ppm // 1_000_000,
            more_fen * terms.employee_ppm // 1_000_000,
        )


KNOWN_NOW = date(2026, 5, 31)
GUANGZHOU = load_policies().packs["440100"]
MAY = LevyPeriod(2026, 5)
INSUREDS = st.builds(
    Insured,
    st.just("somebody"),
    st.sampled_from([*GUANGZHOU.person_kinds, "unknown_kind"]),
    st.sampled_from([(), ("visa",)]),
    on_roster=st.booleans(),
    own_rates=st.sampled_from([{}, {"work_injury": (4_000, 0), "housing_fund": (50_000, 50_000)}]),
)
WAGES = st.builds(
    WageFacts,
    spells=st.sampled_from([((date(2020, 1, 1), None),), ((date(2026, 5, 6), None),), ()]),
    by_year_fen=st.dictionaries(
        st.sampled_from([2024, 2025]), st.dictionaries(st.integers(1, 12), FEN), max_size=2
    ),
    agreed_fen=FEN,
    first_fund_member=st.booleans(),
)


@PACELESS
@given(st.lists(st.tuples(INSUREDS, WAGES), min_size=1, max_size=8))
def test_who_stands_on_the_same_has_the_lines_of_the_same_position(
    people: Sequence[tuple[Insured, WageFacts]],
) -> None:
    """Through positions and columns everyone has the lines that assessing them alone gives, also
    where insurances have contribution years of their own.
    """
    terms = GUANGZHOU.terms(MAY, KNOWN_NOW)
    years, kinds, rule = (
        GUANGZHOU.by_base_year(terms, MAY),
        GUANGZHOU.person_kinds,
        GUANGZHOU.after_raise,
    )
    positions: dict[object, Position] = {}
    for insured, facts in people:
        wages = base_wages(facts, years, MAY, rule)
        position = position_of(insured, kinds, terms, wages)
        same = (*insured.own_rates, *stands_on(insured, wages))
        assert positions.setdefault(same, position) == position
        alone = assess(insured, kinds, terms, bases_of(facts, years, MAY, rule))
        assert position.states == {line.insurance: line.state for line in alone}
        wage_fen = {
            one.insurance: np.array([_wage_fen(wages.rests_on.get(one.insurance))]) for one in terms
        }
        place = np.zeros(1, dtype=np.intp)
        found = effects(Columns({}, place, {}), Columns(figures_of([position]), place, wage_fen))
        right = effect_of({}, {line.insurance: line for line in alone})
        assert [effect for _, effect in found] == ([right] if right.insurances else [])


@pytest.mark.parametrize(
    "other",
    [{"person_kind": "retired_rehired"}, {"documents_missing": ("visa",)}, {"on_roster": False}],
    ids=["kind", "papers", "roster"],
)
def test_who_differs_in_what_decides_lines_does_not_stand_on_the_same(
    other: dict[str, Any],
) -> None:
    terms, known = GUANGZHOU.terms(MAY, KNOWN_NOW), WageFacts(((date(2020, 1, 1), None),), {})
    wages = base_wages(known, GUANGZHOU.by_base_year(terms, MAY), MAY, GUANGZHOU.after_raise)
    one = Insured("somebody", "regular", ())
    another = replace(one, **other)
    assert stands_on(one, wages) != stands_on(another, wages)
    assert stands_on(one, wages) == stands_on(replace(one, employee_id="twin"), wages)


def _wage_fen(basis: WageBasis | None) -> int:
    return basis.wage_fen if basis else 0
