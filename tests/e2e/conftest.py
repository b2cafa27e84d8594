"""A whole installation of its own: the case counts events, so nobody else's may be on the
broker.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.embedded.journal import nowhere
from deploy.embedded.stack import Stack, stack
from tests.support.servers import Servers


@pytest.fixture(scope="session")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """All services and the sandbox on fresh servers, chosen as for every other test."""
    data_dir: Path = tmp_path_factory.mktemp("installation")
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
        yield running
