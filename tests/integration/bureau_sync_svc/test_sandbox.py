"""The sandbox's own collector and authority: the wire is as both sides read it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.bureau_sync_svc.conftest import running, settings_of
from tests.integration.bureau_sync_svc.world import (
    AUTHORITY,
    COLLECTOR,
    World,
    china,
    posted,
)
from tests.support import parties
from tests.support.issuer import Issuer
from tests.support.kafka_topics import Topics
from tests.support.service_databases import ServiceDatabase


@dataclass
class Played:
    """The service, and the sandbox that plays its parties."""

    world: World
    sandbox: parties.Sandbox

    async def at(self, text: str) -> None:
        """Business time goes to this moment in Asia/Shanghai, for both."""
        await self.sandbox.step(china(text).isoformat())
        await self.world.work(china(text))


@pytest.fixture
async def played(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    postgres_url: str,
    topics: Topics,
    tmp_path: Path,
) -> AsyncIterator[Played]:
    database = await service_database("bureau_sync_svc")
    clock_topic = await topics.unique("sandbox.clock", partitions=1)
    async with parties.own_database(postgres_url) as store:
        settings = parties.settings_of(tmp_path, store, topics.bootstrap, clock_topic)
        async with parties.running(settings) as sandbox:
            urls = {
                COLLECTOR: f"{sandbox.addresses.collector}/{COLLECTOR}",
                AUTHORITY: f"{sandbox.addresses.authorities}/{AUTHORITY}",
            }
            key_id, secret = parties.KEYS["bureau"]
            ours = settings_of(tmp_path, database, signing, urls, secret, key_id)
            async with running(ours, signing, {}) as world:
                yield Played(world, sandbox)


async def test_dropped_detail_is_absent_until_the_repair(played: Played) -> None:
    """October 2024 of one person: filed, verified, accepted and dropped, repaired in November."""
    world, sandbox = played.world, played.sandbox
    fault = await sandbox.order(AUTHORITY, "accept_and_drop")
    await world.approve("e1")
    await played.at("2024-10-08 09:00")
    assert (await world.row()).stage == "filed"
    for clock in ("09:15", "10:00", "11:15"):
        await played.at(f"2024-10-08 {clock}")
    assert (await world.row()).stage == "verified"
    await world.hear(posted("e1"))
    await played.at("2024-10-10 18:00")
    await played.at("2024-10-11 08:00")
    row = await world.row()
    assert (row.stage, row.reason) == ("absent", "受理但无记录")
    await sandbox.control.post(
        f"/faults/{fault}/repair", json={"records_on": "2024-11-02T00:30:00+08:00"}
    )
    await played.at("2024-11-02 08:00")
    row = await world.row()
    assert (row.stage, row.recorded_on, row.record_employer_fen) == (
        "recorded",
        "2024-11-02",
        76_000,
    )


async def test_timeouts_of_the_collector_leave_one_declaration(played: Played) -> None:
    world, sandbox = played.world, played.sandbox
    await sandbox.order(COLLECTOR, "timeout_after", params={"seconds": 1}, times=1)
    await world.approve("e1")
    await played.at("2024-10-08 09:00")
    assert (await world.row()).stage == "unknown"
    await played.at("2024-10-08 09:01")
    assert (await world.row()).stage == "filed"
    sent = await world.query("SELECT 1 FROM exchanges WHERE operation = 'send_filing'")
    assert len(sent) == 1
