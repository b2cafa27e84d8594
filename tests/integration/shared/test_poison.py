"""Records that strangers could write: each is parked whatever it holds, and the rest flows."""

import json
import secrets
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    MutableMapping,
    Sequence,
)
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from shared import consumer
from shared.codec import Tombstone, body_of, headers_of
from shared.consumer import Handlers, Outcome, apply_batch
from shared.contracts import IDENTITIES, PAYROLL, SalaryComputed
from shared.db import Connection, Engine, connect, transaction
from tests.support.service_databases import ServiceDatabase
from tests.support.telling import EFFECTS, HandlerRefuses, Recorder, effects, salary

AT = datetime(2024, 9, 30, 1, 0, tzinfo=UTC)
GROUP = "contribution-svc"
Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Room:
    engine: Engine
    recorder: Recorder

    async def apply(self, *records: Any) -> Outcome:
        return await apply_batch(self.engine, self.handlers, GROUP, records)

    @property
    def handlers(self) -> Handlers:
        return {SalaryComputed: self.recorder.on_salaries}

    async def handled(self) -> list[str]:
        async with transaction(self.engine) as conn:
            return [employee for employee, _, _ in await effects(conn)]

    async def parked(self) -> list[consumer.ParkedKey]:
        async with transaction(self.engine) as conn:
            return await consumer.parked_keys(conn)


@pytest.fixture
async def room(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> AsyncIterator[Room]:
    database = await service_database("ticket_svc")
    superuser = await asyncpg.connect(database.superuser_url)
    await superuser.execute(EFFECTS.format(package="ticket_svc"))
    await superuser.close()
    engine = connect(database.worker_url, "test", 2)
    yield Room(engine, Recorder())
    await engine.dispose()


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged meanwhile, in place of pages of tracebacks."""
    with capture_logs() as entries:
        yield entries


def record(event: SalaryComputed, offset: int = 0, **changed: Any) -> Any:
    """The event as the broker hands it over, but for what is changed."""
    headers: Headers = list(
        headers_of(str(event.event_id()), event.ce_type(), "/test", event.aggregate(), AT, "")
    )
    made = {
        "topic": PAYROLL,
        "partition": 0,
        "offset": offset,
        "key": event.key().encode(),
        "value": body_of(event),
        "headers": headers,
    }
    return SimpleNamespace(**made | changed)


def with_header(name: str, value: bytes | None) -> Headers:
    return [pair for pair in record(salary("sick")).headers if pair[0] != name] + [(name, value)]


def with_version(version: str) -> bytes:
    body = json.loads(body_of(salary("sick"))) | {"version": 0}
    return json.dumps(body).replace('"version": 0', f'"version": {version}').encode()


RECORDS: dict[str, dict[str, Any]] = {
    "no value": {"value": None},
    "no key": {"key": None},
    "neither": {"key": None, "value": None},
    "no headers": {"headers": []},
    "a header without a value": {"headers": with_header("ce_id", None)},
    "a zero character in the key": {"key": b"si\0ck"},
    "a zero character in the id": {"headers": with_header("ce_type", b"stranger\0")},
    "a zero character in a header's name": {"headers": [("a\0b", b"")]},
    "a zero character in the value": {"value": b"\0"},
    "an endless key": {"key": secrets.token_bytes(20_000)},
    "an endless id": {"headers": with_header("ce_id", secrets.token_hex(20_000).encode())},
    "nested without end": {"value": b'{"x":' + b"[" * 200_000},
    "an integer beyond 64 bits": {"value": with_version("9" * 30)},
    "an integer of a thousand digits": {"value": with_version("9" * 1_000)},
}


@pytest.mark.parametrize("changed", RECORDS.values(), ids=RECORDS)
async def test_it_is_parked_and_the_rest_flows(room: Room, changed: dict[str, Any]) -> None:
    batch = [record(salary("sick"), 0, **changed), record(salary("well"), 1)]
    outcome = await room.apply(*batch)
    assert (outcome.handled, outcome.parked) == (1, 1)
    assert await room.handled() == ["well"]
    again = await room.apply(*batch)
    assert (again.handled, again.parked, again.known) == (0, 0, 1), "a redelivery changes nothing"
    assert len(await room.parked()) == 1


@pytest.mark.parametrize("changed", RECORDS.values(), ids=RECORDS)
async def test_it_can_be_listed_shown_replayed_and_dropped(
    room: Room, changed: dict[str, Any]
) -> None:
    await room.apply(record(salary("sick"), **changed))
    [key] = await room.parked()
    async with transaction(room.engine) as conn:
        assert len(await consumer.parked_events(conn, PAYROLL, key.key)) == 1
        replay = await consumer.replay_key(conn, room.handlers, PAYROLL, key.key, "an operator")
        assert (replay.replayed, bool(replay.stopped_by), replay.waiting) == (0, True, 1)
        drop = await consumer.drop_key(conn, PAYROLL, key.key, "an operator", "a stranger's")
        assert (drop.dropped, drop.waiting) == (1, 0)
    assert await room.parked() == []


async def test_deletions_of_two_people_that_are_refused_are_both_kept(room: Room) -> None:
    """A tombstone has no id; the second one must not be taken for the first."""

    async def choke(conn: Connection, events: Sequence[Tombstone]) -> None:
        assert conn
        raise HandlerRefuses(events[0].deleted_key)

    gone = [
        record(salary(who), place, topic=IDENTITIES, value=None, key=who.encode(), headers=[])
        for place, who in enumerate(["one", "other"])
    ]
    for _ in range(2):
        await apply_batch(room.engine, {Tombstone: choke}, GROUP, gone)
    assert [(key.key, key.events) for key in await room.parked()] == [("one", 1), ("other", 1)]


async def test_a_malformed_trace_does_not_stop_the_handler(room: Room) -> None:
    headers = with_header("traceparent", b"nonsense")
    assert (await room.apply(record(salary("sick"), headers=headers))).handled == 1


async def test_what_the_handler_choked_on_is_not_quoted(room: Room) -> None:
    async def choke(conn: Connection, events: Sequence[SalaryComputed]) -> None:
        assert conn
        raise ValueError(f"{events[0].run_id} is not the identity number 110101199001011237")

    await apply_batch(room.engine, {SalaryComputed: choke}, GROUP, [record(salary("sick"))])
    [key] = await room.parked()
    assert key.error == "ValueError('run-1 is not the identity number ***')"
