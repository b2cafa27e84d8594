"""What other terms would change: the same people calculated under both, and their differences."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contribution_svc.domain.calculation import Lines, Positions, Scheme, lines_of, steps
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
    sums: Mapping[Insurance, tuple[int, int]]

    def people(self) -> int:
        return int(self.is_affected.sum())

    def total_fen(self) -> int:
        return sum(employer + employee for employer, employee in self.sums.values())


def simulated(old: Scheme, new: Scheme, position: Positions, wage_fen: Column) -> Simulation:
    """People's lines under `new` beside those under `old`, which have the same positions in the
    same order. Where one of them lacks an insurance, nothing is due for it.
    """
    people = len(wage_fen)
    is_affected = np.zeros(people, dtype=np.bool_)
    employer_fen, employee_fen = (np.zeros(people, dtype=np.int64) for _ in range(2))
    sums = {insurance: (0, 0) for insurance in (*old, *new)}
    for step in steps(wage_fen):
        for insurance, (employer, employee) in sums.items():
            was, will = (
                _lines(scheme, insurance, position[step], wage_fen[step]) for scheme in (old, new)
            )
            more, more_own = (
                will.employer_fen - was.employer_fen,
                will.employee_fen - was.employee_fen,
            )
            employer_fen[step] += more
            employee_fen[step] += more_own
            sums[insurance] = (employer + int(more.sum()), employee + int(more_own.sum()))
            is_affected[step] |= _differ(was, will)
    return Simulation(is_affected, employer_fen, employee_fen, sums)


def _lines(scheme: Scheme, insurance: Insurance, position: Positions, wage_fen: Column) -> Lines:
    figures = scheme.get(insurance)
    if figures is not None:
        return lines_of(figures, position, wage_fen)
    nothing = np.zeros(len(wage_fen), dtype=np.int64)
    return Lines(nothing.astype(np.int8), nothing, nothing, nothing)


def _differ(was: Lines, will: Lines) -> npt.NDArray[np.bool_]:
    differ: npt.NDArray[np.bool_] = (
        (was.state != will.state)
        | (was.base_fen != will.base_fen)
        | (was.employer_fen != will.employer_fen)
        | (was.employee_fen != will.employee_fen)
    )
    return differ
