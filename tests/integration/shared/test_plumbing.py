"""Outbox to handler over a real broker and a real database: nothing lost, nothing twice, poison
parked by key.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared import consumer, outbox
from shared.codec import body_of, headers_of
from shared.consumer import Consumer, Handlers
from shared.contracts import PAYROLL, SalaryComputed
from shared.db import Engine, connect, transaction
from shared.outbox import Relay
from tests.support.eventually import eventually
from tests.support.kafka_topics import Topics
from tests.support.service_databases import ServiceDatabase
from tests.support.telling import EFFECTS, Recorder, effects, salary

AT = datetime(2024, 9, 30, 1, 0, tzinfo=UTC)


@dataclass
class Room:
    """One service's worth of plumbing: its database, its relay, and a recorder behind its
    consumer.
    """

    engine: Engine
    bootstrap: str
    recorder: Recorder
    group: str

    @property
    def handlers(self) -> Handlers:
        return {SalaryComputed: self.recorder.on_salaries}

    async def tell(self, *events: SalaryComputed) -> None:
        async with transaction(self.engine) as conn:
            await outbox.add(conn, events, AT)

    async def publish(self, event: SalaryComputed, value: bytes | None = None) -> None:
        """Past the outbox, as a stranger or a re-publisher would."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            await producer.send_and_wait(
                PAYROLL,
                key=event.key().encode(),
                value=value or body_of(event),
                headers=headers_of(
                    str(event.event_id()), event.ce_type(), "/test", event.aggregate(), AT, ""
                ),
            )
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
            [PAYROLL],
            {SalaryComputed: self.recorder.on_salaries},
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


@pytest.fixture
async def room(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    topics: Topics,
) -> AsyncIterator[Room]:
    database = await service_database("ticket_svc")
    superuser = await asyncpg.connect(database.superuser_url)
    await superuser.execute(EFFECTS.format(package="ticket_svc"))
    await superuser.close()
    # A group that has a dead-letter topic: the copies of what these tests park go there.
    group = "contribution-svc"
    await topics.real(PAYROLL, f"{PAYROLL}.{group}.dlq")
    engine = connect(database.worker_url, "test", 5)
    yield Room(engine, topics.bootstrap, Recorder(), group)
    await engine.dispose()


def person(request: pytest.FixtureRequest, name: str) -> str:
    """The topic outlives a test: each test has people of its own."""
    return f"{request.node.name}-{name}"


async def test_what_is_told_is_handled_once_and_in_order(
    room: Room, request: pytest.FixtureRequest
) -> None:
    who = person(request, "a")
    versions = range(1, 51)
    await room.tell(*(salary(who, version) for version in versions))
    async with room.running():
        await eventually(lambda: _has(room, 50, who), within=60)
    assert await room.effects_of(who) == [(who, "2024-10", version) for version in versions]


async def test_a_second_delivery_has_no_second_effect(
    room: Room, request: pytest.FixtureRequest
) -> None:
    who, marker = person(request, "a"), person(request, "marker")
    for _ in range(3):
        await room.publish(salary(who))
    await room.publish(salary(marker))
    async with room.running():
        await eventually(lambda: _has(room, 1, marker), within=60)
        await eventually(lambda: _has(room, 1, who), within=30)
    assert await room.effects_of(who) == [(who, "2024-10", 1)]


async def test_the_same_id_with_other_content_is_parked_and_not_applied(
    room: Room, request: pytest.FixtureRequest
) -> None:
    who = person(request, "a")
    await room.publish(salary(who))
    await room.publish(salary(who, wage_fen=7))
    async with room.running():
        await eventually(lambda: _parked(room, "conflict", who), within=60)
    assert await room.effects_of(who) == [(who, "2024-10", 1)]


async def test_poison_holds_back_its_own_key_only_and_replays_in_order(
    room: Room, request: pytest.FixtureRequest
) -> None:
    sick, well = person(request, "sick"), person(request, "well")
    room.recorder.refused.add(sick)
    await room.tell(salary(sick, 1), salary(well, 1), salary(sick, 2), salary(well, 2))
    async with room.running():
        await eventually(lambda: _has(room, 2, well), within=60)
        await eventually(lambda: _parked(room, "handler", sick, events=2), within=30)
        await room.tell(salary(sick, 3))
        await eventually(lambda: _parked(room, "handler", sick, events=3), within=30)
        assert await room.effects_of(sick) == []
        room.recorder.refused.clear()
        async with transaction(room.engine) as conn:
            replayed = await consumer.replay_key(conn, room.handlers, PAYROLL, sick, "an operator")
        assert replayed == (3, "")
        await room.tell(salary(sick, 4))
        await eventually(lambda: _has(room, 4, sick), within=30)
    assert [version for _, _, version in await room.effects_of(sick)] == [1, 2, 3, 4]


async def test_a_replay_that_fails_again_keeps_what_is_behind_it(
    room: Room, request: pytest.FixtureRequest
) -> None:
    sick = person(request, "sick")
    room.recorder.refused.add(sick)
    await room.tell(salary(sick, 1), salary(sick, 2))
    async with room.running():
        await eventually(lambda: _parked(room, "handler", sick, events=2), within=60)
        async with transaction(room.engine) as conn:
            done, error = await consumer.replay_key(
                conn, room.handlers, PAYROLL, sick, "an operator"
            )
    assert (done, "HandlerRefuses" in error) == (0, True)
    assert await _parked(room, "handler", sick, events=2)


async def test_what_cannot_be_read_is_parked_and_the_rest_flows(
    room: Room, request: pytest.FixtureRequest
) -> None:
    who = person(request, "a")
    await room.publish(salary(who, 1), value=b"\xff not json")
    await room.publish(salary(who, 2))
    async with room.running():
        await eventually(lambda: _has(room, 1, who), within=60)
        await eventually(lambda: _parked(room, "undecodable", who), within=30)
    assert await room.effects_of(who) == [(who, "2024-10", 2)]


async def test_a_copy_of_what_was_parked_lies_on_the_dead_letter_topic(
    room: Room, request: pytest.FixtureRequest
) -> None:
    dead = f"{PAYROLL}.{room.group}.dlq"
    who = person(request, "a")
    room.recorder.refused.add(who)
    async with room.running():
        await room.tell(salary(who))
        await eventually(lambda: _parked(room, "handler", who), within=60)
        letters = AIOKafkaConsumer(
            dead, bootstrap_servers=room.bootstrap, auto_offset_reset="earliest"
        )
        await letters.start()
        try:
            async with asyncio.timeout(30):
                async for letter in letters:
                    if letter.key == who.encode():
                        break
        finally:
            await letters.stop()
    headers = {name: value.decode() for name, value in letter.headers}
    assert letter.value == body_of(salary(who))
    assert headers["x-dlq-reason"] == "handler"
    assert headers["ce_id"] == str(salary(who).event_id())


async def test_a_relay_without_the_lease_marks_nothing(
    room: Room, request: pytest.FixtureRequest
) -> None:
    who = person(request, "a")
    stop = asyncio.Event()
    first, second = (Relay(room.engine, room.bootstrap, "/test-svc") for _ in range(2))
    async with asyncio.TaskGroup() as tasks:
        for relay in (first, second):
            tasks.create_task(relay.run(stop))
        await room.tell(*(salary(who, version) for version in range(1, 21)))
        await eventually(lambda: _nothing_unsent(room), within=60)
        stop.set()
    assert sorted([first.sent, second.sent]) == [0, 20]


async def test_replay_tells_only_the_newest_version_again(
    room: Room, request: pytest.FixtureRequest
) -> None:
    who = person(request, "a")
    async with room.running():
        await room.tell(salary(who, 1), salary(who, 2))
        await eventually(lambda: _has(room, 2, who), within=60)
        await eventually(lambda: _nothing_unsent(room), within=30)
        async with transaction(room.engine) as conn:
            assert await outbox.replay(conn) == 1
        await eventually(lambda: _nothing_unsent(room), within=30)
    assert len(await room.effects_of(who)) == 2


async def _has(room: Room, count: int, who: str) -> bool:
    return len(await room.effects_of(who)) >= count


async def _nothing_unsent(room: Room) -> bool:
    async with transaction(room.engine) as conn:
        return await outbox.unsent(conn) == 0


async def _parked(room: Room, reason: str, who: str, events: int = 1) -> bool:
    async with transaction(room.engine) as conn:
        keys = [key for key in await consumer.parked_keys(conn) if key.key == who]
    return bool(keys) and keys[0].reason == reason and keys[0].events == events
