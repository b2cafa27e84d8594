"""ticket-svc, wired: tickets and incidents from anomalies and feedback, and the clocks on them."""

from datetime import date

from shared.clock import CalendarYearUnknown, WorkCalendar, china_day, china_time
from shared.contracts import BUREAU_SYNC, PAYROLL, RECONCILIATION, TICKET
from shared.serve import Parts, Recovery, Service, Wiring, command
from ticket_svc import api, consumers, jobs
from ticket_svc.domain.office import Office
from ticket_svc.settings import Settings
from ticket_svc.usecases import recovering


def office_of(settings: Settings) -> Office:
    """The office by the State Council's calendar and the hours of the settings."""
    calendar = WorkCalendar()

    def is_working_day(day: date) -> bool | None:
        try:
            return calendar.is_working_day(day)
        except CalendarYearUnknown:
            return None

    return Office(
        is_working_day=is_working_day,
        day_of=china_day,
        opens_at=lambda day: china_time(day, settings.office_opens),
        closes_at=lambda day: china_time(day, settings.office_closes),
        reply_days=settings.reply_working_days,
        resolve_days=settings.resolve_working_days,
    )


def build(parts: Parts[Settings]) -> Wiring:
    office = office_of(parts.settings)
    return Wiring(
        routers=[api.routes(parts.api, parts.worker, office, parts.clock)],
        topics=(PAYROLL, BUREAU_SYNC, RECONCILIATION),
        handlers=consumers.handlers(office, parts.clock),
        jobs=jobs.jobs(parts.worker, office),
        recovery=Recovery(
            topics=(TICKET,), own=consumers.own.keepers(office), settle=recovering.lost
        ),
    )


SERVICE = Service(
    name="ticket-svc",
    package="ticket_svc",
    description="Tickets, incidents, assignment, service levels, conversation.",
    settings=Settings,
    build=build,
)
main = command(SERVICE)
