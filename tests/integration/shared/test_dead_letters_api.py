"""`/api/v1/dead-letters`, as an operator's tool asks it: for operators only, masked, with who and
why kept.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from shared.consumer import Handlers, apply_batch
from shared.contracts import PAYROLL, SalaryComputed
from shared.db import connect
from shared.serve import SignIn, dead_letters, make_app
from tests.support.issuer import Issuer, issuer
from tests.support.plumbing import raw
from tests.support.service_databases import ServiceDatabase
from tests.support.telling import EFFECTS, Recorder, salary

NAME, ID_NO = "王小二", "110101199003070038"


@dataclass
class Desk:
    """An operator at work: `sick` waits with two events, and a stranger's record beside it."""

    http: httpx.AsyncClient
    issuer: Issuer
    recorder: Recorder

    async def asks(self, path: str = "", role: str = "operator") -> httpx.Response:
        headers = self.issuer.headers(
            "op-zhao", [role], employer_ids=["employer-1"], employee_id="employee-1"
        )
        return await self.http.get(f"/dead-letters{path}", headers=headers)

    async def says(self, path: str, **body: Any) -> httpx.Response:
        headers = self.issuer.headers("op-zhao", ["operator"])
        return await self.http.post(f"/dead-letters/{PAYROLL}{path}", headers=headers, json=body)


@pytest.fixture
async def desk(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> AsyncIterator[Desk]:
    database = await service_database("ticket_svc")
    superuser = await asyncpg.connect(database.superuser_url)
    await superuser.execute(EFFECTS.format(package="ticket_svc"))
    await superuser.close()
    engine = connect(database.worker_url, "test", 3)
    recorder = Recorder({"sick"})
    handlers: Handlers = {SalaryComputed: recorder.on_salaries}
    foreign = json.dumps({"employee": NAME, "number": ID_NO}, ensure_ascii=False).encode()
    records = [
        raw(salary("sick", 1)),
        raw(salary("sick", 2)),
        raw(salary("x"), key=ID_NO.encode(), value=foreign, headers=[(NAME, ID_NO.encode())]),
    ]
    with capture_logs():
        placed = [
            SimpleNamespace(partition=0, offset=place, **one) for place, one in enumerate(records)
        ]
        await apply_batch(engine, handlers, "ticket-svc", placed)
    async with issuer() as signing:
        router = dead_letters.routes(engine, handlers, versioned=False)
        app = make_app("ticket-svc", "", [router], SignIn(signing.url, "daozhang"))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
            yield Desk(http, signing, recorder)
    await engine.dispose()


@pytest.mark.parametrize("path", ["", f"/{PAYROLL}/sick"])
@pytest.mark.parametrize("role", ["hr", "employee"])
async def test_they_are_for_operators_only(desk: Desk, path: str, role: str) -> None:
    assert (await desk.asks(path, role)).status_code == 403
    assert (await desk.http.get(f"/dead-letters{path}")).status_code == 401


async def test_list_and_show_name_nobody(desk: Desk) -> None:
    listed = await desk.asks()
    assert listed.status_code == 200
    sick, stranger = listed.json()
    assert (sick["key"], sick["events"], sick["reason"]) == ("sick", 2, "handler")
    assert (stranger["key"], stranger["reason"]) == (f"@{stranger['seq']}", "undecodable")
    shown = await desk.asks(f"/{PAYROLL}/{stranger['key']}")
    assert shown.json()[0]["body"] == '{"employee":"***","number":"***"}'
    assert shown.json()[0]["headers"] == ["***: ***"]
    assert NAME not in listed.text + shown.text
    assert ID_NO not in listed.text + shown.text
    first, second = (await desk.asks(f"/{PAYROLL}/sick")).json()
    assert (first["state"], second["state"]) == ("parked", "queued")
    assert json.loads(first["body"])["wage_fen"] == 1_000_000


async def test_replay_says_what_went_through_and_what_waits(desk: Desk) -> None:
    failed = await desk.says("/sick/replay")
    assert failed.json() == {"replayed": 0, "stopped_by": "HandlerRefuses('sick')", "waiting": 2}
    desk.recorder.refused.clear()
    assert (await desk.says("/sick/replay")).json()["replayed"] == 2
    assert (await desk.says("/sick/replay")).status_code == 404


async def test_drop_asks_why_and_may_mean_one_event(desk: Desk) -> None:
    [sick, stranger] = (await desk.asks()).json()
    assert (await desk.says("/sick/drop")).status_code == 422
    assert (await desk.says("/sick/drop", reason="so")).status_code == 422
    one = await desk.says("/sick/drop", reason="entered by hand", seq=sick["seq"])
    assert one.json() == {"dropped": 1, "waiting": 1}
    other = await desk.says("/sick/drop", reason="entered by hand", seq=stranger["seq"])
    assert other.status_code == 404, "the number is another key's event"
    foreign = await desk.says(f"/@{stranger['seq']}/drop", reason="a stranger's")
    assert foreign.json() == {"dropped": 1, "waiting": 0}


@pytest.mark.parametrize("key", ["nobody", "@999", "@99999999999999999999", "a/b", "%20"])
async def test_a_key_that_is_not_parked_is_not_found(desk: Desk, key: str) -> None:
    assert (await desk.asks(f"/{PAYROLL}/{key}")).status_code == 404
    assert (await desk.says(f"/{key}/replay")).status_code == 404
    assert (await desk.says(f"/{key}/drop", reason="a mistake")).status_code == 404
