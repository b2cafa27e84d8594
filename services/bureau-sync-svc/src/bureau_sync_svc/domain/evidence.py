"""What of an exchange may rest in the sync log: everything but identity numbers and names, with
hashes of the originals.
"""

import hashlib
from collections.abc import Mapping
from typing import cast

import msgspec

from bureau_sync_svc.domain.wire import without_identity

_TEXT_MAX = 4_000
"""Of a reply that is no JSON (a web page, half a body) the beginning tells enough."""

People = Mapping[str, str]
"""Our employee id by identity number; who is not in it is not ours."""


def digest(body: bytes) -> str:
    """sha256 hex of a body as it went over the wire: proves which one the masked copy stands
    for.
    """
    return hashlib.sha256(body).hexdigest()


def masked_body(body: bytes, people: People) -> str:
    """A body with every identity number replaced by our employee id, and names taken out."""
    if not body:
        return ""
    try:
        content = msgspec.json.decode(body)
        return msgspec.json.encode(_masked(content, people)).decode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        text = body[: _TEXT_MAX * 4].decode("utf-8", "replace").replace("\x00", "")
        return without_identity(text)[:_TEXT_MAX]


def _masked(content: object, people: People) -> object:
    """Iterates instead of recursing: a reply's depth is the party's choice, our stack is ours."""
    root: list[object] = [content]
    open_ends: list[list[object] | dict[str, object]] = [root]
    while open_ends:
        container = open_ends.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            value = container[key]  # type: ignore[index]
            if isinstance(value, dict | list):
                open_ends.append(cast("list[object] | dict[str, object]", value))
            elif isinstance(value, str):
                container[key] = _masked_text(key, value, people)  # type: ignore[index]
    return root[0]


def _masked_text(key: object, value: str, people: People) -> str:
    if key == "AAC002":
        return people.get(value.upper()) or "(非本单位人员)"
    if key == "AAC003":
        return "***"
    return without_identity(value.replace("\x00", ""))
