"""Wiring of payroll-svc: settings to doors; the only place that builds things."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from payroll_svc import api, consumers
from payroll_svc.settings import PayrollSettings
from payroll_svc.usecases.recovering import ToldBefore, keep_told
from shared.clock import WorkCalendar
from shared.contracts import CONTRIBUTION, IDENTITIES, PAYROLL
from shared.db import Connection
from shared.sealed import Sealer
from shared.serve import Parts, Recovery, Service, Wiring, command


def build(parts: Parts[PayrollSettings]) -> Wiring:
    """The doors of one process."""

    @cache
    def sealer() -> Sealer:
        return Sealer.from_file(parts.settings.root_key_file)

    told = ToldBefore()

    async def settle(conn: Connection, _: datetime) -> Sequence[str]:
        return await keep_told(conn, sealer(), told)

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
        recovery=Recovery(
            topics=(PAYROLL, IDENTITIES), own=consumers.own.keepers(told), settle=settle
        ),
    )


SERVICE = Service(
    name="payroll-svc",
    package="payroll_svc",
    description="Employers, employees, pay items, payroll runs and payslips 薪资服务.",
    settings=PayrollSettings,
    build=build,
)

main = command(SERVICE)
