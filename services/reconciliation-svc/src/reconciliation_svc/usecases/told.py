"""The events that reconciliation-svc tells, made from the domain's own values."""

from datetime import datetime
from typing import Any

from reconciliation_svc.domain.anomalies import Anomaly
from reconciliation_svc.domain.close import Close
from reconciliation_svc.domain.month import Judged
from reconciliation_svc.domain.verdict import Verdict
from shared.contracts import ANOMALY_EVENTS, AnomalyCleared, CellFact, CellsJudged, PeriodClosed
from shared.contracts import Anomaly as AnomalyEvent
from shared.values import LevyPeriod


def moment(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.isoformat().replace("+00:00", "Z")


def cells_judged(judged: Judged, version: int, now: datetime) -> CellsJudged:
    """The month's cells as they are now."""
    month = judged.month
    return CellsJudged(
        version=version,
        employee_id=month.employee_id,
        employer_id=month.employer_id,
        levy_period=str(month.levy_period),
        city=month.city,
        department_id=month.department_id,
        account_id=month.account_id,
        cells=tuple(_cell(verdict) for verdict in judged.verdicts),
        judged_at=moment(now),
    )


def _cell(verdict: Verdict) -> CellFact:
    ends_at = verdict.window_ends_at
    return CellFact(
        insurance=verdict.insurance,
        outcome=verdict.outcome,
        reason=verdict.reason,
        window_ends_at=moment(ends_at) if ends_at else "",
        annotations=verdict.annotations,
        extra=verdict.extra,
    )


def anomaly_told(anomaly: Anomaly) -> AnomalyEvent:
    """The anomaly's own kind while it holds, AnomalyCleared once it does not."""
    fields: dict[str, Any] = {
        "version": anomaly.version,
        "employee_id": anomaly.employee_id,
        "employer_id": anomaly.employer_id,
        "levy_period": anomaly.levy_period,
        "anomaly_id": anomaly.anomaly_id,
        "occurrence": anomaly.occurrence,
        "insurances": anomaly.insurances,
        "raised_at": moment(anomaly.raised_at),
        "city": anomaly.city,
        "department_id": anomaly.department_id,
        "account_id": anomaly.account_id,
        "authority": anomaly.authority,
        "reason": anomaly.reason,
        "likely_cause": anomaly.likely_cause,
        "spread": anomaly.spread,
        "cause_id": anomaly.cause_id,
    }
    if anomaly.cleared_at is None:
        return ANOMALY_EVENTS[anomaly.kind](**fields)
    return AnomalyCleared(
        **fields,
        kind=anomaly.kind,
        cleared_at=moment(anomaly.cleared_at),
        outcomes=dict(anomaly.outcomes or {}),
    )


def period_closed(
    employer_id: str, levy_period: LevyPeriod, close: Close, version: int, now: datetime
) -> PeriodClosed:
    """The close as a snapshot."""
    return PeriodClosed(
        version=version,
        employer_id=employer_id,
        levy_period=str(levy_period),
        cells=close.cells,
        states=close.states,
        sums_fen=close.sums_fen,
        closed_at=moment(now),
        closed_by=close.closed_by,
        exceptions_reason=close.reason,
    )
