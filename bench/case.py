"""Where the time of the October case goes: start, migrate, play, drain; and for each part its
events, its CPU, and the CPU an event.

Prints two tables and writes var/bench/case.json. Ratios are against bare aiokafka on the same
broker in the same run (one publish and one consume of an event): absolute figures differ from
machine to machine. An event handled or published counts once for each service that does it.
"""

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from bench.plumbing import bare
from deploy import topics
from deploy.embedded.demo import addresses_of
from deploy.embedded.journal import nowhere
from deploy.embedded.stack import Stack, stack
from sandbox.case.play import play
from tests.support.telling import salary

RESULT = Path(__file__).parents[1] / "var" / "bench" / "case.json"
BARE_EVENTS = 20_000


@dataclass(frozen=True)
class Cost:
    """CPU seconds that a part has used with its children, and what it holds in memory now."""

    cpu_seconds: float
    rss_mb: float


def cost_of(pid: int) -> Cost:
    """PostgreSQL's backends come and go; those that have ended count with their parent."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    cpu, rss = 0.0, 0
    for process in family:
        try:
            times = process.cpu_times()
            # PostgreSQL's backends share their buffers: each counts its part of them only.
            memory = process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
        cpu += times.user + times.system + times.children_user + times.children_system
        rss += memory
    return Cost(cpu, rss / 2**20)


def costs(running: Stack) -> dict[str, Cost]:
    """Of every part that runs, and of this process, which plays the people and the conductor."""
    return {**{name: cost_of(pid) for name, pid in running.pids().items()}, "people": _own()}


def _own() -> Cost:
    return Cost(time.process_time(), psutil.Process().memory_info().rss / 2**20)


async def events_of(client: httpx.AsyncClient, url: str) -> tuple[int, int]:
    """Events handled and published since the service started."""
    answer = await client.get(f"{url}/metrics")
    answer.raise_for_status()
    sums = {"daozhang_events_handled_total": 0, "daozhang_outbox_sent_total": 0}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.name in sums:
                sums[sample.name] += int(sample.value)
    return sums["daozhang_events_handled_total"], sums["daozhang_outbox_sent_total"]


async def main() -> None:
    """Plays the case on fresh data, prints and writes what it cost."""
    with tempfile.TemporaryDirectory(prefix="daozhang-bench-") as folder:
        began = time.monotonic()
        async with stack(Path(folder), log=nowhere) as running:
            started, before = time.monotonic(), costs(running)
            report = Path(folder) / "report.json"
            failed = await play(
                addresses_of(running), Console(file=StringIO()), report, time.monotonic()
            )
            assert not failed, failed
            played, after = time.monotonic(), costs(running)
            events = await _events(running)
            bare_rows = await _bare(running.kafka_bootstrap)
        timings = running.supervisor.timings
    phases = {
        "start": started - began - _migrating(timings),
        "migrate": _migrating(timings),
        "play": played - started,
        "drain": timings["the services have drained"],
    }
    bare_us = sum(row["cpu_us_per_event"] for row in bare_rows)
    rows = [
        _row(name, before[name], after[name], events.get(name), phases["play"], bare_us)
        for name in after
    ]
    _print(phases, rows, bare_us)
    everything = [
        {"who": f"phase: {name}", "n": 1, "seconds": round(s, 2)} for name, s in phases.items()
    ]
    await asyncio.to_thread(_write, [*everything, *rows, *bare_rows])


def _migrating(timings: dict[str, float]) -> float:
    """The services migrate beside each other: the slowest counts."""
    return max(seconds for done, seconds in timings.items() if done.endswith("is migrated"))


async def _events(running: Stack) -> dict[str, tuple[int, int]]:
    async with httpx.AsyncClient() as client:
        return {
            f"{name}-svc": await events_of(client, running.layout.service_url(name))
            for name in running.layout.services
        }


async def _bare(bootstrap: str) -> list[dict[str, Any]]:
    await topics.create_topics(bootstrap, [topics.Topic("bench.bare", 6, {})])
    return await bare(
        bootstrap, [salary(f"employee-{number:06d}") for number in range(BARE_EVENTS)]
    )


def _row(
    name: str,
    before: Cost,
    after: Cost,
    events: tuple[int, int] | None,
    seconds: float,
    bare_us: float,
) -> dict[str, Any]:
    cpu = after.cpu_seconds - before.cpu_seconds
    row: dict[str, Any] = {
        "who": name,
        "n": sum(events) if events else 0,
        "cpu_seconds": round(cpu, 2),
        "cpu_share": round(cpu / seconds, 3),
        "rss_mb": round(after.rss_mb),
    }
    if events:
        count = max(1, sum(events))
        row |= {
            "handled": events[0],
            "published": events[1],
            "events_per_second": round(count / seconds, 1),
            "cpu_us_per_event": round(cpu / count * 1e6),
            "times_bare": round(cpu / count * 1e6 / bare_us, 1),
        }
    return row


def _print(phases: dict[str, float], rows: list[dict[str, Any]], bare_us: float) -> None:
    console = Console(file=sys.stdout, width=120)
    whole = sum(phases.values())
    table = Table("phase", "seconds", "share", title="The case's time", title_justify="left")
    for name, seconds in phases.items():
        table.add_row(name, f"{seconds:.1f}", f"{seconds / whole:.0%}")
    console.print(table)
    columns = (
        "handled",
        "published",
        "events_per_second",
        "cpu_seconds",
        "cpu_us_per_event",
        "times_bare",
        "rss_mb",
    )
    table = Table(
        "part", *(name.replace("_", " ") for name in columns),
        title=f"While it plays (bare aiokafka, publish and consume: {bare_us:.0f} us CPU an event)",
        title_justify="left",
    )  # fmt: skip
    for row in rows:
        table.add_row(row["who"], *(str(row.get(name, "")) for name in columns))
    console.print(table)


def _write(rows: list[dict[str, Any]]) -> None:
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
