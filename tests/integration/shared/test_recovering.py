"""What a restored store takes back and hears again, in one step; `recover` as a whole is tested in
tests/faults.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from shared import consumer, outbox
from shared.codec import Received, Tombstone, body_of, decode, headers_of
from shared.consumer import Handlers
from shared.contracts import IDENTITIES, EmployeeSealed, Event, SalaryComputed
from shared.db import Connection, Engine, connect, transaction
from tests.support.service_databases import ServiceDatabase
from tests.support.telling import EFFECTS, Recorder, effects, salary

AT = datetime(2024, 9, 30, 1, 0, tzinfo=UTC)
_OUTBOX = text(
    "SELECT version, payload, q.seq IS NULL AS sent"
    " FROM outbox LEFT JOIN outbox_queue q USING (seq) ORDER BY version"
)


@pytest.fixture
async def engine(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> AsyncIterator[Engine]:
    """The worker's, on a database with the recorder's table."""
    database = await service_database("ticket_svc")
    owner = await asyncpg.connect(database.superuser_url)
    await owner.execute(EFFECTS.format(package="ticket_svc"))
    await owner.close()
    engine = connect(database.worker_url, "test")
    yield engine
    await engine.dispose()


def record(event: Event, offset: int = 0) -> SimpleNamespace:
    """As the broker gives it."""
    headers = headers_of(str(event.event_id()), event.ce_type(), "/test", event.aggregate(), AT, "")
    return SimpleNamespace(
        topic=event.TOPIC,
        partition=0,
        offset=offset,
        key=event.key().encode(),
        value=body_of(event),
        headers=headers,
    )


def told(event: Event) -> outbox.Told:
    read: Any = record(event)
    received = decode(read.topic, read.key, read.value, read.headers)
    assert received is not None
    return received, read.value


def versions(taken: Sequence[Received]) -> list[int]:
    return [one.event.version for one in taken]


async def test_what_was_told_stands_and_what_is_missing_is_kept_as_sent(engine: Engine) -> None:
    """A restored store went on before the command was given: its version 2 says something else."""
    on_topic = [salary("wang", version) for version in (1, 2, 3, 4)]
    other = salary("wang", 2, wage_fen=7)
    never_sent = [salary("wang", 5), salary("li", 6)]
    async with transaction(engine) as conn:
        await outbox.add(conn, [on_topic[0], other, on_topic[2], *never_sent], AT)
    async with transaction(engine) as conn:
        taken, replaced = await outbox.take_back(conn, [told(event) for event in on_topic])
    assert (versions(taken), replaced) == ([2, 4], 1)
    async with transaction(engine) as conn:
        rows = (await conn.execute(_OUTBOX)).all()
        again = await outbox.take_back(conn, [told(event) for event in on_topic])
    assert [(row.version, row.payload, row.sent) for row in rows] == [
        (event.version, body_of(event), event in on_topic) for event in (*on_topic, *never_sent)
    ]
    assert again == ([], 0)


async def test_a_deletion_is_not_undone_by_a_backup(engine: Engine) -> None:
    sealed = EmployeeSealed(
        version=1,
        employee_id="wang",
        employer_id="employer-1",
        sealed="c2VhbGVk",
        wrapped_key="a2V5",
        root_key_id="root",
    )
    async with transaction(engine) as conn:
        await outbox.add(conn, [sealed], AT)
        await outbox.forget_keys(conn, IDENTITIES, ["wang"])
        assert await outbox.replay(conn) == 0


async def test_one_step_gives_all_that_is_new_to_each_handler_at_once(engine: Engine) -> None:
    known, poison, *new = (record(salary(name), n) for n, name in enumerate("abcd"))
    recorder = Recorder(refused="b")
    handlers: Handlers = {SalaryComputed: recorder.on_salaries}
    await consumer.apply_batch(engine, handlers, "test", [known])
    async with transaction(engine) as conn:
        outcome = await consumer.catch_up(conn, handlers, "test", [[known, poison, *new, new[0]]])
    assert (outcome.handled, outcome.known, outcome.parked) == (3, 2, 1)
    # All three together first; then one by one, since one of them cannot be handled.
    assert recorder.runs == [1, 3, 1, 1, 1]
    async with transaction(engine) as conn:
        assert [name for name, _, _ in await effects(conn)] == ["a", "c", "d"]
        [parked] = await consumer.parked_keys(conn)
    assert parked.key == "b"


async def test_of_a_deletion_and_what_came_after_it_the_last_one_counts(engine: Engine) -> None:
    """A person whose key was destroyed and who was sealed anew is there."""
    seen: list[str] = []

    async def on_sealed(_: Connection, events: Sequence[EmployeeSealed]) -> None:
        seen.extend(event.employee_id for event in events)

    async def on_deletion(_: Connection, events: Sequence[Tombstone]) -> None:
        seen.extend(f"not {event.deleted_key}" for event in events)

    def sealed(name: str) -> SimpleNamespace:
        return record(
            EmployeeSealed(
                version=1,
                employee_id=name,
                employer_id="employer-1",
                sealed="c2VhbGVk",
                wrapped_key="a2V5",
                root_key_id="root",
            )
        )

    def deletion(name: str) -> SimpleNamespace:
        return SimpleNamespace(
            topic=IDENTITIES, partition=0, offset=0, key=name.encode(), value=None, headers=()
        )

    records = [deletion("wang"), sealed("wang"), sealed("li"), deletion("li")]
    handlers: Handlers = {EmployeeSealed: on_sealed, Tombstone: on_deletion}
    async with transaction(engine) as conn:
        await consumer.catch_up(conn, handlers, "test", [records])
    assert seen == ["wang", "li", "not li"]
