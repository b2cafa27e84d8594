"""What operators do with parked events: list, show, replay in order, drop with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text

from shared.codec import Undecodable, decode
from shared.consumer.outage import is_outage
from shared.consumer.parked import CONFLICT
from shared.consumer.read import Handlers
from shared.consumer.shown import shown_body, shown_code, shown_headers, shown_text
from shared.db import Connection
from shared.refusal import NotFound

_REPLAYED_AT_ONCE = 1_000
"""Events of one key in one transaction: what more there is waits for the next replay."""


class DeadLetterUnknown(NotFound):
    """No parked key of that topic has this name."""

    code = "dead-letter-unknown"


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """A key with events waiting: how many, since when, and why the first one, `seq`, cannot go on.

    `key` is the name by which it is shown, replayed and dropped: the key itself, or `@` and `seq`
    where the key may name a person or cannot be typed.
    """

    topic: str
    key: str
    seq: int
    events: int
    parked_at: datetime
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """One waiting event. `body` and `headers` hold ids, codes and amounts; what may name a person
    is masked, and what is sealed stays sealed.
    """

    seq: int
    event_id: str
    type: str
    state: str
    reason: str
    error: str
    attempts: int
    parked_at: datetime
    headers: list[str]
    body: str


@dataclass(frozen=True, slots=True)
class Replay:
    """How many events went through, the error of the first that did not, and how many still
    wait.
    """

    replayed: int
    stopped_by: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Drop:
    """How many events were given up, and how many of the key still wait."""

    dropped: int
    waiting: int


_KEYS = text(
    """
    SELECT topic, key, min(seq) AS seq, count(*) AS events, min(parked_at) AS parked_at,
           (array_agg(reason ORDER BY seq))[1] AS reason,
           (array_agg(error ORDER BY seq))[1] AS error
      FROM parked WHERE state IN ('parked', 'queued')
     GROUP BY topic, key ORDER BY min(seq) LIMIT :limit
    """
)
_EVENTS = text(
    "SELECT * FROM parked WHERE topic = :topic AND key = :key"
    " AND state IN ('parked', 'queued') ORDER BY seq LIMIT :limit"
)
_LOCKED_EVENTS = text(f"{_EVENTS.text} FOR UPDATE")
_WAITING = text(
    "SELECT count(*) FROM parked WHERE topic = :topic AND key = :key"
    " AND state IN ('parked', 'queued')"
)
_NAMED = text("SELECT key FROM parked WHERE topic = :topic AND seq = :seq")


async def parked_keys(conn: Connection, limit: int = 200) -> list[ParkedKey]:
    """The keys with events waiting, the longest waiting first."""
    rows = (await conn.execute(_KEYS, {"limit": limit})).mappings()
    return [
        ParkedKey(**{**row, "key": _name(row), "error": shown_text(row["error"])}) for row in rows
    ]


def _name(row: RowMapping) -> str:
    key: str = row["key"]
    return key if key and "/" not in key and shown_code(key) == key else f"@{row['seq']}"


async def _key_named(conn: Connection, topic: str, name: str) -> dict[str, Any]:
    """Topic and key as bound values; `name` is as ParkedKey says."""
    number = name[1:]
    if not (name.startswith("@") and number.isascii() and number.isdigit() and len(number) <= 18):
        return {"topic": topic, "key": name}
    key = (await conn.execute(_NAMED, {"topic": topic, "seq": int(number)})).scalar()
    if key is None:
        raise _unknown(topic, name)
    return {"topic": topic, "key": key}


async def parked_events(conn: Connection, topic: str, name: str) -> list[ParkedEvent]:
    """The events of one key, in the order in which they will be replayed; DeadLetterUnknown if
    there are none.
    """
    wanted = await _key_named(conn, topic, name)
    bound = {**wanted, "limit": _REPLAYED_AT_ONCE}
    rows = (await conn.execute(_EVENTS, bound)).mappings().all()
    if not rows:
        raise _unknown(topic, name)
    return [_shown(row) for row in rows]


def _shown(row: RowMapping) -> ParkedEvent:
    headers = _raw_headers(row)
    return ParkedEvent(
        seq=row["seq"],
        event_id=shown_code(row["event_id"]),
        type=row["type"],
        state=row["state"],
        reason=row["reason"],
        error=shown_text(row["error"]),
        attempts=row["attempts"],
        parked_at=row["parked_at"],
        headers=shown_headers(headers),
        body=shown_body(row["topic"], row["key"], bytes(row["value"] or b""), headers),
    )


def _raw_headers(row: RowMapping) -> list[tuple[str, bytes]]:
    return [(name, bytes.fromhex(raw)) for name, raw in row["headers"]]


def _unknown(topic: str, name: str) -> DeadLetterUnknown:
    return DeadLetterUnknown(
        f"no events of key {name} on {topic} are parked; list the parked keys to see which are"
    )


_LOCK_KEY = text("SELECT 1 FROM parked_keys WHERE topic = :topic AND key = :key FOR UPDATE")
_KNOW = text(
    "INSERT INTO inbox (event_id, content_hash) VALUES (:event_id, :content_hash)"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)
_IS_SAME = text("SELECT content_hash = :content_hash FROM inbox WHERE event_id = :event_id")
_END = text(
    "UPDATE parked SET state = :state, ended_at = clock_timestamp(), ended_by = :by,"
    " ended_reason = :reason WHERE seq = :seq"
)
_FAIL = text(
    "UPDATE parked SET attempts = attempts + 1, reason = :reason, error = :error,"
    " state = 'parked' WHERE seq = :seq"
)
_FREE_KEY = text(
    """
    DELETE FROM parked_keys WHERE topic = :topic AND key = :key AND NOT EXISTS
        (SELECT 1 FROM parked WHERE topic = :topic AND key = :key
            AND state IN ('parked', 'queued') AND reason IN ('handler', 'queued'))
    """
)


async def _locked(
    conn: Connection, topic: str, name: str
) -> tuple[dict[str, Any], Sequence[RowMapping]]:
    """The key's waiting events, the key locked first: a batch that meets it waits for the end of
    this transaction. The events are locked too, since those of a versioned service hold no key.
    """
    wanted = await _key_named(conn, topic, name)
    await conn.execute(_LOCK_KEY, wanted)
    bound = {**wanted, "limit": _REPLAYED_AT_ONCE}
    rows = (await conn.execute(_LOCKED_EVENTS, bound)).mappings().all()
    if not rows:
        raise _unknown(topic, name)
    return wanted, rows


async def _freed(conn: Connection, wanted: dict[str, Any]) -> int:
    """Lets the key's later events flow if none waits that they must not overtake; how many wait."""
    await conn.execute(_FREE_KEY, wanted)
    return int((await conn.execute(_WAITING, wanted)).scalar_one())


async def replay_key(
    conn: Connection,
    handlers: Handlers,
    topic: str,
    name: str,
    by: str,
    *,
    versioned: bool = False,
) -> Replay:
    """Runs the key's events in order through the same handlers.

    The first one that its handler refuses again stays, with all behind it; what still cannot be
    read, or contradicts what was applied, stays alone. Those before are done. One transaction,
    which the caller opened.
    """
    wanted, rows = await _locked(conn, topic, name)
    done, stopped_by = 0, ""
    for row in rows:
        reason, error = await _replay_one(conn, handlers, row, versioned)
        if not reason:
            end = {"seq": row["seq"], "state": "replayed", "by": by, "reason": ""}
            await conn.execute(_END, end)
            done += 1
            continue
        error = shown_text(error)
        await conn.execute(_FAIL, {"seq": row["seq"], "reason": reason, "error": error})
        stopped_by = stopped_by or error
        if reason == "handler" and not versioned:
            break
    return Replay(done, stopped_by, await _freed(conn, wanted))


async def _replay_one(
    conn: Connection, handlers: Handlers, row: RowMapping, versioned: bool
) -> tuple[str, str]:
    """Why it does not go through: a reason as Poison's and the error; both empty if it does."""
    try:
        received = decode(row["topic"], row["key"].encode(), row["value"], _raw_headers(row))
        if received is None or type(received.event) not in handlers:
            return "", ""
        async with conn.begin_nested():
            if not versioned and received.event_id:
                known = {"event_id": received.event_id, "content_hash": received.content_hash}
                if (await conn.execute(_KNOW, known)).first() is None:
                    is_same = (await conn.execute(_IS_SAME, known)).scalar_one()
                    return ("", "") if is_same else ("conflict", CONFLICT)
            await handlers[type(received.event)](conn, [received.event])
    except Undecodable as error:
        return "undecodable", str(error)
    except Exception as error:
        if is_outage(error):
            raise
        return "handler", repr(error)
    return "", ""


async def drop_key(
    conn: Connection, topic: str, name: str, by: str, reason: str, seq: int | None = None
) -> Drop:
    """Gives up the key's parked events, or only the one of number `seq`, with a reason.

    A dropped event that is delivered again does nothing: it was decided on. Once none is left that
    they must not overtake, the key's later events flow again.
    """
    wanted, rows = await _locked(conn, topic, name)
    chosen = [row for row in rows if seq in (None, row["seq"])]
    if not chosen:
        raise DeadLetterUnknown(f"no event {seq} of key {name} on {topic} is parked")
    for row in chosen:
        end = {"seq": row["seq"], "state": "dropped", "by": by, "reason": reason}
        await conn.execute(_END, end)
        if row["reason"] in ("handler", "queued"):
            await conn.execute(_KNOW, dict(row))
    return Drop(len(chosen), await _freed(conn, wanted))
