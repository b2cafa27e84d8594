"""From RecordMissing to the employee's message over a real broker, with every event twice."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from shared.codec import body_of, headers_of
from shared.consumer import Consumer
from shared.contracts import Event
from shared.outbox import Relay
from tests.support.eventually import eventually
from tests.support.kafka_topics import Topics
from tests.support.october import cleared, employee, employer, missing
from tests.support.rooms import Room, at, room
from tests.support.service_databases import ServiceDatabase
from ticket_svc.main import SERVICE as TICKETS


async def produce(bootstrap: str, events: Sequence[Event]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for event in events:
            event_id, key = str(event.event_id()), event.key()
            name = (event.ce_type(), "/tests", event.aggregate())
            headers = headers_of(event_id, *name, at(10, 17), "")
            await producer.send_and_wait(event.TOPIC, body_of(event), key.encode(), headers=headers)
    finally:
        await producer.stop()


@asynccontextmanager
async def running(service: Room, bootstrap: str) -> AsyncIterator[Consumer]:
    """The service's consumer and relay, in a consumer group of the test's own."""
    stop = asyncio.Event()
    worker, wiring = service.parts.worker, service.wiring
    group = f"{service.name}.{secrets.token_hex(4)}"
    consumer = Consumer(worker, bootstrap, group, wiring.topics, wiring.handlers)
    relay = Relay(worker, bootstrap, f"/{service.name}")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(consumer.run(stop))
        tasks.create_task(relay.run(stop))
        try:
            yield consumer
        finally:
            stop.set()


async def test_the_message_comes_once(
    service: Room,
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    topics: Topics,
    kafka_bootstrap: str,
) -> None:
    await topics.real()
    name = f"xiaowang-{secrets.token_hex(4)}"
    events = [employer(), employee(name), missing(name), cleared(name)]

    async def inbox() -> list[str]:
        answer = await service.http.get("/me/notifications", headers=service.employee(name))
        return [item["text"] for item in answer.json()["items"]]

    async with room(TICKETS, await service_database("ticket_svc")) as tickets:
        async with running(tickets, kafka_bootstrap), running(service, kafka_bootstrap) as notify:
            await produce(kafka_bootstrap, events)
            await eventually(inbox)
            before = notify.handled
            await produce(kafka_bootstrap, [*events, employer(2), employee(name, 2)])
            await eventually(lambda: notify.handled > before)
            assert await inbox() == ["10月医疗险、生育险记录已补录，可正常查询"]
        states = await tickets.rows(f"SELECT state FROM tickets WHERE employee_id = '{name}'")  # noqa: S608
        assert [row.state for row in states] == ["resolved"]
