"""A whole installation of its own: the case counts events, so nobody else's may be on the
broker.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deploy.embedded.demo import addresses_of
from deploy.embedded.journal import nowhere
from deploy.embedded.stack import Stack, stack
from sandbox.case.play import play
from tests.support.cast import Cast, cast
from tests.support.servers import Servers

ORDER = ("test_october", "test_traces", "test_checker", "test_third_scenario")
"""Who only looks comes first. The checker's plants are rolled back, and yet the log of the server
keeps what they named; the second employer of all others would stand among the case's rows.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of this folder in ORDER, and then all others."""

    def place(item: pytest.Item) -> tuple[bool, int]:
        here = item.path.parent == Path(__file__).parent
        name = item.path.stem
        return here, ORDER.index(name) if here and name in ORDER else len(ORDER)

    items.sort(key=place)


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


@pytest.fixture(scope="session")
async def report(installation: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the case wrote down, after it found that every figure was confirmed."""
    path: Path = tmp_path_factory.mktemp("case") / "report.json"
    failed = await play(addresses_of(installation), Console(width=140), path, time.monotonic())
    assert failed == []
    written: dict[str, Any] = json.loads(await asyncio.to_thread(path.read_text))
    return written


@pytest.fixture(scope="session")
async def actors(
    installation: Stack, report: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Cast]:
    """Everybody who may ask after the finished case, and a second employer beside it. Made after
    the report, whose counts are of the case alone.
    """
    assert report
    async with cast(addresses_of(installation), tmp_path_factory.mktemp("cast")) as everybody:
        yield everybody
