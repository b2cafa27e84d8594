"""The application around a service's routes: problems, limits, request ids, idempotent writes and
outages, over a real database.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy import text
from structlog.testing import capture_logs

from deploy.embedded.layout import free_ports
from shared.db import Engine, connect, transaction
from shared.http_writes import Write, idempotent, once
from shared.refusal import FieldFault, NotFound
from shared.serve import Caller, SignIn, make_app, require
from shared.serve.app import MAX_BODY_BYTES, MAX_UPLOAD_BYTES
from tests.support.eventually import eventually
from tests.support.issuer import Issuer, issuer
from tests.support.service_databases import ServiceDatabase

IDENTITY_NUMBER = "110101199001011237"
EMPLOYER = "employer-1"


class Feedback(BaseModel):
    levy_period: str = Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")
    amount_fen: int = 0
    text: str = ""


class Kept(BaseModel):
    number: int


class TicketUnknown(NotFound):
    code = "ticket-unknown"


def storing_routes(engine: Engine) -> APIRouter:
    """Endpoints that need the database."""
    router = APIRouter()

    @router.post("/feedback", status_code=201)
    async def give_feedback(
        _: Feedback,
        caller: Annotated[Caller, Depends(require("employee", "hr"))],
        write: Annotated[Write, Depends(idempotent)],
    ) -> Kept:
        async with transaction(engine) as conn:

            async def act() -> Kept:
                values = {"t": f"{write.key}-ticket", "e": EMPLOYER}
                await conn.execute(_ADD, values)
                return Kept(number=(await conn.execute(_COUNT)).scalar_one())

            return await once(conn, caller, write, Kept, act)

    @router.get("/sleep")
    async def sleep() -> None:
        async with transaction(engine) as conn:
            await conn.execute(text("SELECT pg_sleep(60)"))

    @router.get("/count")
    async def count() -> int:
        async with transaction(engine) as conn:
            return int((await conn.execute(_COUNT)).scalar_one())

    return router


def plain_routes() -> APIRouter:
    """Endpoints that need nothing."""
    router = APIRouter()

    @router.post("/echo")
    async def echo(body: Feedback) -> Feedback:
        return body

    @router.post("/files")
    async def take_file(file: UploadFile) -> int:
        return len(await file.read())

    @router.get("/tickets/{ticket_id}")
    async def ticket(ticket_id: str) -> None:
        fault = FieldFault("path/ticket_id", ticket_id, "no such ticket", "look at the list")
        raise TicketUnknown(f"There is no ticket {ticket_id} of yours.", (fault,))

    @router.get("/bug")
    async def bug() -> None:
        raise RuntimeError(f"no plan for {IDENTITY_NUMBER}")

    return router


_ADD = text("INSERT INTO employees (employee_id, employer_id) VALUES (:t, :e)")
_COUNT = text("SELECT count(*) FROM employees")


@dataclass(frozen=True)
class Site:
    """The application called over ASGI, with its issuer and its database."""

    http: httpx.AsyncClient
    issuer: Issuer
    database: ServiceDatabase

    def employee(self, key: str = "") -> dict[str, str]:
        headers = self.issuer.headers(
            "wang", ["employee"], employer_ids=[EMPLOYER], employee_id="employee-1"
        )
        return headers | ({"Idempotency-Key": key} if key else {})


@pytest.fixture(scope="module")
async def signing() -> AsyncIterator[Issuer]:
    async with issuer() as running:
        yield running


@pytest.fixture
async def site(
    service_database: Callable[[str], Awaitable[ServiceDatabase]], signing: Issuer
) -> AsyncIterator[Site]:
    database = await service_database("ticket_svc")
    engine = connect(database.worker_url, "test", 5)
    routers = [storing_routes(engine), plain_routes()]
    app = make_app("test", "", routers, SignIn(signing.url, "daozhang"))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
        yield Site(http, signing, database)
    await engine.dispose()


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem, once its shape is what RFC 9457 and our own documents say."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "request_id", "faults"}
    assert body["type"] == f"urn:daozhang:problem:{code}"
    assert body["status"] == status
    assert body["request_id"] == answer.headers["x-request-id"]
    assert all(set(fault) == {"where", "value", "reason", "todo"} for fault in body["faults"])
    return body


async def test_a_malformed_field_is_named_with_its_value_masked(site: Site) -> None:
    answer = await site.http.post(
        "/echo", json={"levy_period": IDENTITY_NUMBER, "amount_fen": "seven"}
    )
    body = problem_of(answer, 422, "malformed")
    assert [fault["where"] for fault in body["faults"]] == ["body/levy_period", "body/amount_fen"]
    assert body["faults"][0]["value"] == "11******37"
    assert IDENTITY_NUMBER not in answer.text


async def test_a_refusal_says_what_was_refused_and_what_to_do(site: Site) -> None:
    body = problem_of(await site.http.get("/tickets/17"), 404, "ticket-unknown")
    assert body["detail"] == "There is no ticket 17 of yours."
    assert body["faults"][0]["todo"] == "look at the list"


async def test_an_address_that_is_not_served_is_not_found(site: Site) -> None:
    problem_of(await site.http.get("/nowhere"), 404, "not-found")
    problem_of(await site.http.put("/echo"), 405, "method-not-allowed")


async def test_without_a_token_nobody_gets_in(site: Site) -> None:
    answer = await site.http.post("/feedback", json={"levy_period": "2024-10"})
    problem_of(answer, 401, "not-signed-in")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_without_a_role_for_it_nobody_may(site: Site) -> None:
    headers = site.issuer.headers("zhao", ["operator"]) | {"Idempotency-Key": "key-1"}
    answer = await site.http.post("/feedback", json={"levy_period": "2024-10"}, headers=headers)
    assert "for employee or hr" in problem_of(answer, 403, "forbidden")["detail"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"levy_period": "2024-10", "amount_fen": NaN}', "body/amount_fen"),
        (b'{"levy_period": "2024-10", "amount_fen": 9223372036854775808}', "body/amount_fen"),
        (b'{"levy_period": "2024-09", "levy_period": "2024-10"}', "body/levy_period"),
        (b'{"levy_period": "2024-10", "text": "a\\u0000"}', "body/text"),
        (b'{"levy_period": "2024-10", "text": "\\ud800"}', "body/text"),
        (b'{"levy_period": "2024-10", "x": ' + b"[" * 400_000, "body"),
        (b'\xef\xbb\xbf{"levy_period": "2024-10"}', "body:line 1 column 1"),
        (b'{"levy_period": ', "body:line 1 column 17"),
    ],
    ids=[
        "not a number",
        "beyond 64 bits",
        "a name twice",
        "a zero character",
        "half a surrogate pair",
        "nested without end",
        "a byte order mark",
        "cut short",
    ],
)
@pytest.mark.parametrize("path", ["/echo", "/feedback"])
async def test_loose_json_is_refused_with_its_place(
    site: Site, path: str, body: bytes, place: str
) -> None:
    headers = {"content-type": "application/json"} | site.employee("key-1")
    answer = await site.http.post(path, content=body, headers=headers)
    assert [fault["where"] for fault in problem_of(answer, 422, "malformed")["faults"]] == [place]


async def test_json_that_does_not_say_so_is_no_way_around(site: Site) -> None:
    answer = await site.http.post("/echo", content=b'{"levy_period": "2024-10", "x": NaN}')
    problem_of(answer, 422, "malformed")
    headers = {"content-type": "text/plain"}
    answer = await site.http.post("/echo", content=b'{"levy_period": "2024-10"}', headers=headers)
    problem_of(answer, 422, "malformed")


@pytest.mark.parametrize("address", ["/tickets/%00", "/tickets/1?cursor=%00"])
async def test_an_address_that_cannot_be_stored_is_refused(site: Site, address: str) -> None:
    problem_of(await site.http.get(address), 422, "malformed")


async def test_good_json_arrives_whole_in_pieces(site: Site) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in json.dumps({"levy_period": "2024-10", "text": "王小明𠮷"}).encode():
            yield bytes([byte])

    headers = {"content-type": "application/json"}
    answer = await site.http.post("/echo", content=pieces(), headers=headers)
    assert answer.json() == {"levy_period": "2024-10", "amount_fen": 0, "text": "王小明𠮷"}


async def _endless(limit: int, head: bytes = b"") -> AsyncIterator[bytes]:
    yield head
    for _ in range(limit // 1_000_000 + 2):
        yield b"x" * 1_000_000


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
@pytest.mark.parametrize("in_pieces", [False, True], ids=["at once", "in pieces"])
async def test_a_body_that_is_too_large_is_refused(site: Site, kind: str, in_pieces: bool) -> None:
    content = _endless(MAX_BODY_BYTES) if in_pieces else b"x" * (MAX_BODY_BYTES + 1)
    answer = await site.http.post("/echo", content=content, headers={"content-type": kind})
    assert str(MAX_BODY_BYTES) in problem_of(answer, 413, "too-large")["detail"]


async def test_an_upload_may_be_larger_but_not_endless(site: Site) -> None:
    allowed = await site.http.post("/files", files={"file": b"x" * (MAX_BODY_BYTES + 1)})
    assert allowed.json() == MAX_BODY_BYTES + 1
    headers = {"content-type": "multipart/form-data; boundary=x"}
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    content = _endless(MAX_UPLOAD_BYTES, head)
    problem_of(await site.http.post("/files", content=content, headers=headers), 413, "too-large")


async def test_the_callers_request_id_is_given_back(site: Site) -> None:
    with capture_logs():
        for address in ("/count", "/nowhere", "/bug", "/tickets/%00"):
            answer = await site.http.get(address, headers={"X-Request-Id": "order-66"})
            assert answer.headers["x-request-id"] == "order-66"


@pytest.mark.parametrize("sent", ["", "x" * 101, "line\tbreak"], ids=["none", "long", "a tab"])
async def test_a_request_without_a_good_id_is_given_one(site: Site, sent: str) -> None:
    first, second = [
        (await site.http.get("/count", headers={"X-Request-Id": sent})).headers["x-request-id"]
        for _ in range(2)
    ]
    assert len(first) == 36
    assert first not in (sent, second)


async def test_a_bug_tells_the_caller_an_id_and_nothing_else(site: Site) -> None:
    with capture_logs() as logged:
        body = problem_of(await site.http.get("/bug"), 500, "unexpected")
    assert [entry["event"] for entry in logged] == ["request_failed"]
    assert IDENTITY_NUMBER not in json.dumps(body)
    assert "RuntimeError" not in json.dumps(body)


async def test_a_write_has_one_effect_however_often_it_is_sent(site: Site) -> None:
    body = {"levy_period": "2024-10", "text": "看不到医保"}

    async def send() -> httpx.Response:
        return await site.http.post("/feedback", json=body, headers=site.employee("key-1"))

    answers = await asyncio.gather(*(send() for _ in range(50)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, '{"number":1}')}
    assert (await site.http.get("/count")).json() == 1


async def test_the_same_body_in_other_spelling_is_the_same_write(site: Site) -> None:
    headers = site.employee("key-1") | {"content-type": "application/json"}
    for body in (
        '{"levy_period": "2024-10", "text": "看"}',
        '{"text":"\\u770b","levy_period":"2024-10"}',
    ):
        answer = await site.http.post("/feedback", content=body.encode(), headers=headers)
        assert answer.status_code == 201


async def test_another_body_under_the_same_key_is_refused(site: Site) -> None:
    headers = site.employee("key-1")
    await site.http.post("/feedback", json={"levy_period": "2024-10"}, headers=headers)
    answer = await site.http.post("/feedback", json={"levy_period": "2024-11"}, headers=headers)
    problem_of(answer, 422, "idempotency-key-reused")


@pytest.mark.parametrize("key", ["", "x" * 201, "\x7f"], ids=["empty", "long", "unprintable"])
async def test_a_key_that_cannot_be_kept_is_refused(site: Site, key: str) -> None:
    headers = site.employee() | {"Idempotency-Key": key}
    answer = await site.http.post("/feedback", json={"levy_period": "2024-10"}, headers=headers)
    problem_of(answer, 422, "malformed")


async def test_a_write_without_a_key_is_refused(site: Site) -> None:
    answer = await site.http.post(
        "/feedback", json={"levy_period": "2024-10"}, headers=site.employee()
    )
    [fault] = problem_of(answer, 422, "malformed")["faults"]
    assert fault["where"] == "header/idempotency-key"


async def test_a_database_that_breaks_off_is_unavailable_and_then_back(site: Site) -> None:
    request = asyncio.create_task(site.http.get("/sleep"))
    superuser = connect(
        site.database.superuser_url.replace("postgresql://", "postgresql+asyncpg://"), "test", 2
    )
    kill = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%'"
    )

    async def killed() -> bool:
        async with transaction(superuser) as conn:
            return bool((await conn.execute(kill)).scalar_one())

    await eventually(killed)
    answer = await request
    await superuser.dispose()
    problem_of(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert (await site.http.get("/count")).json() == 0


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    [port] = free_ports(1)
    engine = connect(f"postgresql+asyncpg://nobody:x@127.0.0.1:{port}/none", "test", 1)
    app = make_app("test", "", [storing_routes(engine)], None)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
        problem_of(await http.get("/count"), 503, "unavailable")


async def test_metrics_name_the_route_and_not_the_address(site: Site) -> None:
    await site.http.get("/tickets/17")
    metrics = (await site.http.get("http://test/metrics")).text
    assert 'http_requests_total{method="GET",route="/tickets/{ticket_id}",status="404"}' in metrics
    assert "/tickets/17" not in metrics


async def test_a_strangers_method_makes_no_metric_of_its_own(site: Site) -> None:
    await site.http.request("BREW", "/tickets/17")
    metrics = (await site.http.get("http://test/metrics")).text
    assert 'method="other"' in metrics
    assert "BREW" not in metrics
