"""Parking by key: an event that no retry can help waits in a table, and later events of its key
queue behind it.

The parked table is the truth; the record on `<topic>.<group>.dlq` is a copy, which the relay
publishes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import RowMapping, text

from shared.codec import MAX_NAME_CHARS, Received, Undecodable, content_hash, decode, text_of
from shared.consumer.outage import is_outage
from shared.consumer.read import Handlers, Read
from shared.db import Connection
from shared.logs import without_personal_data
from shared.refusal import NotFound


class DeadLetterUnknown(NotFound):
    """No parked key of that topic has this name."""

    code = "dead-letter-unknown"


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that cannot be applied: `reason` is undecodable, handler, conflict or queued."""

    record: Any
    received: Received | None
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """A key with events waiting: how many, since when, and why the first one cannot go on."""

    topic: str
    key: str
    events: int
    parked_at: datetime
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """One waiting event. `body` holds ids, codes and amounts; what is sealed in it stays sealed."""

    seq: int
    event_id: str
    type: str
    state: str
    reason: str
    error: str
    attempts: int
    parked_at: datetime
    body: str


_PARK = text(
    """
    INSERT INTO parked (topic, partition, position, key, value, headers, event_id, type,
                        content_hash, reason, error, state, dead_letter_topic)
    VALUES (:topic, :partition, :position, :key, :value, CAST(:headers AS jsonb), :event_id, :type,
            :content_hash, :reason, :error, :state, :dead_letter_topic)
    ON CONFLICT (topic, event_id, content_hash) DO NOTHING RETURNING seq
    """
)
_PARK_KEY = text(
    "INSERT INTO parked_keys (topic, key) VALUES (:topic, :key) ON CONFLICT DO NOTHING"
)


async def park(conn: Connection, group: str, poison: Poison, *, whole_key: bool) -> bool:
    """Keeps the record, and with `whole_key` holds its key back; False if it was parked already."""
    record, received = poison.record, poison.received
    values = {
        "topic": record.topic,
        "partition": record.partition,
        "position": record.offset,
        "key": _key(record),
        "value": record.value,
        "headers": json.dumps(
            [(name.replace("\0", ""), (raw or b"").hex()) for name, raw in record.headers]
        ),
        # What could not be read has no id: its place in the log names it.
        "event_id": received.event_id if received else f"{record.partition}/{record.offset}",
        "type": received.event.ce_type() if received else "",
        "content_hash": received.content_hash if received else content_hash(record.value or b""),
        "reason": poison.reason,
        "error": without_personal_data(poison.error)[:2000],
        "state": "queued" if poison.reason == "queued" else "parked",
        "dead_letter_topic": f"{record.topic}.{group}.dlq",
    }
    new = (await conn.execute(_PARK, values)).first() is not None
    # What cannot be read or contradicts itself holds back nothing: its key's later full states
    # stand on their own.
    if new and whole_key and poison.reason in ("handler", "queued"):
        await conn.execute(_PARK_KEY, {"topic": record.topic, "key": _key(record)})
    return new


def _key(record: Any) -> str:
    return text_of(record.key)[:MAX_NAME_CHARS]


_LOCK_KEYS = text(
    "SELECT key FROM parked_keys WHERE topic = :topic AND key = ANY(:keys) ORDER BY key FOR UPDATE"
)


async def queue_behind(
    conn: Connection, group: str, reads: Sequence[Read]
) -> tuple[list[Read], int]:
    """Splits off the events of parked keys and queues them; returns the others, and how many were
    queued.

    The parked keys that the batch meets are locked, so that a replay of one and this batch take
    turns.
    """
    if not reads:
        return [], 0
    topic = reads[0].record.topic
    keys = sorted({_key(read.record) for read in reads})
    parked = set((await conn.execute(_LOCK_KEYS, {"topic": topic, "keys": keys})).scalars())
    if not parked:
        return list(reads), 0
    queued = 0
    for read in reads:
        if _key(read.record) in parked:
            poison = Poison(
                read.record, read.received, "queued", "waits behind an earlier event of its key"
            )
            queued += await park(conn, group, poison, whole_key=True)
    return [read for read in reads if _key(read.record) not in parked], queued


_KEYS = text(
    """
    SELECT topic, key, count(*) AS events, min(parked_at) AS parked_at,
           (array_agg(reason ORDER BY seq))[1] AS reason,
           (array_agg(error ORDER BY seq))[1] AS error
      FROM parked WHERE state IN ('parked', 'queued')
     GROUP BY topic, key ORDER BY min(seq) LIMIT :limit
    """
)
_EVENTS = text(
    "SELECT * FROM parked WHERE topic = :topic AND key = :key"
    " AND state IN ('parked', 'queued') ORDER BY seq"
)


async def parked_keys(conn: Connection, limit: int = 200) -> list[ParkedKey]:
    """The keys with events waiting, the longest waiting first."""
    rows = (await conn.execute(_KEYS, {"limit": limit})).mappings()
    return [ParkedKey(**row) for row in rows]


async def parked_events(conn: Connection, topic: str, key: str) -> list[ParkedEvent]:
    """The events of one key, in the order in which they will be replayed; DeadLetterUnknown if
    there are none.
    """
    rows = (await conn.execute(_EVENTS, {"topic": topic, "key": key})).mappings().all()
    if not rows:
        raise _unknown(topic, key)
    return [
        ParkedEvent(
            **{name: row[name] for name in ParkedEvent.__slots__ if name != "body"},
            body=bytes(row["value"] or b"").decode("utf-8", "replace")[:4000],
        )
        for row in rows
    ]


def _unknown(topic: str, key: str) -> DeadLetterUnknown:
    return DeadLetterUnknown(
        f"no events of key {key} on {topic} are parked; list the parked keys to see which are"
    )


_LOCK_KEY = text("SELECT 1 FROM parked_keys WHERE topic = :topic AND key = :key FOR UPDATE")
_KNOW = text(
    "INSERT INTO inbox (event_id, content_hash) VALUES (:id, :hash)"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)
_END = text(
    "UPDATE parked SET state = :state, ended_at = clock_timestamp(), ended_by = :by,"
    " ended_reason = :reason WHERE seq = :seq"
)
_FAIL = text(
    "UPDATE parked SET attempts = attempts + 1, reason = 'handler', error = :error,"
    " state = 'parked' WHERE seq = :seq"
)
_FREE_KEY = text("DELETE FROM parked_keys WHERE topic = :topic AND key = :key")


async def replay_key(
    conn: Connection,
    handlers: Handlers,
    topic: str,
    key: str,
    by: str,
    *,
    versioned: bool = False,
) -> tuple[int, str]:
    """Runs the key's events in order through the same handlers; returns how many went through, and
    what stopped it.

    The first one that fails again stays, with all behind it; those before it are done. One
    transaction, which the caller opened.
    """
    await conn.execute(_LOCK_KEY, {"topic": topic, "key": key})
    rows = (await conn.execute(_EVENTS, {"topic": topic, "key": key})).mappings().all()
    if not rows:
        raise _unknown(topic, key)
    done = 0
    for row in rows:
        error = await _replay_one(conn, handlers, row, versioned)
        if error:
            await conn.execute(_FAIL, {"seq": row["seq"], "error": error[:2000]})
            return done, error
        await conn.execute(_END, {"seq": row["seq"], "state": "replayed", "by": by, "reason": ""})
        done += 1
    await conn.execute(_FREE_KEY, {"topic": topic, "key": key})
    return done, ""


async def _replay_one(
    conn: Connection, handlers: Handlers, row: RowMapping, versioned: bool
) -> str:
    headers = [(name, bytes.fromhex(raw)) for name, raw in row["headers"]]
    record = SimpleNamespace(
        topic=row["topic"], key=row["key"].encode(), value=row["value"], headers=headers
    )
    try:
        received = decode(record.topic, record.key, record.value, record.headers)
        if received is None or type(received.event) not in handlers:
            return ""
        async with conn.begin_nested():
            if not versioned and received.event_id:
                known = {"id": received.event_id, "hash": received.content_hash}
                if (await conn.execute(_KNOW, known)).first() is None:
                    return ""
            await handlers[type(received.event)](conn, [received.event])
    except Undecodable as error:
        return str(error)
    except Exception as error:
        if is_outage(error):
            raise
        return without_personal_data(repr(error))
    return ""


async def drop_key(conn: Connection, topic: str, key: str, by: str, reason: str) -> int:
    """Gives up the key's parked events, with a reason; its later events flow again. Returns how
    many were dropped.
    """
    await conn.execute(_LOCK_KEY, {"topic": topic, "key": key})
    rows = (await conn.execute(_EVENTS, {"topic": topic, "key": key})).mappings().all()
    if not rows:
        raise _unknown(topic, key)
    for row in rows:
        await conn.execute(
            _END, {"seq": row["seq"], "state": "dropped", "by": by, "reason": reason}
        )
    await conn.execute(_FREE_KEY, {"topic": topic, "key": key})
    return len(rows)
