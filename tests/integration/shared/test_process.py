"""A service as a real process: its end in the middle of a batch, its readiness, and its start."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg
import pytest

from shared import outbox
from shared.contracts import PAYROLL
from shared.db import connect, transaction
from tests.support import recording_service
from tests.support.eventually import eventually
from tests.support.kafka_topics import Topics
from tests.support.service_databases import ServiceDatabase
from tests.support.service_process import Running, environment, finished, serving
from tests.support.telling import salary

MODULE = "tests.support.recording_service"
AT = datetime(2024, 9, 30, 1, 0, tzinfo=UTC)
TOO_MANY = 25
"""More parked keys than a consumer takes for poison."""

CloneDatabase = Callable[[str], Awaitable[ServiceDatabase]]


@pytest.fixture
async def database(service_database: CloneDatabase, topics: Topics) -> ServiceDatabase:
    database = await service_database("ticket_svc")
    await _execute(database, recording_service.TABLES.format(package="ticket_svc"))
    await topics.real(PAYROLL, f"{PAYROLL}.{recording_service.NAME}.dlq")
    await topics.pass_over(recording_service.NAME, PAYROLL)
    return database


async def _execute(database: ServiceDatabase, statement: str) -> None:
    connection = await asyncpg.connect(database.superuser_url)
    await connection.execute(statement)
    await connection.close()


async def _count(database: ServiceDatabase, what: str, who: str) -> int:
    connection = await asyncpg.connect(database.superuser_url)
    count = await connection.fetchval(f"SELECT count(*) FROM {what}", f"{who}%")  # noqa: S608
    await connection.close()
    return int(count)


async def effects_of(database: ServiceDatabase, who: str) -> int:
    return await _count(database, "effects WHERE employee_id LIKE $1", who)


async def tell(database: ServiceDatabase, people: list[str]) -> None:
    """Puts a salary each in the service's own outbox: its relay publishes them to itself."""
    engine = connect(database.worker_url, "test", 2)
    async with transaction(engine) as conn:
        await outbox.add(conn, [salary(person) for person in people], AT)
    await engine.dispose()


async def test_an_end_in_the_middle_of_a_batch_loses_nothing_and_repeats_nothing(
    database: ServiceDatabase, kafka_bootstrap: str
) -> None:
    people = [f"terminated-{n}" for n in range(100)]
    env = environment(database, kafka_bootstrap, PAUSE_SECONDS="0.02")
    async with serving(MODULE, env) as running:
        await tell(database, people)
        await eventually(lambda: _is_at_work_on(running, "terminated"), within=60)
        assert await running.stop() == 0
        assert running.has_logged("stopped")
    handled = await effects_of(database, "terminated")
    assert 0 < handled < len(people), "it ended in the middle"
    told = "outbox WHERE type = 'daozhang.PayslipIssued.v1' AND aggregateid LIKE $1"
    assert await _count(database, told, "terminated") == handled, "effect and event are one"
    waits = f"{told} AND seq IN (SELECT seq FROM outbox_queue)"  # noqa: S608
    assert await _count(database, waits, "terminated") == 0, (
        "what the last batch told was published before the end"
    )
    async with serving(MODULE, env) as running:
        await eventually(lambda: _all_handled(database, len(people)), within=60)
        assert await running.stop() == 0
    distinct = "(SELECT DISTINCT employee_id FROM effects WHERE employee_id LIKE $1) AS people"
    assert await _count(database, distinct, "terminated") == len(people)
    assert await effects_of(database, "terminated") == len(people)


def _is_at_work_on(running: Running, who: str) -> bool:
    """There are salaries of other tests on the topic too."""
    batches = [entry for entry in running.entries if entry["event"] == "batch_begun"]
    return any(who in employee for batch in batches for employee in batch["employees"])


async def _all_handled(database: ServiceDatabase, count: int) -> bool:
    return await effects_of(database, "terminated") >= count


async def test_a_halted_consumer_turns_readiness_red(
    database: ServiceDatabase, kafka_bootstrap: str
) -> None:
    people = [f"halted-{n}" for n in range(TOO_MANY)]
    await _execute(database, "INSERT INTO refused SELECT 'halted-' || generate_series(0, 99)")
    async with serving(MODULE, environment(database, kafka_bootstrap)) as running:
        await eventually(lambda: _readiness(running, 200), within=60)
        await tell(database, people)
        await eventually(lambda: _readiness(running, 503), within=60)
        report = (await running.http.get("/readyz")).json()
        assert report["ready"] is False
        assert "a bad release, not poison" in report["checks"]["consumer"]
        assert report["parked"] == 21, "it stops at once"
        metrics = (await running.http.get("/metrics")).text
        assert 'daozhang_consumer_halted{group="ticket-svc"} 1.0' in metrics
        assert running.has_logged("consumer_halted")
        assert (await running.http.get("/healthz")).status_code == 200, "it lives, to be looked at"
        assert await running.stop() == 0


async def _readiness(running: Running, status: int) -> bool:
    # The client's own limit of five seconds is part of the promise: probes do not wait longer.
    return (await running.http.get("/readyz")).status_code == status


async def test_a_ready_process_reports_what_is_on_its_way(
    database: ServiceDatabase, kafka_bootstrap: str
) -> None:
    async with serving(MODULE, environment(database, kafka_bootstrap)) as running:
        await eventually(lambda: _readiness(running, 200), within=60)
        before = (await running.http.get("/readyz")).json()["activity"]
        await tell(database, ["reported-1"])
        await eventually(lambda: _one_handled(database), within=60)
        report = await eventually(lambda: _at_rest(running), within=30)
        assert report["activity"] > before
        assert (report["checks"], report["next_due_at"]) == ({}, None)
        assert (await running.http.get("/metrics")).status_code == 200


async def _one_handled(database: ServiceDatabase) -> bool:
    return await effects_of(database, "reported") == 1


async def _at_rest(running: Running) -> dict[str, object]:
    report: dict[str, object] = (await running.http.get("/readyz")).json()
    assert (report["consumer_lag"], report["outbox_unsent"], report["jobs_due"]) == (0, 0, 0)
    return report


@pytest.mark.parametrize(
    ("name", "value"),
    [("KAFKA_BOOTSTRAP", "nonsense"), ("HTTP_PORT", "0"), ("CLOCK", "sandbox")],
)
async def test_a_wrong_setting_stops_the_start_with_its_name(
    service_database: CloneDatabase, name: str, value: str
) -> None:
    env = environment(await service_database("ticket_svc")) | {name: value}
    end = await finished(MODULE, env, "serve")
    assert (end.code, end.out) == (2, "")
    assert end.err.startswith("ticket-svc does not start: ")
    assert name in end.err
    assert "Traceback" not in end.err
