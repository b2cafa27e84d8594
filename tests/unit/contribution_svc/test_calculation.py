"""The calculation over columns: for every person what assessing that person alone gives, and what
must hold for any roster.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.calculation import State, calculated, figures_of
from contribution_svc.domain.rounding import MOST_FEN, Rounding, highest_fen, lowest_fen
from tests.support.columns import (
    FEN,
    NOBODY,
    PACELESS,
    PLACES,
    SOME_TERMS,
    Place,
    Roster,
    rosters,
    shown,
)


@PACELESS
@given(rosters())
def test_together_everyone_has_the_lines_that_they_have_alone(roster: Roster) -> None:
    alone = [
        {shown(line) for line in roster.places[place].lines(wage_fen)}
        for place, wage_fen in roster.people
    ]
    assert roster.lines() == alone


@PACELESS
@given(rosters())
def test_a_base_is_within_the_bounds_of_its_place_and_nothing_else_is_due(roster: Roster) -> None:
    found = calculated(roster.scheme(), *roster.columns())
    for row, (place, _) in enumerate(roster.people):
        for terms in roster.places[place].scheme:
            lines = found[terms.insurance]
            if lines.state[row] == State.DUE:
                least, most = lowest_fen(terms.floor_fen), highest_fen(terms.ceiling_fen)
                assert least <= lines.base_fen[row] <= most
            else:
                amounts = (lines.base_fen, lines.employer_fen, lines.employee_fen)
                assert [int(column[row]) for column in amounts] == [0, 0, 0]


@PACELESS
@given(PLACES, st.lists(FEN, min_size=2, max_size=10).map(sorted))
def test_who_earns_more_never_owes_less(place: Place, wages: list[int]) -> None:
    roster = Roster([place], [(0, wage) for wage in wages])
    for lines in calculated(roster.scheme(), *roster.columns()).values():
        for column in (lines.base_fen, lines.employer_fen, lines.employee_fen):
            assert (np.diff(column) >= 0).all()


@PACELESS
@given(rosters())
def test_no_fen_is_lost_between_people_insurances_and_sides(roster: Roster) -> None:
    """The columns' sums are the sums of everybody's own lines, to the fen."""
    lines = [
        line for place, wage_fen in roster.people for line in roster.places[place].lines(wage_fen)
    ]
    found = calculated(roster.scheme(), *roster.columns())
    for insurance, columns in found.items():
        own = [line for line in lines if line.insurance == insurance]
        assert int(columns.employer_fen.sum()) == sum(line.employer_fen for line in own)
        assert int(columns.employee_fen.sum()) == sum(line.employee_fen for line in own)


def test_everyone_is_rounded_by_the_rule_of_their_own_place_alone() -> None:
    """One insurance in many cities: no one's rate is counted under another's rule."""
    places = [
        Place([replace(SOME_TERMS, employer_rounding=rule, employee_rounding=rule)], NOBODY, False)
        for rule in Rounding
    ]
    people = [(n, wage_fen) for n in range(len(places)) for wage_fen in (987_654, 2_345_678)]
    assert Roster(places, people).lines() == [
        {shown(line) for line in places[place].lines(wage_fen)} for place, wage_fen in people
    ]


@pytest.mark.parametrize("people", [1, 8_191, 8_192, 8_193, 50_000])
def test_a_roster_longer_than_a_step_leaves_nobody_out(people: int) -> None:
    place = Place([SOME_TERMS], frozenset(), is_paper_missing=False)
    wages = np.arange(people, dtype=np.int64) * 100
    (lines,) = calculated(
        figures_of([place.position()]), np.zeros(people, dtype=np.intp), wages
    ).values()
    bounds = lowest_fen(SOME_TERMS.floor_fen), highest_fen(SOME_TERMS.ceiling_fen)
    assert lines.base_fen.tolist() == np.clip(wages, *bounds).tolist()
    assert set(lines.state.tolist()) == {State.DUE}


@PACELESS
@given(rosters())
def test_no_column_is_of_floats(roster: Roster) -> None:
    """numpy makes floats where no kind is named, and would round the largest sums in silence."""
    found = calculated(roster.scheme(), *roster.columns())
    for lines in found.values():
        assert lines.state.dtype == np.int8
        amounts = (lines.base_fen, lines.employer_fen, lines.employee_fen)
        assert {column.dtype for column in amounts} == {np.dtype(np.int64)}


@pytest.mark.parametrize("wage_fen", [-1, MOST_FEN + 1])
def test_a_wage_that_columns_cannot_hold_is_no_wage(wage_fen: int) -> None:
    place = Place([SOME_TERMS], frozenset(), is_paper_missing=False)
    with pytest.raises(AssertionError):
        Roster([place], [(0, wage_fen)]).lines()


def test_the_highest_wage_that_columns_can_hold_is_one() -> None:
    place = Place([SOME_TERMS], frozenset(), is_paper_missing=False)
    [[(_, _, base_fen, *_)]] = Roster([place], [(0, MOST_FEN)]).lines()
    assert base_fen == SOME_TERMS.ceiling_fen
