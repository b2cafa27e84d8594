"""Who got no answer asks again, and what they asked for happens once."""

import uuid

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.case.people import AnswerRefused, patiently
from tests.support.parties import Sandbox
from tests.support.standins import serving

PARTY = "medical-990100"
FAULT = {"party": PARTY, "kind": "accept_and_drop"}
NOTICE = {
    "party": PARTY,
    "kind": "upgrade",
    "text": "系统升级",
    "from": "2024-10-10T00:00:00+08:00",
    "until": "2024-10-13T00:00:00+08:00",
}


async def test_an_order_given_again_with_its_key_counts_once(sandbox: Sandbox) -> None:
    first, other = ({"Idempotency-Key": str(uuid.uuid4())} for _ in range(2))
    for path, body in (("/faults", FAULT), ("/notices", NOTICE)):
        answers = [
            (await sandbox.control.post(path, json=body, headers=headers)).json()
            for headers in (first, first, other)
        ]
        assert answers[0] == answers[1] != answers[2]
    assert len((await sandbox.control.get("/faults")).json()["faults"]) == 2
    assert len((await sandbox.authorities.get(f"/{PARTY}/notices")).json()["notices"]) == 2


async def test_people_ask_again_while_a_part_is_away_and_take_a_refusal_for_an_answer() -> None:
    statuses = [503, 502, 504, 200, 422]

    async def answer(_: Request) -> Response:
        return JSONResponse({"tries": 5 - len(statuses)}, statuses.pop(0))

    async with (
        serving(Starlette(routes=[Route("/", answer)])) as address,
        httpx.AsyncClient() as client,
    ):
        assert await patiently(lambda: client.get(address)) == {"tries": 3}
        with pytest.raises(AnswerRefused, match="422"):
            await patiently(lambda: client.get(address))
    assert statuses == []
