"""Idempotency keys on real HTTP, for writes that move money or promises: fifty sends at once have
one effect and fifty equal answers, and take nothing from others.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.embedded.stack import Stack
from tests.support.cast import Cast
from tests.support.eventually import eventually
from tests.support.rosters import csv_file, roster_row

SENDS = 50


@dataclass(frozen=True)
class Desk:
    """HR of the second employer with fifty connections, and the databases beside them."""

    actors: Cast
    client: httpx.AsyncClient
    server: str

    async def send(
        self,
        service: str,
        path: str,
        body: dict[str, Any],
        key: str,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        signed = headers or self.actors.other.hr.headers()
        return await self.client.post(
            f"{self.actors.addresses.services[service]}/api/v1{path}",
            json=body,
            headers={**signed, "Idempotency-Key": key},
        )

    async def send_all(
        self, service: str, path: str, body: dict[str, Any], key: str
    ) -> list[httpx.Response]:
        return await asyncio.gather(*(self.send(service, path, body, key) for _ in range(SENDS)))

    @asynccontextmanager
    async def database(self, package: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(f"{self.server}/{package}")
        try:
            yield connection
        finally:
            await connection.close()

    async def count(self, package: str, statement: str, *values: str) -> int:
        async with self.database(package) as connection:
            return int(await connection.fetchval(statement, *values))


@pytest.fixture(scope="module")
async def desk(installation: Stack, actors: Cast) -> AsyncIterator[Desk]:
    limits = httpx.Limits(max_connections=2 * SENDS)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        yield Desk(actors, client, installation.postgres_url.rsplit("/", 1)[0])
    await actors.at_rest()


@dataclass(frozen=True)
class Request:
    """A write of the second employer's HR, another body for its key, and where its effect is
    counted.
    """

    service: str
    path: str
    body: dict[str, Any]
    another_body: dict[str, Any]
    package: str
    effects: str


async def reply(desk: Desk, _: Path) -> Request:
    return Request(
        "ticket-svc",
        f"/tickets/{desk.actors.other.ids['ticket_id']}/replies",
        {"text": "11月的医疗险将于12日扣款。"},
        {"text": "11月的医疗险将于13日扣款。"},
        "ticket_svc",
        "SELECT count(*) FROM messages WHERE text LIKE '11月的医疗险将于%扣款。'",
    )


async def payroll_run(desk: Desk, _: Path) -> Request:
    employer_id = desk.actors.other.ids["employer_id"]
    return Request(
        "payroll-svc",
        "/payroll-runs",
        {"employer_id": employer_id, "levy_period": "2024-12"},
        {"employer_id": employer_id, "levy_period": "2025-01"},
        "payroll_svc",
        "SELECT count(*) FROM payroll_runs WHERE levy_period > '2024-11'",
    )


async def approval(desk: Desk, _: Path) -> Request:
    return Request(
        "contribution-svc",
        f"/declarations/{desk.actors.other.ids['spare_declaration_id']}/approve",
        {},
        {"again": True},
        "contribution_svc",
        "SELECT count(*) FROM outbox o JOIN declarations d ON d.declaration_id = o.subject"
        " WHERE o.type LIKE '%DeclarationApproved%' AND d.approved_by = 'hr.bai'",
    )


async def roster_import(desk: Desk, folder: Path) -> Request:
    row = roster_row(9, 工号="H0009", 部门="车队", 单位社保账号="990100-771", 入职日期="2024-11-01")
    file = folder / "one-more.csv"
    await asyncio.to_thread(file.write_bytes, csv_file([row]))
    other = desk.actors.other
    staged = await other.hr.upload(
        "payroll-svc", "/imports", file, kind="roster", employer_id=other.ids["employer_id"]
    )
    assert not staged["faults"], staged["faults"]
    return Request(
        "payroll-svc",
        f"/imports/{staged['import_id']}/apply",
        {"take": "whole"},
        {"take": "good_rows"},
        "payroll_svc",
        "SELECT count(*) FROM outbox o JOIN employees e ON e.employee_id = o.subject"
        " WHERE e.employee_no = 'H0009' AND o.type LIKE '%EmployeeChanged%'",
    )


@pytest.mark.parametrize("make", [reply, payroll_run, approval, roster_import])
async def test_fifty_sends_of_one_key_have_one_effect_and_fifty_equal_answers(
    desk: Desk, tmp_path: Path, make: Callable[[Desk, Path], Awaitable[Request]]
) -> None:
    wanted = await make(desk, tmp_path)
    service, path, key = wanted.service, wanted.path, str(uuid.uuid4())
    before = await desk.count(wanted.package, wanted.effects)
    answers = await desk.send_all(service, path, wanted.body, key)
    assert {answer.status_code for answer in answers} <= {200, 201}, answers[0].text
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    late = await desk.send(service, path, wanted.body, key)
    assert (late.status_code, late.content) == (answers[0].status_code, answers[0].content)
    other = await desk.send(service, path, wanted.another_body, key)
    assert (other.status_code, other.json()["type"]) == (
        422,
        "urn:daozhang:problem:idempotency-key-reused",
    )
    assert await desk.count(wanted.package, wanted.effects) == before + 1


async def test_the_same_key_of_another_caller_is_another_key(desk: Desk) -> None:
    wanted = await reply(desk, Path())
    service, path = wanted.service, wanted.path
    key = str(uuid.uuid4())
    by_hr = await desk.send(service, path, {"text": "请补充材料。"}, key)
    headers = desk.actors.other.employee.headers()
    by_employee = await desk.send(service, path, {"text": "已补充。"}, key, headers)
    assert (by_hr.status_code, by_employee.status_code) == (201, 201)
    said = [message["text"] for message in by_employee.json()["conversation"]]
    # Business time stands still here, so what was said at one moment has no order.
    assert {"请补充材料。", "已补充。"} <= set(said)
    by_stranger = await desk.send(
        service, path, {"text": "请补充材料。"}, key, desk.actors.case.hr.headers()
    )
    assert by_stranger.status_code == 404


@asynccontextmanager
async def held(desk: Desk) -> AsyncIterator[None]:
    """While the ticket's row is locked by somebody else, a reply to it cannot go on."""
    async with desk.database("ticket_svc") as connection, connection.transaction():
        await connection.execute(
            "SELECT 1 FROM tickets WHERE ticket_id = $1 FOR UPDATE",
            desk.actors.other.ids["ticket_id"],
        )
        yield


_SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = 'ticket_svc'"
    " AND usename = 'ticket_svc_api' AND state <> 'idle'"
)
_WAITS = _SESSIONS + " AND wait_event_type = 'Lock'"


async def test_those_who_wait_for_one_key_take_no_connection_from_others(desk: Desk) -> None:
    wanted = await reply(desk, Path())
    service, path = wanted.service, wanted.path
    url = f"{desk.actors.addresses.services[service]}/api/v1/tickets"
    key = str(uuid.uuid4())
    async with held(desk), desk.database("ticket_svc") as watching:
        sends = asyncio.create_task(desk.send_all(service, path, {"text": "在核实。"}, key))
        await eventually(lambda: watching.fetchval(_WAITS))
        others = await asyncio.gather(
            *(desk.client.get(url, headers=desk.actors.case.hr.headers()) for _ in range(20))
        )
        assert {answer.status_code for answer in others} == {200}
        assert await watching.fetchval(_SESSIONS) == 1
        assert not sends.done()
    answers = await sends
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert answers[0].status_code == 201


async def test_a_first_that_does_not_end_sends_the_others_away_for_a_while(desk: Desk) -> None:
    wanted = await reply(desk, Path())
    service, path = wanted.service, wanted.path
    key, body = str(uuid.uuid4()), {"text": "仍在核实。"}
    async with held(desk):
        answers = await desk.send_all(service, path, body, key)
    assert {answer.status_code for answer in answers} == {409}
    for answer in answers:
        assert answer.json()["type"] == "urn:daozhang:problem:still-running"
        assert int(answer.headers["Retry-After"]) > 0
    again = await desk.send(service, path, body, key)
    assert again.status_code == 201
    said = [message["text"] for message in again.json()["conversation"]]
    assert said.count(body["text"]) == 1
