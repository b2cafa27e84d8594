"""What comes in on Kafka for one employer's month: its account, its people, a wage of each."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from aiokafka import AIOKafkaProducer

from shared.clock import CLOCK_TOPIC
from shared.codec import body_of, headers_of
from shared.contracts import Event, SalaryComputed
from tests.integration.contribution_svc.month import employee, employer, wage

_AT_ONCE = 5_000


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


async def tell(bootstrap: str, events: Iterable[Event], at: datetime) -> None:
    """Publishes events as their owner's relay does."""
    await _send(
        bootstrap,
        [
            {
                "topic": event.TOPIC,
                "key": event.key().encode(),
                "value": body_of(event),
                "headers": headers_of(
                    str(event.event_id()), event.ce_type(), "/bench", event.aggregate(), at, ""
                ),
            }
            for event in events
        ],
    )


async def set_clock(bootstrap: str, at: datetime) -> None:
    value = json.dumps({"at": at.isoformat()}).encode()
    await _send(bootstrap, [{"topic": CLOCK_TOPIC, "key": b"now", "value": value}])


async def _send(bootstrap: str, records: Sequence[dict[str, object]]) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        compression_type="zstd",
        max_batch_size=500_000,
    ) as producer:
        for start in range(0, len(records), _AT_ONCE):
            part = records[start : start + _AT_ONCE]
            sent = [await producer.send(**record) for record in part]
            await asyncio.gather(*sent)
