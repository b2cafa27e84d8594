"""One service without its loops, on a real database and with a real issuer: the test makes each
step.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import text

from shared import db
from shared.clock import FixedClock, china_time
from shared.codec import body_of, decode, headers_of
from shared.consumer import Outcome, apply_batch
from shared.contracts import Event
from shared.serve import Job, Parts, Service, SignIn, Wiring, make_app
from tests.support.issuer import Issuer, issuer
from tests.support.service_databases import ServiceDatabase


def at(month: int, day: int, clock: str = "08:00") -> datetime:
    """A moment of 2024 in Asia/Shanghai."""
    return china_time(date(2024, month, day), clock)


@dataclass
class Room:
    """`hear` what Kafka would bring, `work` what is due, ask over `http`, and see what
    was `told`.
    """

    name: str
    parts: Parts[Any]
    wiring: Wiring
    clock: FixedClock
    http: httpx.AsyncClient
    issuer: Issuer

    async def hear(self, *events: Event) -> Outcome:
        """One batch of one partition, in one transaction."""
        records = [_record(event) for event in events]
        return await apply_batch(self.parts.worker, self.wiring.handlers, self.name, records)

    async def hear_nothing_more_of(self, topic: str, key: str) -> Outcome:
        """A tombstone."""
        tombstone = SimpleNamespace(
            topic=topic, partition=0, offset=0, key=key.encode(), value=None, headers=()
        )
        return await apply_batch(self.parts.worker, self.wiring.handlers, self.name, [tombstone])

    async def work(self) -> int:
        """Runs every job that is due until none is; how many items they did."""
        done = 0
        for job in self.wiring.jobs:
            while await self._is_due(job):
                done += await job.run(self.clock.now())
        return done

    async def _is_due(self, job: Job) -> bool:
        async with db.transaction(self.parts.worker) as conn:
            due = await job.due(conn)
        return due is not None and due <= self.clock.now()

    async def told(self) -> list[Any]:
        """Every event told so far, in order."""
        rows = await self.rows("SELECT * FROM outbox ORDER BY seq")
        return [_event(row) for row in rows]

    async def rows(self, statement: str) -> Sequence[Any]:
        """What a query of the worker role gives."""
        async with db.transaction(self.parts.worker) as conn:
            return (await conn.execute(text(statement))).all()

    def hr(self, sub: str = "hr-li", employer: str = "the-employer") -> dict[str, str]:
        return self.issuer.headers(sub, ["hr"], employer_ids=[employer])

    def employee(self, employee: str = "xiaowang") -> dict[str, str]:
        return self.issuer.headers(
            f"sub-{employee}", ["employee"], employer_ids=["the-employer"], employee_id=employee
        )


def _record(event: Event) -> Any:
    event_id, key = str(event.event_id()), event.key()
    headers = headers_of(event_id, event.ce_type(), "/tests", event.aggregate(), at(10, 17), "")
    return SimpleNamespace(
        topic=event.TOPIC,
        partition=0,
        offset=0,
        key=key.encode(),
        value=body_of(event),
        headers=headers,
    )


def _event(row: Any) -> Event:
    headers = headers_of(str(row.id), row.type, "/tests", row.subject, row.ce_time, "")
    received = decode(row.aggregatetype, row.aggregateid.encode(), bytes(row.payload), headers)
    assert received is not None
    return received.event


@asynccontextmanager
async def room(
    service: Service[Any], database: ServiceDatabase, **settings: Any
) -> AsyncIterator[Room]:
    """The service on this database; business time stands at 2024-10-17 08:00 in Asia/Shanghai."""
    async with issuer() as signing:
        chosen = service.settings(
            http_port=1,
            database_api_url=SecretStr(database.api_url),
            database_worker_url=SecretStr(database.worker_url),
            kafka_bootstrap="none:1",
            oidc_issuer=signing.url,
            **settings,
        )
        clock = FixedClock(at(10, 17))
        api = db.connect(database.api_url, service.name)
        worker = db.connect(database.worker_url, service.name)
        parts = Parts(chosen, api, worker, clock)
        wiring = service.build(parts)
        app = make_app(service.name, "", wiring.routers, SignIn(signing.url, "daozhang"))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
            yield Room(service.name, parts, wiring, clock, http, signing)
        await api.dispose()
        await worker.dispose()
