"""A parked key holds back its own later events and nothing else; operators release it in order; and
a bad release stops the consumer before it has parked everybody.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from deploy.topics import Topic, create_topics
from shared.contracts import CONTRIBUTION, PAYROLL, BaseChanged
from shared.db import Connection
from tests.support.eventually import eventually
from tests.support.plumbing import Plumbing, raw
from tests.support.telling import WRITE, Recorder, salary

Person = Callable[[str], str]
ONE_PARTITION = 4


def base(employee_id: str, version: int) -> BaseChanged:
    return BaseChanged(
        version=version,
        employee_id=employee_id,
        employer_id="employer-1",
        contribution_year="2024",
        average_fen=950_000,
        months=12,
        rule="last_year_average",
        bases_fen={"medical": 950_000},
        bounds={"medical": "within"},
        explanation="",
    )


async def on_bases(conn: Connection, events: Sequence[BaseChanged]) -> None:
    for event in events:
        row = {"e": event.employee_id, "p": event.contribution_year, "v": event.version}
        await conn.execute(WRITE, row)


def on_one_partition(*records: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**record, "partition": ONE_PARTITION} for record in records]


async def test_of_one_partition_only_the_parked_key_waits(
    plumbing: Plumbing, person: Person
) -> None:
    sick, ill, well, other = (person(name) for name in ("sick", "ill", "well", "other"))
    plumbing.recorder.refused |= {sick, ill}
    told = [salary(who, version) for version in (1, 2, 3) for who in (sick, well, ill, other)]
    await plumbing.publish(*on_one_partition(*(raw(event) for event in told)))
    async with plumbing.running():
        await eventually(lambda: plumbing.has(6, well, other), within=60)
        await eventually(lambda: plumbing.waits("handler", sick, events=3), within=30)
        assert await plumbing.versions_of(well) == [1, 2, 3]
        assert await plumbing.versions_of(other) == [1, 2, 3]
        plumbing.recorder.refused.discard(sick)
        assert (await plumbing.replay(sick)).replayed == 3
        await plumbing.publish(*on_one_partition(raw(salary(sick, 4)), raw(salary(ill, 4))))
        await eventually(lambda: plumbing.has(4, sick), within=30)
        await eventually(lambda: plumbing.waits("handler", ill, events=4), within=30)
    assert await plumbing.versions_of(sick) == [1, 2, 3, 4]
    assert await plumbing.versions_of(ill) == []


async def test_a_key_is_parked_on_its_topic_and_on_no_other(
    plumbing: Plumbing, person: Person
) -> None:
    """Only what shares a topic and a key is promised an order, so only that waits for it."""
    sick = person("sick")
    both = replace(plumbing, topics=(PAYROLL, CONTRIBUTION), more={BaseChanged: on_bases})
    both.recorder.refused.add(sick)
    async with both.running():
        await both.tell(salary(sick, 1))
        await eventually(lambda: both.waits("handler", sick), within=60)
        await both.tell(base(sick, 1), salary(sick, 2), base(sick, 2))
        await eventually(lambda: both.has(2, sick), within=60)
        await eventually(lambda: both.waits("handler", sick, events=2), within=30)
    assert [row[1:] for row in await both.effects_of(sick)] == [("2024", 1), ("2024", 2)]


async def test_replays_and_new_arrivals_of_a_key_take_turns(
    plumbing: Plumbing, person: Person
) -> None:
    """Operators replay while the key's events keep coming: each is applied once, in order."""
    sick, last = person("sick"), 90
    plumbing.recorder.refused.add(sick)
    async with plumbing.running():
        await plumbing.tell(*(salary(sick, version) for version in range(1, 6)))
        await eventually(lambda: plumbing.waits("handler", sick, events=5), within=60)
        for version in range(6, last, 3):
            waiting = any(key.key == sick for key in await plumbing.parked())
            # Half of the rounds find the cause corrected, the others find it back.
            plumbing.recorder.refused = {sick} if version % 2 else set()
            told = plumbing.tell(*(salary(sick, version + more) for more in range(3)))
            replays = [plumbing.replay(sick) for _ in range(2)] if waiting else []
            await asyncio.gather(told, *replays, return_exceptions=True)
        plumbing.recorder.refused = set()

        async def all_done() -> bool:
            if any(key.key == sick for key in await plumbing.parked()):
                await plumbing.replay(sick)
            return await plumbing.has(last - 1, sick)

        await eventually(all_done, within=60)
    assert await plumbing.versions_of(sick) == list(range(1, last))
    rounds = await plumbing.asks("SELECT count(*) FROM parked WHERE state = 'replayed'")
    assert rounds[0][0] >= 5, "what was parked first, and what came while it was replayed"


async def test_one_event_is_dropped_and_those_behind_it_are_kept(
    plumbing: Plumbing, person: Person
) -> None:
    sick = person("sick")
    poison = Poisoned({sick: 1})
    room = replace(plumbing, recorder=poison)
    async with room.running():
        await room.tell(*(salary(sick, version) for version in (1, 2, 3)))
        await eventually(lambda: room.waits("handler", sick, events=3), within=60)
        assert (await room.replay(sick)).replayed == 0, "it still fails, and all stay behind it"
        [key] = [key for key in await room.parked() if key.key == sick]
        drop = await room.drop(sick, seq=key.seq)
        assert (drop.dropped, drop.waiting) == (1, 2)
        await room.tell(salary(sick, 4))
        await eventually(lambda: room.waits("queued", sick, events=3), within=30)
        assert (await room.replay(sick)).replayed == 3
        await room.tell(salary(sick, 5))
        await eventually(lambda: room.has(4, sick), within=30)
        # A second delivery of what was given up changes nothing: it was decided on.
        poison.versions.clear()
        await room.publish(raw(salary(sick, 1)), raw(salary(sick, 6)))
        await eventually(lambda: room.has(5, sick), within=30)
    assert await room.versions_of(sick) == [2, 3, 4, 5, 6]
    ended = "SELECT ended_by, ended_reason FROM parked WHERE state = 'dropped'"
    assert await room.asks(ended) == [("an operator", "a test")]


async def test_after_a_drop_of_the_key_its_later_events_flow(
    plumbing: Plumbing, person: Person
) -> None:
    sick = person("sick")
    room = replace(plumbing, recorder=Poisoned({sick: 1}))
    async with room.running():
        await room.tell(salary(sick, 1), salary(sick, 2))
        await eventually(lambda: room.waits("handler", sick, events=2), within=60)
        drop = await room.drop(sick)
        assert (drop.dropped, drop.waiting) == (2, 0)
        await room.tell(salary(sick, 3))
        await eventually(lambda: room.has(1, sick), within=30)
    assert await room.versions_of(sick) == [3]


class Poisoned(Recorder):
    """Refuses one version of an employee, as a fact does that can never be applied."""

    def __init__(self, versions: dict[str, int]) -> None:
        super().__init__()
        self.versions = versions

    async def on_salaries(self, conn: Connection, events: Sequence[Any]) -> None:
        bad = [event for event in events if self.versions.get(event.employee_id) == event.version]
        self.refused = {event.employee_id for event in bad}
        await super().on_salaries(conn, events)


async def test_a_versioned_service_parks_the_single_event(
    plumbing: Plumbing, person: Person
) -> None:
    sick = person("sick")
    room = replace(plumbing, recorder=Poisoned({sick: 1}), versioned=True)
    async with room.running():
        await room.tell(salary(sick, 1), salary(sick, 2))
        await eventually(lambda: room.has(1, sick), within=60)
        assert await room.versions_of(sick) == [2], "the version is the fence: it may overtake"
        assert await room.waits("handler", sick)
        assert (await room.replay(sick)).stopped_by.startswith("HandlerRefuses")
        room.recorder.versions.clear()  # type: ignore[attr-defined]
        first, second = await asyncio.gather(
            room.replay(sick), room.replay(sick), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in (first, second)) == [
            "DeadLetterUnknown",
            "Replay",
        ]
    assert await room.versions_of(sick) == [2, 1]


async def test_a_bad_release_stops_early_and_loses_nothing(
    plumbing: Plumbing, person: Person
) -> None:
    people = [person(str(number)) for number in range(1_000)]
    plumbing.recorder.refused |= set(people)
    await plumbing.publish(*on_one_partition(*(raw(salary(who)) for who in people)))
    with capture_logs() as entries:
        async with plumbing.running() as reader:
            await eventually(lambda: reader.halted, within=60)
    assert "a bad release" in reader.halted
    assert [entry for entry in entries if entry["event"] == "consumer_halted"]
    assert gauge(plumbing) == 1
    held = len([key for key in await plumbing.parked() if key.key in people])
    assert held == 21, "it does not park a thousand people to find out"
    plumbing.recorder.refused.clear()
    async with plumbing.running() as reader:
        await eventually(lambda: plumbing.has(len(people) - held, *people), within=60)
        assert not reader.halted, "what the broken release parked does not stop the corrected one"
        assert gauge(plumbing) == 0
    for key in await plumbing.parked():
        await plumbing.replay(key.key)
    assert sorted(await plumbing.effects_of(*people)) == sorted(
        (who, "2024-10", 1) for who in people
    )


async def test_a_flood_that_cannot_be_read_stops_early_too(
    plumbing: Plumbing,
) -> None:
    flooded = f"flooded.{secrets.token_hex(4)}"
    config = {"cleanup.policy": "delete"}
    letters = f"{flooded}.{plumbing.group}.dlq"
    await create_topics(plumbing.bootstrap, [Topic(one, 1, config) for one in (flooded, letters)])
    room = replace(plumbing, topics=(flooded,))
    garbage = [raw(salary(str(number)), topic=flooded, value=b"\xff") for number in range(1_000)]
    await room.publish(*garbage)
    with capture_logs():
        async with room.running() as reader:
            await eventually(lambda: reader.halted, within=60)
    parked = len(await room.parked())
    assert 21 <= parked <= 42
    assert await committed(room, flooded) == parked, "the rest is still there to be read"


async def committed(room: Plumbing, topic: str) -> int | None:
    """The group's offset on the only partition of `topic`."""
    client = AIOKafkaConsumer(bootstrap_servers=room.bootstrap, group_id=room.group)
    await client.start()
    try:
        offset: int | None = await client.committed(TopicPartition(topic, 0))
        return offset
    finally:
        await client.stop()


def gauge(plumbing: Plumbing) -> float | None:
    return REGISTRY.get_sample_value("daozhang_consumer_halted", {"group": plumbing.group})


async def test_one_poison_among_thousands_costs_few_transactions(
    plumbing: Plumbing, person: Person
) -> None:
    people = [person(str(number)) for number in range(2_000)]
    sick = people[1_234]
    plumbing.recorder.refused.add(sick)
    await plumbing.publish(*on_one_partition(*(raw(salary(who)) for who in people)))
    with capture_logs():
        async with plumbing.running():
            await eventually(lambda: plumbing.has(len(people) - 1, *people), within=60)
    assert await plumbing.waits("handler", sick)
    runs = [run for run in plumbing.recorder.runs if run]
    assert len(runs) < 100, f"{len(runs)} runs of the handler for one poison"


@pytest.mark.parametrize("key", ["", "a/b", "110101199003070038", "王小二", "a b"])
async def test_a_key_that_cannot_be_shown_is_named_by_its_first_event(
    plumbing: Plumbing, key: str
) -> None:
    await plumbing.publish(raw(salary("stranger"), key=key.encode(), value=b"{}"))
    async with plumbing.running():
        await eventually(plumbing.parked, within=60)
    [parked] = await plumbing.parked()
    assert parked.key == f"@{parked.seq}"
    assert (await plumbing.replay(parked.key)).waiting == 1
    assert (await plumbing.drop(parked.key)).dropped == 1
    assert await plumbing.parked() == []
