"""A program of ours as a child process: migrate once, serve, wait for its readiness."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from deploy.embedded import processes
from deploy.embedded.parts import Part
from deploy.embedded.processes import PartFailed, Process

MIGRATE_LIMIT_SECONDS = 300.0
RECOVER_LIMIT_SECONDS = 3_600.0
"""It reads whole topics; a month of ten thousand employees takes minutes."""
READY_LIMIT_SECONDS = 180.0
"""Eight Python processes that start at once on two busy cores; idle it is a few seconds."""
DRAIN_SECONDS = 25.0
"""A service finishes what it has in hand within 20 s by its own limit; then it is killed."""
PROBE_PAUSE_SECONDS = 0.2


@dataclass
class Program:
    """The sandbox or a service."""

    part: Part
    run_dir: Path
    process: Process | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return self.part.name

    async def migrate(self) -> None:
        """Bring the database to the newest schema; nothing when the part has no migrations."""
        await self._once("migrate", self.part.migrate, MIGRATE_LIMIT_SECONDS, self.part.migrate_env)

    async def recover(self) -> None:
        """Bring a restored database back to what the topics know; before the start."""
        await self._once("recover", self.part.recover, RECOVER_LIMIT_SECONDS, self.part.env)

    async def _once(
        self, what: str, command: Sequence[str], limit_seconds: float, env: Mapping[str, str]
    ) -> None:
        if command:
            name = f"{self.name}.{what}"
            await processes.run_once(name, command, self.run_dir, limit_seconds, env=env)

    async def start(self) -> None:
        """Launch and return once it is ready; raises PartFailed with its log's tail otherwise."""
        process = processes.launch(self.name, self.part.serve, self.run_dir, env=self.part.env)
        self.process = process
        deadline = time.monotonic() + READY_LIMIT_SECONDS
        while time.monotonic() < deadline:
            if not process.alive:
                code = process.popen.returncode
                raise PartFailed(
                    f"{self.name} ended with exit code {code} before it was ready\n"
                    f"{processes.tail(process.log)}"
                )
            if await is_ready(self.part.ready_url):
                return
            await asyncio.sleep(PROBE_PAUSE_SECONDS)
        raise PartFailed(
            f"{self.name} was not ready in {READY_LIMIT_SECONDS:.0f} s ({self.part.ready_url})\n"
            f"{processes.tail(process.log)}"
        )

    async def stop(self) -> None:
        """SIGTERM, time to drain, then SIGKILL."""
        if self.process is not None:
            await processes.stop(self.process, DRAIN_SECONDS)
            self.process = None


async def is_ready(url: str) -> bool:
    """Whether a GET is answered 200: one bare request, because it is asked often."""
    where = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
    except OSError:
        return False
    try:
        writer.write(f"GET {where.path} HTTP/1.0\r\nHost: {where.netloc}\r\n\r\n".encode())
        status_line = await asyncio.wait_for(reader.readline(), timeout=5)
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
    return b" 200 " in status_line
