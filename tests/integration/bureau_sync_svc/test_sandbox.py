"""The sandbox's own collector and authority: the wire is as both sides read it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from shared.contracts import AssessedLine, Event
from shared.values import Insurance
from tests.integration.bureau_sync_svc.conftest import running, settings_of
from tests.integration.bureau_sync_svc.world import (
    AUTHORITY,
    COLLECTOR,
    World,
    approved,
    assessed,
    china,
    policy,
    posted,
)
from tests.support import parties
from tests.support.issuer import Issuer
from tests.support.kafka_topics import Topics
from tests.support.service_databases import ServiceDatabase

replace = msgspec.structs.replace


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


def supplemented() -> list[Event]:
    """A difference of October, declared by a supplementary declaration in November."""
    regular = assessed("e1").lines[0]
    difference = AssessedLine(
        insurance=Insurance.MEDICAL,
        state="due",
        authority=AUTHORITY,
        kind="difference",
        base_fen=4_300,
        employer_fen=344,
        employee_fen=86,
        declaration_id="supplement-1",
        declared_version=2,
    )
    lines = (replace(regular, declared_version=1), difference)
    approval = replace(
        approved("e1", assessed_at=2),
        declaration_id="supplement-1",
        sums_fen={"medical": (344, 86)},
        total_fen=430,
        debit_on="2024-11-11",
        number=1,
    )
    return [replace(assessed("e1", version=2), lines=lines), approval]


async def test_a_supplementary_declaration_is_filed_and_adds_up_with_the_regular_one(
    played: Played,
) -> None:
    world = played.world
    await world.approve("e1")
    await played.at("2024-10-08 09:00")
    await played.at("2024-10-08 11:15")
    await world.hear(posted("e1"))
    await played.at("2024-10-10 18:00")
    await played.at("2024-10-15 08:00")
    assert (await world.row()).stage == "recorded"
    looked_up = "SELECT next_at FROM look_ups"
    assert [row.next_at for row in await world.query(looked_up)] == [None]

    await world.hear(*supplemented())
    await played.at("2024-11-08 09:00")
    await played.at("2024-11-08 11:15")
    row = await world.row()
    assert (row.stage, row.verified_employer_fen, row.filed_employee_fen) == (
        "recorded",
        76_344,
        19_086,
    )
    filed = await world.query("SELECT kind, employer_fen FROM submission_lines ORDER BY serial")
    assert ("difference", 344) in [(line.kind, line.employer_fen) for line in filed]
    await played.at("2024-11-09 08:00")
    assert [one.next_at is None for one in await world.query(looked_up)] == [False]

    first = posted("e1").lines[0]
    paid = replace(
        first,
        employer_fen=344,
        employee_fen=86,
        debited_on="2024-11-11",
        record_by="2024-11-18",
        kind="difference",
        declaration_id="supplement-1",
    )
    await world.hear(replace(posted("e1"), version=2, lines=(first, paid)))
    await played.at("2024-11-11 18:00")
    await played.at("2024-11-15 08:00")
    row = await world.row()
    assert (row.record_base_fen, row.record_employer_fen, row.record_employee_fen) == (
        950_000,
        76_344,
        19_086,
    )
    assert row.records == 1
    assert [one.next_at for one in await world.query(looked_up)] == [None]
    states = await world.query("SELECT DISTINCT state FROM submissions")
    assert [one.state for one in states] == ["verified"]


async def test_a_store_that_only_knows_the_newest_files_both_declarations(played: Played) -> None:
    """As after a replay: the regular lines name the version under which they were declared."""
    world = played.world
    await world.hear(policy(), world.sealed("e1"))
    await world.hear(approved("e1"), *supplemented())
    await played.at("2024-11-08 09:00")
    serials = await world.query("SELECT state FROM submissions WHERE kind = 'filing'")
    assert [one.state for one in serials] == ["taken", "taken"]
