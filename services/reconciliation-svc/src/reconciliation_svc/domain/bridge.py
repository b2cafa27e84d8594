"""The bridge of a period's money: withheld − assessed − filed − verified − debited − recorded, each
step explained.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reconciliation_svc.domain.sides import CellSides
from reconciliation_svc.domain.verdict import WITHHELD_DIFFERS, Verdict
from shared.values import Insurance, Outcome

MONEY_SIDES = ("withheld", "assessed", "filed", "verified", "debited", "recorded")

NOT_WITHHELD = "not_withheld"
"""Nothing was withheld yet: no payslip has been issued."""
NOT_VERIFIED = "not_verified"
"""Filed, and the collector has not answered with its verification (核定) yet."""

WITHHELD_ELSEWHERE = "withheld_in_another_month"
"""What a supplementary declaration adds is withheld by a later payslip."""
SUPPLEMENT_ON_ITS_WAY = "supplement_on_its_way"
"""What a supplementary declaration adds has come as far as the one side, and not to the other."""

_O = Outcome
_BEFORE_DEBIT = {
    _O.AWAITING_FILING,
    _O.AWAITING_DEBIT,
    _O.NOT_FILED,
    _O.DEBIT_MISSING,
    _O.DEBIT_REFUSED,
    _O.DEBIT_REVERSED,
    _O.OUTCOME_UNKNOWN,
    _O.OUTCOME_UNKNOWN_LATE,
    _O.VERIFIED_DIFFERS,
    _O.RECORD_REJECTED,
    _O.ENROLMENT_INTERRUPTED,
    _O.RECORD_WITHOUT_DEBIT,
    _O.DUPLICATE_RECORD,
}
_BEFORE_RECORD = {_O.AWAITING_RECORD, _O.RECORD_MISSING, _O.NOT_LOOKED_UP}
_RECORD_DIFFERS = {_O.BASE_DIFFERS, _O.AMOUNT_DIFFERS, _O.ARRIVED_IN_PART}

EXPLAINS: dict[str, frozenset[Outcome]] = {
    "filed": frozenset(
        {
            _O.AWAITING_FILING,
            _O.NOT_FILED,
            _O.VERIFIED_DIFFERS,
            _O.RECORD_REJECTED,
            _O.DEBIT_DIFFERS,
        }
    ),
    "verified": frozenset({_O.VERIFIED_DIFFERS, _O.RECORD_REJECTED, _O.DEBIT_DIFFERS}),
    "debited": frozenset(_BEFORE_DEBIT | {_O.DEBIT_DIFFERS, _O.DUPLICATE_DEBIT}),
    "recorded": frozenset(
        _BEFORE_DEBIT | _BEFORE_RECORD | _RECORD_DIFFERS | {_O.DEBIT_DIFFERS, _O.DUPLICATE_DEBIT}
    ),
}
"""Outcomes that explain why a due cell's money did not come through as it was to the side named
here.

`arrived` is in none of them: an arrived cell whose sums differ somewhere on the way is unexplained,
and an alarm.
"""


@dataclass(frozen=True, slots=True)
class Explained:
    """One reason for a difference: an outcome, an annotation or a state of its own; how many cells;
    fen.
    """

    reason: str
    cells: int
    fen: int


@dataclass(frozen=True, slots=True)
class Step:
    """From one side to the next for one insurance, both payers together: fen(from) − fen(to) and
    what explains it.
    """

    from_side: str
    to_side: str
    insurance: Insurance
    difference_fen: int
    explained: tuple[Explained, ...]

    @property
    def unexplained_fen(self) -> int:
        return self.difference_fen - sum(item.fen for item in self.explained)


Sums = dict[str, dict[Insurance, tuple[int, int]]]
"""Side to insurance to [employer, employee] fen."""


def sums_of(cells: Iterable[CellSides]) -> Sums:
    """What each side comes to per insurance; no entry where it says nothing of an insurance."""
    sums: Sums = {side: {} for side in MONEY_SIDES}
    for cell in cells:
        for side, amounts in amounts_of(cell).items():
            if amounts is not None:
                employer, employee = sums[side].get(cell.insurance, (0, 0))
                sums[side][cell.insurance] = (employer + amounts[0], employee + amounts[1])
    return sums


def steps_of(cells: Sequence[tuple[CellSides, Verdict]]) -> list[Step]:
    """The five steps for every insurance, in order; the cells are those of one employer and levy
    period.
    """
    differences: dict[tuple[str, str, Insurance], dict[str, list[int]]] = {}
    named = {cell.insurance for cell, _ in cells}
    for before, after in pairwise(MONEY_SIDES):
        for insurance in Insurance:
            if insurance in named:
                differences[before, after, insurance] = {}
    for cell, verdict in cells:
        amounts = amounts_of(cell)
        for before, after in pairwise(MONEY_SIDES):
            fen = sum(amounts[before] or (0, 0)) - sum(amounts[after] or (0, 0))
            if amounts[before] != amounts[after] and fen:
                reason = _reason(before, after, cell, verdict) or _supplement(before, after, cell)
                differences[before, after, cell.insurance].setdefault(reason, []).append(fen)
    return [_step(key, reasons) for key, reasons in differences.items()]


def _step(key: tuple[str, str, Insurance], reasons: dict[str, list[int]]) -> Step:
    before, after, insurance = key
    explained = [
        Explained(reason, len(fens), sum(fens))
        for reason, fens in sorted(reasons.items())
        if reason
    ]
    difference = sum(sum(fens) for fens in reasons.values())
    return Step(before, after, insurance, difference, tuple(explained))


Amounts = dict[str, tuple[int, int] | None]


def _supplement(before: str, after: str, cell: CellSides) -> str:
    """Whether two sides differ by whole supplements alone."""
    amounts, assessed = amounts_of(cell), cell.assessed
    if assessed is None or not assessed.supplements:
        return ""
    if before == "withheld":
        elsewhere = [one for one in assessed.supplements if one.withhold_in]
        return WITHHELD_ELSEWHERE if amounts[before] == assessed.less(elsewhere) else ""
    stations = assessed.stations()
    is_on_its_way = amounts[before] in stations and amounts[after] in stations
    return SUPPLEMENT_ON_ITS_WAY if is_on_its_way else ""


def _reason(before: str, after: str, cell: CellSides, verdict: Verdict) -> str:
    """Why a cell's money differs between two sides; empty if nothing that we know explains it."""
    amounts = amounts_of(cell)
    if verdict.outcome is Outcome.HISTORY or verdict.extra or amounts["assessed"] is None:
        # Of what is not due any movement is explained by being so: the outcome says it.
        return verdict.outcome
    if before == "withheld":
        if amounts["withheld"] is None:
            return NOT_WITHHELD
        return WITHHELD_DIFFERS if WITHHELD_DIFFERS in verdict.annotations else ""
    if after == "verified" and amounts["verified"] is None and amounts["debited"] is None:
        return NOT_VERIFIED
    return verdict.outcome if verdict.outcome in EXPLAINS[after] else ""


def amounts_of(cell: CellSides) -> Amounts:
    """What each side says of one cell: [employer, employee] fen, None where it says nothing."""
    withheld, assessed, posted, bureau = cell.withheld, cell.assessed, cell.posted, cell.bureau
    is_due = assessed is not None and assessed.state == "due"
    is_posted = posted is not None and posted.debit_state == "posted"
    is_recorded = bureau is not None and bureau.stage == "recorded"
    return {
        "withheld": (withheld.employer_fen, withheld.employee_fen) if withheld else None,
        "assessed": (assessed.employer_fen, assessed.employee_fen) if assessed and is_due else None,
        "filed": bureau.filed_fen if bureau else None,
        "verified": bureau.verified_fen if bureau else None,
        "debited": (posted.employer_fen, posted.employee_fen) if posted and is_posted else None,
        "recorded": bureau.record_fen if bureau and is_recorded else None,
    }
