"""A sandbox per test, on the real broker and database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.kafka_topics import Topics
from tests.support.parties import Sandbox, Start, own_database, running, settings_of


@pytest.fixture
async def start(postgres_url: str, topics: Topics, tmp_path: Path) -> AsyncIterator[Start]:
    """`await start(webhook_url=...)`: a sandbox with settings of its own."""
    async with AsyncExitStack() as until_end:

        async def begin(**more: Any) -> Sandbox:
            database_url = await until_end.enter_async_context(own_database(postgres_url))
            topic = await topics.unique("sandbox.clock", partitions=1, compacted=True)
            settings = settings_of(tmp_path, database_url, topics.bootstrap, topic, **more)
            return await until_end.enter_async_context(running(settings))

        yield begin


@pytest.fixture
async def sandbox(start: Start) -> Sandbox:
    return await start()
