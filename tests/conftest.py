"""Fixtures for all tests: real servers, started at the first demand and shared by the session."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from tests.support.kafka_topics import Topics
from tests.support.servers import Servers
from tests.support.service_databases import ServiceDatabase, ServiceDatabases


@pytest.fixture(scope="session")
async def servers() -> AsyncIterator[Servers]:
    """The one place that decides which servers the tests use; see tests/support/servers.py."""
    async with AsyncExitStack() as until_end:
        yield Servers(until_end)


@pytest.fixture(scope="session")
async def postgres_url(servers: Servers) -> str:
    """The superuser's address, `postgresql://…`, for asyncpg."""
    return await servers.postgres_url()


@pytest.fixture(scope="session")
async def kafka_bootstrap(servers: Servers) -> str:
    """The broker's `host:port`."""
    return await servers.kafka_bootstrap()


@pytest.fixture(scope="session")
async def service_databases(postgres_url: str) -> AsyncIterator[ServiceDatabases]:
    """`async with service_databases.clone("payroll_svc") as database`, for wider scopes."""
    databases = ServiceDatabases(postgres_url)
    yield databases
    await databases.drop_templates()


@pytest.fixture
async def service_database(
    service_databases: ServiceDatabases,
) -> AsyncIterator[Callable[[str], Awaitable[ServiceDatabase]]]:
    """`await service_database("payroll_svc")`: a migrated clone that lives as long as the test."""
    async with AsyncExitStack() as until_end:

        async def clone(package: str) -> ServiceDatabase:
            return await until_end.enter_async_context(service_databases.clone(package))

        yield clone


@pytest.fixture
async def topics(kafka_bootstrap: str) -> AsyncIterator[Topics]:
    """`await topics.unique()` or `await topics.real("payroll.events")`."""
    made = Topics(kafka_bootstrap)
    yield made
    await made.delete_made()
