"""One batch of one partition, applied in one transaction; in halves if that fails, to find the
poison.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from prometheus_client import Counter
from sqlalchemy import text

from shared.codec import Received, Undecodable, decode
from shared.consumer.alarm import MOST_KEYS, Alarm
from shared.consumer.outage import is_outage
from shared.consumer.parked import CONFLICT, Poison, park, queue_behind
from shared.consumer.read import Handler, Handlers, Read
from shared.consumer.shown import shown_text
from shared.db import Connection, Engine, transaction
from shared.logs import get_logger, traceparent_now, traceparent_of

_log = get_logger(__name__)
_redelivered = Counter("daozhang_inbox_hits_total", "Events that the inbox knew already")
_parked_total = Counter("daozhang_dlq_total", "Events parked", ["topic", "reason"])


@dataclass(slots=True)
class Outcome:
    """What became of one batch: its first `records` are dealt with, all unless `stopped` says why
    not; `poison` is what of them was parked for its own sake, not because it waits.
    """

    records: int = 0
    handled: int = 0
    known: int = 0
    parked: int = 0
    poison: tuple[Poison, ...] = ()
    stopped: str = ""

    def then(self, later: "Outcome") -> "Outcome":
        return Outcome(
            self.records + later.records,
            self.handled + later.handled,
            self.known + later.known,
            self.parked + later.parked,
            self.poison + later.poison,
            later.stopped,
        )


class _TooMuchPoison(Exception):
    """More of one batch is poison than may be parked at once: a bad release is to stop early."""


async def apply_batch(
    engine: Engine,
    handlers: Handlers,
    group: str,
    records: Sequence[Any],
    *,
    versioned: bool = False,
    alarm: Alarm | None = None,
) -> Outcome:
    """Applies records of one partition, in order. An outage is raised, for the caller to try the
    batch again.

    With `versioned` the effects are merges that keep the newest version: no inbox rows are needed,
    and of what cannot be handled only the single event is parked, not its key. Once `alarm` rings,
    the rest of the batch is left.
    """
    work = _Work(engine, _Applying(handlers, group, versioned), alarm or Alarm())
    return await work.done([_read(record) for record in records])


def _read(record: Any) -> Read:
    try:
        return Read(record, decode(record.topic, record.key, record.value, record.headers))
    except Undecodable as error:
        return Read(record, None, str(error))


_INBOX = text(
    """
    INSERT INTO inbox (event_id, content_hash)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:hashes AS bytea[]))
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)
_KNOWN = text("SELECT event_id, content_hash FROM inbox WHERE event_id = ANY(:ids)")


@dataclass(frozen=True, slots=True)
class _Work:
    """Batches, each in a transaction or in several, as poison has it."""

    engine: Engine
    applying: "_Applying"
    alarm: Alarm

    async def done(self, reads: Sequence[Read]) -> Outcome:
        """All in one transaction. If that fails, one half and then the other, down to the single
        event that is the poison: one among ten thousand costs some thirty transactions.
        """
        try:
            async with transaction(self.engine) as conn:
                outcome = await self.applying.apply(conn, reads)
        except Exception as error:
            if is_outage(error):
                raise
            if len(reads) > 1:
                return await self._halved(reads)
            outcome = await self._refused(reads[0], error)
        outcome.records = len(reads)
        self._count(outcome)
        outcome.stopped = self.alarm.reason() if outcome.poison else ""
        return outcome

    async def _halved(self, reads: Sequence[Read]) -> Outcome:
        middle = len(reads) // 2
        first = await self.done(reads[:middle])
        return first if first.stopped else first.then(await self.done(reads[middle:]))

    async def _refused(self, read: Read, error: Exception) -> Outcome:
        outcome = Outcome()
        poison = Poison(read.record, read.received, "handler", repr(error))
        _log.error("handler_failed", exc_info=error, **poison.names())
        async with transaction(self.engine) as conn:
            await self.applying.park(conn, poison, outcome)
        return outcome

    def _count(self, outcome: Outcome) -> None:
        """Only what was committed: a transaction that failed is done again in halves."""
        _redelivered.inc(outcome.known)
        self.alarm.saw(outcome.records)
        for poison in outcome.poison:
            self.alarm.parked(poison.counts_as())
            _parked_total.labels(poison.record.topic, poison.reason).inc()
            error = shown_text(poison.error)
            _log.error("event_parked", reason=poison.reason, error=error, **poison.names())


@dataclass(frozen=True, slots=True)
class _Applying:
    """Records given to their handlers, in a transaction that the caller opened."""

    handlers: Handlers
    group: str
    versioned: bool
    most_poison: int = MOST_KEYS

    async def park(self, conn: Connection, poison: Poison, outcome: Outcome) -> None:
        if not await park(conn, self.group, poison, whole_key=not self.versioned):
            return
        outcome.parked += 1
        outcome.poison += (poison,)
        if len(outcome.poison) > self.most_poison:
            raise _TooMuchPoison

    async def apply(self, conn: Connection, reads: Sequence[Read]) -> Outcome:
        outcome = Outcome()
        wanted = await self.wanted(conn, reads, outcome)
        runs = groupby(wanted, key=lambda read: self.handlers[type(_received(read).event)])
        for handler, run in runs:
            received = [_received(read) for read in run]
            traceparent_now.set(traceparent_of(received[0].traceparent))
            await handler(conn, [one.event for one in received])
            outcome.handled += len(received)
        return outcome

    async def wanted(self, conn: Connection, reads: Sequence[Read], outcome: Outcome) -> list[Read]:
        """What the handlers have to be given of one topic's records; the rest is counted and
        parked.
        """
        for read in reads:
            if read.fault:
                poison = Poison(read.record, None, "undecodable", read.fault)
                await self.park(conn, poison, outcome)
        wanted = [
            read
            for read in reads
            if read.received is not None and type(read.received.event) in self.handlers
        ]
        if not self.versioned:
            wanted, held = await queue_behind(conn, self.group, wanted)
            outcome.parked += held
            wanted = await self._new_ones(conn, wanted, outcome)
            if outcome.known:
                _log.info("inbox_knew", events=outcome.known, group=self.group)
        return wanted

    async def _new_ones(
        self, conn: Connection, reads: Sequence[Read], outcome: Outcome
    ) -> list[Read]:
        """Drops what the inbox knows; parks a known id that comes with other content."""
        first: dict[str, Read] = {}
        for read in reads:
            first.setdefault(_received(read).event_id, read)
        # A tombstone has no id: deleting twice is deleting once.
        ids = [event_id for event_id in first if event_id]
        inserted: set[str] = set()
        hashes: dict[str, bytes] = {}
        if ids:
            values = {
                "ids": ids,
                "hashes": [_received(first[event_id]).content_hash for event_id in ids],
            }
            inserted = set((await conn.execute(_INBOX, values)).scalars())
            if len(inserted) < len(reads):
                rows = await conn.execute(_KNOWN, {"ids": ids})
                hashes = {row.event_id: bytes(row.content_hash) for row in rows}
        new = []
        for read in reads:
            received = _received(read)
            if not received.event_id or (
                received.event_id in inserted and first[received.event_id] is read
            ):
                new.append(read)
            elif hashes[received.event_id] != received.content_hash:
                await self.park(conn, Poison(read.record, received, "conflict", CONFLICT), outcome)
            else:
                outcome.known += 1
                if received.event.VERSION_IS_FENCE:
                    new.append(read)
        return new


async def catch_up(
    conn: Connection,
    handlers: Handlers,
    group: str,
    topics: Iterable[Sequence[Any]],
    *,
    versioned: bool = False,
) -> Outcome:
    """Applies whole topics at once, in conn's transaction: each handler gets all that it has not
    had, in the order in which `handlers` lists it.

    For a store that was restored: it goes from then to now in one step, so that nothing is told of
    the states between, which were told before. What a handler cannot take is found event by event
    and parked.
    """
    # However much of the past is poison: it was parked before, and a restore must get through.
    applying = _Applying(handlers, group, versioned, most_poison=sys.maxsize)
    outcome = Outcome()
    new: list[Read] = []
    for records in topics:
        reads = [_read(record) for record in records]
        new += await applying.wanted(conn, _standing(reads), outcome)
    for handler in dict.fromkeys(handlers.values()):
        run = [read for read in new if handlers[type(_received(read).event)] is handler]
        if run and not await _taken(conn, handler, run):
            for read in run:
                if not await _taken(conn, handler, [read]):
                    poison = Poison(read.record, read.received, "handler", "failed in catching up")
                    await applying.park(conn, poison, outcome)
        outcome.handled += len(run)
    return outcome


def _standing(reads: Sequence[Read]) -> list[Read]:
    """Without the deletions after which their key was told of again."""
    last = {read.record.key: index for index, read in enumerate(reads)}
    return [
        read
        for index, read in enumerate(reads)
        if read.record.value is not None or last[read.record.key] == index
    ]


async def _taken(conn: Connection, handler: Handler, run: Sequence[Read]) -> bool:
    try:
        async with conn.begin_nested():
            await handler(conn, [_received(read).event for read in run])
    except Exception as error:
        if is_outage(error):
            raise
        _log.error("catching_up_failed", exc_info=error, size=len(run), topic=run[0].record.topic)
        return False
    return True


def _received(read: Read) -> Received:
    assert read.received is not None
    return read.received
