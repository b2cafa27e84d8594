"""Wiring of payroll-svc: settings to doors; the only place that builds things."""

from functools import cache

from payroll_svc import api, consumers
from payroll_svc.settings import PayrollSettings
from shared.clock import WorkCalendar
from shared.contracts import CONTRIBUTION
from shared.sealed import Sealer
from shared.serve import Parts, Service, Wiring, command


def build(parts: Parts[PayrollSettings]) -> Wiring:
    """The doors of one process."""

    @cache
    def sealer() -> Sealer:
        return Sealer.from_file(parts.settings.root_key_file)

    return Wiring(
        routers=[
            api.employers.routes(parts.api, parts.clock),
            api.employees.routes(parts.api),
            api.imports.routes(parts.api, parts.clock, sealer),
            api.payroll_runs.routes(parts.api, parts.clock, WorkCalendar()),
            api.payslips.routes(parts.api),
        ],
        topics=[CONTRIBUTION],
        handlers=consumers.handlers(),
    )


SERVICE = Service(
    name="payroll-svc",
    package="payroll_svc",
    description="Employers, employees, pay items, payroll runs and payslips 薪资服务.",
    settings=PayrollSettings,
    build=build,
)

main = command(SERVICE)
