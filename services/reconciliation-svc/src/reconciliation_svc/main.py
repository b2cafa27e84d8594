"""Wiring of reconciliation-svc: settings to doors, and the only place that builds things."""

from collections.abc import Sequence
from datetime import datetime

from reconciliation_svc import api, consumers, jobs
from reconciliation_svc.settings import Settings
from reconciliation_svc.usecases import recovering
from reconciliation_svc.usecases.calendar import china_calendar
from shared.clock import WorkCalendar
from shared.contracts import RECONCILIATION
from shared.db import Connection
from shared.serve import Parts, Recovery, Service, Wiring, command


def build(parts: Parts[Settings]) -> Wiring:
    """The version of each side is the fence: no inbox is kept."""
    calendar = china_calendar(WorkCalendar())

    async def settle(conn: Connection, now: datetime) -> Sequence[str]:
        await recovering.judge_all(conn, calendar, now)
        return ()

    return Wiring(
        routers=[api.routes(parts.api, parts.worker, parts.clock)],
        topics=consumers.TOPICS,
        handlers=consumers.handlers(parts.clock, calendar),
        jobs=jobs.jobs(parts.worker, calendar, consumers.SIDE_OF),
        versioned=True,
        recovery=Recovery(
            topics=(RECONCILIATION,),
            own=consumers.own.keepers(),
            handlers=consumers.handlers(parts.clock, calendar, judges=False),
            settle=settle,
        ),
    )


SERVICE = Service(
    name="reconciliation-svc",
    package="reconciliation_svc",
    description="The cells of every employee and month, their sides and their outcome.",
    settings=Settings,
    build=build,
)
main = command(SERVICE)
