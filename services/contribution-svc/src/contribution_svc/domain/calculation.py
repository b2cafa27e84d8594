"""Every line of a million employees at once: a column of wages in, columns of fen out.

Beside the wage a person's lines depend on little: city and levy period, the account's own rates,
kind, papers missing. Everyone in the same position looks up one row of figures; the arithmetic is
that of `rounding`, on columns. Nothing here looks at a single person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from contribution_svc.domain.lines import Line, LineState
from contribution_svc.domain.policy import Terms
from contribution_svc.domain.rounding import (
    MOST_FEN,
    Column,
    Rounding,
    held_fen,
    highest_fen,
    lowest_fen,
    rounded_fen,
)
from shared.values import Insurance

_AT_ONCE = 8_192
"""People per step, so that a step's columns stay in the cache."""


class State(IntEnum):
    """A line's state as a column holds it; NONE where the scheme has no such insurance."""

    NONE = 0
    DUE = 1
    EXEMPT = 2
    BLOCKED = 3


_STATES = {
    LineState.DUE: State.DUE,
    LineState.EXEMPT: State.EXEMPT,
    LineState.BLOCKED: State.BLOCKED,
}

Positions = npt.NDArray[np.intp]
"""The position of each person, as its place in the sequence that `figures_of` was given."""


@dataclass(frozen=True, slots=True)
class Position:
    """What people share whose lines differ by their wage alone: the terms of their scheme with
    their account's own rates (`Terms.with_own`), and each insurance's state.
    """

    terms: Sequence[Terms]
    states: Mapping[Insurance, LineState]

    @classmethod
    def of(cls, scheme: Sequence[Terms], decided: Sequence[Line | Terms]) -> "Position":
        """What `decided_by` says of each insurance of the scheme."""
        return cls(
            [
                one if isinstance(one, Terms) else terms
                for terms, one in zip(scheme, decided, strict=True)
            ],
            {
                one.insurance: one.state if isinstance(one, Line) else LineState.DUE
                for one in decided
            },
        )


@dataclass(frozen=True, slots=True)
class _Side:
    """One payer's rates in millionths by position, for each rule those of the positions that round
    by it; fixed sums in fen where there are any.
    """

    rates_ppm: Mapping[Rounding, Column]
    fixed_fen: Column | None

    def fen(self, base_fen: Column, position: Positions) -> Column:
        fen = np.zeros_like(base_fen) if self.fixed_fen is None else self.fixed_fen.take(position)
        for rule, rate_ppm in self.rates_ppm.items():
            # At no rate every rule gives nothing: each person's own rule adds what is due.
            fen += rounded_fen(base_fen, rate_ppm.take(position), rule)
        return fen


@dataclass(frozen=True, slots=True)
class Figures:
    """What holds for one insurance, a row a position. Where nothing is due all are 0, so that base
    and amounts are.
    """

    state: npt.NDArray[np.int8]
    floor_fen: Column
    ceiling_fen: Column
    employer: _Side
    employee: _Side


@dataclass(frozen=True, slots=True)
class Lines:
    """One insurance of many people, a row a person: a State, and fen."""

    state: npt.NDArray[np.int8]
    base_fen: Column
    employer_fen: Column
    employee_fen: Column


Scheme = Mapping[Insurance, Figures]


@dataclass(frozen=True, slots=True)
class Columns:
    """People under some terms, a row a person: the position in the scheme, and for each insurance
    the wage that its base rests on, in fen (0 where none does).
    """

    scheme: Scheme
    position: Positions
    wage_fen: Mapping[Insurance, Column]

    def of(self, chosen: Positions) -> "Columns":
        """These people alone."""
        wage_fen = {insurance: column[chosen] for insurance, column in self.wage_fen.items()}
        return Columns(self.scheme, self.position[chosen], wage_fen)


def figures_of(positions: Sequence[Position]) -> Scheme:
    """The positions' figures, for each insurance that any of them has."""
    terms = [{one.insurance: one for one in position.terms} for position in positions]
    named = dict.fromkeys(insurance for row in terms for insurance in row)
    return {
        insurance: _figures(
            [row.get(insurance) for row in terms],
            [position.states.get(insurance) for position in positions],
        )
        for insurance in named
    }


def _figures(terms: Sequence[Terms | None], states: Sequence[LineState | None]) -> Figures:
    due = [
        one if state is LineState.DUE else None for one, state in zip(terms, states, strict=True)
    ]
    return Figures(
        state=np.array([_STATES[s] if s else State.NONE for s in states], dtype=np.int8),
        floor_fen=_column([lowest_fen(one.floor_fen) if one else 0 for one in due]),
        ceiling_fen=_column([highest_fen(one.ceiling_fen) if one else 0 for one in due]),
        employer=_side(
            [
                (one.employer_ppm, one.employer_rounding, one.employer_fixed_fen) if one else None
                for one in due
            ]
        ),
        employee=_side(
            [
                (one.employee_ppm, one.employee_rounding, one.employee_fixed_fen) if one else None
                for one in due
            ]
        ),
    )


def _column(values: Sequence[int]) -> Column:
    return np.array(values, dtype=np.int64)


def _side(sides: Sequence[tuple[int | None, Rounding, int] | None]) -> _Side:
    rates, rules, fixed = zip(*(side or (0, None, 0) for side in sides), strict=True)
    assert None not in rates, "an account without the rate that it needs owes nothing yet: blocked"
    rates_ppm, ruled = _column(rates), np.array(rules)
    used = dict.fromkeys(rule for rule, rate in zip(rules, rates, strict=True) if rate)
    return _Side(
        rates_ppm={rule: np.where(ruled == rule, rates_ppm, 0) for rule in used},
        fixed_fen=_column(fixed) if any(fixed) else None,
    )


def calculated(scheme: Scheme, position: Positions, wage_fen: Column) -> dict[Insurance, Lines]:
    """Every insurance's lines, of people in the order of their columns. No wage is negative or
    above MOST_FEN.
    """
    people = len(wage_fen)
    found = {
        insurance: Lines(
            state=np.empty(people, dtype=np.int8),
            base_fen=np.empty(people, dtype=np.int64),
            employer_fen=np.empty(people, dtype=np.int64),
            employee_fen=np.empty(people, dtype=np.int64),
        )
        for insurance in scheme
    }
    check_wages(wage_fen)
    for step in steps(people):
        for insurance, figures in scheme.items():
            lines, into = lines_of(figures, position[step], wage_fen[step]), found[insurance]
            into.state[step] = lines.state
            into.base_fen[step] = lines.base_fen
            into.employer_fen[step] = lines.employer_fen
            into.employee_fen[step] = lines.employee_fen
    return found


def check_wages(wage_fen: Column) -> None:
    """No product of such wages and a rate passes what a column holds."""
    assert not len(wage_fen) or 0 <= wage_fen.min() <= wage_fen.max() <= MOST_FEN


def steps(people: int) -> Iterator[slice]:
    """The parts of a column that are calculated at once."""
    for start in range(0, people, _AT_ONCE):
        yield slice(start, start + _AT_ONCE)


def lines_of(figures: Figures, position: Positions, wage_fen: Column) -> Lines:
    """One insurance's lines of the people of one step."""
    base_fen = held_fen(
        wage_fen, figures.floor_fen.take(position), figures.ceiling_fen.take(position)
    )
    return Lines(
        state=figures.state.take(position),
        base_fen=base_fen,
        employer_fen=figures.employer.fen(base_fen, position),
        employee_fen=figures.employee.fen(base_fen, position),
    )
