"""The services that own what a person commands here; commands go on with the person's token."""

from dataclasses import dataclass

import httpx

from portal_svc.errors import OwnerUnreachable
from portal_svc.settings import PortalSettings
from shared.logs import traceparent_now

_MAX_ANSWER_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What the owner said, to be passed back as it is."""

    status: int
    body: bytes
    media_type: str


class Owners:
    """One client for all owners; `close` it after the last request."""

    def __init__(self, settings: PortalSettings) -> None:
        self._settings = settings
        self._client: httpx.AsyncClient | None = None

    async def send_feedback(self, token: str, idempotency_key: str, body: bytes) -> Answer:
        """An employee's feedback to ticket-svc; sent once, a repeat is the caller's to make."""
        try:
            response = await self._opened().post(
                f"{str(self._settings.ticket_url).rstrip('/')}/api/v1/feedback",
                content=body,
                headers={
                    "Authorization": f"Bearer {token}",
                    "Idempotency-Key": idempotency_key,
                    "Content-Type": "application/json",
                    "traceparent": traceparent_now.get(),
                },
            )
        except httpx.TransportError as error:
            raise OwnerUnreachable(
                "ticket-svc does not answer, so it is not known whether the feedback was taken;"
                " send it again with the same Idempotency-Key."
            ) from error
        if len(response.content) > _MAX_ANSWER_BYTES:
            raise OwnerUnreachable("ticket-svc gave an answer that is too large to pass on.")
        media_type = response.headers.get("content-type", "application/json")
        return Answer(response.status_code, response.content, media_type)

    async def close(self) -> None:
        """For the wiring's closers."""
        if self._client is not None:
            await self._client.aclose()

    def _opened(self) -> httpx.AsyncClient:
        # Opened at the first request: documents are made from the routes without any settings.
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=self._settings.owner_timeout_seconds, follow_redirects=False
            )
        return self._client
