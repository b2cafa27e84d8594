"""One batch of one partition, applied in one transaction; event by event if that fails, to find the
poison.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from prometheus_client import Counter
from sqlalchemy import text

from shared.codec import Received, Undecodable, decode
from shared.consumer.outage import is_outage
from shared.consumer.parked import Poison, park, queue_behind
from shared.consumer.read import Handler, Handlers, Read
from shared.db import Connection, Engine, transaction
from shared.logs import get_logger, traceparent_now, traceparent_of

_log = get_logger(__name__)
_redelivered = Counter("daozhang_inbox_hits_total", "Events that the inbox knew already")
_parked_total = Counter("daozhang_dlq_total", "Events parked", ["topic", "reason"])


@dataclass(slots=True)
class Outcome:
    """What became of one batch."""

    handled: int = 0
    known: int = 0
    parked: int = 0


async def apply_batch(
    engine: Engine,
    handlers: Handlers,
    group: str,
    records: Sequence[Any],
    *,
    versioned: bool = False,
) -> Outcome:
    """Applies records of one partition, in order. An outage is raised, for the caller to try the
    batch again.

    With `versioned` the effects are merges that keep the newest version: no inbox rows are needed,
    and of what cannot be handled only the single event is parked, not its key.
    """
    reads = [_read(record) for record in records]
    try:
        async with transaction(engine) as conn:
            return await _apply(conn, handlers, group, reads, versioned)
    except Exception as error:
        if is_outage(error):
            raise
        _log.warning(
            "batch_failed_goes_one_by_one", error=repr(error), size=len(reads), group=group
        )
    return await _one_by_one(engine, handlers, group, reads, versioned)


def _read(record: Any) -> Read:
    try:
        return Read(record, decode(record.topic, record.key, record.value, record.headers))
    except Undecodable as error:
        return Read(record, None, str(error))


async def _one_by_one(
    engine: Engine, handlers: Handlers, group: str, reads: Sequence[Read], versioned: bool
) -> Outcome:
    total = Outcome()
    for read in reads:
        try:
            async with transaction(engine) as conn:
                one = await _apply(conn, handlers, group, [read], versioned)
        except Exception as error:
            if is_outage(error):
                raise
            _log.error("event_parked", exc_info=error, **_names(read))
            async with transaction(engine) as conn:
                one = await _park(
                    conn,
                    group,
                    Poison(read.record, read.received, "handler", repr(error)),
                    versioned,
                )
        total.handled += one.handled
        total.known += one.known
        total.parked += one.parked
    return total


def _names(read: Read) -> dict[str, str]:
    received = read.received
    return {
        "topic": read.record.topic,
        "event_id": received.event_id if received else "",
        "event_type": received.event.ce_type() if received else "",
    }


async def _park(conn: Connection, group: str, poison: Poison, versioned: bool) -> Outcome:
    new = await park(conn, group, poison, whole_key=not versioned)
    if new:
        _parked_total.labels(poison.record.topic, poison.reason).inc()
    return Outcome(parked=int(new))


async def _apply(
    conn: Connection, handlers: Handlers, group: str, reads: Sequence[Read], versioned: bool
) -> Outcome:
    outcome = Outcome()
    wanted = await _wanted(conn, handlers, group, reads, versioned, outcome)
    for handler, run in groupby(wanted, key=lambda read: handlers[type(_received(read).event)]):
        received = [_received(read) for read in run]
        traceparent_now.set(traceparent_of(received[0].traceparent))
        await handler(conn, [one.event for one in received])
        outcome.handled += len(received)
    return outcome


async def _wanted(
    conn: Connection,
    handlers: Handlers,
    group: str,
    reads: Sequence[Read],
    versioned: bool,
    outcome: Outcome,
) -> list[Read]:
    """What the handlers have to be given of one topic's records; the rest is counted and parked."""
    for read in reads:
        if read.fault:
            _log.error("event_undecodable", reason=read.fault, **_names(read))
            outcome.parked += (
                await _park(
                    conn, group, Poison(read.record, None, "undecodable", read.fault), versioned
                )
            ).parked
    wanted = [
        read
        for read in reads
        if read.received is not None and type(read.received.event) in handlers
    ]
    if not versioned:
        wanted, held = await queue_behind(conn, group, wanted)
        outcome.parked += held
        wanted = await _new_ones(conn, group, wanted, outcome)
        if outcome.known:
            _log.info("inbox_knew", events=outcome.known, group=group)
    return wanted


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
    outcome = Outcome()
    new: list[Read] = []
    for records in topics:
        reads = [_read(record) for record in records]
        new += await _wanted(conn, handlers, group, _standing(reads), versioned, outcome)
    for handler in dict.fromkeys(handlers.values()):
        run = [read for read in new if handlers[type(_received(read).event)] is handler]
        if run and not await _taken(conn, handler, run):
            for read in run:
                if not await _taken(conn, handler, [read]):
                    poison = Poison(read.record, read.received, "handler", "failed in catching up")
                    outcome.parked += (await _park(conn, group, poison, versioned)).parked
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
        _log.error("catching_up_failed", exc_info=error, size=len(run), **_names(run[0]))
        return False
    return True


def _received(read: Read) -> Received:
    assert read.received is not None
    return read.received


_INBOX = text(
    """
    INSERT INTO inbox (event_id, content_hash)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:hashes AS bytea[]))
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)
_KNOWN = text("SELECT event_id, content_hash FROM inbox WHERE event_id = ANY(:ids)")


async def _new_ones(
    conn: Connection, group: str, reads: Sequence[Read], outcome: Outcome
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
            poison = Poison(
                read.record, received, "conflict", "the event id was seen before with other content"
            )
            outcome.parked += (await _park(conn, group, poison, False)).parked
        else:
            outcome.known += 1
            _redelivered.inc()
            if received.event.VERSION_IS_FENCE:
                new.append(read)
    return new
