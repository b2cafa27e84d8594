"""Wiring of payroll-svc: settings to doors; the only place that builds things."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from payroll_svc import api, consumers, jobs
from payroll_svc.commands import add_commands
from payroll_svc.policy import rules
from payroll_svc.settings import PayrollSettings
from payroll_svc.usecases.identities import Keys
from payroll_svc.usecases.recovering import ToldBefore, keep_told
from shared.clock import WorkCalendar
from shared.contracts import CONTRIBUTION, IDENTITIES, PAYROLL, RECONCILIATION
from shared.db import Connection
from shared.sealed import BlindIndex, RootKeyFile
from shared.serve import Parts, Recovery, Service, Wiring, command


def build(parts: Parts[PayrollSettings]) -> Wiring:
    """The doors of one process."""

    settings = parts.settings

    @cache
    def index() -> BlindIndex:
        return BlindIndex.from_file(settings.index_key_file)

    keys = Keys(RootKeyFile(lambda: settings.root_key_file), index)

    calendar = WorkCalendar()
    told = ToldBefore()
    known = rules()

    async def settle(conn: Connection, _: datetime) -> Sequence[str]:
        return await keep_told(conn, keys, told)

    return Wiring(
        routers=[
            api.employers.routes(parts.api, parts.clock),
            api.employees.routes(parts.api, parts.clock, keys, settings.identity_kept_months),
            api.exports.routes(parts.api, parts.clock, keys),
            api.hand_ins.routes(parts.api, parts.clock, calendar),
            api.imports.routes(parts.api, parts.clock, keys, calendar),
            api.imported_payslips.routes(parts.api),
            api.pay_items.routes(parts.api, parts.clock, known),
            api.tax.routes(parts.api, parts.clock, known, keys),
            api.payroll_runs.routes(parts.api, parts.clock, calendar, known),
            api.payslips.routes(parts.api, parts.clock, keys),
        ],
        topics=[CONTRIBUTION, RECONCILIATION],
        handlers=consumers.handlers(),
        jobs=jobs.jobs(parts.worker, calendar),
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
    commands=add_commands,
)

main = command(SERVICE)
