"""A service run as people run it: a process with settings in its environment."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.embedded.layout import free_ports
from tests.support.eventually import eventually
from tests.support.service_databases import ServiceDatabase

ROOT = Path(__file__).parents[2]
NOBODY = "127.0.0.1:1"
"""An address that nobody listens on."""


def environment(
    database: ServiceDatabase, kafka_bootstrap: str = NOBODY, **settings: str
) -> dict[str, str]:
    """What a service needs to start, and nothing of our own settings."""
    passed_on = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return passed_on | {
        "HTTP_PORT": str(free_ports(1)[0]),
        "DATABASE_API_URL": database.api_url,
        "DATABASE_WORKER_URL": database.worker_url,
        "KAFKA_BOOTSTRAP": kafka_bootstrap,
        "OIDC_ISSUER": f"http://{NOBODY}",
        **settings,
    }


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str


async def finished(module: str, env: Mapping[str, str], *arguments: str) -> Finished:
    """Runs one command of the service `module` to its end, 60 seconds at most."""
    process = await asyncio.create_subprocess_exec(
        *_command(module), *arguments, cwd=ROOT, env=dict(env), stdout=-1, stderr=-1
    )
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


def _command(module: str) -> list[str]:
    """A service by its console script (payroll-svc), a service of the tests by its module."""
    if module.endswith("-svc"):
        return [str(Path(sys.executable).with_name(module))]
    return [sys.executable, "-m", module]


@dataclass
class Running:
    """A serving process; `entries` are its log lines so far."""

    process: asyncio.subprocess.Process
    http: httpx.AsyncClient
    entries: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            text = line.decode()
            if text.startswith("{"):
                self.entries.append(json.loads(text))
            else:
                self.errors.append(text)

    def has_logged(self, event: str) -> bool:
        return any(entry["event"] == event for entry in self.entries)

    async def stop(self, within: float = 30) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(within):
            return await self.process.wait()


@asynccontextmanager
async def serving(module: str, env: Mapping[str, str]) -> AsyncIterator[Running]:
    """`python -m module serve` from its first answer on; killed at the end if it is still alive."""
    process = await asyncio.create_subprocess_exec(
        *_command(module), "serve", cwd=ROOT, env=dict(env), stdout=-1, stderr=-2
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{env['HTTP_PORT']}") as http:
        running = Running(process, http)
        reading = asyncio.create_task(running.read())

        async def is_alive() -> bool:
            if process.returncode is not None:
                raise RuntimeError(f"{module} ended: {running.errors} {running.entries[-3:]}")
            try:
                return (await http.get("/healthz")).status_code == 200
            except httpx.TransportError:
                return False

        try:
            await eventually(is_alive, within=60)
            yield running
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await reading
