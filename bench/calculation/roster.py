"""What comes in on Kafka for one employer's month: its account, its people, a wage of each."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from shared.clock import CLOCK_TOPIC
from shared.codec import body_of, headers_of
from shared.contracts import Event, SalaryComputed
from tests.integration.contribution_svc.month import employee, employer, wage

_hashed = DefaultPartitioner()


def people(count: int) -> list[Event]:
    """An employer with one account, and its employees since 2020."""
    return [employer(), *(employee(_name(number)) for number in range(count))]


def wages(count: int) -> list[SalaryComputed]:
    """Last year's wage of everyone: under the floor, above the ceiling, and between."""
    return [
        wage(_name(number), "2023-05", 300_000 + number * 7_919 % 3_000_000)
        for number in range(count)
    ]


def _name(number: int) -> str:
    return f"employee-{number:06d}"


@asynccontextmanager
async def telling(
    bootstrap: str, events: Sequence[Event], at: datetime
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Events of one topic as their owner's relay publishes them, ready to be sent: what encoding
    them costs is not the listener's time.
    """
    [topic] = {event.TOPIC for event in events}
    async with _producer(bootstrap) as producer:
        partitions = sorted(await producer.partitions_for(topic))
        batches: dict[int, list[Any]] = {partition: [] for partition in partitions}
        for event in events:
            key = event.key().encode()
            headers = headers_of(
                str(event.event_id()), event.ce_type(), "/bench", event.aggregate(), at, ""
            )
            record = {"key": key, "value": body_of(event), "timestamp": None, "headers": headers}
            filled = batches[_hashed(key, partitions, None)]
            if not filled or filled[-1].append(**record) is None:
                filled.append(producer.create_batch())
                filled[-1].append(**record)

        async def send() -> None:
            sent = [
                await producer.send_batch(batch, topic, partition=partition)
                for partition, filled in batches.items()
                for batch in filled
            ]
            await asyncio.gather(*sent)

        yield send


async def tell(bootstrap: str, events: Sequence[Event], at: datetime) -> None:
    """Publishes events of one topic."""
    async with telling(bootstrap, events, at) as send:
        await send()


async def set_clock(bootstrap: str, at: datetime) -> None:
    value = json.dumps({"at": at.isoformat()}).encode()
    async with _producer(bootstrap) as producer:
        await producer.send_and_wait(CLOCK_TOPIC, value, key=b"now")


def _producer(bootstrap: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        compression_type="zstd",
        max_batch_size=100_000,
    )
