"""What is asked of a whole levy period: its counts, its bridge, its close."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciliation_svc.domain.anomalies import Anomaly
from reconciliation_svc.domain.bridge import Step, Sums, steps_of, sums_of
from reconciliation_svc.domain.close import Close, close_of
from reconciliation_svc.domain.sides import CellSides
from reconciliation_svc.domain.verdict import Verdict
from reconciliation_svc.store import anomalies, months, periods
from reconciliation_svc.store.months import Counts, KeptMonth
from reconciliation_svc.usecases import told
from shared import outbox
from shared.db import Connection
from shared.logs import get_logger
from shared.values import LevyPeriod, Outcome

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bridge:
    """Fen per side and insurance, and every step between two sides with what explains it."""

    sums: Sums
    steps: list[Step]


async def count_cells(conn: Connection, employer_id: str, levy_period: LevyPeriod) -> Counts:
    """K, the states that add up to it, and the extras beside it."""
    return await months.counts(conn, employer_id, levy_period)


async def bridge(conn: Connection, employer_id: str, levy_period: LevyPeriod) -> Bridge:
    """The period's money from payslip to record. An unexplained rest is logged as an error: it must
    be 0 fen.
    """
    kept = await months.of_period(conn, employer_id, levy_period)
    cells = [pair for one in kept for pair in cells_of(one)]
    built = Bridge(sums_of(cell for cell, _ in cells), steps_of(cells))
    for step in built.steps:
        if step.unexplained_fen:
            _log.error(
                "bridge_unexplained",
                employer_id=employer_id,
                levy_period=str(levy_period),
                insurance=step.insurance,
                step=f"{step.from_side}-{step.to_side}",
                fen=step.unexplained_fen,
            )
    return built


def cells_of(kept: KeptMonth) -> list[tuple[CellSides, Verdict]]:
    """A month's cells, each with the verdict told last."""
    verdicts = {verdict.insurance: verdict for verdict in kept.verdicts}
    return [(cell, verdicts[cell.insurance]) for cell in kept.month.cells()]


async def list_months(
    conn: Connection,
    filters: Mapping[str, str],
    outcome: Outcome | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[KeptMonth]:
    """A page of months with their cells, by levy period and employee."""
    return await months.page(conn, filters, outcome, after, limit)


async def list_anomalies(
    conn: Connection,
    filters: Mapping[str, str],
    is_open: bool | None,
    after: str | None,
    limit: int,
) -> list[Anomaly]:
    """A page of told anomalies, by id."""
    return await anomalies.page(conn, filters, is_open, after, limit)


async def close_period(
    conn: Connection,
    employer_id: str,
    levy_period: LevyPeriod,
    closed_by: str,
    reason: str,
    now: datetime,
) -> Close:
    """Closes the period as it is now, and tells it. A close is a snapshot: late facts still judge
    its cells.

    PeriodHasOpenCells unless a reason is given, PeriodNotOpened without cells.
    """
    kept = await months.of_period(conn, employer_id, levy_period)
    found = [(one.month, one.verdicts) for one in kept]
    close = close_of(employer_id, levy_period, found, closed_by, reason)
    version = await periods.save_close(conn, employer_id, levy_period, close, now)
    event = told.period_closed(employer_id, levy_period, close, version, now)
    await outbox.add(conn, [event], now)
    return close
