"""I1 and I2, the bridge: withheld, assessed, verified, debited, recorded. What does not come
through is explained by its cell's outcome, and the rest is 0 fen.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from shared.values import Outcome
from tests.support.invariants.facts import Cell, Declaration, Facts, Line
from tests.support.invariants.rules.amounts import Fen, added, fen_of
from tests.support.invariants.rules.cells import RECONCILIATION
from tests.support.invariants.rules.fen import FAMILIES, OWNERS
from tests.support.invariants.rules.journals import Journals, sum_of
from tests.support.invariants.violation import states

_O = Outcome
DEBITED = frozenset(
    {
        _O.ARRIVED,
        _O.AWAITING_RECORD,
        _O.RECORD_MISSING,
        _O.NOT_LOOKED_UP,
        _O.BASE_DIFFERS,
        _O.AMOUNT_DIFFERS,
        _O.ARRIVED_IN_PART,
    }
)
"""Outcomes that say: what was due has been debited, to the fen."""
NOT_DEBITED = frozenset(
    {_O.AWAITING_FILING, _O.AWAITING_DEBIT, _O.NOT_FILED, _O.DEBIT_MISSING, _O.DEBIT_REFUSED}
)
"""Outcomes that say: no money has moved."""


@states("I1")
def debited_cell_not_declared(facts: Facts) -> Iterator[str]:
    """A due cell whose outcome says that it was debited is in an approved declaration."""
    declared = {
        (employee, one.levy_period)
        for one in facts.of(Declaration)
        if one.state == "approved"
        for employee in one.declared
    }
    due = {
        line.cell
        for line in facts.of(Line, "contribution_svc")
        if (line.side, line.state) == ("assessed", "due")
    }
    for cell in facts.of(Cell, RECONCILIATION):
        named = (cell.employee_id, cell.levy_period) in declared
        if cell.outcome in DEBITED and cell.cell in due and not named:
            yield (
                f"{cell.insurance} of employee {cell.employee_id}, {cell.levy_period}, is"
                f" {cell.outcome} and in no approved declaration"
            )


CellKey = tuple[str, str, str]


class Step(NamedTuple):
    """What must come through to a side, summed: employer, period, insurance and payer."""

    employer_id: str
    levy_period: str
    insurance: str
    payer: str
    side: str


@states("I2")
def unexplained_fen(facts: Facts) -> Iterator[str]:
    """Per employer, period, insurance and payer, the fen withheld, verified, debited and recorded
    are those assessed, but for cells whose outcome explains the difference: the rest is 0 fen.
    """
    expected: dict[Step, int] = defaultdict(int)
    found: dict[Step, int] = defaultdict(int)
    wrong: dict[Step, set[str]] = defaultdict(set)
    for cell, side, due, came in _steps(facts):
        for payer, expected_fen, found_fen in zip(Fen._fields, due, came, strict=True):
            step = Step(cell.employer_id, cell.levy_period, cell.insurance, payer, side)
            expected[step] += expected_fen
            found[step] += found_fen
            if expected_fen != found_fen:
                wrong[step].add(cell.employee_id)
    for step, employees in sorted(wrong.items()):
        yield (
            f"{step.insurance} of {step.levy_period}, {step.payer}'s part, employer"
            f" {step.employer_id}: {expected[step]} fen must be {step.side}, found {found[step]};"
            f" employees {', '.join(sorted(employees))}"
        )


def _steps(facts: Facts) -> Iterator[tuple[Cell, str, Fen, Fen]]:
    """Each cell, a side to which its outcome says that the money came or did not, and the fen due
    and found there.
    """
    sides = added(
        ((line.side, line.cell), fen_of(line))
        for line in facts.of(Line, "contribution_svc", "payroll_svc")
        if (line.side, line.state) in _COUNTED and line.store == OWNERS[line.side]
    )
    journals = Journals(facts)
    verified, booked = journals.verified(), journals.recorded()
    nothing = Fen(0, 0)
    carried, owed = _supplements(facts)
    for cell in facts.of(Cell, RECONCILIATION):
        due = sides.get(("assessed", cell.cell))
        if due is None or cell.extra or _is_parked(facts, cell):
            continue
        posted = sides.get(("posted", cell.cell), nothing)
        if posted != nothing and cell.cell in owed:
            # A supplementary declaration has days of its own: until then the rest must be there.
            rest = owed[cell.cell]
            yield cell, "debited", Fen(due[0] - rest[0], due[1] - rest[1]), posted
            continue
        withheld = sides.get(("withheld", cell.cell))
        if withheld is not None and cell.cell not in carried and _is_as_withheld(cell):
            yield cell, "withheld", due, withheld
        if cell.outcome in DEBITED:
            yield cell, "debited", due, posted
            yield cell, "verified", due, verified.get(cell.cell, due)
        if cell.outcome in NOT_DEBITED:
            yield cell, "debited", nothing, posted
        records = booked.get(cell.cell, [])
        if cell.outcome == Outcome.ARRIVED and not any(record.is_range for record in records):
            yield cell, "recorded", due, Fen(*sum_of(records)[1:]) if records else nothing


def _is_as_withheld(cell: Cell) -> bool:
    return "WithheldDiffers" not in cell.annotations


def _supplements(facts: Facts) -> tuple[set[CellKey], dict[CellKey, Fen]]:
    """Cells to which supplementary declarations add something, which a later payslip withholds; and
    what of it the bank has not debited, where that is so.
    """
    lines = [line for line in facts.of(Line, "contribution_svc") if line.declaration_id]
    paid = {(x.cell, x.declaration_id) for x in lines if (x.side, x.state) == ("posted", "posted")}
    added_to = [line for line in lines if line.side == "assessed"]
    open_ones = [line for line in added_to if (line.cell, line.declaration_id) not in paid]
    return {line.cell for line in added_to}, added((x.cell, fen_of(x)) for x in open_ones)


def _is_parked(facts: Facts, cell: Cell) -> bool:
    """Whether a side of the cell's month waits for a person: the verdict cannot know of it."""
    month = f"{cell.employee_id}/{cell.levy_period}"
    return any(
        (RECONCILIATION, family, month) in facts.parked_aggregates for family in FAMILIES.values()
    )


_COUNTED = {("assessed", "due"), ("posted", "posted"), ("withheld", "")}
