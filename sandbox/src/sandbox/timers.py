"""What the parties do by the clock: one timer after the other, each in a transaction of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sandbox.clock import SandboxTime
from sandbox.store import timers
from sandbox.store.timers import Timer
from shared.db import Connection, Engine, transaction
from shared.logs import get_logger

Act = Callable[[Connection, Timer], Awaitable[None]]

_POLL_SECONDS = 0.2
_OUTAGE_PAUSE_SECONDS = 1.0
_log = get_logger(__name__)


@dataclass
class Activity:
    """A counter that grows with everything that happened here: equal twice means quiet."""

    count: int = 0

    def tick(self) -> None:
        self.count += 1


async def run(
    engine: Engine, clock: SandboxTime, acts: Mapping[str, Act], activity: Activity
) -> None:
    """Does what is due, in the order of its time, until cancelled.

    Each act happens at its timer's time, however far the clock was stepped: a quarter in one step
    leaves the same rows as a quarter by the hour.
    """
    while True:
        try:
            while await run_next(engine, clock, acts, activity):
                pass
        except (DBAPIError, PoolTimeout, OSError) as outage:
            _log.warning("timers_wait_for_database", outage=type(outage).__name__)
            await asyncio.sleep(_OUTAGE_PAUSE_SECONDS)
            continue
        try:
            await asyncio.wait_for(clock.stepped.wait(), _POLL_SECONDS)
            clock.stepped.clear()
        except TimeoutError:
            continue


async def run_next(
    engine: Engine, clock: SandboxTime, acts: Mapping[str, Act], activity: Activity
) -> bool:
    """Does the one timer that is due longest; False when none is."""
    async with transaction(engine) as conn:
        timer = await timers.take_due(conn, clock.now())
        if timer is None:
            return False
        await acts[timer.act](conn, timer)
    activity.tick()
    _log.info("timer_done", act=timer.act, due_at=timer.due_at.isoformat())
    return True
