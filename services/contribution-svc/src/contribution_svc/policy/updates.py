"""The update address, where whoever publishes policy lays down its bundles: https, or a file."""

import asyncio
import ssl
from pathlib import Path

import httpx

from contribution_svc.errors import UpdatesUnreachable
from contribution_svc.policy.bundle import MAX_BUNDLE_BYTES

_TIMEOUT_SECONDS = 30.0
_DEADLINE_SECONDS = 120.0
"""A body that trickles in is given up: the next poll asks again."""


class Updates:
    """Asks the one address that is configured; a redirect is followed nowhere."""

    def __init__(self, address: str, trusts: ssl.SSLContext | None = None) -> None:
        self.address, self._trusts = address, trusts

    async def fetch(self) -> bytes:
        """The bundle as it lies there now; UpdatesUnreachable with the reason."""
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                if self.address.startswith("https://"):
                    return await self._get()
                return await asyncio.to_thread(_read, Path(self.address))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            reason = f"{type(error).__name__}: {error}"[:300]
            raise UpdatesUnreachable(f"the update address gives nothing: {reason}") from None

    async def _get(self) -> bytes:
        async with (
            httpx.AsyncClient(
                timeout=_TIMEOUT_SECONDS,
                follow_redirects=False,
                verify=self._trusts or ssl.create_default_context(),
            ) as client,
            client.stream("GET", self.address) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise UpdatesUnreachable(f"the update address answers {answer.status_code}")
            content = bytearray()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MAX_BUNDLE_BYTES:
                    break  # one byte too many is enough to be refused
            return bytes(content)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BUNDLE_BYTES + 1)
