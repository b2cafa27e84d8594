"""Every class of message that a topic may hold (reliability.md 4.5), over a real broker: what
becomes of it, and that its own key and its neighbours go on.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from structlog.testing import capture_logs

from shared.codec import MAX_MESSAGE_BYTES, body_of
from shared.contracts import PAYROLL, SalaryComputed
from tests.integration.shared.test_parking import base, on_one_partition
from tests.support.eventually import eventually
from tests.support.plumbing import Plumbing, raw, with_header
from tests.support.telling import salary

APPLIED, IGNORED = "applied", "ignored"
UNREADABLE, CONFLICT = "undecodable", "conflict"
Change = Callable[[SalaryComputed], dict[str, Any]]


def as_is(_: SalaryComputed) -> dict[str, Any]:
    return {}


def header(name: str, value: bytes | None) -> Change:
    return lambda event: {"headers": with_header(event, name, value)}


def body(**changed: Any) -> Change:
    return lambda event: {"value": json.dumps(json.loads(body_of(event)) | changed).encode()}


def value(content: bytes | None) -> Change:
    return lambda _: {"value": content}


CLASSES: dict[str, tuple[Change, str]] = {
    "(1) not JSON": (value(b"\xff not json"), UNREADABLE),
    "(1) empty": (value(b""), UNREADABLE),
    "(1) a tombstone where none is allowed": (value(None), UNREADABLE),
    "(2) an unknown version": (header("ce_type", b"daozhang.SalaryComputed.v9"), UNREADABLE),
    "(2) a stranger's type": (header("ce_type", b"com.stranger.Salary.v1"), UNREADABLE),
    "(2) a newer release's type": (header("ce_type", b"daozhang.SalaryComputedV2.v1"), IGNORED),
    "(3) no id": (header("ce_id", b""), UNREADABLE),
    "(3) a malformed id": (header("ce_id", b"one"), UNREADABLE),
    "(4) key and body disagree": (body(employee_id="another"), UNREADABLE),
    "(5) header and body disagree": (header("ce_subject", b"another/2024-10"), UNREADABLE),
    "(6) the same id, other content": (as_is, CONFLICT),
    "(7) a gap": (body(version=7), APPLIED),
    "(7) a version from the far future": (body(version=2**40), UNREADABLE),
    "(8) a time in the far future": (header("ce_time", b"2999-01-01T00:00:00Z"), APPLIED),
    "(8) a time in the far past": (header("ce_time", b"1970-01-01T00:00:00Z"), APPLIED),
    "(8) no time at all": (header("ce_time", b"yesterday"), APPLIED),
    "(9) late, after the month's close": (body(levy_period="2020-01"), APPLIED),
    "(10) too large": (body(run_id="r" * MAX_MESSAGE_BYTES), UNREADABLE),
    "(11) extra fields": (body(nobody_knows={"this": [1]}), APPLIED),
    "(12) another topic's type": (lambda event: misplaced(event), UNREADABLE),
    "(14) another service's label": (header("ce_source", b"/ticket-svc"), APPLIED),
}
"""What a record is changed to, and what becomes of it. Who may write a topic is for the broker's
ACLs to say (14): any writer can write any label.
"""


def misplaced(event: SalaryComputed) -> dict[str, Any]:
    """A base, which belongs on contribution.events."""
    return {**raw(base(event.employee_id, 1)), "topic": PAYROLL}


async def test_each_class_is_answered_and_only_that_event_waits(
    plumbing: Plumbing, person: Callable[[str], str]
) -> None:
    who = {name: person(f"c{number}") for number, name in enumerate(CLASSES)}
    neighbours = {name: f"{key}-neighbour" for name, key in who.items()}
    records = []
    for name, (change, expected) in CLASSES.items():
        first = salary(who[name], 1)
        if expected == CONFLICT:
            records.append(raw(first))
            first = salary(who[name], 1, wage_fen=7)
        changed = {**raw(first), **change(first)}
        if expected == APPLIED and "value" in change(first):
            changed["headers"] = honest_id(changed)
        records += [changed, raw(salary(neighbours[name])), raw(salary(who[name], 100))]
    await plumbing.publish(*on_one_partition(*records), max_request_size=1_000_000)
    with capture_logs():
        async with plumbing.running() as reader:
            await eventually(lambda: plumbing.has(2, *list(who.values())[-1:]), within=60)
            await eventually(lambda: plumbing.has(len(CLASSES), *neighbours.values()), within=30)
    assert not reader.halted, "fewer than twenty-one are parked"
    assert {name: await became(plumbing, key) for name, key in who.items()} == {
        name: expected for name, (_, expected) in CLASSES.items()
    }
    for name, key in who.items():
        assert 100 in await plumbing.versions_of(key), f"{name} held back its key's next state"


def honest_id(record: dict[str, Any]) -> list[tuple[str, bytes | None]]:
    """The headers that the producer of this body would have sent."""
    told = json.loads(record["value"])
    event = salary(told["employee_id"], told["version"], told["levy_period"])
    return list(raw(event)["headers"])


async def became(plumbing: Plumbing, key: str) -> str:
    """The reason why it is parked, or whether it was applied."""
    for parked in await plumbing.parked():
        if parked.key == key:
            assert parked.events == 1
            return parked.reason
    return APPLIED if len(await plumbing.effects_of(key)) == 2 else IGNORED


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
async def test_a_compressed_bomb_is_parked_cut_and_its_copy_fits(
    plumbing: Plumbing, person: Callable[[str], str], packing: str
) -> None:
    """(13) 48 MB that travel as some kilobytes; the dead letter is no larger than a message."""
    bomb, well = person("bomb"), person("well")
    huge = raw(salary(bomb), value=b'{"x":"' + b"0" * 48_000_000 + b'"}')
    flood = raw(
        salary(bomb, 2), value=b"{}", headers=with_header(salary(bomb, 2), "x", b"0" * 800_000)
    )
    await plumbing.publish(huge, max_request_size=50_000_000, compression_type=packing)
    await plumbing.publish(flood, raw(salary(well)))
    with capture_logs():
        async with plumbing.running():
            await eventually(lambda: plumbing.has(1, well), within=60)
            await eventually(lambda: plumbing.waits(UNREADABLE, bomb, events=2), within=60)
            kept = "SELECT max(length(value)), max(length(headers::text)) FROM parked"
            [(value_bytes, header_chars)] = await plumbing.asks(kept)
            assert value_bytes == MAX_MESSAGE_BYTES
            assert header_chars < 200_000
            await eventually(lambda: copied(plumbing), within=60)
    letters = await dead_letters(plumbing, bomb)
    assert len(letters) == 2


async def copied(plumbing: Plumbing) -> bool:
    return await plumbing.asks("SELECT 1 FROM parked WHERE copied_at IS NULL") == []


async def dead_letters(plumbing: Plumbing, key: str) -> list[bytes]:
    reader = AIOKafkaConsumer(
        f"{PAYROLL}.{plumbing.group}.dlq",
        bootstrap_servers=plumbing.bootstrap,
        auto_offset_reset="earliest",
    )
    await reader.start()
    found: list[bytes] = []

    async def both() -> bool:
        for records in (await reader.getmany(timeout_ms=500)).values():
            found.extend(record.value for record in records if record.key == key.encode())
        return len(found) >= 2

    try:
        await eventually(both, within=30)
    finally:
        await reader.stop()
    return found
