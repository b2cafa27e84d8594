"""A month in numbers: cells by state for groups of people, and the sums of each side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from shared.values import INSURANCE_WORDS, OUTCOME_WORDS, Insurance, Outcome

MIN_GROUP = 5
"""Numbers of fewer people would name them, so those who may not see persons see none."""

SIDES = ("withheld", "assessed", "filed", "verified", "debited", "recorded")


@dataclass(frozen=True, slots=True)
class CellCount:
    """How many cells of a department and insurance have this outcome."""

    department_id: str
    insurance: Insurance
    outcome: Outcome
    extra: bool
    cells: int


@dataclass(frozen=True, slots=True)
class StateCount:
    outcome: Outcome
    word: str
    cells: int


@dataclass(frozen=True, slots=True)
class Group:
    """Cells by state of one insurance or department; `states` is None for a group too small."""

    key: str
    name: str
    people: int | None
    states: tuple[StateCount, ...] | None


@dataclass(frozen=True, slots=True)
class MonthCells:
    """K = `cells` = the sum of `states`; `extras` are facts about what is not on the roster."""

    people: int | None
    cells: int | None
    extras: int | None
    states: tuple[StateCount, ...] | None
    by_insurance: tuple[Group, ...]
    by_department: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Sums:
    employer_fen: int
    employee_fen: int


@dataclass(frozen=True, slots=True)
class Step:
    """What one side of an insurance has more than the next, employer and employee together."""

    from_side: str
    to_side: str
    insurance: Insurance
    difference_fen: int


def month_cells(
    counts: Sequence[CellCount], people: Mapping[str, int], departments: Mapping[str, str]
) -> MonthCells:
    """`people` counts employees, and `departments` names them, by department id."""
    own = [count for count in counts if not count.extra]
    return MonthCells(
        people=sum(people.values()),
        cells=sum(count.cells for count in own),
        extras=sum(count.cells for count in counts if count.extra),
        states=_states(own),
        by_insurance=tuple(
            _insurance_group(insurance, own)
            for insurance in Insurance
            if any(count.insurance == insurance for count in own)
        ),
        by_department=tuple(
            Group(
                department_id,
                departments.get(department_id, ""),
                people[department_id],
                _states(count for count in own if count.department_id == department_id),
            )
            for department_id in sorted(people, key=lambda one: (departments.get(one, ""), one))
        ),
    )


def _insurance_group(insurance: Insurance, counts: Iterable[CellCount]) -> Group:
    own = [count for count in counts if count.insurance == insurance]
    cells = sum(count.cells for count in own)
    return Group(insurance.value, INSURANCE_WORDS[insurance], cells, _states(own))


def _states(counts: Iterable[CellCount]) -> tuple[StateCount, ...]:
    cells: dict[Outcome, int] = {}
    for count in counts:
        cells[count.outcome] = cells.get(count.outcome, 0) + count.cells
    return tuple(
        StateCount(outcome, OUTCOME_WORDS[outcome], cells[outcome])
        for outcome in Outcome
        if outcome in cells
    )


def without_small_groups(month: MonthCells) -> MonthCells:
    """The same for those who may see numbers and no persons.

    Where one group alone is hidden, the smallest other is too: else it is the total less the rest.
    """
    if month.people is None or month.people < MIN_GROUP:
        return MonthCells(
            None, None, None, None, _hidden(month.by_insurance), _hidden(month.by_department)
        )
    return replace(
        month,
        by_insurance=_without_small(month.by_insurance),
        by_department=_without_small(month.by_department),
    )


def _without_small(groups: Sequence[Group]) -> tuple[Group, ...]:
    ordered = sorted(groups, key=lambda group: group.people or 0)
    small = [group.key for group in ordered if (group.people or 0) < MIN_GROUP]
    if len(small) == 1:
        small += [group.key for group in ordered[1:2]]
    return tuple(_hidden([group])[0] if group.key in small else group for group in groups)


def _hidden(groups: Sequence[Group]) -> tuple[Group, ...]:
    return tuple(replace(group, people=None, states=None) for group in groups)


def bridge_steps(sums: Mapping[str, Mapping[Insurance, Sums]]) -> tuple[Step, ...]:
    """Each side against the next one, per insurance; 0 everywhere when all has arrived."""
    insurances = {insurance for side in sums.values() for insurance in side}
    return tuple(
        Step(
            before,
            after,
            insurance,
            _total(sums, before, insurance) - _total(sums, after, insurance),
        )
        for before, after in pairwise(SIDES)
        for insurance in Insurance
        if insurance in insurances
    )


def _total(sums: Mapping[str, Mapping[Insurance, Sums]], side: str, insurance: Insurance) -> int:
    found = sums.get(side, {}).get(insurance)
    return found.employer_fen + found.employee_fen if found else 0
