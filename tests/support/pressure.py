"""A real service under more load than it can take: what it shows of itself meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import httpx
import psutil
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from shared.contracts import Event
from tests.support.reconciling_service import record_of
from tests.support.service_process import Running

_BATCH = 2_000


@dataclass(frozen=True)
class Look:
    """One look at a service: records applied since its start, records waiting, memory, readiness
    and its reasons.
    """

    applied: int
    lag: int
    rss_mb: float
    ready: bool
    checks: dict[str, str]


async def look(running: Running) -> Look:
    """Asks /readyz and /metrics, and the system for the memory."""
    report = (await running.http.get("/readyz", timeout=30)).json()
    metrics = (await running.http.get("/metrics", timeout=30)).text
    applied = sum(
        sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "daozhang_events_handled_total"
    )
    rss = psutil.Process(running.process.pid).memory_info().rss
    return Look(
        int(applied), report["consumer_lag"] or 0, rss / 2**20, report["ready"], report["checks"]
    )


class Source:
    """Publishes events of an endless stream and counts those that the broker acknowledged."""

    def __init__(self, producer: AIOKafkaProducer, events: Iterator[Event]) -> None:
        self._producer, self._events = producer, events
        self.acknowledged = 0

    async def publish(self, count: int) -> None:
        """The next `count` events, in order."""
        while count > 0:
            size = min(count, _BATCH)
            sent = []
            for _ in range(size):
                record = record_of(next(self._events))
                sent.append(
                    await self._producer.send(
                        record.topic, record.value, key=record.key, headers=record.headers
                    )
                )
            await asyncio.gather(*sent)
            self.acknowledged += size
            count -= size


async def press(running: Running, source: Source, head_start: int, seconds: float) -> list[Look]:
    """Publishes twice what the service applies, whatever that is on this machine today: so its lag
    must grow. A look every half second.
    """
    first = await look(running)
    told_before, looks = source.acknowledged, []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        seen = await look(running)
        looks.append(seen)
        wanted = head_start + 2 * (seen.applied - first.applied)
        await source.publish(max(0, wanted - (source.acknowledged - told_before)))
        await asyncio.sleep(0.5)
    return looks


async def crowd(
    clients: int, seconds: float, ask: Callable[[int], Awaitable[httpx.Response]]
) -> list[httpx.Response]:
    """`clients` people who ask again as soon as they are answered; `ask` gets a running number."""
    answers: list[httpx.Response] = []
    numbers = iter(range(1_000_000))
    until = time.monotonic() + seconds

    async def keep_asking() -> None:
        while time.monotonic() < until:
            answers.append(await ask(next(numbers)))

    await asyncio.gather(*(keep_asking() for _ in range(clients)))
    return answers
