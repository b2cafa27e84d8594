"""A service as a process: what it is wired of, and how its parts start, report and stop."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from shared import db, logs
from shared.clock import Clock, SandboxClock, SystemClock, is_own_cancellation
from shared.codec import Received
from shared.consumer import Consumer, Handlers
from shared.contracts.event import Event
from shared.db import Connection, Engine
from shared.outbox import Relay
from shared.serve import dead_letters
from shared.serve.app import Traffic, make_app
from shared.serve.health import Health
from shared.serve.jobs import Job, JobRunner
from shared.serve.settings import ClockSource, ServiceSettings
from shared.serve.sign_in import SignIn

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)

_HTTP_DRAIN_SECONDS = 8
_STOP_LIMIT_SECONDS = 20
OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""A batch makes ten thousands of objects and none of its cycles: looking for them after every 700,
as Python does, took a fifth of the CPU (measured).
"""


@dataclass(frozen=True)
class Parts(Generic[SettingsT]):
    """What a service's `build` gets: its settings, an engine per role, and business time."""

    settings: SettingsT
    api: Engine
    worker: Engine
    clock: Clock


Warnings = Callable[[Connection], Awaitable[Mapping[str, str]]]
"""What people have to see to although the service is ready, by name, and why; one cheap query."""

Keeper = Callable[[Connection, Sequence[Received]], Awaitable[None]]
"""Gets those of the service's own events that its store has lost, each aggregate's in the order of
their versions, and brings its rows to what they say.
"""


async def _nothing(_: Connection, __: datetime) -> Sequence[str]:
    return ()


async def _no_warnings(_: Connection) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Recovery:
    """How a restored store takes back what it told: `topics` are its own, `own` keeps their events.

    `handlers` hear the missed events where those of the service would act too early. `settle` is
    last, at business time: it makes due what has to be asked again, and gives a line for each kind
    of thing that is lost.
    """

    topics: Sequence[str] = ()
    own: Mapping[type[Event], Keeper] = field(default_factory=dict)
    handlers: Handlers | None = None
    settle: Callable[[Connection, datetime], Awaitable[Sequence[str]]] = _nothing


@dataclass(frozen=True)
class Wiring:
    """What a service's `build` gives back: its doors.

    `versioned`: its effects are merges that keep the newest version, so the version is the fence
    and no inbox is kept. `closers` run after everything has stopped. `recovery`: how a restored
    store takes back what it told.
    """

    routers: Sequence[APIRouter]
    topics: Sequence[str]
    handlers: Handlers
    jobs: Sequence[Job] = ()
    versioned: bool = False
    closers: Sequence[Callable[[], Awaitable[None]]] = ()
    recovery: Recovery = field(default_factory=Recovery)
    warnings: Warnings = _no_warnings


Command = Callable[[Parts[Any], Wiring], Awaitable[Any]]
"""What a command of the command line does with the parts of a service that does not serve."""


@dataclass(frozen=True)
class Service(Generic[SettingsT]):
    """A service by name: `name` as in payroll-svc (also its consumer group), `package` as in
    payroll_svc.
    """

    name: str
    package: str
    description: str
    settings: type[SettingsT]
    build: Callable[[Parts[SettingsT]], Wiring]
    commands: Callable[[Any, Callable[[Command], Any]], None] | None = None
    """Adds the service's own commands to its command line; the second argument runs one."""


@dataclass
class _Running:
    """A service's parts while its process lives."""

    parts: Parts[Any]
    wiring: Wiring
    consumer: Consumer
    relay: Relay
    runner: JobRunner
    traffic: Traffic
    following: list[asyncio.Task[None]] = field(default_factory=list)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: re-raised signals would kill the workers in
    mid-batch.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def open_parts(
    service: Service[SettingsT], settings: SettingsT
) -> tuple[Parts[SettingsT], list[asyncio.Task[None]]]:
    """Engines and business time; with the sandbox clock nothing goes on until its last value is
    known.
    """
    following: list[asyncio.Task[None]] = []
    clock: Clock = SystemClock()
    if settings.clock is ClockSource.SANDBOX:
        sandbox = SandboxClock(settings.kafka_bootstrap)
        following.append(await sandbox.start())
        clock = sandbox
    pool = settings.database_pool
    parts = Parts(
        settings,
        db.connect(settings.database_api_url.get_secret_value(), service.name, pool),
        db.connect(settings.database_worker_url.get_secret_value(), service.name, pool),
        clock,
    )
    return parts, following


async def close_parts(parts: Parts[Any], following: Sequence[asyncio.Task[None]]) -> None:
    for task in following:
        task.cancel()
    await parts.api.dispose()
    await parts.worker.dispose()


async def serve(service: Service[SettingsT], settings: SettingsT) -> None:
    """Runs until SIGTERM or SIGINT; a worker that dies takes the process with it, so that somebody
    restarts it.
    """
    logs.set_up(service.name, settings.log_level)
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    parts, following = await open_parts(service, settings)
    running = _wire(service, parts, following)
    try:
        await _Process(service, running, stop).run()
    finally:
        for close in running.wiring.closers:
            await close()
        await close_parts(parts, following)


def _wire(
    service: Service[SettingsT], parts: Parts[SettingsT], following: list[asyncio.Task[None]]
) -> _Running:
    wiring = service.build(parts)
    bootstrap = parts.settings.kafka_bootstrap
    consumer = Consumer(
        parts.worker,
        bootstrap,
        service.name,
        wiring.topics,
        wiring.handlers,
        versioned=wiring.versioned,
    )
    traffic = Traffic(parts.settings.http_in_flight)

    def news() -> object:
        second = int(parts.clock.now().timestamp())
        return consumer.handled, runner.done, traffic.writes, second

    relay = Relay(parts.worker, bootstrap, f"/{service.name}", news)
    runner = JobRunner(parts.worker, parts.clock, wiring.jobs, news)
    return _Running(parts, wiring, consumer, relay, runner, traffic, following)


def app_of(service: Service[Any], running: _Running) -> FastAPI:
    settings, wiring = running.parts.settings, running.wiring
    dead = dead_letters.routes(running.parts.worker, wiring.handlers, versioned=wiring.versioned)
    app = make_app(
        service.name,
        service.description,
        [*wiring.routers, dead],
        SignIn(settings.oidc_issuer, settings.oidc_audience),
    )
    app.state.traffic = running.traffic
    health = Health(
        service.name,
        running.parts.worker,
        running.parts.clock,
        running.consumer,
        running.relay,
        running.runner,
        settings.ready_behind_seconds,
        wiring.warnings,
    )

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        report = await health.report()
        return JSONResponse(report, 200 if report["ready"] else 503)

    return app


class _Process:
    """A service's running tasks, and the order in which they end."""

    def __init__(self, service: Service[Any], running: _Running, stop: asyncio.Event) -> None:
        settings = running.parts.settings
        self._running, self._stop, self._drained = running, stop, asyncio.Event()
        self._address = f"{settings.http_host}:{settings.http_port}"
        self._log = logs.get_logger(__name__)
        self._server = _Server(
            uvicorn.Config(
                app_of(service, running),
                host=settings.http_host,
                port=settings.http_port,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=_HTTP_DRAIN_SECONDS,
            )
        )

    async def run(self) -> None:
        self._log.info("started", listens_on=self._address)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._http())
            tasks.create_task(self._workers())
            tasks.create_task(self._running.relay.run(self._drained))
            tasks.create_task(self._end())
            for task in self._running.following:
                tasks.create_task(self._follow(task))
        self._log.info("stopped")

    async def _http(self) -> None:
        await self._server.serve()
        if not self._stop.is_set():
            raise RuntimeError(f"HTTP could not be served on {self._address}")

    async def _workers(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._lasting(self._running.consumer.run(self._stop)))
            tasks.create_task(self._lasting(self._running.runner.run(self._stop)))
        # Only now may the relay go: what the last batch told must still be published.
        self._drained.set()

    async def _lasting(self, work: Coroutine[Any, Any, None]) -> None:
        """A worker that ends before it is told to takes the process with it: a task group would
        not notice one that ended by a stray cancellation.
        """
        try:
            await work
        except asyncio.CancelledError:
            if is_own_cancellation():
                raise
        if not self._stop.is_set():
            raise RuntimeError("a worker ended before it was told to")

    async def _end(self) -> None:
        """What is not drained in time is left to the next start, which finds it again."""
        await self._stop.wait()
        self._server.should_exit = True
        for task in self._running.following:
            task.cancel()
        async with asyncio.timeout(_STOP_LIMIT_SECONDS):
            await self._drained.wait()

    async def _follow(self, task: asyncio.Task[None]) -> None:
        await asyncio.wait([task])
        if not self._stop.is_set():
            task.result()
            raise RuntimeError("business time stopped")
