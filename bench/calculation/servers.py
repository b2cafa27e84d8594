"""The embedded servers of one run, and the CPU that they, a service and this process have used."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.embedded import processes
from deploy.embedded.kafka import Kafka
from deploy.embedded.layout import free_ports
from deploy.embedded.postgres import Postgres
from deploy.topics import create_topics, wanted_topics


@dataclass(frozen=True)
class Servers:
    """A PostgreSQL and a Kafka with the sandbox's topics."""

    postgres: Postgres
    kafka: Kafka
    run_dir: Path

    def pids(self) -> Mapping[str, int]:
        return processes.living(self.run_dir)


@asynccontextmanager
async def servers(home: Path) -> AsyncIterator[Servers]:
    port, broker, controller = free_ports(3)
    run_dir = home / "run"
    postgres = Postgres(home / "postgres", run_dir, port, "bench-only")
    kafka = Kafka(home / "kafka", run_dir, broker, controller)
    await asyncio.gather(postgres.start(), kafka.start())
    try:
        await create_topics(kafka.bootstrap, wanted_topics("sandbox"))
        yield Servers(postgres, kafka, run_dir)
    finally:
        await asyncio.gather(postgres.stop(), kafka.stop())


def cpu_seconds(pid: int) -> float:
    """Of a process and its children; those that have ended count with their parent."""
    used = 0.0
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used += times.user + times.system + times.children_user + times.children_system
    return used
