"""Where the path's time goes: its parts one after another in this process, each statement's time
taken at the driver.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY
from pydantic import SecretStr
from sqlalchemy import event

from bench.calculation.path import BEFORE, OPENED
from bench.calculation.roster import people, tell, wages
from bench.calculation.servers import Servers
from contribution_svc.main import build
from contribution_svc.settings import Settings
from shared import outbox
from shared.clock import FixedClock
from shared.consumer import Consumer
from shared.contracts import PAYROLL
from shared.db import Engine, connect, transaction
from shared.outbox import Relay
from shared.serve import Job, Parts, Wiring
from shared.serve.service import OBJECTS_BETWEEN_COLLECTIONS
from tests.integration.contribution_svc.month import WEBHOOK_SECRET
from tests.support.eventually import eventually
from tests.support.service_databases import ServiceDatabase, ServiceDatabases
from tests.support.service_process import NOBODY

_WITHIN_SECONDS = 900.0


@dataclass
class Clocked:
    """Seconds by part. While a part runs, its statements on the outbox are the outbox's, other
    writes the store's, and reads those of facts; what is left is the part's own.
    """

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, part: str, seconds: float) -> None:
        self.seconds[part] = self.seconds.get(part, 0.0) + seconds

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - began)

    @contextmanager
    def statements_of(self, engine: Engine, own: str) -> Iterator[None]:
        """The part `own` without its statements, which are parts of their own."""

        def before(_: Any, __: Any, ___: str, ____: Any, context: Any, _____: bool) -> None:
            context.began = time.perf_counter()

        def after(_: Any, __: Any, statement: str, ____: Any, context: Any, _____: bool) -> None:
            seconds = time.perf_counter() - context.began
            self.add(_part_of(statement), seconds)
            self.add(own, -seconds)

        event.listen(engine.sync_engine, "before_cursor_execute", before)
        event.listen(engine.sync_engine, "after_cursor_execute", after)
        with self.part(own):
            yield
        event.remove(engine.sync_engine, "before_cursor_execute", before)
        event.remove(engine.sync_engine, "after_cursor_execute", after)


def _part_of(statement: str) -> str:
    if "INTO outbox" in statement:
        return "outbox"
    return "read facts" if statement.lstrip().startswith("SELECT") else "store"


async def stages(servers: Servers, count: int, home: Path) -> list[dict[str, Any]]:
    """A row for each part of the path of `count` employees."""
    threshold = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    clocked = Clocked()
    async with ServiceDatabases(servers.postgres.url).clone("contribution_svc") as database:
        clock = FixedClock(BEFORE)
        parts = _parts(servers, database, clock, home)
        wiring = build(parts)
        await _run(servers, parts, clock, wiring, clocked, count)
        for close in (*wiring.closers, parts.api.dispose, parts.worker.dispose):
            await close()
    gc.set_threshold(*threshold)
    whole = sum(clocked.seconds.values())
    return [
        {
            "who": f"part: {name}",
            "n": count,
            "seconds": round(seconds, 3),
            "us_per_employee": round(seconds / count * 1e6, 1),
            "share": round(seconds / whole, 3),
        }
        for name, seconds in clocked.seconds.items()
    ]


def _parts(
    servers: Servers, database: ServiceDatabase, clock: FixedClock, home: Path
) -> Parts[Settings]:
    secret = home / "secret"
    secret.write_text(WEBHOOK_SECRET)
    settings = Settings(
        http_port=1,
        database_api_url=SecretStr(database.api_url),
        database_worker_url=SecretStr(database.worker_url),
        kafka_bootstrap=servers.kafka.bootstrap,
        oidc_issuer=f"http://{NOBODY}",
        bank_url=f"http://{NOBODY}",
        bank_key_id="bench",
        bank_secret_file=secret,
        bank_webhook_secret_file=secret,
    )
    api, worker = (connect(url, "bench") for url in (database.api_url, database.worker_url))
    return Parts(settings, api, worker, clock)


async def _run(
    servers: Servers,
    parts: Parts[Settings],
    clock: FixedClock,
    wiring: Wiring,
    clocked: Clocked,
    count: int,
) -> None:
    bootstrap = servers.kafka.bootstrap
    jobs = {job.name: job for job in wiring.jobs}
    await tell(bootstrap, people(count), BEFORE)
    await _consume(bootstrap, parts, wiring, count + 1)
    await tell(bootstrap, wages(count), BEFORE)
    before = _applying_seconds()
    await _consume(bootstrap, parts, wiring, count)
    clocked.add("consume wages", _applying_seconds() - before)
    await _work(jobs["publish_policies"], parts)
    clock.set(OPENED)
    with clocked.part("open the period"):
        await _work(jobs["open_period"], parts)
    with clocked.statements_of(parts.worker, "calculate"):
        await _work(jobs["assess"], parts)
    async with transaction(parts.worker) as conn:
        told = await outbox.unsent(conn)
    relay = Relay(parts.worker, bootstrap, "/bench")
    with clocked.part("relay"):
        await _until(relay.run, lambda: relay.sent >= told)


async def _consume(bootstrap: str, parts: Parts[Settings], wiring: Wiring, count: int) -> None:
    consumer = Consumer(parts.worker, bootstrap, "contribution-svc", wiring.topics, wiring.handlers)
    await _until(consumer.run, lambda: consumer.handled >= count)


def _applying_seconds() -> float:
    """In which batches were applied so far: without waiting for the group and for the broker."""
    labels = {"topic": PAYROLL}
    return REGISTRY.get_sample_value("daozhang_consumer_batch_seconds_sum", labels) or 0.0


async def _work(job: Job, parts: Parts[Settings]) -> None:
    """The job's batches for as long as it is due."""
    now = parts.clock.now()
    while True:
        async with transaction(parts.worker) as conn:
            at = await job.due(conn)
        if at is None or at > now or not await job.run(now):
            return


async def _until(run: Callable[[asyncio.Event], Awaitable[None]], done: Callable[[], bool]) -> None:
    """Runs a loop until `done`."""
    stop = asyncio.Event()
    running = asyncio.ensure_future(run(stop))
    await eventually(done, within=_WITHIN_SECONDS, every=0.01)
    stop.set()
    await running
