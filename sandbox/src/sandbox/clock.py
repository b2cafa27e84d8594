"""The sandbox's business time: kept in its store, published on its topic, stepped by order, never
backwards.
"""

import asyncio
import json
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from sandbox.store import clock as store
from shared.clock import stopped_within
from shared.db import Engine

KEY = b"clock"

_READ_LIMIT_SECONDS = 60
_WRITE_LIMIT_SECONDS = 10
_STOP_SECONDS = 5


class ClockBackwards(Exception):
    """The order names a time before the business time."""

    def __init__(self, now: datetime) -> None:
        super().__init__(f"business time is {now.isoformat()} already and cannot go back")
        self.now = now


class ClockNotWritten(Exception):
    """The broker did not acknowledge: nobody may take the new time for the business time. Ask
    again.
    """


class SandboxTime:
    """The business time of every party here, and of all who follow the topic.

    `stepped` is set at each step and cleared by the timers' loop, which is all that waits for it.
    """

    def __init__(self, engine: Engine, bootstrap: str, topic: str, start: datetime) -> None:
        self._engine = engine
        self._bootstrap = bootstrap
        self._topic = topic
        self._first = start.astimezone(UTC)
        self._at: datetime | None = None
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self.stepped = asyncio.Event()

    def now(self) -> datetime:
        """Business time, in UTC."""
        if self._at is None:
            raise RuntimeError("the sandbox clock was read before its topic was")
        return self._at

    async def start(self) -> None:
        """Makes the topic where it is missing, and goes on from the newest time that topic or store
        knows. A topic that is behind is told it again: its broker has lost its data.
        """
        await self._make_topic()
        async with self._engine.begin() as conn:
            kept = await store.last(conn)
        told = await self._last()
        at = max((time for time in (kept, told) if time is not None), default=self._first)
        if at != told:
            await self._write(at)
        await self._keep(at)

    async def step(self, at: datetime) -> datetime:
        """The new business time, once the broker has it. ClockBackwards or ClockNotWritten
        otherwise.
        """
        async with self._lock:
            at = at.astimezone(UTC)
            if at < self.now():
                raise ClockBackwards(self.now())
            if at > self.now():
                await self._write(at)
                await self._keep(at)
                self.stepped.set()
            return at

    async def _keep(self, at: datetime) -> None:
        """After the broker has it, or a time would be kept that nobody was told."""
        async with self._engine.begin() as conn:
            await store.keep(conn, at)
        self._at = at

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped_within(_STOP_SECONDS, producer.stop())

    async def _make_topic(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            topic = NewTopic(self._topic, 1, 1, topic_configs={"cleanup.policy": "compact"})
            answer = await admin.create_topics([topic])
            for _, code, *_ in answer.topic_errors:
                if for_code(code) not in (for_code(0), TopicAlreadyExistsError):
                    raise for_code(code)(self._topic)
        finally:
            await admin.close()

    async def _last(self) -> datetime | None:
        """The newest time on the topic, which has one partition and one writer; None when it is
        empty.
        """
        partition = TopicPartition(self._topic, 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            if end == 0:
                return None
            consumer.seek(partition, end - 1)
            record = await asyncio.wait_for(consumer.getone(), _READ_LIMIT_SECONDS)
            return datetime.fromisoformat(json.loads(record.value)["at"]).astimezone(UTC)
        finally:
            await consumer.stop()

    async def _write(self, at: datetime) -> None:
        """One record, acknowledged by all. A failed producer is thrown away: aiokafka's may fail
        for ever after. An idempotent one never gives a record up, so the wait for it is bounded.
        """
        value = json.dumps({"at": at.isoformat()}).encode()
        try:
            async with asyncio.timeout(_WRITE_LIMIT_SECONDS):
                if self._producer is None:
                    self._producer = AIOKafkaProducer(
                        bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True
                    )
                    await self._producer.start()
                await self._producer.send_and_wait(self._topic, value, key=KEY, partition=0)
        except (KafkaError, OSError) as failure:
            await self.close()
            raise ClockNotWritten(str(failure)) from failure
