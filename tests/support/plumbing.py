"""One service's worth of plumbing for tests, over a real broker and a real database: its relay, and
a recorder behind its consumer.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from sqlalchemy import text

from shared import consumer, outbox
from shared.codec import body_of, headers_of
from shared.consumer import Consumer, Handlers
from shared.contracts import PAYROLL, Event, SalaryComputed
from shared.db import Engine, transaction
from shared.outbox import Relay
from tests.support.telling import Recorder, effects

AT = datetime(2024, 9, 30, 1, 0, tzinfo=UTC)


def raw(event: Event, **changed: Any) -> dict[str, Any]:
    """A record of the event as a producer sends it, but for what is changed."""
    headers: list[tuple[str, bytes | None]] = list(
        headers_of(
            str(event.event_id()), event.ce_type(), "/payroll-svc", event.aggregate(), AT, ""
        )
    )
    made = {
        "topic": event.TOPIC,
        "key": event.key().encode(),
        "value": body_of(event),
        "headers": headers,
    }
    return made | changed


def with_header(event: Event, name: str, value: bytes | None) -> list[tuple[str, bytes | None]]:
    """The event's headers, one of them changed."""
    return [pair for pair in raw(event)["headers"] if pair[0] != name] + [(name, value)]


@dataclass
class Plumbing:
    """The consumer of `group` on `topics`, whose handlers write down each salary."""

    engine: Engine
    bootstrap: str
    group: str
    recorder: Recorder = field(default_factory=Recorder)
    topics: Sequence[str] = (PAYROLL,)
    versioned: bool = False
    more: Handlers = field(default_factory=dict)

    @property
    def handlers(self) -> Handlers:
        return {SalaryComputed: self.recorder.on_salaries, **self.more}

    async def tell(self, *events: Event) -> None:
        """By the outbox, as a service does."""
        async with transaction(self.engine) as conn:
            await outbox.add(conn, events, AT)

    async def publish(self, *records: dict[str, Any], **producer_settings: Any) -> None:
        """Past the outbox, as a stranger or a re-publisher would, in this order."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, **producer_settings)
        await producer.start()
        try:
            for sent in [await producer.send(**record) for record in records]:
                await sent
        finally:
            await producer.stop()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Consumer]:
        stop = asyncio.Event()
        relay = Relay(self.engine, self.bootstrap, "/test-svc")
        reader = Consumer(
            self.engine,
            self.bootstrap,
            self.group,
            self.topics,
            self.handlers,
            versioned=self.versioned,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(relay.run(stop))
            tasks.create_task(reader.run(stop))
            try:
                yield reader
            finally:
                stop.set()

    async def effects_of(self, *employees: str) -> list[tuple[str, str, int]]:
        async with transaction(self.engine) as conn:
            return [row for row in await effects(conn) if row[0] in employees]

    async def versions_of(self, employee: str) -> list[int]:
        return [version for _, _, version in await self.effects_of(employee)]

    async def has(self, count: int, *employees: str) -> bool:
        return len(await self.effects_of(*employees)) >= count

    async def parked(self) -> list[consumer.ParkedKey]:
        async with transaction(self.engine) as conn:
            return await consumer.parked_keys(conn)

    async def waits(self, reason: str, key: str, events: int = 1) -> bool:
        """Whether `key` waits with so many events, the first for that reason."""
        found = [one for one in await self.parked() if one.key == key]
        return bool(found) and found[0].reason == reason and found[0].events == events

    async def replay(self, name: str, topic: str = PAYROLL) -> consumer.Replay:
        async with transaction(self.engine) as conn:
            return await consumer.replay_key(
                conn, self.handlers, topic, name, "an operator", versioned=self.versioned
            )

    async def drop(self, name: str, seq: int | None = None) -> consumer.Drop:
        async with transaction(self.engine) as conn:
            return await consumer.drop_key(conn, PAYROLL, name, "an operator", "a test", seq)

    async def asks(self, query: str) -> list[tuple[Any, ...]]:
        async with transaction(self.engine) as conn:
            return [tuple(row) for row in await conn.execute(text(query))]
