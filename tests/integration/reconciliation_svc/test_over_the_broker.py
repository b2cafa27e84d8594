"""Facts in over a real broker, shuffled and twice; verdicts and one anomaly out on the topic."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from reconciliation_svc.main import SERVICE
from shared.codec import body_of
from shared.consumer import Consumer
from shared.contracts import RECONCILIATION, Event
from shared.outbox import Relay
from shared.serve import JobRunner
from shared.values import Outcome
from tests.support.eventually import eventually
from tests.support.kafka_topics import Topics
from tests.support.reconciling import at
from tests.support.reconciling_events import (
    AMOUNTS,
    CITY,
    EMPLOYER,
    HEALTH,
    MATERNITY,
    PERIOD,
    acked,
    assessed,
    employee,
    employer,
    payslip,
    policy,
    posted,
)
from tests.support.reconciling_service import Reconciliation, record_of

EventT = TypeVar("EventT", bound=Event)


def of_our_own(event: EventT, suffix: str) -> EventT:
    """The same event about an employer and a city of this run: the topics outlive a test."""
    text = body_of(event).decode()
    for name in (EMPLOYER, CITY):
        text = text.replace(f'"{name}"', f'"{name}-{suffix}"')
    return msgspec.json.decode(text, type=type(event))


async def publish(bootstrap: str, events: list[Event]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for event in events:
            record = record_of(event)
            await producer.send(record.topic, record.value, key=record.key, headers=record.headers)
        await producer.flush()
    finally:
        await producer.stop()


@asynccontextmanager
async def running(service: Reconciliation, bootstrap: str) -> AsyncIterator[Consumer]:
    """Consumer, relay and jobs, in a consumer group of the test's own."""
    stop, wiring = asyncio.Event(), service.wiring
    group = f"{SERVICE.name}.{secrets.token_hex(4)}"
    consumer = Consumer(
        service.worker, bootstrap, group, wiring.topics, wiring.handlers, versioned=True
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(consumer.run(stop))
        tasks.create_task(Relay(service.worker, bootstrap, f"/{SERVICE.name}").run(stop))
        tasks.create_task(JobRunner(service.worker, service.clock, wiring.jobs).run(stop))
        try:
            yield consumer
        finally:
            stop.set()


async def published(bootstrap: str, employee_id: str) -> list[tuple[str, dict[str, object]]]:
    """What the topic holds of one employee: type and body, in order."""
    reader = AIOKafkaConsumer(
        RECONCILIATION, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await reader.start()
    found = []
    try:
        for records in (await reader.getmany(timeout_ms=2_000)).values():
            for record in records:
                if record.key.decode() == employee_id:
                    headers = dict(record.headers)
                    found.append((headers["ce_type"].decode(), json.loads(record.value)))
    finally:
        await reader.stop()
    return found


async def test_shuffled_and_repeated_facts_end_in_one_anomaly(
    service: Reconciliation, topics: Topics, kafka_bootstrap: str
) -> None:
    await topics.real()
    suffix, random = secrets.token_hex(4), Random(3)
    name = f"wang-{suffix}"
    there = set(AMOUNTS) - {HEALTH, MATERNITY}
    events: list[Event] = [
        employer(),
        policy(),
        employee(name),
        assessed(name),
        payslip(name),
        acked(name, 1, "filed"),
        acked(name, 2, "verified"),
        posted(name),
        acked(name, 3, "absent", "2024-10-17T00:00:00Z", there),
    ]
    facts = [of_our_own(event, suffix) for event in (*events, *events)]
    random.shuffle(facts)
    service.clock.set(at(17, "08:00"))

    async def october() -> list[Outcome]:
        cells = await service.cells()
        return [cells.get((name, PERIOD, insurance), Outcome.HISTORY) for insurance in AMOUNTS]

    arrived, missing = Outcome.ARRIVED, Outcome.RECORD_MISSING

    async def settled() -> bool:
        kinds = {row[2] for row in await service.open_anomalies() if row[0] == name}
        expected = [arrived, missing, arrived, arrived, missing]
        return kinds == {missing} and await october() == expected

    async def told() -> list[tuple[str, dict[str, object]]]:
        found = await published(kafka_bootstrap, name)
        return [one for one in found if one[0] == "daozhang.RecordMissing.v1"]

    async with running(service, kafka_bootstrap) as consumer:
        await publish(kafka_bootstrap, facts)
        await eventually(settled, within=60)
        service.clock.set(at(17, "08:00") + timedelta(minutes=6))
        await eventually(told, within=60)
        heard = consumer.handled
        await publish(kafka_bootstrap, facts)
        await eventually(lambda: consumer.handled >= heard + len(facts))
        [(_, body)] = await told()
    assert body["insurances"] == [HEALTH, MATERNITY]
    assert body["raised_at"] == "2024-10-17T00:00:00Z"
    assert await settled()
