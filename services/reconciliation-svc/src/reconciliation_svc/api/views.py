"""The shapes that the API documents, made from the domain's values; money in fen, times in RFC
3339.
"""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from reconciliation_svc.domain.anomalies import Anomaly
from reconciliation_svc.domain.bridge import amounts_of
from reconciliation_svc.domain.close import Close
from reconciliation_svc.domain.sides import CellSides
from reconciliation_svc.domain.verdict import Verdict
from reconciliation_svc.store.months import Counts, KeptMonth
from reconciliation_svc.usecases.periods import Bridge, cells_of
from shared.values import OUTCOME_WORDS, Insurance, LevyPeriod, Outcome

PERIOD_PATTERN = r"^20\d\d-(0[1-9]|1[0-2])$"
PeriodText = Annotated[str, StringConstraints(pattern=PERIOD_PATTERN)]


class CellCounts(BaseModel):
    """应缴单元 of one levy period: `states` add up to `K`, counted from the roster alone."""

    employer_id: str
    levy_period: str
    K: int = Field(description="Roster × scheme.")
    states: dict[Outcome, int]
    extras: int = Field(description="Cells that facts name and the roster does not imply.")


class Sums(BaseModel):
    """Fen of one side, apart by payer."""

    employer_fen: int
    employee_fen: int


class Amounts(Sums):
    """What one side says of a cell."""

    base_fen: int | None = None


class CellView(BaseModel):
    """One cell: its verdict, the word for it, and what each side says."""

    employer_id: str
    employee_id: str
    levy_period: str
    insurance: Insurance
    outcome: Outcome
    word: str = Field(examples=["已到账"])
    reason: str
    window_ends_at: datetime | None
    annotations: list[str]
    extra: bool
    authority: str
    sides: dict[str, Amounts]
    debited_on: str | None
    recorded_on: str
    looked_up_at: datetime | None


class AnomalyView(BaseModel):
    """异常: one per employee, levy period and kind."""

    anomaly_id: str
    employer_id: str
    employee_id: str
    levy_period: str
    kind: Outcome
    word: str
    occurrence: int
    insurances: list[Insurance]
    reason: str
    raised_at: datetime
    cleared_at: datetime | None
    authority: str
    account_id: str
    department_id: str
    city: str
    likely_cause: str
    spread: int
    cause_id: str


class ExplainedView(BaseModel):
    """A reason for a difference: an outcome, an annotation, `not_withheld`, `not_verified`,
    `withheld_in_another_month` or `supplement_on_its_way`.
    """

    reason: str
    cells: int
    fen: int


class StepView(BaseModel):
    """From one side to the next, for one insurance, both payers together."""

    from_side: str = Field(serialization_alias="from")
    to_side: str = Field(serialization_alias="to")
    insurance: Insurance
    difference_fen: int
    explained: list[ExplainedView]
    unexplained_fen: int = Field(description="Always 0, or an alarm of its own.")


class BridgeView(BaseModel):
    """Withheld − assessed − filed − verified − debited − recorded."""

    employer_id: str
    levy_period: str
    sums_fen: dict[str, dict[Insurance, Sums]]
    steps: list[StepView]


class LookUpAlarm(BaseModel):
    """An authority whose due look-up did not come, while cells wait for it: nothing is missing yet,
    nobody has looked.
    """

    authority: str = Field(examples=["medical-990100"])
    raised_at: datetime
    cells: int = Field(description="Of all employers, when the alarm was raised.")


class CloseRequest(BaseModel):
    """Which levy period is closed; the reason is needed while cells are open."""

    employer_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    levy_period: PeriodText
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class ClosedPeriod(BaseModel):
    """A closed month."""

    employer_id: str
    levy_period: str
    cells: int
    states: dict[Outcome, int]
    sums_fen: dict[str, dict[Insurance, int]]
    closed_at: datetime
    closed_by: str
    exceptions_reason: str


def counts_view(employer_id: str, levy_period: str, counts: Counts) -> CellCounts:
    states = {Outcome(name): number for name, number in sorted(counts.states.items())}
    return CellCounts(
        employer_id=employer_id,
        levy_period=levy_period,
        K=counts.cells,
        states=states,
        extras=counts.extras,
    )


def cell_views(kept: KeptMonth) -> list[CellView]:
    """The month's cells, in the insurances' order."""
    return [_cell_view(kept, cell, verdict) for cell, verdict in cells_of(kept)]


def _cell_view(kept: KeptMonth, cell: CellSides, verdict: Verdict) -> CellView:
    debited_on = cell.posted.debited_on if cell.posted else None
    return CellView(
        employer_id=kept.month.employer_id,
        employee_id=kept.month.employee_id,
        levy_period=str(kept.month.levy_period),
        insurance=verdict.insurance,
        outcome=verdict.outcome,
        word=OUTCOME_WORDS[verdict.outcome],
        reason=verdict.reason,
        window_ends_at=verdict.window_ends_at,
        annotations=list(verdict.annotations),
        extra=verdict.extra,
        authority=verdict.authority,
        sides=_sides(cell),
        debited_on=debited_on.isoformat() if debited_on else None,
        recorded_on=cell.bureau.recorded_on if cell.bureau else "",
        looked_up_at=cell.bureau.looked_up_at if cell.bureau else None,
    )


def _sides(cell: CellSides) -> dict[str, Amounts]:
    bases = {
        "assessed": cell.assessed.base_fen if cell.assessed else None,
        "recorded": cell.bureau.record_base_fen if cell.bureau else None,
    }
    return {
        side: Amounts(employer_fen=pair[0], employee_fen=pair[1], base_fen=bases.get(side))
        for side, pair in amounts_of(cell).items()
        if pair is not None
    }


def anomaly_view(anomaly: Anomaly) -> AnomalyView:
    names = set(AnomalyView.model_fields) - {"word", "insurances"}
    return AnomalyView(
        **{name: getattr(anomaly, name) for name in names},
        insurances=list(anomaly.insurances),
        word=OUTCOME_WORDS[anomaly.kind],
    )


def bridge_view(employer_id: str, levy_period: str, bridge: Bridge) -> BridgeView:
    sums = {
        side: {
            insurance: Sums(employer_fen=pair[0], employee_fen=pair[1])
            for insurance, pair in by_insurance.items()
        }
        for side, by_insurance in bridge.sums.items()
    }
    steps = [
        StepView(
            from_side=step.from_side,
            to_side=step.to_side,
            insurance=step.insurance,
            difference_fen=step.difference_fen,
            explained=[
                ExplainedView(reason=one.reason, cells=one.cells, fen=one.fen)
                for one in step.explained
            ],
            unexplained_fen=step.unexplained_fen,
        )
        for step in bridge.steps
    ]
    return BridgeView(employer_id=employer_id, levy_period=levy_period, sums_fen=sums, steps=steps)


def closed_view(
    employer_id: str, levy_period: LevyPeriod, close: Close, at: datetime
) -> ClosedPeriod:
    return ClosedPeriod(
        employer_id=employer_id,
        levy_period=str(levy_period),
        cells=close.cells,
        states={Outcome(name): number for name, number in close.states.items()},
        sums_fen={
            side: {Insurance(name): fen for name, fen in by_insurance.items()}
            for side, by_insurance in close.sums_fen.items()
        },
        closed_at=at,
        closed_by=close.closed_by,
        exceptions_reason=close.reason,
    )
