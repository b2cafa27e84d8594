"""The clock door: jobs run when their business time has come, again after a failure, and not
beside the end.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from shared.clock import FixedClock, china_time
from shared.db import Connection, Engine, connect, transaction
from shared.logs import traceparent_now
from shared.serve import Job, JobRunner
from tests.support.eventually import eventually
from tests.support.service_databases import ServiceDatabase

NINE = china_time(date(2024, 10, 17), "09:00")
HOUR = timedelta(hours=1)


@dataclass
class Work:
    """Items that fall due at a business time; `failures` says how often a run fails first."""

    items: list[datetime]
    failures: int = 0
    batch: int = 10
    ran_at: list[datetime] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_end.set()

    async def due(self, conn: Connection) -> datetime | None:
        assert conn
        return min(self.items, default=None)

    async def run(self, now: datetime) -> int:
        self.traces.append(traceparent_now.get())
        await self.may_end.wait()
        if self.failures:
            self.failures -= 1
            raise OSError("the authority does not answer")
        self.ran_at.append(now)
        done = [item for item in sorted(self.items) if item <= now][: self.batch]
        self.items = [item for item in self.items if item not in done]
        return len(done)

    def job(self, name: str) -> Job:
        return Job(name, self.due, self.run)


@pytest.fixture
async def engine(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> AsyncIterator[Engine]:
    engine = connect((await service_database("ticket_svc")).worker_url, "test", 3)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def running(runner: JobRunner) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run(stop))
        try:
            yield stop
        finally:
            stop.set()


async def test_a_job_waits_for_its_business_time(engine: Engine) -> None:
    clock, work = FixedClock(NINE), Work([NINE + HOUR])
    runner = JobRunner(engine, clock, [work.job("look up")])
    async with running(runner):
        async with transaction(engine) as conn:
            assert await runner.due(conn) == (0, NINE + HOUR)
        await asyncio.sleep(0.3)
        assert work.ran_at == []
        clock.set(NINE + HOUR)
        await eventually(lambda: work.ran_at == [NINE + HOUR])
    assert runner.done == 1


async def test_a_job_goes_on_batch_by_batch_until_nothing_is_due(engine: Engine) -> None:
    work = Work([NINE - n * HOUR for n in range(25)] + [NINE + HOUR])
    runner = JobRunner(engine, FixedClock(NINE), [work.job("look up")])
    async with running(runner):
        await eventually(lambda: runner.done == 25)
        await asyncio.sleep(0.2)
    assert work.ran_at == [NINE] * 3
    assert work.items == [NINE + HOUR]


@pytest.mark.parametrize("lanes", [1, 2])
async def test_as_many_batches_run_beside_each_other_as_a_job_has_lanes(
    engine: Engine, lanes: int
) -> None:
    work = Work([NINE])
    work.may_end.clear()
    job = Job("assess", work.due, work.run, lanes=lanes)
    async with running(JobRunner(engine, FixedClock(NINE), [job])):
        await eventually(lambda: len(work.traces) == lanes)
        assert sum(task.get_name() == "assess" for task in asyncio.all_tasks()) == lanes
        work.may_end.set()
        await eventually(lambda: work.items == [])


async def test_what_is_due_and_what_comes_next_is_told(engine: Engine) -> None:
    jobs = [Work([NINE]), Work([NINE - HOUR]), Work([NINE + 2 * HOUR]), Work([NINE + HOUR])]
    runner = JobRunner(
        engine, FixedClock(NINE), [work.job(str(n)) for n, work in enumerate([*jobs, Work([])])]
    )
    async with transaction(engine) as conn:
        assert await runner.due(conn) == (2, NINE + HOUR)


async def test_a_failed_run_is_tried_again_and_holds_up_no_other(engine: Engine) -> None:
    failing, well = Work([NINE], failures=2), Work([NINE])
    runner = JobRunner(engine, FixedClock(NINE), [failing.job("failing"), well.job("well")])
    with capture_logs() as logged:
        async with running(runner):
            await eventually(lambda: well.ran_at)
            assert failing.ran_at == []
            await eventually(lambda: failing.ran_at, within=10)
    assert [(entry["job"], entry["failures"]) for entry in logged] == [
        ("failing", 1),
        ("failing", 2),
    ]


async def test_stopping_lets_the_run_in_hand_finish(engine: Engine) -> None:
    work = Work([NINE])
    work.may_end.clear()
    async with running(JobRunner(engine, FixedClock(NINE), [work.job("look up")])) as stop:
        await eventually(lambda: work.traces)
        stop.set()
        await asyncio.sleep(0.1)
        assert work.ran_at == []
        work.may_end.set()
    assert work.ran_at == [NINE]


async def test_each_run_has_a_trace_of_its_own(engine: Engine) -> None:
    work = Work([NINE, NINE - HOUR], batch=1)
    async with running(JobRunner(engine, FixedClock(NINE), [work.job("look up")])):
        await eventually(lambda: len(work.ran_at) == 2)
    assert len(set(work.traces)) == 2
