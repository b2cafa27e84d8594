"""The calculation over columns: for every person what assessing that person alone gives, and what
must hold for any roster.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contribution_svc.domain.base import (
    BaseRule,
    WageBasis,
    WageFacts,
    base_wages,
    bases,
    bases_of,
)
from contribution_svc.domain.calculation import (
    Position,
    Positions,
    Scheme,
    State,
    calculated,
    figures_of,
    position_of,
    stands_on,
)
from contribution_svc.domain.lines import Insured, Line, assess
from contribution_svc.domain.policy import Terms
from contribution_svc.domain.release import Effect, Sides
from contribution_svc.domain.rounding import (
    MOST_FEN,
    Column,
    Rounding,
    highest_fen,
    lowest_fen,
)
from contribution_svc.domain.simulation import Columns, Simulation, effects, simulated
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod

PACELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Rosters take many draws: how fast a busy machine makes them says nothing of the calculation."""

FEN = st.integers(min_value=0, max_value=10_000_000_00)
PPM = st.integers(min_value=0, max_value=300_000)
FIXED = st.sampled_from([0, 0, 300])
"""A fixed sum beside the rate, as Beijing's 3.00 yuan of medical."""
KNOWN_ON = date(2024, 12, 31)
KNOWN_NOW = date(2026, 5, 31)
PACK = load_policies().packs["990200"]
SOME_TERMS = PACK.terms(LevyPeriod(2024, 10), KNOWN_ON)[0]
"""What the calculation does not look at is that of the pack."""


@st.composite
def schemes(draw: st.DrawFn) -> list[Terms]:
    """Some insurances, each with bounds, rates and roundings of its own."""
    found = []
    for insurance in draw(
        st.lists(st.sampled_from(Insurance), min_size=1, max_size=4, unique=True)
    ):
        floor_fen, ceiling_fen = sorted((draw(FEN), draw(FEN)))
        found.append(
            replace(
                SOME_TERMS,
                insurance=insurance,
                floor_fen=draw(st.sampled_from([floor_fen, None])),
                ceiling_fen=draw(st.sampled_from([ceiling_fen, None])),
                employer_ppm=draw(PPM),
                employee_ppm=draw(PPM),
                employer_rounding=draw(st.sampled_from(Rounding)),
                employee_rounding=draw(st.sampled_from(Rounding)),
                employer_fixed_fen=draw(FIXED),
                employee_fixed_fen=draw(FIXED),
            )
        )
    return found


@dataclass(frozen=True)
class Place:
    """A kind of person under a scheme: exempt from some, blocked if a paper is missing."""

    scheme: Sequence[Terms]
    exempt: frozenset[Insurance]
    is_paper_missing: bool

    def lines(self, wage_fen: int) -> list[Line]:
        """One person's lines, assessed alone."""
        kind = replace(PACK.person_kinds["regular"], exempt=dict.fromkeys(self.exempt, "why"))
        papers = ("visa",) if self.is_paper_missing else ()
        found = bases(WageBasis(wage_fen, 12, BaseRule.LAST_YEAR_AVERAGE), self.scheme)
        return assess(Insured("somebody", "regular", papers), {"regular": kind}, self.scheme, found)

    def position(self) -> Position:
        return Position(self.scheme, {line.insurance: line.state for line in self.lines(0)})


PLACES = st.builds(Place, schemes(), st.frozensets(st.sampled_from(Insurance)), st.booleans())


NOBODY: frozenset[Insurance] = frozenset()
"""Nothing that anybody is exempt from."""

Shown = tuple[Insurance, str, int, int, int]
"""A line: its state, base, employer and employee amount."""


def shown(line: Line) -> Shown:
    return (
        line.insurance,
        line.state.name,
        line.base_fen,
        line.employer_fen,
        line.employee_fen,
    )


@dataclass(frozen=True)
class Roster:
    """People, by the place that each is in and the wage in fen."""

    places: Sequence[Place]
    people: Sequence[tuple[int, int]]

    def scheme(self) -> Scheme:
        return figures_of([place.position() for place in self.places])

    def columns(self) -> tuple[Positions, Column]:
        places, wages = zip(*self.people, strict=True)
        return np.array(places, dtype=np.intp), np.array(wages, dtype=np.int64)

    def lines(self) -> list[set[Shown]]:
        """Everyone's lines, calculated together."""
        found = calculated(self.scheme(), *self.columns())
        return [
            {
                (
                    insurance,
                    State(lines.state[row]).name,
                    int(lines.base_fen[row]),
                    int(lines.employer_fen[row]),
                    int(lines.employee_fen[row]),
                )
                for insurance, lines in found.items()
                if lines.state[row] != State.NONE
            }
            for row in range(len(self.people))
        ]


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    places = draw(st.lists(PLACES, min_size=1, max_size=3))
    person = st.tuples(st.integers(min_value=0, max_value=len(places) - 1), FEN)
    return Roster(places, draw(st.lists(person, min_size=1, max_size=10)))


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
    changes = compared(roster, roster)
    assert {changes.employer_fen.dtype, changes.employee_fen.dtype} == {np.dtype(np.int64)}
    assert changes.is_affected.dtype == np.bool_


@pytest.mark.parametrize("wage_fen", [-1, MOST_FEN + 1])
def test_a_wage_that_columns_cannot_hold_is_no_wage(wage_fen: int) -> None:
    place = Place([SOME_TERMS], frozenset(), is_paper_missing=False)
    with pytest.raises(AssertionError):
        Roster([place], [(0, wage_fen)]).lines()


def under(roster: Roster) -> Columns:
    scheme, (position, wage_fen) = roster.scheme(), roster.columns()
    return Columns(scheme, position, dict.fromkeys(scheme, wage_fen))


def test_the_highest_wage_that_columns_can_hold_is_one() -> None:
    place = Place([SOME_TERMS], frozenset(), is_paper_missing=False)
    [[(_, _, base_fen, *_)]] = Roster([place], [(0, MOST_FEN)]).lines()
    assert base_fen == SOME_TERMS.ceiling_fen


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


def _wage_fen(basis: WageBasis | None) -> int:
    return basis.wage_fen if basis else 0
