"""The clock door's machinery: jobs that have a next due business time, run when it has come."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Counter

from shared.clock import Clock, News, no_news, pause
from shared.consumer import is_outage
from shared.db import Connection, Engine, transaction
from shared.logs import get_logger, new_traceparent, traceparent_now

_POLL_SECONDS = 0.5
"""How late work may be seen that another process made; what this one did is seen at once."""
_BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)

_log = get_logger(__name__)
_done_total = Counter("daozhang_job_items_total", "Job items done", ["job"])
_failed_total = Counter(
    "daozhang_job_failures_total", "Job runs that failed and will be tried again", ["job"]
)


@dataclass(frozen=True, slots=True)
class Job:
    """Work that time brings.

    `due` tells the earliest business time at which there is work (None: none) by one cheap query;
    `run` does one bounded batch in transactions of its own and returns how many items it did. An
    error means: try again after a pause in system time. Of a job with `lanes`, as many batches run
    beside each other, as they do in replicas: one computes while PostgreSQL writes the other.
    """

    name: str
    due: Callable[[Connection], Awaitable[datetime | None]]
    run: Callable[[datetime], Awaitable[int]]
    lanes: int = 1


class JobRunner:
    """Runs a service's jobs, each in a task of its own, so that a slow party does not hold up the
    others.
    """

    def __init__(
        self, engine: Engine, clock: Clock, jobs: Sequence[Job], news: News = no_news
    ) -> None:
        self._engine, self._clock, self._jobs = engine, clock, tuple(jobs)
        self._news = news
        self.done = 0

    async def run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            for job in self._jobs:
                for _ in range(job.lanes):
                    tasks.create_task(self._keep(job, stop), name=job.name)
            await stop.wait()

    async def due(self, conn: Connection) -> tuple[int, datetime | None]:
        """How many jobs have work now, and the next business time at which one will have."""
        now, waiting, later = self._clock.now(), 0, []
        for job in self._jobs:
            at = await job.due(conn)
            if at is not None and at <= now:
                waiting += 1
            elif at is not None:
                later.append(at)
        return waiting, min(later, default=None)

    async def _keep(self, job: Job, stop: asyncio.Event) -> None:
        failures = 0
        while not stop.is_set():
            seen = self._news()
            try:
                done = await self._once(job)
                failures = 0
            except Exception as error:  # noqa: BLE001
                # An outage passes; a bug in one job must not stop the others, and its failures are
                # counted and logged.
                failures += 1
                _failed_total.labels(job.name).inc()
                _log.warning(
                    "job_failed",
                    job=job.name,
                    failures=failures,
                    exc_info=None if is_outage(error) else error,
                    error=repr(error)[:500],
                )
                done = 0
            if failures:
                await pause(stop, _wait_seconds(failures))
            elif not done:
                await pause(stop, _POLL_SECONDS, self._news, seen)

    async def _once(self, job: Job) -> int:
        async with transaction(self._engine) as conn:
            at = await job.due(conn)
        now = self._clock.now()
        if at is None or at > now:
            return 0
        traceparent_now.set(new_traceparent())
        done = await job.run(now)
        self.done += done
        _done_total.labels(job.name).inc(done)
        return done


def _wait_seconds(failures: int) -> float:
    longest = _BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS)) - 1]
    return random.uniform(longest / 2, longest)  # noqa: S311  # jitter, not a secret
