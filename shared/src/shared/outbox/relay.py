"""The relay: what waits in the outbox is published in order, by one process a service at a time."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from asyncpg import InternalClientError
from prometheus_client import Counter, Gauge
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.clock import News, is_own_cancellation, no_news, pause, stopped_within
from shared.codec import Headers, headers_of_all, own_headers
from shared.db import Engine, transaction
from shared.logs import get_logger
from shared.outbox.told import oldest_age

_BATCH_ROWS = 5_000
_BATCH_BYTES = 500_000
"""Of a partition: with the client's own 16 kB a round is hundreds of requests."""
_POLL_SECONDS = 0.5
"""How late an event may leave that another process wrote; our own are told at once."""
_LEASE_SECONDS = 15
_SEND_TIMEOUT_SECONDS = 30
_BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)

_sent_total = Counter("daozhang_outbox_sent_total", "Events that the broker acknowledged")
_oldest = Gauge(
    "daozhang_outbox_oldest_seconds", "Age of the oldest event that is not published yet"
)
_log = get_logger(__name__)

_OUTAGES = (
    DBAPIError,
    PoolTimeout,
    # asyncpg's own words for a server that was killed; no driver error, so not wrapped in one.
    InternalClientError,
    KafkaError,
    OSError,
    # aiokafka lets one escape that was meant for a task of its own.
    asyncio.CancelledError,
)

_hashed = DefaultPartitioner()


@lru_cache(maxsize=2 * _BATCH_ROWS)
def _partition_of(key: bytes, partitions: tuple[int, ...]) -> int:
    """As every producer of ours: what has one key stays in one partition. The hash is slow Python,
    and an employee's events come together.
    """
    partition: int = _hashed(key, partitions, None)
    return partition


_Record = tuple[str, bytes, bytes | None, Headers]
"""A topic, and key, value and headers of what goes there."""

Round = Callable[["_Publisher"], Awaitable[int]]

_LEASE = text(
    """
    INSERT INTO relay_lease AS l (name, owner, epoch, until)
    VALUES ('relay', :owner, 1, clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (name) DO UPDATE
       SET owner = :owner,
           epoch = l.epoch + CASE WHEN l.owner = :owner THEN 0 ELSE 1 END,
           until = excluded.until
     WHERE l.owner = :owner OR l.until < clock_timestamp()
    RETURNING epoch
    """
)
_UNSENT = text(
    """
    SELECT seq, type, ce_time, traceparent, CAST(id AS text), aggregatetype, aggregateid, subject,
           payload
      FROM outbox_queue JOIN outbox USING (seq) ORDER BY seq LIMIT :rows
    """
)
_SENT = text(
    """
    DELETE FROM outbox_queue
     WHERE seq = ANY(:seqs)
       AND EXISTS (SELECT 1 FROM relay_lease
                    WHERE name = 'relay' AND owner = :owner AND epoch = :epoch)
    """
)
_UNCOPIED = text("SELECT * FROM parked WHERE copied_at IS NULL ORDER BY seq LIMIT 200")
_COPIED = text("UPDATE parked SET copied_at = clock_timestamp() WHERE seq = ANY(:seqs)")


class _Publisher:
    """A producer that is dropped on any doubt; a fresh one then sends again what was not marked."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, records: Sequence[_Record]) -> None:
        """Sends all and waits for all acknowledgements.

        With idempotence aiokafka never gives up on a batch by itself, and after a broker's restart
        it may fail for ever while a fresh client works: so the wait is bounded.
        """
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                enable_idempotence=True,
                acks="all",
                compression_type="zstd",
                linger_ms=2,
                max_batch_size=_BATCH_BYTES,
                max_request_size=1_000_000,
            )
            await producer.start()
            self._producer = producer
        async with asyncio.timeout(_SEND_TIMEOUT_SECONDS):
            sent = [
                await self._producer.send_batch(batch, topic, partition=partition)
                for topic, partition, batch in await _batches(self._producer, records)
            ]
            await asyncio.gather(*sent)

    async def drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None and not await stopped_within(5, producer.stop()):
            _log.warning("producer_did_not_stop")


async def _batches(
    producer: AIOKafkaProducer, records: Sequence[_Record]
) -> list[tuple[str, int, Any]]:
    """Records filled into batches of their topics' partitions, in order: waiting for each batch
    instead of each record takes half the CPU.
    """
    filling: dict[tuple[str, int], Any] = {}
    found = []
    topics = {topic for topic, *_ in records}
    partitions = {topic: tuple(sorted(await producer.partitions_for(topic))) for topic in topics}
    for topic, key, value, headers in records:
        place = topic, _partition_of(key, partitions[topic])
        record = {"key": key, "value": value, "timestamp": None, "headers": headers}
        if place not in filling or filling[place].append(**record) is None:
            batch = filling[place] = producer.create_batch()
            batch.append(**record)
            found.append((*place, batch))
    return found


class Relay:
    """Publishes the outbox in order, one relay a service at a time (a lease timed by the
    database), and beside it the dead letters' copies, which must never hold up an event.
    """

    def __init__(self, engine: Engine, bootstrap: str, source: str, news: News = no_news) -> None:
        self._engine, self._bootstrap, self._source = engine, bootstrap, source
        self._news = news
        self._owner = str(uuid.uuid4())
        self.sent = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`, and then until nothing is left to publish or a try has failed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep(self._events, stop))
            tasks.create_task(self._keep(self._copies, stop))

    async def _keep(self, rounds: Round, stop: asyncio.Event) -> None:
        publisher, failures = _Publisher(self._bootstrap), 0
        try:
            while True:
                stopping, seen = stop.is_set(), self._news()
                try:
                    done = await rounds(publisher)
                    failures = 0
                except _OUTAGES as error:
                    if is_own_cancellation():
                        raise
                    done, failures = 0, failures + 1
                    _log.warning("relay_retries", error=type(error).__name__, failures=failures)
                    await publisher.drop()
                if stopping and done == 0:
                    return
                if failures:
                    await pause(stop, _BACKOFF_SECONDS[min(failures, 5) - 1])
                elif done == 0:
                    await pause(stop, _POLL_SECONDS, self._news, seen)
        finally:
            await publisher.drop()

    async def _events(self, publisher: _Publisher) -> int:
        async with transaction(self._engine) as conn:
            age = await oldest_age(conn)
            _oldest.set(age or 0)
            if age is None:
                return 0
            lease = {"owner": self._owner, "seconds": _LEASE_SECONDS}
            epoch = (await conn.execute(_LEASE, lease)).scalar()
            if epoch is None:
                return 0
            rows = (await conn.execute(_UNSENT, {"rows": _BATCH_ROWS})).all()
        await publisher.publish(_event_records(rows, self._source))
        async with transaction(self._engine) as conn:
            seqs = [row[0] for row in rows]
            await conn.execute(_SENT, {"seqs": seqs, "owner": self._owner, "epoch": epoch})
        self.sent += len(rows)
        _sent_total.inc(len(rows))
        return len(rows)

    async def _copies(self, publisher: _Publisher) -> int:
        async with transaction(self._engine) as conn:
            rows = (await conn.execute(_UNCOPIED)).mappings().all()
        if not rows:
            return 0
        await publisher.publish([_copy_record(row) for row in rows])
        async with transaction(self._engine) as conn:
            await conn.execute(_COPIED, {"seqs": [row["seq"] for row in rows]})
        return len(rows)


def _event_records(rows: Sequence[Any], source: str) -> list[_Record]:
    """The records of rows as `_UNSENT` gives them. An event that deletes is one without a value: a
    compacted topic then forgets the key.
    """
    found: list[_Record] = []
    for (ce_type, time, traceparent), told in groupby(rows, key=itemgetter(1, 2, 3)):
        headers = headers_of_all(ce_type, source, time, traceparent)
        for *_, event_id, topic, key, subject, payload in told:
            found.append((topic, key.encode(), payload, own_headers(event_id, subject) + headers))
    return found


def _copy_record(row: Any) -> _Record:
    """A dead letter: the record as it came, with why and where from."""
    headers = [(name, bytes.fromhex(value)) for name, value in row["headers"]]
    headers += [
        ("x-dlq-reason", row["reason"].encode()),
        ("x-dlq-error", row["error"][:500].encode()),
        ("x-dlq-origin", f"{row['topic']}/{row['partition']}/{row['position']}".encode()),
        ("x-dlq-attempts", str(row["attempts"]).encode()),
        ("x-dlq-at", row["parked_at"].isoformat().encode()),
    ]
    value = bytes(row["value"]) if row["value"] is not None else None
    return row["dead_letter_topic"], row["key"].encode(), value, headers
