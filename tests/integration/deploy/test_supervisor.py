"""The supervisor with small real programs: restarts, their limit, and nothing left behind."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from deploy.embedded import processes
from deploy.embedded.journal import Journal
from deploy.embedded.layout import free_ports
from deploy.embedded.parts import Part
from deploy.embedded.processes import PartFailed
from deploy.embedded.program import Program, is_ready
from deploy.embedded.supervisor import RESTARTS_ALLOWED, RestartsExhausted, Supervisor
from tests.support.eventually import eventually

READY_SERVER = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
BROKEN = "import sys; sys.exit('DATABASE_API_URL is missing')"


def program(name: str, run_dir: Path, source: str = READY_SERVER) -> Program:
    [port] = free_ports(1)
    serve = (sys.executable, "-c", source, str(port))
    part = Part(name, serve, dict(os.environ), f"http://127.0.0.1:{port}/readyz")
    return Program(part, run_dir)


async def nothing() -> None:
    """No servers, so nothing to prepare on them."""


class Installation:
    """A supervisor of two small programs, and what it said."""

    def __init__(self, run_dir: Path) -> None:
        self.said: list[str] = []
        self.run_dir = run_dir
        self.programs = [program("ticket-svc", run_dir), program("notify-svc", run_dir)]
        self.supervisor = Supervisor(
            run_dir,
            Journal(self.said.append),
            servers={},
            prepare=nothing,
            programs=self.programs,
        )

    def heard(self, words: str) -> bool:
        return any(words in line for line in self.said)


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    made = Installation(tmp_path / "run")
    await made.supervisor.start()
    yield made
    await made.supervisor.stop()


async def test_a_part_that_died_is_brought_back(installation: Installation) -> None:
    watching = asyncio.create_task(installation.supervisor.watch())

    installation.supervisor.kill("ticket-svc")
    await eventually(lambda: installation.heard("ticket-svc is back"), within=60)

    assert installation.heard("ticket-svc died (exit code -9); restart 1 of at most 5")
    assert await is_ready(installation.programs[0].part.ready_url)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_too_many_deaths_end_the_watch(installation: Installation) -> None:
    watching = asyncio.create_task(installation.supervisor.watch())

    for count in range(1, RESTARTS_ALLOWED + 1):
        installation.supervisor.kill("notify-svc")
        await eventually(partial(installation.heard, f"restart {count} of"), within=60)
        await eventually(lambda: is_ready(installation.programs[1].part.ready_url), within=60)
    installation.supervisor.kill("ticket-svc")

    with pytest.raises(RestartsExhausted, match="ticket-svc died"):
        await asyncio.wait_for(watching, timeout=60)


async def test_a_held_part_stays_down_until_it_is_restarted(installation: Installation) -> None:
    watching = asyncio.create_task(installation.supervisor.watch())

    await installation.supervisor.hold("ticket-svc")
    assert not await is_ready(installation.programs[0].part.ready_url)
    await installation.supervisor.restart("ticket-svc")

    assert await is_ready(installation.programs[0].part.ready_url)
    assert not installation.heard("died")
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_stop_leaves_no_process(installation: Installation) -> None:
    pids = processes.living(installation.run_dir)
    assert set(pids) == {"ticket-svc", "notify-svc"}

    await installation.supervisor.stop()

    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert processes.living(installation.run_dir) == {}


async def test_what_an_earlier_run_left_is_stopped_first(tmp_path: Path) -> None:
    orphan = program("ticket-svc", tmp_path / "run")
    await orphan.start()
    assert orphan.process is not None

    stopped = await processes.end_orphans(tmp_path / "run")

    assert stopped == ["ticket-svc"]
    assert not orphan.process.alive


async def test_a_part_that_cannot_start_says_why(tmp_path: Path) -> None:
    broken = program("ticket-svc", tmp_path / "run", BROKEN)

    with pytest.raises(PartFailed, match="DATABASE_API_URL is missing"):
        await broken.start()

    await broken.stop()


async def test_parts_end_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    owner = """
import pathlib, sys, time
from deploy.embedded.processes import launch
print(launch("part", ["sleep", "600"], pathlib.Path(sys.argv[1])).popen.pid, flush=True)
time.sleep(600)
"""
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", owner, str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert killed.stdout is not None
    part = int(await killed.stdout.readline())
    killed.kill()
    await killed.wait()

    await eventually(lambda: _has_ended(part), within=10)


def _has_ended(pid: int) -> bool:
    """Gone, or dead and not yet reaped by whoever inherited it."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
