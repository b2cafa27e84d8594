"""The whole installation as one object: the real servers, the sandbox and the seven services."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from deploy import databases, topics
from deploy.embedded import processes
from deploy.embedded.credentials import Credentials, make_credentials
from deploy.embedded.journal import Journal, Write, to_terminal
from deploy.embedded.kafka import Kafka
from deploy.embedded.layout import Layout, fixed_layout, free_layout
from deploy.embedded.parts import build_parts
from deploy.embedded.postgres import Postgres
from deploy.embedded.program import Program
from deploy.embedded.supervisor import RESTARTS_ALLOWED, Running, Supervisor, together


class Stack:
    """Addresses, secrets and faults. Parts: `postgres`, `kafka`, `sandbox`, `payroll-svc`, …"""

    def __init__(
        self,
        layout: Layout,
        journal: Journal,
        postgres_url: str,
        kafka_bootstrap: str,
        extra_env: Mapping[str, str],
        serve_prefix: Sequence[str] = (),
        restarts_allowed: int = RESTARTS_ALLOWED,
    ) -> None:
        self.layout = layout
        self.credentials: Credentials = make_credentials(layout.data_dir / "secrets")
        servers: dict[str, Running] = {}
        if not postgres_url:
            servers["postgres"] = postgres = _postgres(layout, self.credentials)
            postgres_url = postgres.url
        if not kafka_bootstrap:
            servers["kafka"] = kafka = _kafka(layout)
            kafka_bootstrap = kafka.bootstrap
        self.postgres_url = postgres_url
        self.kafka_bootstrap = kafka_bootstrap
        parts = build_parts(
            layout,
            self.credentials,
            superuser_url=postgres_url,
            kafka_bootstrap=kafka_bootstrap,
            extra_env=extra_env,
            serve_prefix=serve_prefix,
        )
        self.env = {part.name: part.env for part in parts}
        self.programs = [Program(part, layout.run_dir) for part in parts]
        self.supervisor = Supervisor(
            layout.run_dir,
            journal,
            servers=servers,
            prepare=self._prepare,
            programs=self.programs,
            taken_ports=layout.taken,
            restarts_allowed=restarts_allowed,
        )

    async def _prepare(self) -> None:
        passwords = self.credentials.passwords
        await together(
            databases.create_all(self.postgres_url, passwords, sandbox=True),
            self._create_topics(),
        )

    async def _create_topics(self) -> None:
        await topics.create_topics(self.kafka_bootstrap, topics.wanted_topics("sandbox"))

    def pids(self) -> dict[str, int]:
        """The process of every part that runs now."""
        return processes.living(self.layout.run_dir)

    def kill(self, name: str, signal_number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a part as a fault; the supervisor brings it back if it dies of it."""
        self.supervisor.kill(name, signal_number)

    async def hold(self, name: str) -> None:
        """Stop a part and keep it down until `restart`."""
        await self.supervisor.hold(name)

    async def restart(self, name: str) -> None:
        """Stop a part in good order when it runs, start it, and return once it is ready."""
        await self.supervisor.restart(name)


def _postgres(layout: Layout, credentials: Credentials) -> Postgres:
    password = credentials.passwords["postgres"]
    return Postgres(layout.data_dir / "postgres", layout.run_dir, layout.postgres, password)


def _kafka(layout: Layout) -> Kafka:
    home = layout.data_dir / "kafka"
    return Kafka(home, layout.run_dir, layout.kafka, layout.kafka_controller)


@asynccontextmanager
async def stack(
    data_dir: Path,
    *,
    ports: Literal["free", "fixed"] = "free",
    log: Write = to_terminal,
    fresh: bool = False,
    postgres_url: str = "",
    kafka_bootstrap: str = "",
    extra_env: Mapping[str, str] | None = None,
    serve_prefix: Sequence[str] = (),
    restarts_allowed: int = RESTARTS_ALLOWED,
) -> AsyncIterator[Stack]:
    """The whole installation, ready; stopped at the end, whatever happens inside.

    `log` takes the prefixed lines of all parts. `fresh` drops the data of an earlier run. With
    `postgres_url` (a superuser's) or `kafka_bootstrap` that server is used in place of our own.
    `serve_prefix` goes before each service's command, as a profiler's or a debugger's would.
    When parts die too often the body is cancelled and RestartsExhausted raised in its place.
    """
    if fresh:
        await processes.end_orphans(data_dir / "run")
        await asyncio.to_thread(shutil.rmtree, data_dir, ignore_errors=True)
    layout = fixed_layout(data_dir) if ports == "fixed" else free_layout(data_dir)
    built = Stack(
        layout,
        Journal(log),
        postgres_url,
        kafka_bootstrap,
        extra_env or {},
        serve_prefix,
        restarts_allowed,
    )
    watching: asyncio.Task[None] | None = None
    try:
        await built.supervisor.start()
        watching = _watching(built.supervisor)
        yield built
    except asyncio.CancelledError:
        if _failure(watching) is None:
            raise
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.wait([watching])
        await built.supervisor.stop()
    if failure := _failure(watching):
        raise failure


def _watching(supervisor: Supervisor) -> asyncio.Task[None]:
    owner = asyncio.current_task()
    assert owner is not None
    watching = asyncio.create_task(supervisor.watch())

    def tell_owner(task: asyncio.Task[None]) -> None:
        if _failure(task) is not None:
            owner.cancel()

    watching.add_done_callback(tell_owner)
    return watching


def _failure(watching: asyncio.Task[None] | None) -> BaseException | None:
    if watching is None or not watching.done() or watching.cancelled():
        return None
    return watching.exception()
