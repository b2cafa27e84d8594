"""Clock door: opening of levy periods, the sweep of windows, anomalies to tell, changed references
to pass on.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from reconciliation_svc.domain.windows import Calendar
from reconciliation_svc.store import anomalies as anomaly_store
from reconciliation_svc.store import look_ups as look_up_store
from reconciliation_svc.store import months, parked_sides, references
from reconciliation_svc.usecases import judging, look_ups, parked, rosters
from reconciliation_svc.usecases.anomalies import tell_anomalies
from shared.db import Connection, Engine, transaction
from shared.serve import Job

MONTHS_PER_SWEEP = 2_000
"""One transaction judges so many months in about a second; other replicas take the others
meanwhile.
"""
EMPLOYEES_PER_OPENING = 500
"""Each may bring all its months since the cut-over."""
ANOMALIES_PER_TELLING = 500
_AT_ONCE = datetime.min.replace(tzinfo=UTC)
"""Due whatever the business time is."""


def jobs(engine: Engine, calendar: Calendar, side_of: Mapping[str, str]) -> list[Job]:
    """What time brings. Every batch is one transaction, shared by replicas with SKIP LOCKED.

    `side_of` maps event types to the side of a month that they tell.
    """

    def batch(
        work: Callable[[Connection, datetime], Awaitable[int]],
    ) -> Callable[[datetime], Awaitable[int]]:
        async def run(now: datetime) -> int:
            async with transaction(engine) as conn:
                return await work(conn, now)

        return run

    async def open_rosters(conn: Connection, now: datetime) -> int:
        return await rosters.open_rosters(conn, calendar, now, EMPLOYEES_PER_OPENING)

    async def take_requests(conn: Connection, now: datetime) -> int:
        return await references.take_roster_requests(conn, now, EMPLOYEES_PER_OPENING)

    async def sweep(conn: Connection, now: datetime) -> int:
        return await judging.sweep(conn, calendar, now, MONTHS_PER_SWEEP)

    async def heed_parked(conn: Connection, now: datetime) -> int:
        return await parked.heed_parked(conn, side_of, now)

    async def tell(conn: Connection, now: datetime) -> int:
        return await tell_anomalies(conn, now, ANOMALIES_PER_TELLING)

    return [
        Job("pass-on-references", references.marked_at, batch(rosters.pass_on_references)),
        Job("take-roster-requests", references.requests_due, batch(take_requests)),
        Job("open-rosters", references.roster_due, batch(open_rosters)),
        Job("heed-parked", _parked_due(side_of), batch(heed_parked)),
        Job("sweep", months.due, batch(sweep)),
        Job("see-about-look-ups", look_up_store.due, batch(look_ups.see_about)),
        Job("tell-anomalies", anomaly_store.untold_due, batch(tell)),
    ]


def _parked_due(side_of: Mapping[str, str]) -> Callable[[Connection], Awaitable[datetime | None]]:
    async def due(conn: Connection) -> datetime | None:
        return _AT_ONCE if await parked_sides.are_stale(conn, side_of) else None

    return due
