"""Start the parts in order, bring back one that dies, and stop all so that nothing is left."""

import asyncio
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from deploy.embedded import processes
from deploy.embedded.journal import Journal
from deploy.embedded.processes import PartFailed, Process
from deploy.embedded.program import Program

RESTARTS_ALLOWED = 5
RESTART_WINDOW_SECONDS = 600.0
"""More than this is no accident: stopping shows the fault, restarting hides it."""
WATCH_SECONDS = 0.2
OURS = "supervisor"


class RestartsExhausted(RuntimeError):
    """Parts died more often than is allowed in the window; everything is stopped."""


class Running(Protocol):
    """A server or a program: what the supervisor needs to know of it."""

    @property
    def process(self) -> Process | None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class Supervisor:
    """Servers first, then what prepares them, then the programs; parts go by their names.

    `run_dir` is where all of them keep their logs and pid files. Who kills parts on purpose
    allows as many restarts as kills are planned; an accident has RESTARTS_ALLOWED.
    """

    def __init__(
        self,
        run_dir: Path,
        journal: Journal,
        *,
        servers: Mapping[str, Running],
        prepare: Callable[[], Awaitable[None]],
        programs: Sequence[Program],
        taken_ports: Callable[[], Sequence[str]] = tuple,
        restarts_allowed: int = RESTARTS_ALLOWED,
    ) -> None:
        self._run_dir = run_dir
        self._journal = journal
        self._servers = dict(servers)
        self._prepare = prepare
        self._taken_ports = taken_ports
        self._restarts_allowed = restarts_allowed
        self._programs = {program.name: program for program in programs}
        self._restarts: deque[float] = deque()
        self.timings: dict[str, float] = {}
        """What has become ready or was stopped, and the seconds that it took."""
        self._held: set[str] = set()
        self._locks = {name: asyncio.Lock() for name in self._all()}

    def _all(self) -> dict[str, Running]:
        return {**self._servers, **self._programs}

    def _say(self, line: str) -> None:
        self._journal.say(OURS, line)

    async def start(self) -> None:
        """Everything from nothing or from what an earlier run left; returns when all are ready."""
        if orphans := await processes.end_orphans(self._run_dir):
            self._say(f"stopped what an earlier run left: {', '.join(orphans)}")
        if taken := self._taken_ports():
            raise PartFailed(f"other programs listen on our ports: {', '.join(taken)}")
        for name in self._all():
            self._journal.add(self._run_dir / f"{name}.log")
        began = time.monotonic()
        await together(
            *(self._timed(f"{name} is ready", s.start()) for name, s in self._servers.items())
        )
        await self._timed("databases and topics are ready", self._prepare())
        await together(*(self._bring_up(program) for program in self._programs.values()))
        self._note("all parts are ready", began)

    async def _bring_up(self, program: Program) -> None:
        if program.part.migrate:
            await self._timed(f"{program.name} is migrated", program.migrate())
        await self._timed(f"{program.name} is ready", program.start())

    async def _timed(self, done: str, work: Awaitable[object]) -> None:
        began = time.monotonic()
        await work
        self._note(done, began)

    def _note(self, done: str, began: float) -> None:
        self.timings[done] = time.monotonic() - began
        self._say(f"{done} ({self.timings[done]:.1f} s)")

    async def watch(self) -> None:
        """Bring back what dies, until cancelled; raises RestartsExhausted."""
        following = asyncio.create_task(self._journal.follow())
        try:
            await together(*(self._keep_alive(name, part) for name, part in self._all().items()))
        finally:
            following.cancel()

    async def _keep_alive(self, name: str, part: Running) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            async with self._locks[name]:
                dead = part.process is None or not part.process.alive
                if dead and name not in self._held:
                    await self._bring_back(name, part)

    async def _bring_back(self, name: str, part: Running) -> None:
        code = None if part.process is None else part.process.popen.returncode
        count = self._count_restart(f"{name} died (exit code {code})")
        self._say(
            f"{name} died (exit code {code}); restart {count} of at most {self._restarts_allowed}"
            f" in {RESTART_WINDOW_SECONDS / 60:.0f} minutes"
        )
        try:
            await part.stop()
            await self._timed(f"{name} is back", part.start())
        except PartFailed as failure:
            # The next look finds it dead and counts one more, so this ends by itself.
            self._say(str(failure))
            await part.stop()

    def _count_restart(self, reason: str) -> int:
        now = time.monotonic()
        while self._restarts and now - self._restarts[0] > RESTART_WINDOW_SECONDS:
            self._restarts.popleft()
        if len(self._restarts) >= self._restarts_allowed:
            raise RestartsExhausted(
                f"{reason}, after {self._restarts_allowed} restarts within"
                f" {RESTART_WINDOW_SECONDS / 60:.0f} minutes: everything is stopped"
            )
        self._restarts.append(now)
        return len(self._restarts)

    async def stop(self) -> None:
        """Our services drain first, then whom they talk to, then the servers."""
        began = time.monotonic()
        for outside in (False, True):
            chosen = [each for each in self._programs.values() if each.part.outside is outside]
            await self._timed(
                "the sandbox is stopped" if outside else "the services have drained",
                together(*(program.stop() for program in chosen)),
            )
        await together(*(server.stop() for server in self._servers.values()))
        self._note("all parts are stopped", began)

    def kill(self, name: str, signal_number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a part as a fault; `watch` brings it back when it dies of it."""
        process = self._all()[name].process
        assert process is not None
        process.popen.send_signal(signal_number)

    async def hold(self, name: str) -> None:
        """Stop a part and keep it down until `restart`."""
        self._held.add(name)
        async with self._locks[name]:
            await self._all()[name].stop()

    async def restart(self, name: str) -> None:
        """Stop a part in good order when it runs, start it, and return once it is ready."""
        async with self._locks[name]:
            part = self._all()[name]
            await part.stop()
            await part.start()
            self._held.discard(name)


async def together(*work: Awaitable[None]) -> None:
    """All at once; the first failure cancels the others and is raised as it is, not in a group."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
