"""Kafka without its data, and one database from a backup: all stores end as they were.

A finished October case, stopped and copied; each test harms a copy. Differences are allowed by name
alone: what is done again (and when), and what `recover` says is lost.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from deploy.databases import SERVICES
from deploy.embedded.demo import addresses_of
from deploy.embedded.journal import nowhere
from deploy.embedded.stack import Stack, stack
from sandbox.case.conductor import Conductor
from shared.consumer import read_whole
from tests.support.backups import back_up, drop, restore
from tests.support.installed_commands import command
from tests.support.invariants import check
from tests.support.stores import LeftOut, Store, differences, dump_all, newest_told, without
from tests.support.watched_october import play_watched

NAMES = [package.replace("_", "-") for package in SERVICES]
MOMENTS = {
    datetime.fromisoformat("2024-09-27T10:00:00+08:00"): "before the salaries",
    datetime.fromisoformat("2024-10-08T10:00:00+08:00"): "before the approval",
    datetime.fromisoformat("2024-10-11T09:00:00+08:00"): "on the 11th",
    datetime.fromisoformat("2024-10-17T12:00:00+08:00"): "on the 17th",
    datetime.fromisoformat("2024-10-28T20:15:00+08:00"): "before the feedback",
}
NEXT_DAY = datetime.fromisoformat("2024-11-05T12:00:00+08:00")

LOOKED_UP: LeftOut = {
    ("bureau_sync_svc", "look_ups"): frozenset({"looked_up_at", "next_at", "exchanges"}),
}
DONE_AGAIN: LeftOut = {
    # When the store last judged, assessed, listed, looked or took in: it did so again.
    ("reconciliation_svc", "months"): frozenset({"judged_at"}),
    ("contribution_svc", "assessments"): frozenset({"assessed_at"}),
    ("contribution_svc", "bank_accounts"): frozenset({"list_at", "listed_through"}),
    ("contribution_svc", "declarations"): frozenset({"opened_at", "risk_at"}),
    ("contribution_svc", "statement_files"): frozenset({"received_at"}),
    ("contribution_svc", "statements"): frozenset({"imported_at"}),
    ("contribution_svc", "wages"): frozenset({"heard_at"}),
    # Counted by the next look-up, at 08:00: compared on the next day.
    ("bureau_sync_svc", "look_ups"): frozenset(
        {"looked_up_at", "next_at", "exchanges", "lines", "recorded"}
    ),
    # Of a city that nobody plays the authorities are asked in vain, how often and until when again.
    ("bureau_sync_svc", "parties"): frozenset({"notices_at", "exchanges", "failures", "retry_at"}),
    ("bureau_sync_svc", "submissions"): frozenset({"since", "exchanges"}),
    ("bureau_sync_svc", "account_months"): frozenset({"ask_first"}),
    # The facts behind the rows that were told; the rows themselves are compared.
    ("bureau_sync_svc", "bureau_months"): frozenset({"lines"}),
}
RECKONED = frozenset(
    {
        "items",
        "tax",
        "income_fen",
        "employer_fen",
        "agreed_wage_fen",
        "department_id",
        "person_version",
        "warnings",
    }
)
"""How pay was reckoned: what it came to is told."""

LOST: LeftOut = {
    ("payroll_svc", "payroll_runs"): frozenset(
        {"checked_at", "checked_by", "approved_at", "approved_by"}
    ),
    ("payroll_svc", "run_members"): frozenset({*RECKONED, "assessment_version"}),
    ("payroll_svc", "payslips"): RECKONED,
    # A webhook's body; the statement that it named is listed and fetched again.
    ("contribution_svc", "bank_webhooks"): frozenset(),
    ("bureau_sync_svc", "exchanges"): frozenset(),
    ("ticket_svc", "messages"): frozenset(),
    ("ticket_svc", "changes"): frozenset({"by"}),
    ("ticket_svc", "feedbacks"): frozenset({"feedback_id", "kind", "insurances"}),
    ("notify_svc", "tries"): frozenset(),
    ("notify_svc", "notifications"): frozenset({"tries"}),
    # A risk that is over is heard again, waits again, and is passed over again in silence; when all
    # others were told is compared by their messages.
    ("notify_svc", "mentions"): frozenset({"due_at", "told_at"}),
}
"""What `recover` says is lost, in the words of the tables."""


@dataclass
class Played:
    """The case after its end: its data (stopped), its backups, and its stores as they were."""

    home: Path
    stores: dict[str, Store] = field(default_factory=dict)

    def backup(self, moment: str, package: str) -> Path:
        return self.home / "backups" / moment.replace(" ", "-") / f"{package}.dump"


@pytest.fixture(scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Played once; at each of MOMENTS every database is backed up while its service runs."""
    found = Played(tmp_path_factory.mktemp("rebuild"))
    async with stack(found.home / "data", log=nowhere) as running:

        async def look_on(at: datetime) -> None:
            if at in MOMENTS:
                for package in SERVICES:
                    file = found.backup(MOMENTS[at], package)
                    await back_up(running.postgres_url, package, file)

        failed = await play_watched(addresses_of(running), look_on)
        assert failed == []
        found.stores = await dump_all(running.postgres_url)
    return found


@dataclass
class Harmed:
    """A running copy of the case."""

    running: Stack
    conductor: Conductor

    async def stores(self) -> dict[str, Store]:
        """As they are when all have come to rest."""
        await self.conductor.rest()
        return await dump_all(self.running.postgres_url)

    async def restored(self, played: Played, service: str, moment: str) -> str:
        """The service's database as it was then, brought back to now; what the command says."""
        package = service.replace("-", "_")
        await self.running.hold(service)
        await restore(self.running.postgres_url, package, played.backup(moment, package))
        await command(self.running, service, "migrate")
        said = await command(self.running, service, "recover")
        await self.running.restart(service)
        return said


@asynccontextmanager
async def harmed(played: Played, copy: Path, *, kafka_lost: bool = False) -> AsyncIterator[Harmed]:
    """A copy of the played installation, started; without Kafka's data folder if so ordered."""
    # Owners of files must stay: PostgreSQL's are not ours where we are root.
    copying = await asyncio.create_subprocess_exec("cp", "-a", played.home / "data", copy)
    assert await copying.wait() == 0
    if kafka_lost:
        await asyncio.to_thread(shutil.rmtree, copy / "kafka")
    async with stack(copy, log=nowhere) as running, httpx.AsyncClient(timeout=30) as client:
        yield Harmed(running, Conductor(addresses_of(running), client))


async def nothing_more_is_said(here: Harmed, before: dict[str, Store]) -> None:
    """A day later nobody has told anything, and no party was sent anything as new."""
    await here.conductor.to(NEXT_DAY)
    assert [str(broken) for broken in await check(here.running)] == []
    after = await here.stores()
    was, now = without(before, LOOKED_UP), without(after, LOOKED_UP)
    assert now["bureau_sync_svc"]["look_ups"] == was["bureau_sync_svc"]["look_ups"]
    for package in SERVICES:
        assert after[package]["outbox"] == before[package]["outbox"], package
        assert not after[package]["parked"], package
    for journal in ("declarations", "details", "instructions", "bank_entries", "records", "mails"):
        assert after["sandbox"][journal] == before["sandbox"][journal], journal


@pytest.mark.long
async def test_kafka_without_its_data_is_filled_again_and_all_stores_stay(
    played: Played, tmp_path: Path
) -> None:
    async with harmed(played, tmp_path / "data", kafka_lost=True) as here:
        # Topics are empty: nobody may take that for silence of the others.
        assert differences(played.stores, await here.stores()) == []
        said = await asyncio.gather(*(command(here.running, name, "replay") for name in NAMES))
        assert all("events will be told again" in words for words in said)
        assert differences(played.stores, await here.stores()) == []
        await _topics_hold_the_newest_of_everything(here)
        await _a_new_subscriber_gets_everything(played, here)
        await nothing_more_is_said(here, played.stores)


async def _topics_hold_the_newest_of_everything(here: Harmed) -> None:
    topics = ("payroll", "contribution", "bureau-sync", "reconciliation", "ticket", "notify")
    names = [*(f"{name}.events" for name in topics), "payroll.identities", "contribution.policies"]
    whole = await read_whole(here.running.kafka_bootstrap, names)
    on_topics = {
        dict(record.headers)["ce_id"].decode()
        for records in whole.records.values()
        for record in records
    }
    assert on_topics == await newest_told(here.running.postgres_url)


async def _a_new_subscriber_gets_everything(played: Played, here: Harmed) -> None:
    await here.running.hold("portal-svc")
    await drop(here.running.postgres_url, "portal_svc")
    await command(here.running, "portal-svc", "migrate")
    await command(here.running, "portal-svc", "recover")
    await here.running.restart("portal-svc")
    assert differences(played.stores, await here.stores()) == []


@pytest.mark.long
async def test_a_database_from_a_backup_and_the_others_converge(
    played: Played, tmp_path: Path
) -> None:
    """The two that know most of what people were told, and the one that judges."""
    async with harmed(played, tmp_path / "data") as here:
        said = await here.restored(played, "ticket-svc", "on the 11th")
        assert "34 replies in 34 tickets are known, their words are lost" in said
        assert "1 reports of employees are known, their words are lost" in said
        said = await here.restored(played, "notify-svc", "on the 17th")
        assert "their words are in no event" not in said
        await here.restored(played, "reconciliation-svc", "on the 17th")
        assert differences(played.stores, await here.stores(), {**DONE_AGAIN, **LOST}) == []
        await nothing_more_is_said(here, played.stores)


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS.values())
async def test_each_database_from_each_backup(played: Played, tmp_path: Path, moment: str) -> None:
    """One after the other, each on what the one before has left."""
    async with harmed(played, tmp_path / "data") as here:
        for service in NAMES:
            await here.restored(played, service, moment)
            found = differences(played.stores, await here.stores(), {**DONE_AGAIN, **LOST})
            assert not found, f"{service}, {moment}: {found}"
        await nothing_more_is_said(here, played.stores)


@pytest.mark.long
async def test_all_databases_at_once_from_backups_of_different_moments(
    played: Played, tmp_path: Path
) -> None:
    """Nobody starts before all have recovered; each has what the others told on the topics."""
    async with harmed(played, tmp_path / "data") as here:
        for service, moment in zip(NAMES, [*MOMENTS.values()] * 2, strict=False):
            package = service.replace("-", "_")
            await here.running.hold(service)
            await restore(here.running.postgres_url, package, played.backup(moment, package))
            await command(here.running, service, "migrate")
        for service in NAMES:
            await command(here.running, service, "recover")
        for service in NAMES:
            await here.running.restart(service)
        assert differences(played.stores, await here.stores(), {**DONE_AGAIN, **LOST}) == []
        await nothing_more_is_said(here, played.stores)


@pytest.mark.long
async def test_it_refuses_while_the_service_runs_and_twice_is_once(
    played: Played, tmp_path: Path
) -> None:
    async with harmed(played, tmp_path / "data") as here:
        with pytest.raises(AssertionError, match="is running; stop all its processes first"):
            await command(here.running, "ticket-svc", "recover")
        await here.restored(played, "ticket-svc", "on the 17th")
        once = await here.stores()
        await here.running.hold("ticket-svc")
        said = await command(here.running, "ticket-svc", "recover")
        assert said.startswith("0 of ")
        await here.running.restart("ticket-svc")
        assert differences(once, await here.stores()) == []
