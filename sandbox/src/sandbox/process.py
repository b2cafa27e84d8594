"""The sandbox as a process: store, clock, and every party on its own port; builds all there is."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from sandbox import (
    authority,
    bank,
    collector,
    control,
    issuer,
    mail,
    timers,
    tokens,
    webhooks,
    wire,
)
from sandbox.clock import SandboxTime
from sandbox.guard import Bounded, Signed
from sandbox.settings import Party, Settings
from sandbox.tables import metadata
from sandbox.timers import Activity
from shared import db
from shared.db import Engine
from shared.serve import secret_from

_POOL = 10
_HTTP_DRAIN_SECONDS = 5
_LOOPBACK = "127.0.0.1"

Work = Callable[[], Awaitable[None]]
"""Runs until it is cancelled."""


@dataclass(frozen=True)
class Addresses:
    """Where each party answers."""

    bank: str
    collector: str
    authorities: str
    oidc: str
    control: str
    smtp_port: int


@dataclass(frozen=True)
class Stage:
    """What every party stands on."""

    settings: Settings
    engine: Engine
    clock: SandboxTime
    parties: Mapping[str, Party]
    activity: Activity

    def of_kind(self, kind: str) -> dict[str, Party]:
        return {name: party for name, party in self.parties.items() if party.kind == kind}


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: re-raised signals would kill an act in the middle."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def playing(settings: Settings) -> AsyncIterator[Addresses]:
    """All parties, answering until the block ends; a part that dies ends the block with its
    error.
    """
    async with AsyncExitStack() as until_end:
        stage = await _set(settings, until_end)
        sockets = _sockets(settings)
        for listening in sockets.values():
            until_end.callback(listening.close)
        addresses = _addresses(settings, sockets)
        apps = await _apps(stage, addresses)
        servers = {name: _server(one) for name, one in apps.items()}
        async with asyncio.TaskGroup() as tasks:
            for name, server in servers.items():
                tasks.create_task(server.serve([sockets[name]]))
            works = _works(stage, sockets["smtp"])
            running = [tasks.create_task(_forever(work)) for work in works]
            # The sockets listen already: who calls before a server is up waits in their queue.
            try:
                yield addresses
            finally:
                for server in servers.values():
                    server.should_exit = True
                for task in running:
                    task.cancel()


async def _forever(work: Work) -> None:
    await work()
    raise RuntimeError("a part of the sandbox ended by itself")


async def _set(settings: Settings, until_end: AsyncExitStack) -> Stage:
    """The store with its tables, and the clock with its time."""
    engine = db.connect(settings.database_url.get_secret_value(), "sandbox", _POOL)
    until_end.push_async_callback(engine.dispose)
    async with engine.begin() as conn:
        await conn.run_sync(metadata.create_all)
    clock = SandboxTime(
        engine, settings.kafka_bootstrap, settings.clock_topic, settings.clock_start
    )
    until_end.push_async_callback(clock.close)
    await clock.start()
    return Stage(settings, engine, clock, settings.parties(), Activity())


def _sockets(settings: Settings) -> dict[str, socket.socket]:
    """One listening socket per party; OSError at start when a port is taken."""
    places = {
        "bank": (settings.host, settings.port_bank),
        "collector": (settings.host, settings.port_collector),
        "authorities": (settings.host, settings.port_authorities),
        "oidc": (settings.host, settings.port_oidc),
        "control": (settings.control_host, settings.port_control),
        "smtp": (settings.host, settings.port_smtp),
    }
    return {name: _listening(place) for name, place in places.items()}


def _listening(place: tuple[str, int]) -> socket.socket:
    """Named TCP in full: asyncio switches Nagle's delay off only for sockets that say so, and
    without that every answer on a kept connection waits 40 ms.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(place)
    listening.listen(128)
    return listening


def _addresses(settings: Settings, sockets: Mapping[str, socket.socket]) -> Addresses:
    """As seen from this machine; the issuer's address is what its tokens say."""
    ports = {name: listening.getsockname()[1] for name, listening in sockets.items()}
    here = {name: f"http://{_LOOPBACK}:{port}" for name, port in ports.items()}
    return Addresses(
        bank=here["bank"],
        collector=here["collector"],
        authorities=here["authorities"],
        oidc=settings.oidc_issuer.rstrip("/") or here["oidc"],
        control=here["control"],
        smtp_port=ports["smtp"],
    )


async def _apps(stage: Stage, addresses: Addresses) -> dict[str, ASGIApp]:
    settings, clock, engine = stage.settings, stage.clock, stage.engine
    bank_key = _key(settings.bank_key_id, settings.bank_secret_file, "SANDBOX_BANK_SECRET_FILE")
    bureau_key = _key(
        settings.bureau_key_id, settings.bureau_secret_file, "SANDBOX_BUREAU_SECRET_FILE"
    )
    desk = issuer.Desk(engine, await tokens.issuer(engine, addresses.oidc), settings.oidc_redirects)
    collectors, authorities = stage.of_kind("collector"), stage.of_kind("authority")
    board = control.Board(engine, clock, stage.parties, stage.activity)
    limit, rate = settings.body_limit_bytes, settings.requests_per_second
    return {
        "bank": _signed(bank.routes(engine, clock), bank_key, limit, rate),
        "collector": _signed(
            collector.routes(engine, clock, collectors, stage.activity), bureau_key, limit, rate
        ),
        "authorities": _signed(
            authority.routes(engine, clock, authorities, stage.activity), bureau_key, limit, rate
        ),
        "oidc": Bounded(_app(issuer.routes(desk)), limit),
        "control": Bounded(_control(settings, _app(control.routes(board))), limit),
    }


def _key(key_id: str, secret_file: Path, setting: str) -> dict[str, bytes]:
    return {key_id: secret_from(secret_file, setting).encode()}


def _signed(router: APIRouter, key: Mapping[str, bytes], limit: int, rate: int) -> ASGIApp:
    return Bounded(Signed(_app(router), key, rate), limit)


def _app(router: APIRouter) -> FastAPI:
    one = FastAPI(title="Sandbox", openapi_url=None)
    one.include_router(router)
    one.add_exception_handler(RequestValidationError, wire.malformed)
    one.add_exception_handler(wire.Refused, wire.refused)
    for outage in (DBAPIError, PoolTimeout, OSError, TimeoutError):
        one.add_exception_handler(outage, wire.away)
    return one


def _control(settings: Settings, control_app: ASGIApp) -> ASGIApp:
    """On the loopback only its own names are answered: a page in a browser cannot rebind its way
    in.
    """
    if settings.control_host != _LOOPBACK:
        return control_app
    return TrustedHostMiddleware(control_app, [_LOOPBACK, "localhost"])


def _server(one: ASGIApp) -> _Server:
    return _Server(
        uvicorn.Config(
            one,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_HTTP_DRAIN_SECONDS,
        )
    )


def _works(stage: Stage, smtp: socket.socket) -> list[Work]:
    settings, engine, activity = stage.settings, stage.engine, stage.activity
    tells = bool(settings.webhook_url)
    acts = {**bank.acts(tells=tells), **collector.acts(stage.parties), **authority.acts()}
    works: list[Work] = [
        partial(timers.run, engine, stage.clock, acts, activity),
        partial(_take_mails, mail.Sink(engine, stage.clock, activity), smtp),
    ]
    if tells:
        secret = secret_from(settings.webhook_secret_file, "SANDBOX_WEBHOOK_SECRET_FILE")
        works.append(partial(webhooks.run, engine, settings.webhook_url, secret, activity))
    return works


async def _take_mails(sink: mail.Sink, smtp: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: mail.protocol(sink), sock=smtp)
    async with server:
        await server.serve_forever()
