"""A restored store takes back what was told of it, and judges once when it has caught up."""

from collections.abc import Sequence
from datetime import datetime

from reconciliation_svc.domain.anomalies import Anomaly
from reconciliation_svc.domain.windows import Calendar
from reconciliation_svc.store import anomalies, months, periods, references
from reconciliation_svc.store.months import ToldMonth
from reconciliation_svc.store.periods import ToldClose
from reconciliation_svc.usecases import judging, rosters
from shared.db import Connection

_PEOPLE_AT_ONCE = 500
_MONTHS_AT_ONCE = 2_000


async def keep_months(conn: Connection, told: Sequence[ToldMonth]) -> None:
    """Months have the verdicts and the version that readers know."""
    await months.keep_told(conn, told)


async def keep_anomalies(conn: Connection, told: Sequence[Anomaly]) -> None:
    """Anomalies are as readers know them: neither raised nor cleared a second time."""
    await anomalies.keep_told(conn, told)


async def keep_closes(conn: Connection, told: Sequence[ToldClose]) -> None:
    """Closes of periods, as they were told."""
    await periods.keep_told(conn, told)


async def judge_all(conn: Connection, calendar: Calendar, now: datetime) -> None:
    """Passes changed references on, opens rosters, and judges every month: all sides are there."""
    await rosters.pass_on_references(conn, now)
    while await references.take_roster_requests(conn, now, _PEOPLE_AT_ONCE):
        continue
    while True:
        arrivals, looked = await rosters.roster_sides(conn, now, _PEOPLE_AT_ONCE)
        if not looked:
            break
        await judging.merge(conn, arrivals, now)
    await months.mark_all(conn, now)
    while await judging.sweep(conn, calendar, now, _MONTHS_AT_ONCE):
        continue
