"""What every writing or listing endpoint shares: idempotency keys, pages, and opaque cursors."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

from fastapi import Header, Request
from pydantic import BaseModel
from sqlalchemy import text

from shared.db import Connection
from shared.refusal import FieldFault, Malformed, Refusal

ModelT = TypeVar("ModelT", bound=BaseModel)
ItemT = TypeVar("ItemT")

_KEY_MAX = 200
_FORMS = ("multipart/", "application/x-www-form-urlencoded")
_TURN_SECONDS = 10.0
"""How long a repeat waits for the first; as long as the database lets one wait for a lock."""

_turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
"""Whose request of a key goes next in this process; a lock lives while anybody holds or awaits
it.
"""


class IdempotencyKeyReused(Refusal):
    """The key was used before, for another request."""

    code = "idempotency-key-reused"
    status = 422
    title = "The idempotency key belongs to another request"


class StillRunning(Refusal):
    """A request with this key runs for longer than its repeats wait."""

    code = "still-running"
    status = 409
    title = "Another request with this key still runs"
    retry_after_seconds = 2


class _Caller(Protocol):
    @property
    def sub(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Write:
    """One writing request: its key, the operation that it asks for, and a hash of its body as
    parsed.
    """

    key: str
    operation: str
    body_hash: bytes

    def of_content(self, *content: bytes) -> "Write":
        """For uploads, whose multipart boundary differs from one try to the next: hash what was
        sent in it.
        """
        return replace(self, body_hash=hashlib.sha256(b"\x1f".join(content)).digest())


async def idempotent(
    request: Request,
    idempotency_key: Annotated[
        str,
        Header(
            max_length=_KEY_MAX,
            min_length=1,
            description="Made by the caller, stored before the first try.",
        ),
    ],
) -> AsyncIterator[Write]:
    """FastAPI dependency of every POST that creates.

    Requests with one key take turns, each from here to its answer. They wait here and not in the
    database, where fifty of them would hold every connection that others need (ADR 0018);
    StillRunning when that takes too long.
    """
    if not idempotency_key.isascii() or not idempotency_key.isprintable():
        fault = FieldFault("header:Idempotency-Key", "", "expected printable ASCII", "send a UUID")
        raise Malformed("The Idempotency-Key header must be printable ASCII.", (fault,))
    body_hash = b""
    # A form's body is read by now, part by part; whoever takes one hashes what was sent in it.
    if not request.headers.get("content-type", "").lower().startswith(_FORMS):
        body_hash = hashlib.sha256(_canonical(await request.body())).digest()
    async with _turn(request.headers.get("authorization", ""), idempotency_key):
        yield Write(idempotency_key, f"{request.method} {request.url.path}", body_hash)


@asynccontextmanager
async def _turn(token: str, key: str) -> AsyncIterator[None]:
    turn = _turns.setdefault((token, key), asyncio.Lock())
    try:
        async with asyncio.timeout(_TURN_SECONDS):
            await turn.acquire()
    except TimeoutError:
        raise StillRunning(
            f"The first request with Idempotency-Key {key} still runs; send it again to get"
            " its answer."
        ) from None
    try:
        yield
    finally:
        turn.release()


def _canonical(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except ValueError:
        return body


_CLAIM = text(
    "INSERT INTO http_writes (caller, key, operation, body_hash)"
    " VALUES (:caller, :key, :operation, :body_hash)"
    " ON CONFLICT DO NOTHING RETURNING key"
)
_KEPT = text(
    "SELECT operation, body_hash, answer FROM http_writes WHERE caller = :caller AND key = :key"
)
_KEEP = text("UPDATE http_writes SET answer = :answer WHERE caller = :caller AND key = :key")


async def once(
    conn: Connection,
    caller: _Caller,
    write: Write,
    model: type[ModelT],
    act: Callable[[], Awaitable[ModelT]],
) -> ModelT:
    """Runs `act` once per caller and key, and gives every repeat the first answer.

    The answer is kept in the same transaction as the effect. A repeat that comes while the first
    still runs waits for it. IdempotencyKeyReused when the key came with another operation or body,
    or when row security hides the answer: the caller has lost the rights with which they got it.
    """
    name = {"caller": caller.sub, "key": write.key}
    claim = {**name, "operation": write.operation, "body_hash": write.body_hash}
    if (await conn.execute(_CLAIM, claim)).first() is None:
        kept = (await conn.execute(_KEPT, name)).one_or_none()
        if kept is None:
            raise IdempotencyKeyReused(
                f"Idempotency-Key {write.key} was first used with other rights; make a new key."
            )
        if kept.operation != write.operation or bytes(kept.body_hash) != write.body_hash:
            raise IdempotencyKeyReused(
                f"Idempotency-Key {write.key} was first used for another request to"
                f" {kept.operation}; make a new key."
            )
        return model.model_validate_json(bytes(kept.answer))
    answer = await act()
    await conn.execute(_KEEP, {**name, "answer": answer.model_dump_json().encode()})
    return answer


class Page(BaseModel, Generic[ItemT]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[ItemT]
    next_cursor: str | None = None


def cursor_of(*values: str | int) -> str:
    """An opaque cursor for the keys of a page's last row."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def cursor_values(cursor: str | None, count: int) -> tuple[str, ...] | None:
    """The keys in a cursor, as text; None without a cursor; Malformed if it is not one of ours."""
    if cursor is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        values = None
    if isinstance(values, list) and len(values) == count and all(map(_is_key, values)):
        return tuple(str(value) for value in values)
    fault = FieldFault(
        "query:cursor", "", "not a cursor of this list", "start again without a cursor"
    )
    raise Malformed("The cursor is not one that this list gave out.", (fault,))


def _is_key(value: object) -> bool:
    """Whether it is text or an integer that a row could have had: PostgreSQL holds no U+0000, and
    no half of a surrogate pair.
    """
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
    return type(value) is int
