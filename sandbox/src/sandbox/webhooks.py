"""The bank's webhook (Standard Webhooks): told in the transaction that published, sent until it is
taken.
"""

import asyncio
import json
import random
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from standardwebhooks import Webhook

from sandbox.store import bank as store
from sandbox.timers import Activity
from shared.clock import system_now
from shared.db import Connection, Engine, transaction
from shared.logs import get_logger
from shared.values import derived_id

_POLL_SECONDS = 0.1
_CALL_LIMIT_SECONDS = 10.0
_LEASE_SECONDS = 30
_SLOWEST_RETRY_SECONDS = 60.0
_log = get_logger(__name__)


async def tell(conn: Connection, kind: str, facts: dict[str, str]) -> None:
    """Plans one message; its id is derived, so that the same fact is never told under two."""
    body = json.dumps({"type": kind, "data": facts}, ensure_ascii=False, separators=(",", ":"))
    delivery_id = f"msg_{derived_id('webhook', kind, body).hex}"
    await store.add_delivery(conn, delivery_id, body, system_now())


async def run(engine: Engine, url: str, secret: str, activity: Activity) -> None:
    """Sends what is planned, until cancelled: again and again, slower each time, until a 2xx."""
    signer = Webhook(secret)
    async with httpx.AsyncClient(timeout=_CALL_LIMIT_SECONDS, follow_redirects=False) as client:
        while True:
            try:
                while await send_next(engine, client, url, signer, activity):
                    pass
            except (DBAPIError, PoolTimeout, OSError) as outage:
                _log.warning("webhooks_wait_for_database", outage=type(outage).__name__)
            await asyncio.sleep(_POLL_SECONDS)


async def send_next(
    engine: Engine, client: httpx.AsyncClient, url: str, signer: Webhook, activity: Activity
) -> bool:
    """Tries the delivery that waits longest; False when none is due."""
    async with transaction(engine) as conn:
        delivery = await store.take_delivery(conn, system_now(), _LEASE_SECONDS)
    if delivery is None:
        return False
    failure = await _send(client, url, signer, delivery)
    async with transaction(engine) as conn:
        if failure:
            wait = timedelta(seconds=_pause_seconds(delivery.attempts))
            at = system_now() + wait
            await store.not_delivered(conn, delivery.delivery_id, failure, at)
        else:
            await store.delivered(conn, delivery.delivery_id, system_now())
    if failure:
        _log.warning("webhook_not_taken", delivery=delivery.delivery_id, failure=failure)
    else:
        activity.tick()
    return True


async def _send(client: httpx.AsyncClient, url: str, signer: Webhook, delivery: Row[Any]) -> str:
    """Why the receiver did not take it; empty when it did."""
    at = system_now()
    headers = {
        "content-type": "application/json",
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signer.sign(delivery.delivery_id, at, delivery.body),
    }
    try:
        response = await client.post(url, content=delivery.body.encode(), headers=headers)
    except httpx.HTTPError as fault:
        return type(fault).__name__
    return "" if response.is_success else f"status {response.status_code}"


def _pause_seconds(attempts: int) -> float:
    """Doubling from half a second, with jitter, to a minute at most."""
    pause = min(_SLOWEST_RETRY_SECONDS, 0.5 * 2.0 ** min(attempts - 1, 10))
    return pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards no secret
