"""What stands before the parties' applications: a bound on the body, the signature, and the rate
of each key.
"""

import math
from collections.abc import Mapping

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import signing
from sandbox.wire import Answer, said_no
from shared.clock import system_now


class TooLarge(Exception):
    """The body goes past its bound."""


class Bounded:
    """Refuses a body over `limit_bytes` before anything parses it."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await body_of(receive, self._limit_bytes)
        except TooLarge:
            await _reply(said_no(413, "TOO_LARGE", "报文超过长度上限"), scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)


class Signed:
    """Lets through what one of `secrets` signed, at most `per_second` requests of each key; stands
    inside Bounded.
    """

    def __init__(self, app: ASGIApp, secrets: Mapping[str, bytes], per_second: int) -> None:
        self._app = app
        self._secrets = secrets
        self._rate = RateLimitItemPerSecond(per_second)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await body_of(receive)
        sent = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
        target = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        try:
            key_id = signing.check(self._secrets, sent, system_now(), scope["method"], target, body)
        except signing.SignatureRefused as refused:
            answer = said_no(401, "SIGNATURE_REFUSED", f"验签失败: {refused}")
            await _reply(answer, scope, receive, send)
            return
        # Each party behind this port counts for itself.
        counted = (key_id, target.split("/")[1])
        if not await self._limiter.hit(self._rate, *counted):
            await _reply(await self._too_many(*counted), scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)

    async def _too_many(self, *counted: str) -> Answer:
        window = await self._limiter.get_window_stats(self._rate, *counted)
        wait = max(1, math.ceil(window.reset_time - system_now().timestamp()))
        return said_no(429, "TOO_MANY_REQUESTS", "请求过于频繁", {"Retry-After": str(wait)})


async def body_of(receive: Receive, limit_bytes: int | None = None) -> bytes:
    """The whole request body; TooLarge as soon as it passes the bound."""
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if limit_bytes is not None and size > limit_bytes:
            raise TooLarge
        more = message.get("more_body", False)
    return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the application the body that was read before it, then whatever comes after."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _reply(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    response = await answer.response()
    await response(scope, receive, send)
