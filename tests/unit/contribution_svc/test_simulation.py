"""The simulation over columns: the difference of everyone's own lines under old and new terms."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.calculation import Columns
from contribution_svc.domain.rounding import MOST_FEN
from contribution_svc.domain.simulation import Simulation, effects, simulated
from shared.values import Insurance, LevyPeriod
from tests.support.columns import (
    KNOWN_ON,
    NOBODY,
    PACELESS,
    PACK,
    PLACES,
    SOME_TERMS,
    Place,
    Roster,
    effect_of,
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


def test_an_insurance_that_is_new_in_one_place_affects_nobody_of_another() -> None:
    more = replace(SOME_TERMS, insurance=Insurance.SUPPLEMENTARY_PENSION)
    was, will = (Place(terms, NOBODY, False) for terms in ([SOME_TERMS], [SOME_TERMS, more]))
    people = [(0, 1_000_000), (1, 1_000_000)]
    old, new = Roster([was, was], people), Roster([was, will], people)
    assert compared(old, new).is_affected.tolist() == [False, True]
    assert compared(new, old).is_affected.tolist() == [False, True]


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
