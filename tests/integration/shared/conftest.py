"""The fixture of the plumbing's tests: a consumer over a broker and a database of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from shared.contracts import CONTRIBUTION, PAYROLL
from shared.db import connect
from tests.support.kafka_topics import Topics
from tests.support.plumbing import Plumbing
from tests.support.servers import Servers
from tests.support.service_databases import ServiceDatabase
from tests.support.telling import EFFECTS

GROUP = "reconciliation-svc"
"""A group that has dead-letter topics of both: the copies of what these tests park go there."""


@pytest.fixture(scope="session")
async def poisoned_topics() -> AsyncIterator[Topics]:
    """Topics of a broker of their own: thousands of records and much poison are left on them, which
    would halt the services of other tests.
    """
    async with AsyncExitStack() as until_end:
        topics = Topics(await Servers(until_end).kafka_bootstrap())
        letters = (f"{name}.{GROUP}.dlq" for name in (PAYROLL, CONTRIBUTION))
        await topics.real(PAYROLL, CONTRIBUTION, *letters)
        yield topics


@pytest.fixture
async def plumbing(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    poisoned_topics: Topics,
) -> AsyncIterator[Plumbing]:
    database = await service_database("ticket_svc")
    superuser = await asyncpg.connect(database.superuser_url)
    await superuser.execute(EFFECTS.format(package="ticket_svc"))
    await superuser.close()
    await poisoned_topics.pass_over(GROUP, PAYROLL, CONTRIBUTION)
    engine = connect(database.worker_url, "test", 8)
    yield Plumbing(engine, poisoned_topics.bootstrap, GROUP)
    await engine.dispose()


@pytest.fixture
def person(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The topic outlives a test: each test has people of its own."""
    return lambda name: f"{request.node.name}-{name}"
