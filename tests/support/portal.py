"""portal-svc as its main.py wires it, without its process: events in, HTTP out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from portal_svc.main import SERVICE
from shared.codec import body_of
from shared.consumer import Handlers, apply_batch
from shared.contracts.event import Event
from shared.db import Engine
from shared.sealed import Sealer
from tests.support.schemas.golden import golden_examples
from tests.support.standins import Issuer, Recording


@dataclass(frozen=True)
class Record:
    """A Kafka record as the consumer's machinery reads it."""

    topic: str
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]
    partition: int = 0
    offset: int = 0


@dataclass
class Portal:
    """The service as wired by its main.py, without its process."""

    worker: Engine
    http: httpx.AsyncClient
    issuer: Issuer
    ticket_svc: Recording
    sealer: Sealer
    handlers: Handlers

    async def tell(self, *events: Event) -> None:
        """Events as records, through the codec, in one batch."""
        await self.take_in([record_of(event) for event in events])

    async def take_in(self, records: Iterable[Record]) -> None:
        outcome = await apply_batch(
            self.worker, self.handlers, SERVICE.name, list(records), versioned=True
        )
        assert outcome.parked == 0

    async def get(self, path: str, token: str, **query: Any) -> httpx.Response:
        return await self.http.get(
            f"/api/v1{path}", params=query, headers={"Authorization": f"Bearer {token}"}
        )


def record_of(event: Event) -> Record:
    headers = [("ce_type", event.ce_type().encode()), ("ce_id", str(event.event_id()).encode())]
    return Record(event.TOPIC, event.key().encode(), body_of(event), headers)


def golden_records() -> list[Record]:
    """小王's October, an event of every kind."""
    return [
        Record(one.topic, one.key.encode(), one.body(), one.raw_headers())
        for one in golden_examples()
    ]
