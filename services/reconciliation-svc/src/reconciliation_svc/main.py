"""Wiring of reconciliation-svc: settings to doors, and the only place that builds things."""

from reconciliation_svc import api, consumers, jobs
from reconciliation_svc.settings import Settings
from reconciliation_svc.usecases.calendar import china_calendar
from shared.clock import WorkCalendar
from shared.serve import Parts, Service, Wiring, command


def build(parts: Parts[Settings]) -> Wiring:
    """The version of each side is the fence: no inbox is kept."""
    calendar = china_calendar(WorkCalendar())
    return Wiring(
        routers=[api.routes(parts.api, parts.worker, parts.clock)],
        topics=consumers.TOPICS,
        handlers=consumers.handlers(parts.clock, calendar),
        jobs=jobs.jobs(parts.worker, calendar),
        versioned=True,
    )


SERVICE = Service(
    name="reconciliation-svc",
    package="reconciliation_svc",
    description="The cells of every employee and month, their sides and their outcome.",
    settings=Settings,
    build=build,
)
main = command(SERVICE)
