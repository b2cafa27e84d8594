"""Rosters under terms of their own, for calculations over columns: people by the place that each is
in, and their lines assessed one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from contribution_svc.domain.calculation import (
    Position,
    Positions,
    Scheme,
    State,
    calculated,
    figures_of,
)
from contribution_svc.domain.lines import Insured, Line, assess
from contribution_svc.domain.policy import Terms
from contribution_svc.domain.release import Effect, Sides
from contribution_svc.domain.rounding import Column, Rounding
from contribution_svc.domain.wage_basis import BaseRule, WageBasis
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod
from tests.support.bases import bases

PACELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Rosters take many draws: how fast a busy machine makes them says nothing of the calculation."""

FEN = st.integers(min_value=0, max_value=10_000_000_00)
PPM = st.integers(min_value=0, max_value=300_000)
FIXED = st.sampled_from([0, 0, 300])
"""A fixed sum beside the rate, as Beijing's 3.00 yuan of medical."""
KNOWN_ON = date(2024, 12, 31)
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
