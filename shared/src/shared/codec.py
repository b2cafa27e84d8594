"""CloudEvents 1.0, Kafka binding, binary mode: events to records and back.

The CloudEvents SDK is the oracle in the contract tests; this codec is what the hot path can afford.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from shared.contracts import EVENTS, IDENTITIES
from shared.contracts.event import Event

Headers = list[tuple[str, bytes]]

_READ = frozenset({"ce_id", "ce_subject", "ce_time", "ce_type", "traceparent"})
"""What is read of a record's headers; the others are labels."""

_encoder = msgspec.json.Encoder()
_decoders = {ce_type: msgspec.json.Decoder(cls) for ce_type, cls in EVENTS.items()}

MAX_MESSAGE_BYTES = 900_000
"""Far below the broker's 1 MB, with room for headers."""

MAX_NAME_CHARS = 300
"""Bound of a key or an event id: longer ones do not fit an index, so they could not be parked."""

_MAX_VERSION = 1_000_000_000
"""A version counts an aggregate's changes. One far ahead would make every true one after it old."""

_NAMES = frozenset(ce_type.rpartition(".v")[0] for ce_type in EVENTS)
_EVENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Undecodable(Exception):
    """The record is not an event that this release can read; no retry can help."""


class Tombstone(Event, frozen=True, kw_only=True):
    """A record without a value among the identities: what its key named must be deleted."""

    TOPIC: ClassVar[str] = ""

    deleted_key: str

    def key(self) -> str:
        return self.deleted_key

    def aggregate(self) -> str:
        return self.deleted_key


@dataclass(frozen=True, slots=True)
class Received:
    """One record read: the event, its id, a hash of its content, and the trace that it belongs
    to.
    """

    event: Event
    event_id: str
    content_hash: bytes
    traceparent: str
    time: str


def body_of(event: Event) -> bytes:
    """The JSON body; ValueError if it is too large to be an event."""
    body = _encoder.encode(event)
    if len(body) > MAX_MESSAGE_BYTES:
        raise ValueError(
            f"{event.ce_type()} {event.aggregate()} takes {len(body)} bytes;"
            f" the limit is {MAX_MESSAGE_BYTES}"
        )
    return body


def headers_of(
    event_id: str, ce_type: str, source: str, subject: str, time: datetime, traceparent: str
) -> Headers:
    """The CloudEvents attributes as Kafka headers."""
    return own_headers(event_id, subject) + headers_of_all(ce_type, source, time, traceparent)


def own_headers(event_id: str, subject: str) -> Headers:
    """Those of a single event, before `headers_of_all`."""
    return [("ce_id", event_id.encode()), ("ce_subject", subject.encode())]


def headers_of_all(ce_type: str, source: str, time: datetime, traceparent: str) -> Headers:
    """Those that events of one type share which were told at once."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_source", source.encode()),
        ("ce_type", ce_type.encode()),
        ("ce_time", time.isoformat().replace("+00:00", "Z").encode()),
        ("content-type", b"application/json"),
    ]
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


def decode(topic: str, key: bytes | None, value: bytes | None, headers: Any) -> Received | None:
    """One record to an event; None for an event type that nobody here knows yet (a newer
    producer's).

    Undecodable for what claims to be ours and is not: no id, no type, another version of a type, a
    body that does not fit or is too large, a key, subject or topic that disagrees with the body, a
    deletion on a topic that keeps everything. `ce_time` and `ce_source` are labels: whoever may
    write the topic can write any, so they decide nothing.
    """
    attributes = {name: text_of(raw) for name, raw in headers if name in _READ}
    key_text = text_of(key)
    if value is None:
        return _tombstone(topic, key_text)
    ce_type, event_id = attributes.get("ce_type", ""), attributes.get("ce_id", "")
    _check_attributes(ce_type, event_id, key_text)
    decoder = _decoders.get(ce_type)
    if decoder is None:
        _check_unknown(ce_type)
        return None
    event = _decoded(decoder, ce_type, value)
    _check_event(event, topic, key_text, attributes.get("ce_subject", ""))
    return Received(
        event,
        event_id,
        content_hash(value),
        attributes.get("traceparent", ""),
        attributes.get("ce_time", ""),
    )


def _check_attributes(ce_type: str, event_id: str, key: str) -> None:
    if not ce_type or not event_id:
        raise Undecodable("the record has no ce_type or no ce_id header")
    _check_length("key", key)
    _check_length("ce_id", event_id)
    if not _EVENT_ID.fullmatch(event_id):
        raise Undecodable("the ce_id is not a UUID, as ours are")


def _check_unknown(ce_type: str) -> None:
    """A newer producer tells a new event under a new name, beside the old one; only a stranger
    tells another version of a name that we know.
    """
    if ce_type.rpartition(".v")[0] in _NAMES:
        raise Undecodable(f"{ce_type} is a version that this release does not know")
    if not ce_type.startswith("daozhang."):
        raise Undecodable(f"event type {ce_type!r} is not one of ours")


def _decoded(decoder: msgspec.json.Decoder[Event], ce_type: str, value: bytes) -> Event:
    if len(value) > MAX_MESSAGE_BYTES:
        raise Undecodable(
            f"{ce_type} takes {len(value)} bytes; the limit is {MAX_MESSAGE_BYTES} bytes"
        )
    try:
        return decoder.decode(value)
    # RecursionError: a field that we do not even read, nested without end.
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(f"{ce_type} does not fit its schema: {error}") from error


def _check_event(event: Event, topic: str, key: str, subject: str) -> None:
    ce_type = event.ce_type()
    if topic != event.TOPIC:
        raise Undecodable(f"{ce_type} belongs on {event.TOPIC}, not on {topic}")
    if event.key() != key:
        raise Undecodable(f"{ce_type}: the record's key is not the body's")
    if subject and event.aggregate() != subject:
        raise Undecodable(f"{ce_type}: the record's subject is not the body's")
    if not 0 <= event.version <= _MAX_VERSION:
        raise Undecodable(f"{ce_type}: version {event.version} counts nobody's changes")


def _check_length(name: str, text: str) -> None:
    if len(text) > MAX_NAME_CHARS:
        raise Undecodable(f"the {name} has {len(text)} characters; the limit is {MAX_NAME_CHARS}")


def text_of(raw: bytes | None) -> str:
    """A stranger's key or header as text that PostgreSQL can store: it has no U+0000."""
    return (raw or b"").decode("utf-8", "replace").replace("\0", "\ufffd")


def content_hash(value: bytes) -> bytes:
    """16 bytes that tell two contents under one event id apart."""
    return hashlib.blake2b(value, digest_size=16).digest()


def _tombstone(topic: str, key: str) -> Received:
    if not key:
        raise Undecodable(f"a record on {topic} has neither key nor value")
    _check_length("key", key)
    if topic != IDENTITIES:
        raise Undecodable(f"a record without a value deletes nothing on {topic}")
    tombstone = Tombstone(version=0, deleted_key=key)
    # A deletion has no id of its own: told again it does the same, so the inbox must not swallow
    # it.
    return Received(tombstone, "", content_hash(b""), "", "")
