"""The bank's webhook: Standard Webhooks, checked on the raw bytes, and kept for ever."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError

from contribution_svc.errors import WebhookRefused
from contribution_svc.usecases.bank_notice import StatementPublished, take_in_notice
from shared.clock import Clock
from shared.db import Engine, transaction
from shared.logs import get_logger

_MAX_BYTES = 64 * 1024
_PUBLISHED = "statement.published"

_log = get_logger(__name__)


class _Body(msgspec.Struct, frozen=True):
    type: str
    data: msgspec.Raw = msgspec.Raw(b"{}")


def routes(worker: Engine, clock: Clock, secret: Callable[[], str]) -> APIRouter:
    router = APIRouter(tags=["webhooks"])

    @router.post("/webhooks/bank", status_code=204)
    async def take_bank_webhook(
        request: Request,
        webhook_id: Annotated[str, Header(max_length=200)],
        webhook_timestamp: Annotated[str, Header(max_length=20)],
        webhook_signature: Annotated[str, Header(max_length=2000)],
    ) -> Response:
        """`statement.published`: the statement is fetched at once. A repeat changes nothing."""
        raw = await request.body()
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": webhook_timestamp,
            "webhook-signature": webhook_signature,
        }
        _check(secret(), raw, headers)
        notice = _notice(raw)
        async with transaction(worker) as conn:
            await take_in_notice(conn, webhook_id, raw, notice, clock.now())
        return Response(status_code=204)

    return router


def _check(secret: str, raw: bytes, headers: dict[str, str]) -> None:
    if len(raw) > _MAX_BYTES:
        raise WebhookRefused(f"the body is larger than {_MAX_BYTES} bytes")
    try:
        Webhook(secret).verify(raw, headers, json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        raise WebhookRefused(
            f"the signature or time is not accepted ({error}); sign the raw bytes again"
        ) from None


def _notice(raw: bytes) -> StatementPublished | None:
    """None for another event type: it is kept, and needs nothing from us."""
    try:
        body = msgspec.json.decode(raw, type=_Body)
        if body.type != _PUBLISHED:
            _log.info("webhook_of_no_interest", type=body.type[:60])
            return None
        return msgspec.json.decode(body.data, type=StatementPublished)
    except msgspec.MsgspecError as error:
        raise WebhookRefused(f"the body is not a {_PUBLISHED} event: {error}") from None
