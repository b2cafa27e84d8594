"""The collectors and authorities as parties on the other end of signed HTTP; the only httpx
here.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import httpx
from prometheus_client import Histogram

from bureau_sync_svc.domain.wire import Answer
from bureau_sync_svc.settings import Access
from shared.clock import system_now

_CONNECT_SECONDS = 3.0
_MOST_CONNECTIONS = 4
_IDLE_SECONDS = 2.0
"""Then a connection is not used again. Servers close an idle one, commonly after 5 s; a declaration
that meets the end of its connection is one of which nobody knows whether it arrived.
"""
_LONGEST_RETRY_AFTER = 3_600

_seconds = Histogram(
    "daozhang_bureau_request_seconds",
    "Time of one request to a bureau",
    ["bureau", "operation", "outcome"],
)


class Unsent(Exception):
    """No connection was made: the request cannot have arrived."""


class Unanswered(Exception):
    """The request may have arrived, and no whole reply came back."""


def signature(secret: bytes, timestamp: str, method: str, target: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over timestamp, method, path with query as sent, and the body's sha256."""
    signed = f"{timestamp}\n{method}\n{target}\n{hashlib.sha256(body).hexdigest()}"
    return hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class _Bounds:
    seconds: float
    reply_bytes: int


class Bureau:
    """One party. Every method sends one request and returns the reply as it came, whatever it says.

    Unsent when no connection was made; Unanswered when the reply did not come whole within the
    time and size allowed.
    """

    def __init__(self, access: Access, bounds: _Bounds) -> None:
        self.party = access.party
        self._url = access.url.rstrip("/")
        self._key_id, self._secret, self._bounds = access.key_id, access.secret(), bounds
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(bounds.seconds, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=_MOST_CONNECTIONS, keepalive_expiry=_IDLE_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )

    async def submit(self, collection: str, body: bytes) -> Answer:
        """POST one declaration or detail; `body` is JSON."""
        return await self._ask(f"send_{collection}", "POST", f"/{collection}", body)

    async def submission(self, collection: str, serial: str) -> Answer:
        """What became of a serial."""
        return await self._ask(
            f"ask_{collection}", "GET", f"/{collection}/{quote(serial, safe='')}"
        )

    async def records(self, account_no: str, month: str, cursor: str | None) -> Answer:
        """One page of an account's records of a month (YYYYMM)."""
        asked = {"AAB001": account_no, "AAE003": month}
        if cursor is not None:
            asked["cursor"] = cursor
        return await self._ask("look_up", "GET", f"/records?{urlencode(asked)}")

    async def notices(self) -> Answer:
        """What the party announces about itself."""
        return await self._ask("notices", "GET", "/notices")

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, operation: str, method: str, target: str, body: bytes = b"") -> Answer:
        started, outcome = time.monotonic(), "unanswered"
        try:
            answer = await self._send(method, target, body)
            outcome = str(answer.status)
            return answer
        except Unsent:
            outcome = "unsent"
            raise
        finally:
            _seconds.labels(self.party, operation, outcome).observe(time.monotonic() - started)

    async def _send(self, method: str, target: str, body: bytes) -> Answer:
        request = self._client.build_request(
            method, self._url + target, content=body or None, headers={"Accept": "application/json"}
        )
        if body:
            request.headers["Content-Type"] = "application/json"
        self._sign(request, body)
        try:
            # httpx bounds each read; only this bounds a party that sends a byte at a time.
            async with asyncio.timeout(self._bounds.seconds):
                return await self._read(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as fault:
            raise Unsent(type(fault).__name__) from fault
        except (httpx.HTTPError, TimeoutError) as fault:
            raise Unanswered(type(fault).__name__) from fault

    def _sign(self, request: httpx.Request, body: bytes) -> None:
        timestamp = str(int(system_now().timestamp()))
        target = request.url.raw_path.decode("ascii")
        request.headers["X-Key-Id"] = self._key_id
        request.headers["X-Timestamp"] = timestamp
        request.headers["X-Signature"] = signature(
            self._secret, timestamp, request.method, target, body
        )

    async def _read(self, request: httpx.Request) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            chunks, size = [], 0
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > self._bounds.reply_bytes:
                    raise Unanswered("ReplyTooLarge")
                chunks.append(chunk)
        finally:
            await response.aclose()
        return Answer(response.status_code, b"".join(chunks), _retry_after(response))


def _retry_after(response: httpx.Response) -> int | None:
    """Seconds; a date or nonsense counts as nothing said."""
    text = response.headers.get("Retry-After", "")
    return min(int(text), _LONGEST_RETRY_AFTER) if text.isascii() and text.isdecimal() else None


class Bureaus:
    """All parties that we reach, by name; a client is opened at the first request to its party."""

    def __init__(
        self,
        accesses: Callable[[], Iterable[Access]],
        timeout_seconds: float,
        reply_limit_bytes: int,
    ) -> None:
        self._accesses = accesses
        self._bounds = _Bounds(timeout_seconds, reply_limit_bytes)
        self._open: dict[str, Bureau] | None = None

    def get(self, party: str) -> Bureau | None:
        """The party, None if no connection to it is set up."""
        if self._open is None:
            self._open = {one.party: Bureau(one, self._bounds) for one in self._accesses()}
        return self._open.get(party)

    async def close(self) -> None:
        """Closes what was opened."""
        for bureau in (self._open or {}).values():
            await bureau.close()
        self._open = None
