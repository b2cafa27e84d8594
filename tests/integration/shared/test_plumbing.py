"""Outbox to handler over a real broker and a real database: nothing lost, nothing twice, poison
parked by key.
"""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer
from sqlalchemy.exc import IntegrityError

from shared import consumer, outbox
from shared.codec import body_of
from shared.contracts import PAYROLL
from shared.db import transaction
from shared.outbox import Relay
from tests.support.eventually import eventually
from tests.support.plumbing import Plumbing, raw
from tests.support.telling import salary


def person(request: pytest.FixtureRequest, name: str) -> str:
    """The topic outlives a test: each test has people of its own."""
    return f"{request.node.name}-{name}"


async def test_what_is_told_is_handled_once_and_in_order(
    plumbing: Plumbing, request: pytest.FixtureRequest
) -> None:
    who = person(request, "a")
    versions = range(1, 51)
    await plumbing.tell(*(salary(who, version) for version in versions))
    async with plumbing.running():
        await eventually(lambda: plumbing.has(50, who), within=60)
    assert await plumbing.effects_of(who) == [(who, "2024-10", version) for version in versions]


async def test_a_second_delivery_has_no_second_effect(
    plumbing: Plumbing, request: pytest.FixtureRequest
) -> None:
    who, marker = person(request, "a"), person(request, "marker")
    for _ in range(3):
        await plumbing.publish(raw(salary(who)))
    await plumbing.publish(raw(salary(marker)))
    async with plumbing.running():
        await eventually(lambda: plumbing.has(1, marker), within=60)
        await eventually(lambda: plumbing.has(1, who), within=30)
    assert await plumbing.effects_of(who) == [(who, "2024-10", 1)]


async def test_no_event_is_told_twice(plumbing: Plumbing, request: pytest.FixtureRequest) -> None:
    who = person(request, "a")
    await plumbing.tell(salary(who))
    with pytest.raises(IntegrityError, match="outbox_aggregate"):
        await plumbing.tell(salary(who, wage_fen=7))


async def test_the_same_id_with_other_content_is_parked_and_not_applied(
    plumbing: Plumbing, request: pytest.FixtureRequest
) -> None:
    who = person(request, "a")
    await plumbing.publish(raw(salary(who)))
    await plumbing.publish(raw(salary(who, wage_fen=7)))
    async with plumbing.running():
        await eventually(lambda: plumbing.waits("conflict", who), within=60)
    assert await plumbing.effects_of(who) == [(who, "2024-10", 1)]


async def test_poison_holds_back_its_own_key_only_and_replays_in_order(
    plumbing: Plumbing, request: pytest.FixtureRequest
) -> None:
    sick, well = person(request, "sick"), person(request, "well")
    plumbing.recorder.refused.add(sick)
    await plumbing.tell(salary(sick, 1), salary(well, 1), salary(sick, 2), salary(well, 2))
    async with plumbing.running():
        await eventually(lambda: plumbing.has(2, well), within=60)
        await eventually(lambda: plumbing.waits("handler", sick, events=2), within=30)
        await plumbing.tell(salary(sick, 3))
        await eventually(lambda: plumbing.waits("handler", sick, events=3), within=30)
        assert await plumbing.effects_of(sick) == []
        plumbing.recorder.refused.clear()
        assert await plumbing.replay(sick) == consumer.Replay(replayed=3, stopped_by="", waiting=0)
        await plumbing.tell(salary(sick, 4))
        await eventually(lambda: plumbing.has(4, sick), within=30)
    assert [version for _, _, version in await plumbing.effects_of(sick)] == [1, 2, 3, 4]


async def test_a_replay_that_fails_again_keeps_what_is_behind_it(
    plumbing: Plumbing, request: pytest.FixtureRequest
) -> None:
    sick = person(request, "sick")
    plumbing.recorder.refused.add(sick)
    await plumbing.tell(salary(sick, 1), salary(sick, 2))
    async with plumbing.running():
        await eventually(lambda: plumbing.waits("handler", sick, events=2), within=60)
        replay = await plumbing.replay(sick)
    assert (replay.replayed, replay.waiting) == (0, 2)
    assert "HandlerRefuses" in replay.stopped_by
    assert await plumbing.waits("handler", sick, events=2)


async def test_what_cannot_be_read_is_parked_and_the_rest_flows(
    plumbing: Plumbing, request: pytest.FixtureRequest
) -> None:
    who = person(request, "a")
    await plumbing.publish(raw(salary(who, 1), value=b"\xff not json"))
    await plumbing.publish(raw(salary(who, 2)))
    async with plumbing.running():
        await eventually(lambda: plumbing.has(1, who), within=60)
        await eventually(lambda: plumbing.waits("undecodable", who), within=30)
    assert await plumbing.effects_of(who) == [(who, "2024-10", 2)]


async def test_a_copy_of_what_was_parked_lies_on_the_dead_letter_topic(
    plumbing: Plumbing, request: pytest.FixtureRequest
) -> None:
    dead = f"{PAYROLL}.{plumbing.group}.dlq"
    who = person(request, "a")
    plumbing.recorder.refused.add(who)
    async with plumbing.running():
        await plumbing.tell(salary(who))
        await eventually(lambda: plumbing.waits("handler", who), within=60)
        letters = AIOKafkaConsumer(
            dead, bootstrap_servers=plumbing.bootstrap, auto_offset_reset="earliest"
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
    plumbing: Plumbing, request: pytest.FixtureRequest
) -> None:
    who = person(request, "a")
    stop = asyncio.Event()
    first, second = (Relay(plumbing.engine, plumbing.bootstrap, "/test-svc") for _ in range(2))
    async with asyncio.TaskGroup() as tasks:
        for relay in (first, second):
            tasks.create_task(relay.run(stop))
        await plumbing.tell(*(salary(who, version) for version in range(1, 21)))
        await eventually(lambda: _nothing_unsent(plumbing), within=60)
        stop.set()
    assert sorted([first.sent, second.sent]) == [0, 20]


async def test_replay_tells_only_the_newest_version_again(
    plumbing: Plumbing, request: pytest.FixtureRequest
) -> None:
    who = person(request, "a")
    async with plumbing.running():
        await plumbing.tell(salary(who, 1), salary(who, 2))
        await eventually(lambda: plumbing.has(2, who), within=60)
        await eventually(lambda: _nothing_unsent(plumbing), within=30)
        async with transaction(plumbing.engine) as conn:
            assert await outbox.replay(conn) == 1
        await eventually(lambda: _nothing_unsent(plumbing), within=30)
    assert len(await plumbing.effects_of(who)) == 2


async def _nothing_unsent(plumbing: Plumbing) -> bool:
    async with transaction(plumbing.engine) as conn:
        return await outbox.unsent(conn) == 0
