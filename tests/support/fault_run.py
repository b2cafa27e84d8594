"""Plays October on an installation of its own while a plan's faults strike it."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console

from deploy.embedded import processes
from deploy.embedded.demo import addresses_of
from deploy.embedded.layout import free_ports
from deploy.embedded.parts import Part
from deploy.embedded.program import Program
from deploy.embedded.stack import Stack, stack
from sandbox.case.play import play
from tests.support.armed import FOLDER, Armed, struck
from tests.support.eventually import eventually
from tests.support.fault_plan import FROZEN_SECONDS, Fault
from tests.support.fault_traces import Traces, entries, mails_twice
from tests.support.final_state import State, final_state
from tests.support.invariants import check

_ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 0.05
_DIED = re.compile(r"\| (\S+) (?:died \(|ended with )exit code (-?\d+)")
"""The second form is of a part that died before it was ready again."""
_CASE_SECONDS = 3_600.0
"""A fault waits for its moment as long as the case is played."""
_GONE_WITHIN_SECONDS = 120.0
"""A killed part is dead at once; all of this is for a machine that has much else to do."""
_BACK_WITHIN_SECONDS = 180.0
_PATIENCE = {"within": _BACK_WITHIN_SECONDS, "every": 0.1}


@dataclass
class Landed:
    """What a run came to: `differing` figures of the report, the faults that did not bite, deaths
    by part as the supervisor counted them, the traces in logs and topics, and the laws that do
    not hold at the end.
    """

    plan: Sequence[Fault]
    differing: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    deaths: Counter[tuple[str, int]] = field(default_factory=Counter)
    traces: Traces = field(default_factory=Traces)
    report: dict[str, Any] = field(default_factory=dict)
    state: State = field(default_factory=dict)
    mails_twice: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def text(self) -> str:
        """For people: the plan, what it left behind, and what did not bite."""
        others = {f"{part} ({code})": n for (part, code), n in self.deaths.items() if code != -9}
        kills = sum(count for (_, code), count in self.deaths.items() if code == -9)
        stops = sum(fault.stop for fault in self.plan)
        lines = [
            *(str(fault) for fault in self.plan),
            f"{kills} kills, {stops} stops in {self.seconds:.0f} s",
            str(self.traces),
        ]
        lines += [f"ended by itself: {others}"] if others else []
        return "\n".join([*lines, *(f"did not bite: {one}" for one in self.missed)])


async def play_under(plan: Sequence[Fault], home: Path) -> Landed:
    """Plays the case on fresh data in `home` under the faults of `plan`.

    An error of the case carries a note that says what had struck by then.
    """
    said: list[str] = []
    landed, points, began = Landed(plan), home / "points", time.monotonic()
    async with stack(
        home / "data",
        log=lambda line: said.append(line) if _DIED.search(line) else None,
        serve_prefix=(sys.executable, "-m", "tests.support.crash_points"),
        extra_env={FOLDER: str(points), "PYTHONPATH": str(_ROOT)},
        restarts_allowed=3 * len(plan),
    ) as installation:
        striking = Striking(installation, points)
        faults = asyncio.create_task(striking.all(plan))
        path = home / "report.json"

        async def settle() -> None:
            landed.missed += await _ended(faults)
            landed.seconds = time.monotonic() - began
            landed.deaths.update(deaths(said))
            landed.missed += [*striking.missed(plan), *unkilled(plan, landed.deaths)]

        try:
            landed.differing = await play(
                addresses_of(installation), Console(width=140), path, began
            )
        finally:
            await settle()
            if (error := sys.exception()) is not None:
                error.add_note(landed.text())
        landed.report = json.loads(await asyncio.to_thread(path.read_text))
        landed.traces = await Traces.of(installation)
        landed.mails_twice = await mails_twice(installation)
        landed.state = await final_state(installation)
        landed.broken = [str(law) for law in await check(installation)]
    return landed


async def _ended(faults: asyncio.Task[None]) -> list[str]:
    """Ends the striking; why it had failed, if it had."""
    faults.cancel()
    await asyncio.wait([faults])
    return [] if faults.cancelled() or not (error := faults.exception()) else [repr(error)]


def deaths(said: Sequence[str]) -> Counter[tuple[str, int]]:
    """How often each part died with which exit code, by the supervisor's own words."""
    found = [match for line in said if (match := _DIED.search(line))]
    return Counter((match.group(1), int(match.group(2))) for match in found)


def unkilled(plan: Sequence[Fault], died: Counter[tuple[str, int]]) -> list[str]:
    """The parts that died of another number of kills than were planned."""
    planned = Counter(fault.part for fault in plan if not fault.stop)
    return [
        f"{part} was to be killed {count} times and was {died[part, -9]} times"
        for part, count in planned.items()
        if died[part, -9] != count
    ]


class Striking:
    """Carries out the faults of a plan: one after the other for each part, all parts at once."""

    def __init__(self, installation: Stack, points: Path) -> None:
        self._installation, self._points = installation, points
        self._clock_url = installation.layout.sandbox_url("control") + "/clock"
        self._now: datetime | None = None
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._done: set[int] = set()

    def missed(self, plan: Sequence[Fault]) -> list[str]:
        """The faults of the plan that have not bitten."""
        return [str(fault) for fault in plan if fault.number not in self._done]

    async def all(self, plan: Sequence[Fault]) -> None:
        """Until every fault has bitten and its part is back."""
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(self._follow_clock())
            faults = [tasks.create_task(self._one(fault)) for fault in plan]
            await asyncio.gather(*faults)
            following.cancel()

    async def _follow_clock(self) -> None:
        async with httpx.AsyncClient(timeout=5) as client:
            while True:
                with suppress(httpx.HTTPError):
                    answer = await client.get(self._clock_url)
                    if answer.is_success:
                        self._now = datetime.fromisoformat(answer.json()["at"])
                await asyncio.sleep(_LOOK_SECONDS)

    async def _one(self, fault: Fault) -> None:
        await eventually(lambda: self._now and self._now >= fault.at, within=_CASE_SECONDS)
        async with self._one_at_a_time[fault.part]:
            if fault.stop and fault.point is None:
                await asyncio.sleep(fault.delay)
                await self._freeze(fault.part)
            elif fault.stop:
                await self._stop(fault)
            elif fault.point is not None:
                await self._gone(await self._passed(fault, "SIGKILL"))
            else:
                await asyncio.sleep(fault.delay)
                await self._kill(fault.part)
            self._done.add(fault.number)
            await self._is_back(fault.part)

    async def _passed(self, fault: Fault, signal_name: str) -> int:
        """Arms the fault's point; the pid that passed it, however long that takes."""
        assert fault.point is not None
        path = Armed(self._points, fault.part).arm(fault.point, fault.number, signal_name)
        pid = await eventually(lambda: struck(path), within=_CASE_SECONDS)
        assert pid is not None
        return pid

    async def _kill(self, part: str) -> None:
        pid = await eventually(lambda: self._pid(part), **_PATIENCE)
        assert pid is not None
        self._installation.kill(part)
        await self._gone(pid)

    async def _freeze(self, part: str) -> None:
        """Its connections stay open and nothing is answered; then it goes on as if nothing was."""
        pid = await eventually(lambda: self._pid(part), **_PATIENCE)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(FROZEN_SECONDS)
        finally:
            os.kill(pid, signal.SIGCONT)

    def _pid(self, part: str) -> int | None:
        return processes.living(self._installation.layout.run_dir).get(part)

    async def _gone(self, pid: int) -> None:
        """The supervisor reaps it; a process that is only told to die is not gone."""
        await eventually(lambda: not psutil.pid_exists(pid), within=_GONE_WITHIN_SECONDS)

    async def _is_back(self, part: str) -> None:
        await eventually(lambda: self._pid(part), **_PATIENCE)

    async def _stop(self, fault: Fault) -> None:
        """Stops the part with a batch in its hand; a successor does that batch and all others;
        continued, the part must find that it is done and that its partitions are gone.
        """
        log = self._installation.layout.run_dir / f"{fault.part}.log"
        pid = await self._passed(fault, "SIGSTOP")
        before = log.stat().st_size
        successor = self._successor(fault.part)
        try:
            # Ready means that it has partitions: the session of the stopped one has ended.
            await successor.start()
            await eventually(lambda: _has_caught_up(successor.part.ready_url), **_PATIENCE)
        finally:
            await successor.stop()
            os.kill(pid, signal.SIGCONT)

        def knows(event: str) -> bool:
            return any(entry["event"] == event for entry in entries(log, before))

        await eventually(lambda: knows("inbox_knew"), **_PATIENCE)
        await eventually(lambda: knows("partitions_assigned"), **_PATIENCE)

    def _successor(self, part: str) -> Program:
        """A second process of the service, as a second replica would be: without crash points."""
        [port] = free_ports(1)
        env = self._installation.env[part] | {"HTTP_PORT": str(port)}
        serve = (str(Path(sys.executable).with_name(part)), "serve")
        ready_url = f"http://127.0.0.1:{port}/readyz"
        return Program(
            Part(f"{part}.successor", serve, env, ready_url), self._installation.layout.run_dir
        )


async def _has_caught_up(ready_url: str) -> bool:
    async with httpx.AsyncClient(timeout=10) as client:
        report = (await client.get(ready_url)).json()
    return bool(report["consumer_lag"] == 0)
