"""The servers of a whole test session: addresses given, else Docker, else embedded."""

import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from deploy.embedded.kafka import Kafka
from deploy.embedded.layout import free_ports
from deploy.embedded.postgres import Postgres
from tests.support import docker_engine

UNSYNCED = {"fsync": "off", "full_page_writes": "off"}
"""For the session's server, whose data end with it: waiting for the disk proves nothing there, and
is most of what hundreds of small databases cost. What is killed has a server of its own, synced.
"""


class Servers:
    """Starts each server at the first demand for it, so that unit tests start none."""

    def __init__(self, until_end: AsyncExitStack) -> None:
        self._until_end = until_end
        self._postgres_url = os.environ.get("POSTGRES_URL", "")
        self._kafka_bootstrap = os.environ.get("KAFKA_BOOTSTRAP", "")

    async def postgres_url(self) -> str:
        """The superuser's address, `postgresql://…`."""
        if not self._postgres_url:
            start = _contained_postgres if docker_engine.has_images() else _embedded_postgres
            self._postgres_url = await self._until_end.enter_async_context(start())
        return self._postgres_url

    async def kafka_bootstrap(self) -> str:
        """`host:port` of a broker without topics of ours."""
        if not self._kafka_bootstrap:
            start = _contained_kafka if docker_engine.has_images() else _embedded_kafka
            self._kafka_bootstrap = await self._until_end.enter_async_context(start())
        return self._kafka_bootstrap


def _contained_postgres() -> AbstractAsyncContextManager[str]:
    from tests.support import containers  # slow to import, and of no use without an engine

    return containers.postgres()


def _contained_kafka() -> AbstractAsyncContextManager[str]:
    from tests.support import containers

    return containers.kafka()


@asynccontextmanager
async def _embedded_postgres() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="daozhang-tests-") as folder:
        home = Path(folder)
        [port] = free_ports(1)
        password = secrets.token_urlsafe(16)
        server = Postgres(home / "postgres", home / "run", port, password, UNSYNCED)
        await server.start()
        try:
            yield server.url
        finally:
            await server.stop()


@asynccontextmanager
async def _embedded_kafka() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="daozhang-tests-") as folder:
        home = Path(folder)
        port, controller = free_ports(2)
        server = Kafka(home / "kafka", home / "run", port, controller)
        await server.start()
        try:
            yield server.bootstrap
        finally:
            await server.stop()
