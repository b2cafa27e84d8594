"""The one door without a token: the bank's webhook opens by its signature over exactly these bytes,
now, and by nothing else.
"""

import asyncio
import json
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from deploy.embedded.stack import Stack
from tests.support.cast import Cast

# A type that the service has no use for: what is let in is kept, and nothing follows from it.
BODY = b'{"type":"strangers.tried","data":{"a":1,"b":2}}'
ANOTHERS_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
async def secret(installation: Stack) -> str:
    path = Path(installation.credentials.file("webhook.secret"))
    return (await asyncio.to_thread(path.read_text)).strip()


def signed(secret: str, body: bytes = BODY, late_seconds: int = 0) -> dict[str, str]:
    name = f"msg_{uuid.uuid4()}"
    at = datetime.fromtimestamp(int(time.time()) - late_seconds, UTC)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, at, body.decode()),
    }


async def send(actors: Cast, headers: dict[str, str], body: bytes = BODY) -> httpx.Response:
    return await actors.client.post(
        actors.addresses.services["contribution-svc"] + "/api/v1/webhooks/bank",
        content=body,
        headers=headers,
    )


async def test_a_signature_over_these_bytes_now_opens(actors: Cast, secret: str) -> None:
    assert (await send(actors, signed(secret))).status_code == 204
    several = signed(secret)
    several["webhook-signature"] = f"v1,AAAA {several['webhook-signature']}"
    assert (await send(actors, several)).status_code == 204


async def test_nothing_else_opens(actors: Cast, secret: str) -> None:
    good = signed(secret)
    signature = good["webhook-signature"]
    reordered = json.dumps({"data": {"b": 2, "a": 1}, "type": "strangers.tried"}).encode()
    refused = {
        "another's secret": (signed(ANOTHERS_SECRET), BODY),
        "other bytes": (good, BODY.replace(b"1", b"7")),
        "the same JSON in other bytes": (good, reordered),
        "another id": ({**good, "webhook-id": "msg_other"}, BODY),
        "six minutes old": (signed(secret, late_seconds=360), BODY),
        "of six minutes ahead": (signed(secret, late_seconds=-360), BODY),
        "a later time beside it": ({**good, "webhook-timestamp": str(int(time.time()) + 9)}, BODY),
        "another scheme": ({**good, "webhook-signature": signature.replace("v1,", "v2,")}, BODY),
        "no scheme": ({**good, "webhook-signature": signature.removeprefix("v1,")}, BODY),
        "an empty one": ({**good, "webhook-signature": ""}, BODY),
        "a time that is none": ({**good, "webhook-timestamp": "now"}, BODY),
    }
    for name, (headers, body) in refused.items():
        answer = await send(actors, headers, body)
        assert (name, answer.status_code) == (name, 401), answer.text


async def test_a_token_is_no_signature(actors: Cast) -> None:
    for person in (actors.operator, actors.case.hr):
        assert (await send(actors, person.headers())).status_code == 422
