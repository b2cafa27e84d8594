"""Our own events, taken back by a store that was restored: full states, as readers know them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from reconciliation_svc.domain.anomalies import Anomaly
from reconciliation_svc.domain.close import Close
from reconciliation_svc.domain.verdict import Verdict
from reconciliation_svc.store.months import ToldMonth
from reconciliation_svc.store.periods import ToldClose
from reconciliation_svc.usecases import recovering
from shared.codec import Received
from shared.contracts import (
    ANOMALY_EVENTS,
    AnomalyCleared,
    CellFact,
    CellsJudged,
    Event,
    PeriodClosed,
)
from shared.contracts import Anomaly as AnomalyEvent
from shared.db import Connection
from shared.serve import Keeper, newest_of
from shared.values import Outcome


def keepers() -> Mapping[type[Event], Keeper]:
    """What we say, by its event."""
    return {
        CellsJudged: _on_cells,
        **dict.fromkeys(ANOMALY_EVENTS.values(), _on_anomalies),
        AnomalyCleared: _on_anomalies,
        PeriodClosed: _on_closes,
    }


async def _on_cells(conn: Connection, told: Sequence[Received]) -> None:
    await recovering.keep_months(conn, [_month(event) for event in newest_of(told)])


def _month(event: CellsJudged) -> ToldMonth:
    return ToldMonth(
        employer_id=event.employer_id,
        employee_id=event.employee_id,
        levy_period=event.levy_period,
        version=event.version,
        verdicts=tuple(_verdict(cell) for cell in event.cells),
        place=(event.city, event.account_id, event.department_id),
        judged_at=_moment(event.judged_at),
    )


def _verdict(cell: CellFact) -> Verdict:
    return Verdict(
        insurance=cell.insurance,
        outcome=cell.outcome,
        reason=cell.reason,
        window_ends_at=_moment(cell.window_ends_at) if cell.window_ends_at else None,
        annotations=cell.annotations,
        extra=cell.extra,
    )


async def _on_anomalies(conn: Connection, told: Sequence[Received]) -> None:
    await recovering.keep_anomalies(conn, [_anomaly(event) for event in newest_of(told)])


def _anomaly(event: AnomalyEvent) -> Anomaly:
    cleared = event if isinstance(event, AnomalyCleared) else None
    return Anomaly(
        anomaly_id=event.anomaly_id,
        employer_id=event.employer_id,
        employee_id=event.employee_id,
        levy_period=event.levy_period,
        kind=_kind(event),
        occurrence=event.occurrence,
        version=event.version,
        insurances=event.insurances,
        raised_at=_moment(event.raised_at),
        tell_at=None,
        city=event.city,
        department_id=event.department_id,
        account_id=event.account_id,
        authority=event.authority,
        reason=event.reason,
        cause_id=event.cause_id,
        likely_cause=event.likely_cause,
        spread=event.spread,
        cleared_at=_moment(cleared.cleared_at) if cleared else None,
        outcomes=cleared.outcomes if cleared else None,
    )


def _kind(event: AnomalyEvent) -> Outcome:
    return Outcome(event.kind if isinstance(event, AnomalyCleared) else event.event_name())


async def _on_closes(conn: Connection, told: Sequence[Received]) -> None:
    closes: Iterable[PeriodClosed] = newest_of(told)
    await recovering.keep_closes(conn, [_close(event) for event in closes])


def _close(event: PeriodClosed) -> ToldClose:
    return ToldClose(
        employer_id=event.employer_id,
        levy_period=event.levy_period,
        version=event.version,
        close=Close(
            event.cells, event.states, event.sums_fen, event.closed_by, event.exceptions_reason
        ),
        closed_at=_moment(event.closed_at),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
