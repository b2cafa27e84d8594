"""A collector and an authority as small real HTTP servers, with faults to order."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response

from bureau_sync_svc.bureau import signature

SECRET = b"secret of the tests"
SILENCE_SECONDS = 0.8
"""Longer than the client waits in these tests."""


@dataclass
class Party:
    """What the other side has taken and shows, and the faults that it commits next, in order."""

    submissions: dict[str, dict[str, Any]] = field(default_factory=dict)
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    closed_until: str = ""
    requests: list[str] = field(default_factory=list)

    def posts(self) -> int:
        return sum(request.startswith("POST") for request in self.requests)


def _signed(request: Request, body: bytes) -> bool:
    query = f"?{request.url.query}" if request.url.query else ""
    timestamp = request.headers["X-Timestamp"]
    target = request.url.path + query
    expected = signature(SECRET, timestamp, request.method, target, body)
    return request.headers["X-Signature"] == expected


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, "application/json")


def app(parties: dict[str, Party]) -> FastAPI:
    """The parties by name, each under its own path."""
    application = FastAPI()
    _add_gate(application, parties)
    _add_submissions(application, parties)
    _add_records(application, parties)
    return application


def _add_gate(application: FastAPI, parties: dict[str, Party]) -> None:
    """What stands before every request: the signature, a closure, and the fault whose turn it
    is.
    """

    @application.middleware("http")
    async def gate(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        party = parties[request.url.path.split("/")[1]]
        party.requests.append(f"{request.method} {request.url.path}")
        if not _signed(request, await request.body()):
            return _json(401, {"code": "SIGNATURE_REFUSED"})
        if party.closed_until:
            return _json(503, {"code": "CLOSED", "until": party.closed_until, "text": "升级维护"})
        fault = party.faults.pop(0) if party.faults else ""
        if fault in _INSTEAD:
            return await _INSTEAD[fault]()
        answer = await go_on(request)
        if fault == "timeout_after":
            await asyncio.sleep(SILENCE_SECONDS)
        if fault == "web page":
            page = "<html>系统维护 990100199001010017</html>"
            return Response(page, 200, None, "text/html")
        return answer


async def _limited() -> Response:
    return _json(429, {"code": "TOO_MANY_REQUESTS"}, {"Retry-After": "1"})


async def _refused() -> Response:
    return _json(422, {"code": "REFUSED", "text": "单位状态异常"})


async def _other_serial() -> Response:
    return _json(202, {"serial": "another", "state": "received"})


async def _silent() -> Response:
    await asyncio.sleep(SILENCE_SECONDS)
    return _json(504, {"code": "NO_ANSWER"})


_INSTEAD = {
    "limited": _limited,
    "refused": _refused,
    "other serial": _other_serial,
    "timeout_before": _silent,
}


def _add_submissions(application: FastAPI, parties: dict[str, Party]) -> None:
    @application.post("/{name}/{collection}")
    async def submit(name: str, collection: str, request: Request) -> Response:
        body = await request.json()
        parties[name].submissions[body["serial"]] = body
        state = "received" if collection == "declarations" else "accepted"
        return _json(202, {"serial": body["serial"], "state": state})

    @application.get("/{name}/declarations/{serial}")
    async def declaration(name: str, serial: str) -> Response:
        return _status_of(parties[name], serial, "received")

    @application.get("/{name}/details/{serial}")
    async def detail(name: str, serial: str) -> Response:
        return _status_of(parties[name], serial, "accepted")


def _status_of(party: Party, serial: str, taken: str) -> Response:
    if serial not in party.submissions:
        return _json(404, {"code": "UNKNOWN_SERIAL", "text": "无此流水号"})
    return _json(200, party.verdicts.get(serial, {"serial": serial, "state": taken}))


def _add_records(application: FastAPI, parties: dict[str, Party]) -> None:
    @application.get("/{name}/records")
    async def records(name: str, cursor: int = 0) -> Response:
        """A row a page."""
        rows = parties[name].records
        following = str(cursor + 1) if cursor + 1 < len(rows) else None
        return _json(200, {"rows": rows[cursor : cursor + 1], "next_cursor": following})

    @application.get("/{name}/notices")
    async def notices(name: str) -> Response:
        return _json(200, {"notices": parties[name].notices})


@contextlib.asynccontextmanager
async def served(application: FastAPI) -> AsyncIterator[str]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listening.close()
