"""Parked records as operators may see them: ids, codes, days and amounts. A record that is not ours
may hold anything, so that of it only what looks like these is shown.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import msgspec

from shared.codec import Undecodable, decode
from shared.logs import without_personal_data, without_personal_values

_MOST_BODY_CHARS = 4_000
_MOST_TEXT_CHARS = 2_000
_MOST_HEADERS = 30
_HIDDEN = "***"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")
_CODE = re.compile(r"[A-Za-z0-9._:/+\[\]-]{0,128}")
_MOST_DIGITS = 9
"""Of a code beyond its ids and moments: phones have 11 digits, bank accounts more."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_MANY_DIGITS = re.compile(r"\d(?:[ .-]?\d){6,}")


def shown_code(text: str) -> str:
    """The text if it looks like an id, a code or a moment; `***` otherwise."""
    rest = _MOMENT.sub("", _UUID.sub("", text))
    is_code = _CODE.fullmatch(text) and sum(map(str.isdigit, rest)) <= _MOST_DIGITS
    return text if is_code and without_personal_data(text) == text else _HIDDEN


def shown_text(text: str) -> str:
    """An error as it may be kept and shown: numbers and names of persons masked, bounded. Our own
    errors are in English, so that what is not ASCII was quoted from a record.
    """
    return _NOT_ASCII.sub(_HIDDEN, without_personal_data(text))[:_MOST_TEXT_CHARS]


def shown_headers(headers: Iterable[tuple[str, bytes]]) -> list[str]:
    pairs = list(headers)[:_MOST_HEADERS]
    return [
        f"{shown_code(name)}: {shown_code(raw.decode(errors='replace'))}" for name, raw in pairs
    ]


def shown_body(topic: str, key: str, value: bytes, headers: Iterable[tuple[str, bytes]]) -> str:
    """Of an event its contract's own fields, since what a stranger added may be anything; of other
    JSON what looks like a code; of other bytes what is left of them as text. Bounded.
    """
    try:
        received = decode(topic, key.encode(), value, headers)
    except Undecodable:
        received = None
    if received is not None:
        masked = without_personal_values(msgspec.to_builtins(received.event))
        return _compact(masked)
    try:
        return _compact(_masked(json.loads(value)))
    except (ValueError, RecursionError):
        return _text(value)


def _compact(masked: Any) -> str:
    return json.dumps(masked, ensure_ascii=False, separators=(",", ":"))[:_MOST_BODY_CHARS]


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        named = without_personal_values(value)
        return {
            shown_code(name): _HIDDEN if named[name] == _HIDDEN else _masked(part)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_masked(part) for part in value]
    code = shown_code(str(value))
    return code if isinstance(value, str) or code == _HIDDEN else value


def _text(value: bytes) -> str:
    """Digits may hide behind zero bytes or in full width, so these go first."""
    wide = unicodedata.normalize("NFKC", value[:_MOST_BODY_CHARS].decode(errors="replace"))
    plain = "".join(char for char in wide if char.isprintable())
    return _MANY_DIGITS.sub(_HIDDEN, shown_text(plain))
