"""What other terms would change: the same people calculated under both, and their differences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contribution_svc.domain.calculation import Columns, Lines, check_wages, lines_of, steps
from contribution_svc.domain.release import Effect, Sides
from contribution_svc.domain.rounding import Column
from shared.values import Insurance


@dataclass(frozen=True, slots=True)
class Simulation:
    """New less old, in fen a month: `employer_fen` and `employee_fen` have a row a person, as has
    `is_affected` (a state, base or amount that changes); `sums` are (employer, employee) of all.
    """

    is_affected: npt.NDArray[np.bool_]
    employer_fen: Column
    employee_fen: Column
    sums: Mapping[Insurance, Sides]

    def people(self) -> int:
        return int(self.is_affected.sum())

    def total_fen(self) -> int:
        return sum(employer + employee for employer, employee in self.sums.values())


def simulated(old: Columns, new: Columns) -> Simulation:
    """The same people, in the same order, under old and new terms. Where one of them lacks an
    insurance, nothing is due for it.
    """
    people = len(old.position)
    wages = (*old.wage_fen.values(), *new.wage_fen.values())
    for column in {id(one): one for one in wages}.values():
        check_wages(column)
    is_affected = np.zeros(people, dtype=np.bool_)
    employer_fen, employee_fen = (np.zeros(people, dtype=np.int64) for _ in range(2))
    sums = dict.fromkeys((*old.scheme, *new.scheme), (0, 0))
    for step in steps(people):
        for insurance, (employer, employee) in sums.items():
            was, will = (_lines(columns, insurance, step) for columns in (old, new))
            more, more_own = (
                will.employer_fen - was.employer_fen,
                will.employee_fen - was.employee_fen,
            )
            employer_fen[step] += more
            employee_fen[step] += more_own
            sums[insurance] = (employer + int(more.sum()), employee + int(more_own.sum()))
            is_affected[step] |= _differ(was, will)
    return Simulation(is_affected, employer_fen, employee_fen, sums)


def effects(old: Columns, new: Columns) -> Iterator[tuple[int, Effect]]:
    """Everyone for whom an insurance costs another sum, by their row, with what changes."""
    affected = np.flatnonzero(simulated(old, new).is_affected)
    named = dict.fromkeys((*new.scheme, *old.scheme))
    was, will = (_sides(columns.of(affected), named) for columns in (old, new))
    for place, person in enumerate(affected.tolist()):
        before, after = ({i: fen[place] for i, fen in sides.items()} for sides in (was, will))
        changed = {i: (before[i], after[i]) for i in named if before[i] != after[i]}
        if changed:
            yield person, Effect.of(before.values(), after.values(), changed)


def _sides(columns: Columns, named: Mapping[Insurance, None]) -> dict[Insurance, list[Sides]]:
    found = {}
    for insurance in named:
        lines = _lines(columns, insurance, slice(None))
        found[insurance] = list(
            zip(lines.employer_fen.tolist(), lines.employee_fen.tolist(), strict=True)
        )
    return found


def _lines(columns: Columns, insurance: Insurance, step: slice) -> Lines:
    figures, position = columns.scheme.get(insurance), columns.position[step]
    if figures is not None:
        return lines_of(figures, position, columns.wage_fen[insurance][step])
    nothing = np.zeros(len(position), dtype=np.int64)
    return Lines(nothing.astype(np.int8), nothing, nothing, nothing)


def _differ(was: Lines, will: Lines) -> npt.NDArray[np.bool_]:
    differ: npt.NDArray[np.bool_] = (
        (was.state != will.state)
        | (was.base_fen != will.base_fen)
        | (was.employer_fen != will.employer_fen)
        | (was.employee_fen != will.employee_fen)
    )
    return differ
