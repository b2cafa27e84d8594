"""The fixture of the plumbing's tests: a consumer over a real broker and a database of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts import CONTRIBUTION, PAYROLL
from shared.db import connect
from tests.support.kafka_topics import Topics
from tests.support.plumbing import Plumbing
from tests.support.service_databases import ServiceDatabase
from tests.support.telling import EFFECTS

GROUP = "reconciliation-svc"
"""A group that has dead-letter topics of both: the copies of what these tests park go there."""


async def pass_over(bootstrap: str, *names: str) -> None:
    """Puts the group behind what earlier tests left on the topics: it would count here."""
    client = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=GROUP, enable_auto_commit=False)
    await client.start()
    try:
        partitions = [TopicPartition(name, number) for name in names for number in range(6)]
        client.assign(partitions)
        await client.commit(await client.end_offsets(partitions))
    finally:
        await client.stop()


@pytest.fixture
async def plumbing(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    topics: Topics,
) -> AsyncIterator[Plumbing]:
    database = await service_database("ticket_svc")
    superuser = await asyncpg.connect(database.superuser_url)
    await superuser.execute(EFFECTS.format(package="ticket_svc"))
    await superuser.close()
    await topics.real(
        PAYROLL, CONTRIBUTION, *(f"{name}.{GROUP}.dlq" for name in (PAYROLL, CONTRIBUTION))
    )
    await pass_over(topics.bootstrap, PAYROLL, CONTRIBUTION)
    engine = connect(database.worker_url, "test", 8)
    yield Plumbing(engine, topics.bootstrap, GROUP)
    await engine.dispose()


@pytest.fixture
def person(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The topic outlives a test: each test has people of its own."""
    return lambda name: f"{request.node.name}-{name}"
