"""A service of its own for tests of the plumbing: it writes down each salary that it is told of, in
the database of ticket-svc, and tells a payslip for it.

Run it as `python -m tests.support.recording_service serve`, as every service is run.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import Field
from sqlalchemy import text

from shared import outbox
from shared.consumer import Handler
from shared.contracts import PAYROLL, Event, PayslipIssued, SalaryComputed
from shared.db import Connection
from shared.logs import get_logger
from shared.serve import Parts, Service, ServiceSettings, Wiring, command
from tests.support.telling import EFFECTS, WRITE, HandlerRefuses

NAME = "ticket-svc"
TABLES = (
    EFFECTS
    + """
CREATE TABLE refused (employee_id text PRIMARY KEY);
GRANT SELECT ON refused TO {package}_worker;
"""
)
"""`effects` has what was handled; employees in `refused` are refused."""

_REFUSED = text("SELECT employee_id FROM refused")
_log = get_logger(__name__)


class Settings(ServiceSettings):
    """`pause_seconds` is how long each event takes."""

    pause_seconds: float = Field(default=0, ge=0)


def on_salaries(settings: Settings) -> Handler:
    async def handle(conn: Connection, events: Sequence[SalaryComputed]) -> None:
        _log.info("batch_begun", employees=[event.employee_id for event in events])
        refused = set((await conn.execute(_REFUSED)).scalars())
        for event in events:
            if event.employee_id in refused:
                raise HandlerRefuses(event.employee_id)
            row = {"e": event.employee_id, "p": event.levy_period, "v": event.version}
            await conn.execute(WRITE, row)
            await asyncio.sleep(settings.pause_seconds)
        payslips = [payslip(event) for event in events]
        await outbox.add(conn, payslips, datetime(2024, 9, 30, tzinfo=UTC))

    return handle


def payslip(event: SalaryComputed) -> PayslipIssued:
    return PayslipIssued(
        version=event.version,
        employee_id=event.employee_id,
        employer_id=event.employer_id,
        levy_period=event.levy_period,
        run_id=event.run_id,
        payday="2024-09-30",
        gross_fen=event.gross_fen,
        tax_fen=0,
        net_fen=event.gross_fen,
        withheld=(),
    )


def build(parts: Parts[Settings]) -> Wiring:
    handlers: dict[type[Event], Handler] = {SalaryComputed: on_salaries(parts.settings)}
    return Wiring(routers=[], topics=(PAYROLL,), handlers=handlers)


SERVICE = Service(
    name=NAME,
    package="ticket_svc",
    description="Writes down what it is told, for tests.",
    settings=Settings,
    build=build,
)
main = command(SERVICE)

if __name__ == "__main__":
    main()
