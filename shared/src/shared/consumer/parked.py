"""Parking by key: an event that no retry can help waits in a table, and later events of its key
queue behind it.

The parked table is the truth; the record on `<topic>.<group>.dlq` is a copy, which the relay
publishes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from shared.codec import MAX_MESSAGE_BYTES, MAX_NAME_CHARS, Received, content_hash, text_of
from shared.consumer.read import Read
from shared.consumer.shown import shown_text
from shared.db import Connection

_MOST_HEADER_BYTES = 64 * 1024
"""Ours take less than one; a copy of body and headers must fit into a message."""

CONFLICT = "the event id was seen before with other content"


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that cannot be applied: `reason` is undecodable, handler, conflict or queued."""

    record: Any
    received: Received | None
    reason: str
    error: str

    def holds(self) -> bool:
        """What cannot be read or contradicts itself holds back nothing: its key's later full states
        stand on their own.
        """
        return self.reason in ("handler", "queued")

    def counts_as(self) -> str:
        """What the alarm counts it as: its key once, or a record that holds none back each time."""
        record = self.record
        place = _key(record) if self.holds() else f"{record.partition}/{record.offset}"
        return f"{record.topic}/{place}"

    def names(self) -> dict[str, str]:
        """What a log line says of it."""
        received = self.received
        return {
            "topic": self.record.topic,
            "place": f"{self.record.partition}/{self.record.offset}",
            "event_id": received.event_id if received else "",
            "event_type": received.event.ce_type() if received else "",
        }


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
    """Keeps the record, and with `whole_key` holds its key back; False if it was parked already.

    A body that is too large to be an event is kept cut: it could never be replayed.
    """
    record, received = poison.record, poison.received
    whole = record.value
    values = {
        "topic": record.topic,
        "partition": record.partition,
        "position": record.offset,
        "key": _key(record),
        "value": whole if whole is None else whole[:MAX_MESSAGE_BYTES],
        "headers": json.dumps(_headers(record)),
        # What could not be read has no id, nor has a tombstone: its place in the log names it.
        "event_id": (received and received.event_id) or f"{record.partition}/{record.offset}",
        "type": received.event.ce_type() if received else "",
        "content_hash": received.content_hash if received else content_hash(whole or b""),
        "reason": poison.reason,
        "error": shown_text(poison.error),
        "state": "queued" if poison.reason == "queued" else "parked",
        "dead_letter_topic": f"{record.topic}.{group}.dlq",
    }
    new = (await conn.execute(_PARK, values)).first() is not None
    if new and whole_key and poison.holds():
        await conn.execute(_PARK_KEY, {"topic": record.topic, "key": _key(record)})
    return new


def _key(record: Any) -> str:
    return text_of(record.key)[:MAX_NAME_CHARS]


def _headers(record: Any) -> list[tuple[str, str]]:
    """Names and values in hex, as many of the first as are no flood."""
    kept, size = [], 0
    for name, raw in record.headers:
        size += len(name.encode()) + len(raw or b"")
        if size > _MOST_HEADER_BYTES:
            break
        kept.append((name.replace("\0", ""), (raw or b"").hex()))
    return kept


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
