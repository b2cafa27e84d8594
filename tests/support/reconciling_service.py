"""reconciliation-svc as wired by its main.py: facts in, jobs run, time stepped."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import text

from reconciliation_svc.main import SERVICE
from shared.clock import FixedClock
from shared.codec import body_of, decode, headers_of
from shared.consumer import apply_batch
from shared.contracts import Event
from shared.db import Engine, transaction
from shared.serve import Wiring
from shared.values import Outcome
from tests.support.reconciling import at

EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True)
class Record:
    """A Kafka record as the consumer's machinery reads it."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    partition: int = 0
    offset: int = 0


@dataclass
class Reconciliation:
    """The service's handlers, jobs and engines, and its business time."""

    api: Engine
    worker: Engine
    clock: FixedClock
    wiring: Wiring

    async def tell(self, *events: Event) -> None:
        """One batch of one partition, as the consumer would apply it."""
        outcome = await apply_batch(
            self.worker,
            self.wiring.handlers,
            SERVICE.name,
            [record_of(event) for event in events],
            versioned=True,
        )
        assert outcome.parked == 0

    async def work(self) -> None:
        """Jobs, until none has work at this business time."""
        for _ in range(100):
            done = 0
            for job in self.wiring.jobs:
                async with transaction(self.worker) as conn:
                    due = await job.due(conn)
                if due is not None and due <= self.clock.now():
                    done += await job.run(self.clock.now())
            if not done:
                return
        raise AssertionError("the jobs find work for ever")

    async def until(self, moment: datetime) -> None:
        """Steps business time through every due moment up to `moment`, like the conductor."""
        while True:
            await self.work()
            dues = []
            async with transaction(self.worker) as conn:
                for job in self.wiring.jobs:
                    dues.append(await job.due(conn))
            coming = min((due for due in dues if due is not None), default=None)
            if coming is None or coming > moment:
                break
            self.clock.set(coming)
        self.clock.set(moment)
        await self.work()

    async def told(self, kind: type[EventT], employee_id: str | None = None) -> list[EventT]:
        """Events of one class (or its subclasses) in the order of the outbox."""
        async with transaction(self.worker) as conn:
            rows = (await conn.execute(text("SELECT * FROM outbox ORDER BY seq"))).mappings().all()
        found = []
        for row in rows:
            headers = headers_of(
                str(row["id"]), row["type"], "/t", row["subject"], row["ce_time"], ""
            )
            received = decode(
                row["aggregatetype"], row["aggregateid"].encode(), bytes(row["payload"]), headers
            )
            assert received is not None
            event = received.event
            if isinstance(event, kind) and employee_id in (
                None,
                getattr(event, "employee_id", None),
            ):
                found.append(event)
        return found

    async def cells(self) -> dict[tuple[str, str, str], Outcome]:
        """Outcome by employee, levy period and insurance."""
        query = text(
            "SELECT employee_id, levy_period, c->>'insurance', c->>'outcome'"
            " FROM months, jsonb_array_elements(cells) c"
        )
        async with transaction(self.worker) as conn:
            rows = (await conn.execute(query)).all()
        return {(row[0], row[1], row[2]): Outcome(row[3]) for row in rows}

    async def open_anomalies(self) -> set[tuple[str, str, str, tuple[str, ...], str]]:
        """Told or not: employee, levy period, kind, insurances, reason."""
        query = text(
            "SELECT employee_id, levy_period, kind, insurances, reason FROM anomalies"
            " WHERE cleared_at IS NULL"
        )
        async with transaction(self.worker) as conn:
            rows = (await conn.execute(query)).all()
        return {(row[0], row[1], row[2], tuple(row[3]), row[4]) for row in rows}


def record_of(event: Event) -> Record:
    headers = headers_of(
        str(event.event_id()), event.ce_type(), "/test", event.aggregate(), at(1), ""
    )
    return Record(event.TOPIC, event.key().encode(), body_of(event), headers)
