"""The checker on the finished October: no false alarm, and every law has been seen to be broken.

Each violation is planted by SQL on the real stores, in a transaction that the checker reads in and
that is then rolled back; what is planted in a topic alters what was read from it.
"""

import asyncio
import os
import sys
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from deploy.embedded.stack import Stack
from tests.support.invariants import RULES, check, violations_of
from tests.support.invariants.collect import (
    APPLICATION,
    SERVER,
    Canaries,
    collect,
    collect_store,
    connect,
)
from tests.support.invariants.collect.sessions import read_sessions
from tests.support.invariants.facts import Facts, Given, Session
from tests.support.planting import STORE_PLANTS, STRANGER, TOPIC_PLANTS, Plant, TopicPlant

SCANNED = frozenset({"another_employer_named", "identity_number_in_store", "name_in_store"})
"""Laws for which every row of a store is read as text."""
SESSION_LAWS = frozenset({"idle_in_transaction", "stray_advisory_lock", "too_many_connections"})
"""Laws about the server's sessions, which tests of their own break."""


@pytest.fixture(scope="session")
async def facts(installation: Stack, report: dict[str, Any]) -> Facts:
    """The finished case as it was read once."""
    assert report["cells"]["K"] == 300
    return await collect(installation)


def names_of(facts: Facts) -> set[str]:
    return {violation.name for violation in violations_of(facts)}


async def test_the_finished_case_breaks_no_law(facts: Facts) -> None:
    assert [str(one) for one in violations_of(facts)] == []


@pytest.mark.parametrize("plant", STORE_PLANTS, ids=lambda plant: plant.words)
async def test_what_is_planted_in_a_store_is_reported_by_its_name(
    installation: Stack, facts: Facts, plant: Plant
) -> None:
    rows = await _planted(installation, facts, plant)
    assert plant.law in names_of(facts.with_source(plant.database, rows))


async def _planted(installation: Stack, facts: Facts, plant: Plant) -> Any:
    canaries = Canaries.of(facts.sources.values(), ["王晓"])
    canaries = replace(canaries, titles={**canaries.titles, STRANGER: "another employer"})
    connection = await connect(installation, plant.database)
    planting = connection.transaction()
    await planting.start()
    try:
        for statement in plant.sql:
            status = await connection.execute(statement)
            assert not status.endswith(" 0"), f"nothing was planted by {statement}"
        return await collect_store(
            connection, plant.database, canaries if plant.law in SCANNED else None
        )
    finally:
        await planting.rollback()
        await connection.close()


@pytest.mark.parametrize("plant", TOPIC_PLANTS, ids=lambda plant: plant.words)
async def test_what_is_planted_in_a_topic_is_reported_by_its_name(
    facts: Facts, plant: TopicPlant
) -> None:
    assert plant.law in names_of(plant.planted(facts))


async def test_a_transaction_left_open_is_reported(installation: Stack, facts: Facts) -> None:
    left = await _stranger(installation)
    try:
        await left.execute("BEGIN")
        await left.execute("SELECT 1")
        found = await _sessions(installation, facts)
    finally:
        await left.close()
    [open_one] = [one for one in found.of(Session) if one.application == "left open"]
    assert open_one.state == "idle in transaction"
    assert "idle_in_transaction" in names_of(replace(found, given=Given(idle_seconds=0)))


async def test_an_advisory_lock_left_behind_is_reported(installation: Stack, facts: Facts) -> None:
    left = await _stranger(installation)
    try:
        await left.execute("SELECT pg_advisory_lock(20241017)")
        found = await _sessions(installation, facts)
    finally:
        await left.close()
    assert "stray_advisory_lock" in names_of(found)


async def test_connections_that_leak_are_reported(installation: Stack, facts: Facts) -> None:
    leaked = await asyncio.gather(*(_stranger(installation) for _ in range(23)))
    try:
        found = await _sessions(installation, facts)
    finally:
        await asyncio.gather(*(one.close() for one in leaked))
    assert "too_many_connections" in names_of(found)


async def _stranger(installation: Stack) -> asyncpg.Connection:
    url = installation.postgres_url.rsplit("/", 1)[0] + "/notify_svc"
    return await asyncpg.connect(url, server_settings={"application_name": "left open"})


async def _sessions(installation: Stack, facts: Facts) -> Facts:
    rows = await read_sessions(installation.postgres_url, APPLICATION)
    return facts.with_source(SERVER, rows)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 0, "0 violations"),
        (["--parked", "ticket-svc/payroll.events/k"], 1, "I9 planted_key_not_parked: ticket-svc"),
    ],
    ids=["all laws hold", "a key that should be parked is not"],
)
async def test_the_command_says_what_is_broken(
    installation: Stack, facts: Facts, arguments: list[str], code: int, said: str
) -> None:
    assert facts.now
    where = {
        "POSTGRES_URL": installation.postgres_url,
        "KAFKA_BOOTSTRAP": installation.kafka_bootstrap,
    }
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.invariants", *arguments),
        env={**os.environ, **where},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await command.communicate()
    assert (command.returncode, said in output.decode()) == (code, True), output.decode()


def test_every_law_has_been_broken() -> None:
    planted = {plant.law for plant in STORE_PLANTS} | {plant.law for plant in TOPIC_PLANTS}
    assert planted | SESSION_LAWS == {rule.name for rule in RULES}
    assert len(STORE_PLANTS) + len(TOPIC_PLANTS) >= 20


async def test_nothing_that_was_planted_has_stayed(installation: Stack, facts: Facts) -> None:
    assert facts.now
    assert [str(one) for one in await check(installation)] == []
