"""The people of one city and levy period together: what each stands on worked out person by person,
bases and amounts over columns, and each one's bases and lines made of these again.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from contribution_svc.domain.base import Bases, BaseWages, Bound, explained
from contribution_svc.domain.calculation import (
    Columns,
    Position,
    figures_of,
    lines_of,
)
from contribution_svc.domain.lines import Insured, Line, LineState, check_lines, decided_by
from contribution_svc.domain.policy import PersonKind, Terms
from contribution_svc.domain.rounding import (
    Column,
    countable_fen,
    held_fen,
    highest_fen,
    lowest_fen,
)
from contribution_svc.domain.wage_basis import WageBasis
from shared.values import Insurance


class Person(msgspec.Struct, frozen=True):
    """Whoever is assessed, by their account, and the wages that their bases rest on."""

    account_id: str
    insured: Insured
    wages: BaseWages

    def stands_on(self) -> tuple[Hashable, ...]:
        """What decides everything but amounts: equal ones have one position."""
        insured, wages = self.insured, self.wages
        return (
            self.account_id,
            insured.person_kind,
            insured.on_roster,
            insured.facts_parked,
            tuple(insured.documents_missing),
            tuple(wages.not_yet.items()),
            tuple(wages.unknown.items()),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """People as columns, and for each position the lines of what is exempt or blocked, and the
    terms of what is due, with the account's own rates.
    """

    columns: Columns
    decided: Sequence[Sequence[Line | Terms]]


def standing(
    people: Sequence[Person], kinds: Mapping[str, PersonKind], scheme: Sequence[Terms]
) -> Standing:
    """What each of them stands on, as `assess` decides it for one alone."""
    positions: dict[Hashable, int] = {}
    decided: list[list[Line | Terms]] = []
    position = np.empty(len(people), dtype=np.intp)
    for place, one in enumerate(people):
        stands_on = one.stands_on()
        if stands_on not in positions:
            positions[stands_on] = len(decided)
            decided.append([decided_by(one.insured, kinds, t, one.wages) for t in scheme])
        position[place] = positions[stands_on]
    figures = figures_of([Position.of(scheme, one) for one in decided])
    wage_fen = {
        t.insurance: np.array(
            [_wage_fen(one.wages.rests_on.get(t.insurance)) for one in people], dtype=np.int64
        )
        for t in scheme
    }
    return Standing(Columns(figures, position, wage_fen), decided)


def _wage_fen(basis: WageBasis | None) -> int:
    return countable_fen(basis.wage_fen) if basis is not None else 0


def assessed(
    people: Sequence[Person],
    kinds: Mapping[str, PersonKind],
    scheme: Sequence[Terms],
    by_base_year: Mapping[int, Sequence[Terms]],
) -> list[tuple[Bases, list[Line]]]:
    """Each one's bases, with an empty `rests_on` where there are none, and the lines that `assess`
    gives, checked against the policy in integers that are no columns. `by_base_year` is the scheme
    as `Pack.by_base_year` groups it. LineDisagreesWithPolicy.
    """
    stands = standing(people, kinds, scheme)
    lines = _lines(stands)
    # With the account's own rates already: they are found once for a position.
    terms_at = [
        {one.insurance: one for one in decided if isinstance(one, Terms)}
        for decided in stands.decided
    ]
    for one, at, own in zip(people, stands.columns.position.tolist(), lines, strict=True):
        check_lines(one.insured.employee_id, own, terms_at[at], {})
    return list(zip(_bases(people, stands, by_base_year), lines, strict=True))


def _lines(stands: Standing) -> list[list[Line]]:
    columns = stands.columns
    found = {
        insurance: lines_of(figures, columns.position, columns.wage_fen[insurance])
        for insurance, figures in columns.scheme.items()
    }
    fen = {
        insurance: (one.base_fen.tolist(), one.employer_fen.tolist(), one.employee_fen.tolist())
        for insurance, one in found.items()
    }
    parts = [
        [
            (one, 0, 0, *fen[one.insurance])
            if isinstance(one, Line)
            else (_due(one), one.employer_ppm, one.employee_ppm, *fen[one.insurance])
            for one in decided
        ]
        for decided in stands.decided
    ]
    return [
        [
            Line(
                line.insurance,
                line.state,
                line.authority,
                line.reason,
                base_fen[place],
                employer_ppm,
                employee_ppm,
                employer_fen[place],
                employee_fen[place],
            )
            for line, employer_ppm, employee_ppm, base_fen, employer_fen, employee_fen in parts[at]
        ]
        for place, at in enumerate(columns.position.tolist())
    ]


def _due(terms: Terms) -> Line:
    return Line(terms.insurance, LineState.DUE, terms.authority)


def _one(fen: int) -> Column:
    """A figure that holds for everyone."""
    return np.array([fen], dtype=np.int64)


_BOUNDS = {0: Bound.WITHIN, 1: Bound.FLOOR, -1: Bound.CEILING}
"""By the sign of what holding a wage within its bounds has added to it."""


def _bases(
    people: Sequence[Person], stands: Standing, by_base_year: Mapping[int, Sequence[Terms]]
) -> Iterator[Bases]:
    terms = [t for part in by_base_year.values() for t in part]
    named = [t.insurance for t in terms]
    wages = [stands.columns.wage_fen[insurance] for insurance in named]
    held = [
        held_fen(wage_fen, _one(lowest_fen(t.floor_fen)), _one(highest_fen(t.ceiling_fen)))
        for wage_fen, t in zip(wages, terms, strict=True)
    ]
    signs = [
        np.sign(base_fen - wage_fen).tolist()
        for base_fen, wage_fen in zip(held, wages, strict=True)
    ]
    words = _Words(by_base_year)
    for one, position, bases_fen, places in zip(
        people,
        stands.columns.position.tolist(),
        zip(*(base_fen.tolist() for base_fen in held), strict=True),
        zip(*signs, strict=True),
        strict=True,
    ):
        wages_of = one.wages
        rests_on = wages_of.rests_on
        bounds = words.bounds(rests_on, named, position, places)
        yield Bases(
            rests_on,
            {i: fen for i, fen in zip(named, bases_fen, strict=True) if i in rests_on},
            bounds,
            words.said(rests_on, bounds, position, places),
            wages_of.not_yet,
            wages_of.unknown,
        )


_Places = tuple[int, ...]


class _Words:
    """What bases say, kept for whoever stands on the same and lies at the same bounds: of such
    people only the wage is another.
    """

    def __init__(self, by_base_year: Mapping[int, Sequence[Terms]]) -> None:
        self._by_base_year = by_base_year
        self._bounds: dict[tuple[int, _Places], dict[Insurance, Bound]] = {}
        self._tails: dict[tuple[int, _Places], str] = {}

    def bounds(
        self,
        rests_on: Mapping[Insurance, WageBasis],
        named: Sequence[Insurance],
        position: int,
        places: _Places,
    ) -> dict[Insurance, Bound]:
        found = self._bounds.get((position, places))
        if found is None:
            found = {i: _BOUNDS[x] for i, x in zip(named, places, strict=True) if i in rests_on}
            self._bounds[position, places] = found
        return found

    def said(
        self,
        rests_on: Mapping[Insurance, WageBasis],
        bounds: Mapping[Insurance, Bound],
        position: int,
        places: _Places,
    ) -> str:
        """As `explained` says it. With one wage it begins with that, and goes on as for others."""
        bases = list(rests_on.values())
        if len(self._by_base_year) > 1 or not bases or any(one is not bases[0] for one in bases):
            return explained(rests_on, bounds, self._by_base_year)
        wage = bases[0].said()
        tail = self._tails.get((position, places))
        if tail is None:
            tail = explained(rests_on, bounds, self._by_base_year).removeprefix(wage)
            self._tails[position, places] = tail
        return wage + tail
