"""The people of the case at their screens: signed in at the issuer, calling the services' own
APIs.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from sandbox.case.addresses import Addresses

_PASSWORD = "october-2024"  # noqa: S105  # of invented people on the sandbox's own issuer


_PATIENCE_SECONDS = 90.0
"""Longer than a part may take to be back after it died; people press the button again meanwhile."""
_PAUSE_SECONDS = 0.5
_AWAY = frozenset({502, 503, 504})


class AnswerRefused(Exception):
    """A service did not answer as the case needs; the message has its problem details."""


class Person:
    """One signed-in person. Paths are below /api/v1 of the service named."""

    def __init__(self, addresses: Addresses, client: httpx.AsyncClient, sub: str) -> None:
        self._addresses, self._client, self.sub = addresses, client, sub
        self._token = ""

    async def sign_in(self) -> None:
        """Takes a token; call again after the person's rights have changed."""
        url = f"{self._addresses.oidc}/token"
        form = {
            "grant_type": "password",
            "client_id": "october-case",
            "username": self.sub,
            "password": _PASSWORD,
        }
        answer = await patiently(lambda: self._client.post(url, data=form))
        self._token = answer["access_token"]

    async def get(self, service: str, path: str, **query: Any) -> Any:
        url = f"{self._addresses.services[service]}/api/v1{path}"
        asked = {name: value for name, value in query.items() if value is not None}
        headers = self.headers()
        return await patiently(lambda: self._client.get(url, params=asked, headers=headers))

    async def post(self, service: str, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self._addresses.services[service]}/api/v1{path}"
        headers = self.headers() | {"Idempotency-Key": str(uuid.uuid4())}
        # One key for all tries: what was taken the first time is not taken twice.
        return await patiently(lambda: self._client.post(url, json=body or {}, headers=headers))

    async def upload(self, service: str, path: str, file: Path, **fields: str) -> Any:
        url = f"{self._addresses.services[service]}/api/v1{path}"
        headers = self.headers() | {"Idempotency-Key": str(uuid.uuid4())}
        content = {"file": (file.name, await asyncio.to_thread(file.read_bytes))}
        return await patiently(
            lambda: self._client.post(url, data=fields, files=content, headers=headers)
        )

    async def every(self, service: str, path: str, **query: Any) -> AsyncIterator[Any]:
        """All items of a paged list."""
        cursor = None
        while True:
            page = await self.get(service, path, cursor=cursor, **query)
            for item in page["items"]:
                yield item
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def all(self, service: str, path: str, **query: Any) -> list[Any]:
        return [item async for item in self.every(service, path, **query)]

    def headers(self) -> dict[str, str]:
        """With the token that the person has now."""
        return {"Authorization": f"Bearer {self._token}"}


async def register(
    addresses: Addresses,
    client: httpx.AsyncClient,
    sub: str,
    role: str,
    *,
    employer_ids: tuple[str, ...] = (),
    employee_id: str = "",
) -> Person:
    """Makes the person known to the sandbox's issuer and signs them in."""
    order = {
        "sub": sub,
        "password": _PASSWORD,
        "roles": [role],
        "employer_ids": list(employer_ids),
        "employee_id": employee_id,
    }
    await patiently(lambda: client.post(f"{addresses.control}/people", json=order))
    person = Person(addresses, client, sub)
    await person.sign_in()
    return person


async def order(
    addresses: Addresses, client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> Any:
    """Tells the sandbox's control port what shall happen: a fault, a notice, a repair, an
    agreement.
    """
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    return await patiently(
        lambda: client.post(f"{addresses.control}{path}", json=body, headers=headers)
    )


async def patiently(send: Callable[[], Awaitable[httpx.Response]]) -> Any:
    """The answer to what `send` asks, asked again while nobody is there or the part says that it
    is away. AnswerRefused for any other error; what `send` asks for must bear being asked twice.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            answer = await send()
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        else:
            if answer.status_code not in _AWAY or time.monotonic() > deadline:
                return _answered(answer)
        await asyncio.sleep(_PAUSE_SECONDS)


def _answered(answer: httpx.Response) -> Any:
    if answer.is_error:
        request = answer.request
        raise AnswerRefused(
            f"{request.method} {request.url}: {answer.status_code} {answer.text[:2000]}"
        )
    return answer.json()
