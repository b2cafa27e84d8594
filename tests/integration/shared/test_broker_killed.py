"""A broker that is killed and comes back: what was told while it was away is handled once and in
order, by a new client where the old one stays silent.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from prometheus_client import REGISTRY

from deploy.embedded.kafka import Kafka
from deploy.embedded.layout import free_ports
from shared import outbox
from shared.consumer import Consumer, Handlers
from shared.contracts import PAYROLL, SalaryComputed
from shared.db import Engine, connect, transaction
from shared.outbox import Relay
from tests.support.eventually import eventually
from tests.support.kafka_topics import Topics
from tests.support.service_databases import ServiceDatabase
from tests.support.telling import EFFECTS, Recorder, effects, salary

AT = datetime(2024, 9, 30, 1, 0, tzinfo=UTC)
GROUP = "ticket-svc"
TIMES = 3
"""Once may be luck: of three clients, one or none stays silent afterwards."""


@pytest.fixture
async def kafka(tmp_path: Path) -> AsyncIterator[Kafka]:
    """A broker of our own, whatever the other tests use: it is killed here."""
    port, controller = free_ports(2)
    broker = Kafka(tmp_path / "kafka", tmp_path / "run", port, controller)
    await broker.start()
    await Topics(broker.bootstrap).real(PAYROLL, f"{PAYROLL}.{GROUP}.dlq")
    yield broker
    await broker.stop()


@pytest.fixture
async def engine(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> AsyncIterator[Engine]:
    database = await service_database("ticket_svc")
    superuser = await asyncpg.connect(database.superuser_url)
    await superuser.execute(EFFECTS.format(package="ticket_svc"))
    await superuser.close()
    engine = connect(database.worker_url, "test", 5)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def running(engine: Engine, kafka: Kafka) -> AsyncIterator[Consumer]:
    """A relay and a consumer, as in every service."""
    stop = asyncio.Event()
    handlers: Handlers = {SalaryComputed: Recorder().on_salaries}
    reader = Consumer(engine, kafka.bootstrap, GROUP, [PAYROLL], handlers)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Relay(engine, kafka.bootstrap, f"/{GROUP}").run(stop))
        tasks.create_task(reader.run(stop))
        try:
            yield reader
        finally:
            stop.set()


async def tell(engine: Engine, versions: range) -> None:
    async with transaction(engine) as conn:
        await outbox.add(conn, [salary("xiaowang", version) for version in versions], AT)


async def versions_handled(engine: Engine) -> list[int]:
    async with transaction(engine) as conn:
        return [version for _, _, version in await effects(conn)]


def replaced_by_metric() -> float:
    name = "daozhang_consumer_clients_replaced_total"
    return REGISTRY.get_sample_value(name, {"group": GROUP}) or 0.0


async def test_after_each_kill_of_the_broker_what_was_told_meanwhile_is_handled(
    engine: Engine, kafka: Kafka
) -> None:
    async with running(engine, kafka):
        await tell(engine, range(1, 51))
        await eventually(partial(_have_been_handled, engine, 50), within=60)
        for told in range(50, 50 * (TIMES + 1), 50):
            await _kill(kafka, partial(tell, engine, range(told + 1, told + 51)))
            await eventually(partial(_have_been_handled, engine, told + 50), within=90)
    assert await versions_handled(engine) == list(range(1, 50 * (TIMES + 1) + 1))


async def test_a_client_that_stays_silent_after_the_broker_came_back_is_replaced(
    engine: Engine, kafka: Kafka
) -> None:
    """Nothing comes through its connections any more, and nothing says so; the broker is well."""
    metric_before = replaced_by_metric()
    async with running(engine, kafka) as reader:
        await tell(engine, range(1, 51))
        await eventually(partial(_have_been_handled, engine, 50), within=60)
        await _kill(kafka, nothing)
        await tell(engine, range(51, 101))
        await eventually(partial(_have_been_handled, engine, 100), within=90)
        replaced_before = reader.replaced
        assert reader._client is not None
        for connection in reader._client._client._conns.values():
            connection._writer.transport.pause_reading()
        await tell(engine, range(101, 151))
        await eventually(partial(_have_been_handled, engine, 150), within=90)
        replaced = reader.replaced
    assert await versions_handled(engine) == list(range(1, 151))
    assert replaced == replaced_before + 1, "by a new client, and by one only"
    assert replaced_by_metric() - metric_before == replaced


async def nothing() -> None:
    """Nobody tells anything while the broker is away."""


async def _kill(kafka: Kafka, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """kill -9, and back on the same data and address."""
    assert kafka.process is not None
    kafka.process.popen.kill()
    await meanwhile()
    await kafka.stop()
    await kafka.start()


async def _have_been_handled(engine: Engine, count: int) -> bool:
    return len(await versions_handled(engine)) >= count
