"""The loop of one consumer group member: fetch, apply, commit, and be replaced when nothing
moves.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from prometheus_client import Counter, Gauge, Histogram

from shared.clock import is_own_cancellation, stopped_within, system_now
from shared.consumer.alarm import Alarm
from shared.consumer.apply import apply_batch
from shared.consumer.lenient import read_leniently
from shared.consumer.outage import is_outage
from shared.consumer.read import Handlers
from shared.db import Engine
from shared.logs import get_logger

_BATCH_RECORDS = 10_000
_POLL_MS = 200
_REPLACE_AFTER_SECONDS = 6.0
_UNREACHABLE_SECONDS = 15.0
"""A broker that was killed is back sooner: a client that waited for it went on after 0.4 s, where a
new one waits 10 s for the old one's session to end (measured).
"""
_ASSIGNMENT_SECONDS = 15.0
"""Longer than a session, after which the broker gives up on a member that was killed."""
_STUCK_AFTER_SECONDS = 60.0
_BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
_STOP_SECONDS = 3
"""Leaving a group takes milliseconds; where the broker was killed, client and successor wait in
vain.
"""
_ASK_SECONDS = 2.0

_log = get_logger(__name__)
_batch_seconds = Histogram(
    "daozhang_consumer_batch_seconds", "Time to apply one batch of one partition", ["topic"]
)
_replaced_total = Counter(
    "daozhang_consumer_clients_replaced_total", "Kafka clients given up for a new one", ["group"]
)
_lost_total = Counter(
    "daozhang_consumer_partitions_lost_total",
    "Batches whose partition had gone to another member before their offset was committed",
    ["topic"],
)
_lag_gauge = Gauge("daozhang_consumer_lag", "Records not yet applied", ["group"])
_handled_total = Counter(
    "daozhang_events_handled_total", "Records applied; a redelivery counts again", ["topic"]
)

_halted_gauge = Gauge(
    "daozhang_consumer_halted",
    "1 once too much was parked: the release must be corrected",
    ["group"],
)


class ConsumerStuck(Exception):
    """There is lag and no offset has moved for too long, though the client was replaced: the
    process must end.
    """


class _Forget(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Forgets how far partitions were applied when they move: their next owner may have gone
    further.
    """

    def __init__(self, consumer: "Consumer") -> None:
        self._consumer = consumer

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002
        self._consumer.forget()

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._consumer.forget()
        _log.info("partitions_assigned", partitions=len(assigned))


class Consumer:
    """Feeds a service's handlers from its topics: at least once, in order per key, a batch a
    transaction.
    """

    def __init__(
        self,
        engine: Engine,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        handlers: Handlers,
        *,
        versioned: bool = False,
    ) -> None:
        self._engine, self._bootstrap, self._group = engine, bootstrap, group
        self._topics, self._handlers, self._versioned = tuple(topics), handlers, versioned
        self._client: AIOKafkaConsumer | None = None
        self._asker: AIOKafkaConsumer | None = None
        self._done: dict[TopicPartition, int] = {}
        self._moved_at = self._excused_at = time.monotonic()
        self._told_at: datetime | None = None
        self._silent = 0
        self._backoff = 0
        self.handled = 0
        self._clients = self.replaced = 0
        self.halted = ""
        self._alarm = Alarm()
        _halted_gauge.labels(group).set(0)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: the batch in hand is finished and committed first."""
        self._moved_at = time.monotonic()
        while not stop.is_set() and not self.halted:
            try:
                await self._with_one_client(stop)
            except (KafkaError, OSError, TimeoutError, asyncio.CancelledError) as error:
                if is_own_cancellation():
                    raise
                _log.warning("consumer_client_failed", error=repr(error))
                await asyncio.sleep(0.5)
        if self.halted:
            _halted_gauge.labels(self._group).set(1)
            _log.error("consumer_halted", reason=self.halted)
            await stop.wait()

    async def _with_one_client(self, stop: asyncio.Event) -> None:
        client = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=3_000,
            max_poll_interval_ms=300_000,
            fetch_max_wait_ms=500,
        )
        # A broker answers one connection's requests in turn: a question about the log's end would
        # wait behind the fetch that waits for records. So it has a connection of its own.
        asker = AIOKafkaConsumer(bootstrap_servers=self._bootstrap)
        try:
            client.subscribe(self._topics, listener=_Forget(self))
            async with asyncio.timeout(30):
                await asyncio.gather(client.start(), asker.start())
            self._client, self._asker = client, asker
            self._count_client()
            await self._poll(client, stop)
        finally:
            self._client = self._asker = None
            await asyncio.gather(_stop_client(client), _stop_client(asker))

    def _count_client(self) -> None:
        """Only one that came to work replaces another: while the broker is away, none does."""
        self._clients += 1
        if self._clients > 1:
            self.replaced += 1
            _replaced_total.labels(self._group).inc()
            _log.warning("consumer_client_replaced", times=self.replaced)

    async def _poll(self, client: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        """Returns when stopping, halted, or when lag does not shrink: then a new client is
        wanted.
        """
        checked_at = time.monotonic()
        while not stop.is_set() and not self.halted:
            # Without an assignment getmany waits for one whatever its own timeout says; after a
            # broker's restart it was seen to wait for ever.
            async with asyncio.timeout(_ASSIGNMENT_SECONDS):
                batches = await self._fetched(client)
            for partition, records in batches.items():
                self._done.setdefault(partition, records[0].offset)
            for partition, records in batches.items():
                if stop.is_set() or not await self._apply(client, partition, records):
                    break
            if time.monotonic() - checked_at > 2.0:
                checked_at = time.monotonic()
                if await self._stands_still():
                    return

    async def _fetched(self, client: AIOKafkaConsumer) -> dict[TopicPartition, list[Any]]:
        try:
            return dict(await client.getmany(timeout_ms=_POLL_MS, max_records=_BATCH_RECORDS))
        except UnicodeDecodeError:
            _log.warning("header_name_unreadable", group=self._group)
            await self.lag()  # It finds out where those stand of which nothing was applied yet.
            return await read_leniently(client, dict(self._done))

    async def _apply(
        self, client: AIOKafkaConsumer, partition: TopicPartition, records: Sequence[Any]
    ) -> bool:
        """Applies and commits one partition's batch; False when the round must be left."""
        try:
            with _batch_seconds.labels(partition.topic).time():
                outcome = await apply_batch(
                    self._engine,
                    self._handlers,
                    self._group,
                    records,
                    versioned=self._versioned,
                    alarm=self._alarm,
                )
        except Exception as error:
            if not is_outage(error):
                raise
            await self._again(client, partition, records[0].offset, error)
            return False
        self._backoff = 0
        self._moves()
        applied = records[outcome.records - 1]
        self._done[partition] = applied.offset + 1
        self._told_at = datetime.fromtimestamp(applied.timestamp / 1000, UTC)
        self.handled += outcome.records
        _handled_total.labels(partition.topic).inc(outcome.records)
        self.halted = outcome.stopped
        await _commit(client, partition, applied.offset + 1)
        return not self.halted

    async def _again(
        self, client: AIOKafkaConsumer, partition: TopicPartition, offset: int, error: Exception
    ) -> None:
        # getmany has moved the position: without a seek the failed batch would never come back.
        seconds = _BACKOFF_SECONDS[min(self._backoff, len(_BACKOFF_SECONDS) - 1)]
        self._backoff += 1
        self._excused_at = time.monotonic()
        _log.warning(
            "batch_waits_for_outage", error=repr(error), topic=partition.topic, seconds=seconds
        )
        await asyncio.sleep(seconds)
        # Every partition that was fetched beside it has moved on too, and its records are gone with
        # this round.
        for assigned in client.assignment():
            if assigned == partition:
                client.seek(assigned, offset)
            elif assigned in self._done:
                client.seek(assigned, self._done[assigned])

    async def lag(self) -> int | None:
        """Records not applied yet over all assigned partitions; None while nothing is assigned."""
        client, asker = self._client, self._asker
        if client is None or asker is None:
            return None
        assigned = list(client.assignment())
        if not assigned:
            return None
        # A client that is being stopped never answers: whoever asks for readiness must not wait.
        async with asyncio.timeout(_ASK_SECONDS):
            ends = await asker.end_offsets(assigned)
            unknown = [partition for partition in assigned if partition not in self._done]
            starts = await asker.beginning_offsets(unknown) if unknown else {}
            for partition in unknown:
                # What retention has deleted cannot be applied any more: it is no lag.
                done = max(await client.committed(partition) or 0, starts[partition])
                self._done.setdefault(partition, done)
        known = [partition for partition in assigned if partition in self._done]
        behind: int = sum(max(0, ends[partition] - self._done[partition]) for partition in known)
        _lag_gauge.labels(self._group).set(behind)
        return behind

    def still_for(self) -> float:
        """Seconds since a batch was last applied."""
        return time.monotonic() - self._moved_at

    def behind(self) -> float:
        """Seconds between the telling of the last event applied and now: while there is lag, about
        how late an event is that arrives. 0 before the first.
        """
        return 0.0 if self._told_at is None else (system_now() - self._told_at).total_seconds()

    def forget(self) -> None:
        """The partitions move: how far they were applied is their next owner's to say."""
        self._done.clear()
        self._excused_at = time.monotonic()

    def _moves(self) -> None:
        self._moved_at, self._silent = time.monotonic(), 0

    async def _stands_still(self) -> bool:
        """Whether a new client is wanted. Only the time counts in which the client alone can be to
        blame: the broker answers, partitions are assigned, and the database takes what is fetched.
        """
        try:
            lag = await self.lag()
        except (KafkaError, OSError, TimeoutError):
            self._excused_at = time.monotonic()
            return self.still_for() > _UNREACHABLE_SECONDS
        if lag == 0:
            self._moves()
        silent_for = time.monotonic() - max(self._moved_at, self._excused_at)
        if silent_for > _STUCK_AFTER_SECONDS:
            raise ConsumerStuck(f"{self._group}: lag {lag} and no progress for {silent_for:.0f} s")
        if silent_for <= _REPLACE_AFTER_SECONDS * (1 + self._silent):
            return False
        self._silent += 1
        return True


async def _commit(client: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> None:
    """Commits for lag charts and restarts; a lost partition is the next owner's, whose inbox knows
    what we did.
    """
    try:
        # Without a coordinator commit() asks for one for ever; the client is then replaced.
        async with asyncio.timeout(_ASSIGNMENT_SECONDS):
            await client.commit({partition: offset})
    except (CommitFailedError, IllegalStateError) as error:
        _lost_total.labels(partition.topic).inc()
        _log.warning("partition_was_lost", topic=partition.topic, error=type(error).__name__)


async def _stop_client(client: AIOKafkaConsumer) -> None:
    if not await stopped_within(_STOP_SECONDS, client.stop()):
        _log.warning("consumer_client_did_not_stop")
        # Given up on its way out of the group, it would keep its connections open for ever.
        await stopped_within(_STOP_SECONDS, client._client.close())
