"""`<service> dead-letters list | show | replay | drop`, as an operator types them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

import asyncpg
import pytest
from structlog.testing import capture_logs

from shared.codec import body_of, headers_of
from shared.consumer import apply_batch
from shared.contracts import PAYROLL, SalaryComputed
from shared.db import connect
from tests.support import recording_service
from tests.support.service_databases import ServiceDatabase
from tests.support.service_process import Finished, environment, finished
from tests.support.telling import Recorder, salary

MODULE = "tests.support.recording_service"
AT = datetime(2024, 9, 30, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Operator:
    """Someone with a shell beside the service's database."""

    database: ServiceDatabase

    async def types(self, *arguments: str) -> Finished:
        env = environment(self.database)
        return await finished(MODULE, env, "dead-letters", *arguments)

    async def asks(self, query: str) -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(self.database.superuser_url)
        rows = await connection.fetch(query)
        await connection.close()
        return [tuple(row.values()) for row in rows]


@pytest.fixture
async def operator(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> Operator:
    """Two events of `sick` are parked, and one of `other`."""
    database = await service_database("ticket_svc")
    operator = Operator(database)
    superuser = await asyncpg.connect(database.superuser_url)
    await superuser.execute(recording_service.TABLES.format(package="ticket_svc"))
    await superuser.close()
    await operator.asks("INSERT INTO refused VALUES ('sick')")
    engine = connect(database.worker_url, "test", 2)
    recorder = Recorder(refused={"sick", "other"})
    events = [salary("sick", 1), salary("sick", 2), salary("other", 1)]
    with capture_logs():
        await apply_batch(
            engine,
            {SalaryComputed: recorder.on_salaries},
            recording_service.NAME,
            [_record(event, offset) for offset, event in enumerate(events)],
        )
    await engine.dispose()
    return operator


def _record(event: SalaryComputed, offset: int) -> SimpleNamespace:
    headers = headers_of(str(event.event_id()), event.ce_type(), "/test", event.aggregate(), AT, "")
    return SimpleNamespace(
        topic=PAYROLL,
        partition=0,
        offset=offset,
        key=event.key().encode(),
        value=body_of(event),
        headers=headers,
    )


async def test_list_names_each_key_with_its_reason(operator: Operator) -> None:
    end = await operator.types("list")
    assert end.code == 0
    first, second = end.out.splitlines()
    assert first.startswith(f"{PAYROLL}\tsick\t2 events\tsince ")
    assert "HandlerRefuses('sick')" in first
    assert second.startswith(f"{PAYROLL}\tother\t1 events")


async def test_show_tells_the_events_of_a_key_in_order(operator: Operator) -> None:
    end = await operator.types("show", PAYROLL, "sick")
    assert end.code == 0
    assert end.out.index(str(salary("sick", 1).event_id())) < end.out.index(
        str(salary("sick", 2).event_id())
    )
    assert "\tparked\t" in end.out
    assert "\tqueued\t" in end.out
    assert '"wage_fen":1000000' in end.out
    assert "ce_type: daozhang.SalaryComputed.v1" in end.out


async def test_a_replay_that_fails_again_says_why_and_keeps_all(operator: Operator) -> None:
    end = await operator.types("replay", PAYROLL, "sick")
    assert end.code == 1
    said = "0 events replayed; stopped by HandlerRefuses('sick'); 2 of the key still wait\n"
    assert end.out == said
    assert await operator.asks("SELECT attempts FROM parked WHERE key = 'sick' ORDER BY seq") == [
        (2,),
        (1,),
    ]


async def test_a_replay_after_the_repair_goes_through_in_order(operator: Operator) -> None:
    await operator.asks("DELETE FROM refused")
    end = await operator.types("replay", PAYROLL, "sick")
    assert (end.code, end.out) == (0, "2 events replayed\n")
    assert await operator.asks("SELECT employee_id, version FROM effects ORDER BY seq") == [
        ("sick", 1),
        ("sick", 2),
    ]
    assert "sick" not in (await operator.types("list")).out


async def test_drop_keeps_who_and_why(operator: Operator) -> None:
    end = await operator.types("drop", PAYROLL, "sick", "--reason", "entered by hand, OPS-12")
    assert (end.code, end.out) == (0, "2 events dropped\n")
    ended = "SELECT DISTINCT state, ended_by, ended_reason FROM parked WHERE key = 'sick'"
    assert await operator.asks(ended) == [("dropped", "command line", "entered by hand, OPS-12")]
    assert await operator.asks("SELECT key FROM parked_keys") == [("other",)]


async def test_one_event_is_dropped_by_its_number_and_the_other_replayed(
    operator: Operator,
) -> None:
    [(seq,)] = await operator.asks("SELECT min(seq) FROM parked WHERE key = 'sick'")
    why = ("--reason", "never right, OPS-13")
    end = await operator.types("drop", PAYROLL, "sick", "--seq", str(seq), *why)
    assert (end.code, end.out) == (0, "1 events dropped; 1 of the key still wait\n")
    await operator.asks("DELETE FROM refused")
    end = await operator.types("replay", PAYROLL, f"@{seq}")
    assert (end.code, end.out) == (0, "1 events replayed\n")
    assert await operator.asks("SELECT employee_id, version FROM effects") == [("sick", 2)]


async def test_drop_without_a_reason_is_refused(operator: Operator) -> None:
    end = await operator.types("drop", PAYROLL, "sick")
    assert end.code == 2
    assert "--reason" in end.err


@pytest.mark.parametrize("verb", ["show", "replay", "drop"])
async def test_a_key_that_is_not_parked_is_named(operator: Operator, verb: str) -> None:
    why = ("--reason", "a mistake") if verb == "drop" else ()
    end = await operator.types(verb, PAYROLL, "nobody", *why)
    assert end.code == 1
    assert "no events of key nobody on payroll.events are parked" in end.err
