"""What a process says of itself: ready or not, and how much is still on its way."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiokafka.errors import KafkaError
from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared import outbox
from shared.clock import Clock
from shared.consumer import Consumer
from shared.db import Connection, Engine, transaction
from shared.outbox import Relay
from shared.serve.jobs import JobRunner

_STILL_SECONDS = 30.0
_OUTBOX_AGE_SECONDS = 60.0

_PARKED = text(
    "SELECT count(DISTINCT (topic, key)) FROM parked WHERE state IN ('parked', 'queued')"
)
_parked_gauge = Gauge("daozhang_parked_keys", "Keys with parked events")


class Health:
    """Readiness is progress, not liveness: a consumer whose lag does not move, or that applies
    events later than its limit, is not ready.
    """

    def __init__(
        self,
        service: str,
        worker: Engine,
        clock: Clock,
        consumer: Consumer,
        relay: Relay,
        runner: JobRunner,
        behind_limit_seconds: int,
        warnings: Callable[[Connection], Awaitable[Mapping[str, str]]],
    ) -> None:
        self._warnings = warnings
        self._behind_limit_seconds = behind_limit_seconds
        self._service, self._worker, self._clock = service, worker, clock
        self._consumer, self._relay, self._runner = consumer, relay, runner
        self._lagging_since: float | None = None

    async def report(self) -> dict[str, Any]:
        """Numbers and names only; `activity` grows with every event handled, row relayed and job
        item done.
        """
        checks: dict[str, str] = {}
        report: dict[str, Any] = {
            "service": self._service,
            "business_time": self._clock.now().isoformat(),
            "consumer_lag": await self._lag(checks),
            "outbox_unsent": None,
            "parked": None,
            "jobs_due": None,
            "next_due_at": None,
            "warnings": None,
            "activity": self._consumer.handled + self._relay.sent + self._runner.done,
        }
        try:
            async with transaction(self._worker) as conn:
                report.update(await self._stored(conn, checks))
        except (DBAPIError, PoolTimeout, OSError, TimeoutError) as error:
            checks["database"] = type(error).__name__
        return {"ready": not checks, "checks": checks, **report}

    async def _stored(self, conn: Connection, checks: dict[str, str]) -> dict[str, Any]:
        parked = (await conn.execute(_PARKED)).scalar_one()
        _parked_gauge.set(parked)
        age = await outbox.oldest_age(conn)
        if age is not None and age > _OUTBOX_AGE_SECONDS:
            checks["outbox"] = f"the oldest event has waited {int(age)} s to be published"
        due, next_due = await self._runner.due(conn)
        return {
            "outbox_unsent": await outbox.unsent(conn),
            "parked": parked,
            "jobs_due": due,
            "next_due_at": next_due.isoformat() if next_due else None,
            "warnings": await self._warnings(conn),
        }

    async def _lag(self, checks: dict[str, str]) -> int | None:
        if self._consumer.halted:
            checks["consumer"] = self._consumer.halted
            return None
        try:
            lag = await self._consumer.lag()
        except (KafkaError, OSError, TimeoutError) as error:
            checks["kafka"] = type(error).__name__
            return None
        if lag is None:
            checks["kafka"] = "no partition is assigned yet"
            return None
        now = time.monotonic()
        self._lagging_since = None if lag == 0 else (self._lagging_since or now)
        if (
            self._lagging_since
            and now - self._lagging_since > _STILL_SECONDS
            and self._consumer.still_for() > _STILL_SECONDS
        ):
            checks["consumer"] = (
                f"lag {lag} and no progress for {int(self._consumer.still_for())} s"
            )
        elif lag and self._consumer.behind() > self._behind_limit_seconds:
            checks["consumer"] = (
                f"events are applied {int(self._consumer.behind())} s late, {lag} wait"
            )
        return lag
