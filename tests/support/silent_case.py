"""October with silences: two people's events cannot be taken in, a service stands still over the
end of the window, two authorities close.
"""

import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from rich.console import Console

from deploy.embedded.demo import addresses_of
from deploy.embedded.journal import nowhere
from deploy.embedded.stack import Stack, stack
from sandbox.case.narrator import Narrator
from sandbox.case.october import (
    CONTRIBUTION,
    NOTIFY,
    PORTAL,
    RECONCILIATION,
    TICKET,
    Month,
    October,
)
from sandbox.case.people import order
from sandbox.case.roster import ROSTERS, WAGES, Case
from shared.contracts import CONTRIBUTION as CONTRIBUTION_EVENTS
from shared.contracts import PAYROLL as PAYROLL_EVENTS
from tests.support.rejecting_trigger import plant, pull
from tests.support.servers import Servers

WITHOUT_WAGES, WITHOUT_ASSESSMENT = "E0002", "E0003"
"""Of the first city, where the medical authority will drop the detail of both."""
BUREAU_SYNC = "bureau-sync-svc"


def moment(text: str) -> datetime:
    """`10-17 08:00` of 2024, in China."""
    return datetime.fromisoformat(f"2024-{text}:00+08:00")


@dataclass(frozen=True)
class Seen:
    """What people saw of one employee's month: cells by insurance, and K with its states."""

    cells: Mapping[str, Mapping[str, Any]]
    counts: Mapping[str, Any]

    def outcomes(self) -> set[str]:
        return {cell["outcome"] for cell in self.cells.values()}

    def reasons(self) -> set[str]:
        return {cell["reason"] for cell in self.cells.values()}


class SilentCase(October):
    """October's acts on a running installation, and those that silence parts of it."""

    def __init__(self, running: Stack, client: httpx.AsyncClient, narrator: Narrator) -> None:
        super().__init__(addresses_of(running), client, Case(), narrator)
        self.running = running
        self.people: dict[str, str] = {}
        # Salaries are computed on the payday itself: HR hears of the missing wages before.
        self.month = Month(
            self.month.levy_period,
            moment("09-30 09:40"),
            self.month.payday,
            self.month.approved_on,
        )

    def database(self, package: str) -> str:
        """The superuser's address of a service's database."""
        return urlsplit(self.running.postgres_url)._replace(path=f"/{package}").geturl()

    async def set_up_with_two_parked(self) -> None:
        """One person's wages cannot be taken in by contribution-svc, nor another's assessment by
        reconciliation-svc.
        """
        await self.found_employer()
        await self.take_in(*ROSTERS)
        self.people = await self.employee_ids()
        without_wages = f"NEW.employee_id = '{self.people[WITHOUT_WAGES]}'"
        await plant(self.database("contribution_svc"), "wages", without_wages)
        unassessed = f"NEW.employee_id = '{self.people[WITHOUT_ASSESSMENT]}'"
        condition = f"{unassessed} AND NEW.assessed IS NOT NULL"
        await plant(self.database("reconciliation_svc"), "months", condition)
        await self.take_in(WAGES)

    async def replay_wages(self) -> None:
        await pull(self.database("contribution_svc"), "wages")
        await self._replay(CONTRIBUTION, PAYROLL_EVENTS, WITHOUT_WAGES)

    async def replay_assessment(self) -> None:
        await pull(self.database("reconciliation_svc"), "months")
        await self._replay(RECONCILIATION, CONTRIBUTION_EVENTS, WITHOUT_ASSESSMENT)

    async def _replay(self, service: str, topic: str, employee_no: str) -> None:
        key = self.people[employee_no]
        answer = await self.operator.post(service, f"/dead-letters/{topic}/{key}/replay")
        assert answer["replayed"] > 0
        assert answer["stopped_by"] == ""
        await self.conductor.rest()

    async def seen(self, employee_no: str) -> Seen:
        cells = await self.hr.all(
            RECONCILIATION,
            "/cells",
            employer_id=self.employer_id,
            employee_id=self.people[employee_no],
            levy_period=self.month.levy_period,
        )
        counts = await self.counts(self.month.levy_period)
        return Seen({cell["insurance"]: cell for cell in cells}, counts)

    async def anomalies(self, **query: Any) -> list[Any]:
        return await self.hr.all(
            RECONCILIATION, "/anomalies", employer_id=self.employer_id, **query
        )

    async def hr_heard(self, template: str) -> list[Any]:
        return await self.hr.all(
            NOTIFY,
            "/notifications",
            employer_id=self.employer_id,
            recipient_kind="hr",
            template=template,
        )

    async def risks(self) -> dict[str, str]:
        """Whom the deadline names as missing, by employee id, with the reason."""
        path = f"/hr/months/{self.month.levy_period}/cells"
        month = await self.hr.get(PORTAL, path, employer_id=self.employer_id)
        return {one["employee_id"]: one["reason"] for r in month["risks"] for one in r["missing"]}

    async def alarms(self) -> list[Any]:
        found: list[Any] = await self.operator.get(RECONCILIATION, "/look-up-alarms")
        return found

    def stop_look_ups(self) -> None:
        """bureau-sync-svc stands still; time goes on without it."""
        self.running.kill(BUREAU_SYNC, signal.SIGSTOP)
        self.conductor.left_out.add(BUREAU_SYNC)

    async def continue_look_ups(self) -> None:
        self.running.kill(BUREAU_SYNC, signal.SIGCONT)
        self.conductor.left_out.discard(BUREAU_SYNC)
        await self.conductor.rest()

    async def close(self, party: str, since: datetime, until: datetime) -> None:
        """The authority announces that it is closed, and will be."""
        stretch = {"from": since.isoformat(), "until": until.isoformat()}
        notice = {"party": party, "kind": "closure", "text": "系统停机维护", **stretch}
        await order(self.addresses, self.client, "/notices", notice)
        fault = {"party": party, "kind": "closed", **stretch}
        await order(self.addresses, self.client, "/faults", fault)

    async def xiaowangs_month(self) -> tuple[dict[str, Any], str]:
        """His cells by insurance as the portal shows them, and its advice."""
        path = f"/me/months/{self.month.levy_period}"
        month = await self.xiaowang.get(PORTAL, path)
        return {cell["insurance"]: cell for cell in month["insurances"]}, month["advice"]

    async def missing_tickets(self) -> list[Any]:
        return [one for one in await self.tickets() if one["kind"] == "RecordMissing"]

    async def ticket(self, ticket_id: str) -> Any:
        return await self.hr.get(TICKET, f"/tickets/{ticket_id}")


@asynccontextmanager
async def installation(data_dir: Path) -> AsyncIterator[tuple[Stack, httpx.AsyncClient, Narrator]]:
    """An installation of a test's own, a client and a narrator; servers are chosen as for every
    other test.
    """
    async with AsyncExitStack() as until_end:
        servers = Servers(until_end)
        running = await until_end.enter_async_context(
            stack(
                data_dir,
                log=nowhere,
                postgres_url=await servers.postgres_url(),
                kafka_bootstrap=await servers.kafka_bootstrap(),
            )
        )
        client = await until_end.enter_async_context(httpx.AsyncClient(timeout=30))
        yield running, client, Narrator(Console(width=140))


@asynccontextmanager
async def silent_case(data_dir: Path) -> AsyncIterator[SilentCase]:
    """The case on an installation of its own, with nothing played yet."""
    async with installation(data_dir) as (running, client, narrator):
        yield SilentCase(running, client, narrator)
