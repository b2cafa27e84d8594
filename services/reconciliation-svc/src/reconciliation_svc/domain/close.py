"""The close of a levy period: a snapshot of its counts and sums, and whether it may be taken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciliation_svc.domain.bridge import sums_of
from reconciliation_svc.domain.sides import Month
from reconciliation_svc.domain.verdict import TERMINAL, Verdict
from reconciliation_svc.errors import PeriodHasOpenCells, PeriodNotOpened
from shared.values import LevyPeriod


@dataclass(frozen=True, slots=True)
class Close:
    """A closed month: cells by state (they add up to `cells`) and fen per side and insurance."""

    cells: int
    states: dict[str, int]
    sums_fen: dict[str, dict[str, int]]
    closed_by: str
    reason: str


def close_of(
    employer_id: str,
    levy_period: LevyPeriod,
    months: Sequence[tuple[Month, Sequence[Verdict]]],
    closed_by: str,
    reason: str,
) -> Close:
    """The snapshot. Extras are no part of K, but an open one asks for a reason like any other cell.

    PeriodNotOpened without cells, PeriodHasOpenCells without a reason while something is open.
    """
    verdicts = [verdict for _, found in months for verdict in found]
    if not verdicts:
        raise PeriodNotOpened(
            f"{levy_period} of employer {employer_id} has no cells; nothing to close."
        )
    open_cells = [verdict for verdict in verdicts if verdict.outcome not in TERMINAL]
    if open_cells and not reason:
        raise PeriodHasOpenCells(
            f"{levy_period} of employer {employer_id} has {len(open_cells)} cells that are not"
            " arrived, not required or history; settle them, or close with a reason."
        )
    states = states_of(verdicts)
    cells = sum(len(month.roster.authorities) for month, _ in months if month.roster is not None)
    return Close(cells, states, _totals(months), closed_by, reason)


def states_of(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Cells by outcome, extras left out."""
    states: dict[str, int] = {}
    for verdict in verdicts:
        if not verdict.extra:
            states[verdict.outcome] = states.get(verdict.outcome, 0) + 1
    return dict(sorted(states.items()))


def _totals(months: Iterable[tuple[Month, Sequence[Verdict]]]) -> dict[str, dict[str, int]]:
    sums = sums_of(cell for month, _ in months for cell in month.cells())
    return {
        side: {str(insurance): sum(amounts) for insurance, amounts in by_insurance.items()}
        for side, by_insurance in sums.items()
    }
