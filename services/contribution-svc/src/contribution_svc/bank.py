"""The bank: which statements it has published, and each of them. Requests are signed; a call has
bounds.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import httpx
import msgspec

from contribution_svc.errors import BankAnswerInvalid

_TIMEOUT_SECONDS = 30.0
_MAX_LIST_BYTES = 1_000_000
_MAX_STATEMENT_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PublishedStatement:
    """One statement in the bank's list; `account` is the bank account's reference, `sha256` its
    file's.
    """

    id: str
    account: str
    day: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _List:
    statements: list[PublishedStatement]


@dataclass(frozen=True, slots=True)
class BankAccess:
    """The bank's address, our key there, and its secret."""

    url: str
    key_id: str
    secret: str


class BankClient:
    """Signs X-Timestamp, method, path with query and the body's hash with HMAC-SHA256.

    `access` is asked for each request, so that a rotated secret needs no restart; `now` is system
    time.
    """

    def __init__(self, access: Callable[[], BankAccess], now: Callable[[], datetime]) -> None:
        self._access, self._now = access, now
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def statements(self, account_ref: str, since: date) -> list[PublishedStatement]:
        """What the bank has published for an account since a day."""
        query = {"account": account_ref, "since": since.isoformat()}
        content = await self._get("statements", query, _MAX_LIST_BYTES)
        try:
            found = msgspec.json.decode(content, type=_List).statements
        except msgspec.DecodeError as error:
            raise BankAnswerInvalid(f"the list of statements cannot be read: {error}") from None
        if any(one.account != account_ref for one in found):
            raise BankAnswerInvalid("the list of statements names another account")
        return found

    async def statement(self, bank_id: str, sha256: str) -> bytes:
        """One statement's file, whole: its hash is the one that the bank announced."""
        content = await self._get(f"statements/{_path_part(bank_id)}", {}, _MAX_STATEMENT_BYTES)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise BankAnswerInvalid(f"statement {bank_id} is not the file that was announced")
        return content

    async def _get(self, path: str, query: dict[str, str], limit: int) -> bytes:
        access = self._access()
        url = f"{access.url.rstrip('/')}/{path}"
        request = self._client.build_request("GET", url, params=query)
        request.headers.update(self._signature(request, access))
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code in (404, 410):
                raise BankAnswerInvalid(f"the bank has no {path}")
            response.raise_for_status()
            content = b""
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > limit:
                    raise BankAnswerInvalid(f"{path} is larger than {limit} bytes")
            return content
        finally:
            await response.aclose()

    def _signature(self, request: httpx.Request, access: BankAccess) -> dict[str, str]:
        timestamp = str(int(self._now().timestamp()))
        path = request.url.raw_path.decode("ascii")
        body_sha256 = hashlib.sha256(b"").hexdigest()
        signed = f"{timestamp}\n{request.method}\n{path}\n{body_sha256}"
        digest = hmac.new(access.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        return {
            "X-Key-Id": access.key_id,
            "X-Timestamp": timestamp,
            "X-Signature": digest,
        }


def _path_part(bank_id: str) -> str:
    """The bank's id comes from outside: it must not lead to another path."""
    if not bank_id.replace("-", "").replace("_", "").isalnum() or not bank_id.isascii():
        raise BankAnswerInvalid("the statement's id is not letters, digits, - and _")
    return bank_id
