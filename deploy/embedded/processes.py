"""Child processes that never outlive their owner: group, pid file, log, stop, orphan hunt."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

POLL_SECONDS = 0.05
"""Cheap enough on two cores, and far below any start-up time that it measures."""
ORPHAN_PATIENCE_SECONDS = 30.0
"""Kafka writes its clean-shutdown marks within a few seconds; 30 covers a busy machine."""


class PartFailed(RuntimeError):
    """A part did not start or did not become ready; the message ends with the tail of its log."""


@dataclass(frozen=True)
class Process:
    """A running child: its log and pid file lie beside each other, named for the part."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    pid_file: Path
    stop_signal: signal.Signals

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None


def launch(
    name: str,
    argv: Sequence[str],
    run_dir: Path,
    *,
    env: Mapping[str, str] | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    privileges: Sequence[str] = (),
) -> Process:
    """Start `argv` in a process group of its own, logging to `<run_dir>/<name>.log`.

    The child is told to stop when we die (Linux), however we die, so that a killed test run
    or supervisor leaves no server behind. `env` replaces the environment when given.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    log = run_dir / f"{name}.log"
    with log.open("ab") as sink:
        popen = subprocess.Popen(  # noqa: S603 - argv is built here, never from input, no shell
            [*_launcher(stop_signal, privileges), *argv],
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    pid_file = _record(name, popen.pid, run_dir, stop_signal)
    return Process(name, popen, log, pid_file, stop_signal)


def record_own(name: str, run_dir: Path) -> None:
    """Write our own pid file, so that another process finds us."""
    run_dir.mkdir(parents=True, exist_ok=True)
    _record(name, os.getpid(), run_dir, signal.SIGTERM)


def forget(name: str, run_dir: Path) -> None:
    """Remove the pid file that `record_own` wrote."""
    (run_dir / f"{name}.pid").unlink(missing_ok=True)


def _record(name: str, pid: int, run_dir: Path, stop_signal: signal.Signals) -> Path:
    started = psutil.Process(pid).create_time()
    facts = {"pid": pid, "started": started, "stop_signal": stop_signal.name}
    pid_file = run_dir / f"{name}.pid"
    pid_file.write_text(json.dumps(facts))
    return pid_file


def _launcher(stop_signal: signal.Signals, privileges: Sequence[str]) -> list[str]:
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        if privileges:
            raise PartFailed(
                "PostgreSQL refuses to run as root, and there is no setpriv (util-linux) to"
                " drop the privilege with: run as another user, or install util-linux"
            )
        return []
    return [setpriv, "--pdeathsig", stop_signal.name.removeprefix("SIG"), *privileges]


def unprivileged() -> list[str]:
    """setpriv's options that turn root into nobody; empty when we are not root.

    Nobody keeps the right to pass through folders, because a checkout in root's home is closed to
    everyone else, and opening it by chmod would change a machine that is not ours.
    """
    if os.geteuid() != 0:
        return []
    keep = "+dac_override"
    return [
        *("--reuid", "nobody", "--regid", "nogroup", "--clear-groups"),
        *("--inh-caps", keep, "--ambient-caps", keep),
    ]


async def run_once(
    name: str, argv: Sequence[str], run_dir: Path, limit_seconds: float, **options: object
) -> None:
    """Run a command to its end, raising `PartFailed` when it fails or exceeds the limit."""
    process = launch(name, argv, run_dir, **options)  # type: ignore[arg-type]
    try:
        code = await wait_for_exit(process, limit_seconds)
    finally:
        await stop(process, patience_seconds=0)
    if code is None:
        raise PartFailed(f"{name} did not end in {limit_seconds:.0f} s\n{tail(process.log)}")
    if code != 0:
        raise PartFailed(f"{name} ended with exit code {code}\n{tail(process.log)}")


async def wait_for_exit(process: Process, limit_seconds: float) -> int | None:
    """The exit code, or None when the process still runs after the limit."""
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        if (code := process.popen.poll()) is not None:
            return code
        await asyncio.sleep(POLL_SECONDS)
    return process.popen.poll()


async def wait_for_end(pid: int, limit_seconds: float) -> None:
    """Return when a process that is not our child has ended, or after the limit."""
    try:
        await asyncio.to_thread(psutil.Process(pid).wait, limit_seconds)
    except (psutil.NoSuchProcess, psutil.TimeoutExpired):
        return


async def stop(process: Process, patience_seconds: float) -> None:
    """Ask the process to stop, then kill it and whatever it started; returns when all are gone."""
    try:
        # Only a child that was not reaped yet surely owns its pid.
        family = _family(process.popen.pid) if process.alive else []
        if family and patience_seconds > 0:
            process.popen.send_signal(process.stop_signal)
            await wait_for_exit(process, patience_seconds)
        await _end(family)
        process.popen.wait()
    finally:
        process.pid_file.unlink(missing_ok=True)


async def end_orphans(run_dir: Path) -> list[str]:
    """Stop what an earlier owner left running in `run_dir`; the names of what was found.

    A pid file counts only while the process that it names started when the file says:
    pids are reused, most of all after a restart of a container.
    """
    found = {
        name: facts for name, facts in _recorded(run_dir).items() if facts[0].pid != os.getpid()
    }
    everything = [member for process, _ in found.values() for member in _family(process.pid)]
    for process, stop_signal in found.values():
        process.send_signal(stop_signal)
    await asyncio.to_thread(psutil.wait_procs, everything, timeout=ORPHAN_PATIENCE_SECONDS)
    await _end(everything)
    for name in found:
        forget(name, run_dir)
    return list(found)


def living(run_dir: Path) -> dict[str, int]:
    """The parts of `run_dir` that run now, by name, with their pids."""
    return {name: process.pid for name, (process, _) in _recorded(run_dir).items()}


def _recorded(run_dir: Path) -> dict[str, tuple[psutil.Process, signal.Signals]]:
    found = {path.stem: _read_pid_file(path) for path in sorted(run_dir.glob("*.pid"))}
    return {name: facts for name, facts in found.items() if facts is not None}


def _read_pid_file(path: Path) -> tuple[psutil.Process, signal.Signals] | None:
    try:
        facts = json.loads(path.read_text())
        process = psutil.Process(facts["pid"])
        same = abs(process.create_time() - facts["started"]) < 1
    except (OSError, ValueError, psutil.NoSuchProcess):
        # A half-written or vanished file says nothing about a living process.
        return None
    alive = same and process.status() != psutil.STATUS_ZOMBIE
    return (process, signal.Signals[facts["stop_signal"]]) if alive else None


def _family(pid: int) -> list[psutil.Process]:
    """The process and its descendants: PostgreSQL's backends leave the group, so ask the tree."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


async def _end(family: Sequence[psutil.Process]) -> None:
    for member in family:
        # is_running also compares the start time: a reused pid is never killed.
        if member.is_running():
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
    await asyncio.to_thread(psutil.wait_procs, list(family), timeout=10)


def tail(log: Path, lines: int = 30) -> str:
    """The last lines of a log, for an error that must explain itself."""
    if not log.exists():
        return f"(no log at {log})"
    last = log.read_bytes()[-16_384:].decode(errors="replace").splitlines()[-lines:]
    return "\n".join([f"--- end of {log} ---", *last])
