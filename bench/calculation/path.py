"""The whole path through contribution-svc, run as people run it: wages in on Kafka, the levy period
opened, assessed, stored, told, published; beside PostgreSQL's bare COPY of the rows that it wrote.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from prometheus_client.parser import text_string_to_metric_families

from bench.calculation.roster import people, set_clock, tell, telling, wages
from bench.calculation.servers import Servers, cpu_seconds
from bench.peers.measured import peak_rss_mb
from tests.integration.contribution_svc.month import WEBHOOK_SECRET, china
from tests.support.eventually import eventually
from tests.support.service_databases import ServiceDatabase, ServiceDatabases
from tests.support.service_process import NOBODY, Running, environment, serving

BEFORE, OPENED = china("2024-09-24 20:00"), china("2024-09-25 09:00")
"""The levy period opens on the 25th at 06:00; between these moments the bank is asked for nothing.
"""
WRITTEN = ("wages", "inbox", "assessments", "bases", "outbox")
"""What the path writes, a row an employee each, but two in the outbox: base and assessment."""
HANDLED, SENT = "daozhang_events_handled_total", "daozhang_outbox_sent_total"
_WITHIN_SECONDS = 900.0
_TOLD = """
    SELECT count(*), sum(jsonb_array_length(a.lines))::bigint FROM outbox o
      JOIN assessments a ON o.subject = a.employee_id || '/' || a.levy_period
     WHERE o.family = 'ContributionAssessed' AND o.seq NOT IN (SELECT seq FROM outbox_queue)
"""


async def whole_path(
    servers: Servers, count: int, home: Path, processes: int = 1
) -> list[dict[str, Any]]:
    """A row for the path of `count` employees through so many processes of the service, and one for
    the bare COPY of what it wrote.
    """
    async with ServiceDatabases(servers.postgres.url).clone("contribution_svc") as database:
        connection = await asyncpg.connect(database.superuser_url)
        try:
            ours = await _path(servers, database, connection, count, home, processes)
            limit = await _bare_copy(connection, home)
        finally:
            await connection.close()
    lines = ours["lines"]
    limit |= {"n": count, "lines": lines, "lines_per_second": round(lines / limit["seconds"])}
    return [ours, limit]


async def _path(
    servers: Servers,
    database: ServiceDatabase,
    connection: "asyncpg.Connection[asyncpg.Record]",
    count: int,
    home: Path,
    processes: int,
) -> dict[str, Any]:
    bootstrap = servers.kafka.bootstrap
    await set_clock(bootstrap, BEFORE)
    async with AsyncExitStack() as stack:
        running = [
            await stack.enter_async_context(_service(servers, database, home))
            for _ in range(processes)
        ]
        await _joined(bootstrap, processes)
        await tell(bootstrap, people(count), BEFORE)
        await _counts(running, HANDLED, count + 1)
        handled, sent = await _count(running, HANDLED), await _count(running, SENT)
        async with telling(bootstrap, wages(count), BEFORE) as send:
            watch = _Stopwatch(servers, [one.process.pid for one in running])
            await send()
            await _counts(running, HANDLED, handled + count)
        taken_in = watch.seconds()
        await set_clock(bootstrap, OPENED)
        await _counts(running, SENT, sent + 2 * count)
        row = watch.row(f"ours: whole path, {processes} process(es)", count)
    [(people_told, lines)] = await connection.fetch(_TOLD)
    assert people_told == count, f"{people_told} of {count} employees were told of"
    seconds = row["seconds"]
    return row | {
        "lines": lines,
        "lines_per_second": round(lines / seconds),
        "cpu_us_per_line": round(row["cpu_seconds"] / lines * 1e6, 2),
        "wages_in_seconds": round(taken_in, 2),
        "assessed_and_published_seconds": round(seconds - taken_in, 2),
    }


@asynccontextmanager
async def _service(
    servers: Servers, database: ServiceDatabase, home: Path
) -> AsyncIterator[Running]:
    """The service's own process, on the sandbox's clock."""
    secret = home / "secret"
    secret.write_text(WEBHOOK_SECRET)
    settings = {
        "PROFILE": "sandbox",
        "CLOCK": "sandbox",
        "LOG_LEVEL": "WARNING",
        "BANK_URL": f"http://{NOBODY}",
        "BANK_KEY_ID": "bench",
        "BANK_SECRET_FILE": str(secret),
        "BANK_WEBHOOK_SECRET_FILE": str(secret),
    }
    env = environment(database, servers.kafka.bootstrap, **settings)
    async with serving("contribution-svc", env) as running:
        yield running
        await running.stop()


async def _counts(running: Sequence[Running], counter: str, wanted: int) -> None:
    async def counts() -> bool:
        return await _count(running, counter) >= wanted

    await eventually(counts, within=_WITHIN_SECONDS, every=0.1)


async def _count(running: Sequence[Running], counter: str) -> int:
    """From the service's own metrics: asking its database would cost it time."""
    found = 0
    for one in running:
        answer = await one.http.get("/metrics", timeout=60)
        families = text_string_to_metric_families(answer.raise_for_status().text)
        samples = (sample for family in families for sample in family.samples)
        found += sum(int(sample.value) for sample in samples if sample.name == counter)
    return found


async def _joined(bootstrap: str, processes: int) -> None:
    """Until each process has its partitions: the group is at rest with so many members."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()

    async def at_rest() -> bool:
        try:
            [answer] = await admin.describe_consumer_groups(["contribution-svc"])
        except GroupCoordinatorNotAvailableError:
            return False
        [(_, _, state, _, _, members, *_)] = answer.groups
        return bool(state == "Stable" and len(members) == processes)

    try:
        await eventually(at_rest, within=60)
    finally:
        await admin.close()


class _Stopwatch:
    """Wall time, and the CPU of the service's processes and both servers, from here on."""

    def __init__(self, servers: Servers, service: Sequence[int]) -> None:
        self._pids = {"service": service, **{name: [pid] for name, pid in servers.pids().items()}}
        self._began, self._cpu = time.monotonic(), self._used()

    def _used(self) -> Mapping[str, float]:
        return {name: sum(map(cpu_seconds, pids)) for name, pids in self._pids.items()}

    def seconds(self) -> float:
        return time.monotonic() - self._began

    def row(self, who: str, count: int) -> dict[str, Any]:
        used = {name: now - self._cpu[name] for name, now in self._used().items()}
        return {
            "who": who,
            "n": count,
            "seconds": round(self.seconds(), 2),
            "cpu_seconds": round(sum(used.values()), 2),
            **{f"cpu_{name}_seconds": round(seconds, 2) for name, seconds in used.items()},
            "peak_rss_mb": round(sum(peak_rss_mb(str(pid)) for pid in self._pids["service"])),
        }


async def _bare_copy(
    connection: "asyncpg.Connection[asyncpg.Record]", home: Path
) -> dict[str, Any]:
    """Binary COPY of every row that was written into tables without keys, indexes or rules."""
    seconds = 0.0
    for table in WRITTEN:
        file = home / f"{table}.copy"
        await connection.copy_from_table(table, output=file, format="binary")
        await connection.execute(f"CREATE TABLE bare_{table} AS TABLE {table} WITH NO DATA")
        began = time.monotonic()
        await connection.copy_to_table(f"bare_{table}", source=file, format="binary")
        seconds += time.monotonic() - began
    return {"who": "limit: bare COPY", "seconds": round(seconds, 3)}


def wanted_of_path(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    """What issue 5 wants of the path, with how far it is from the bare COPY."""
    found = []
    for ours, limit in zip(rows[::2], rows[1::2], strict=True):
        rate = ours["lines_per_second"]
        shown = f"{rate:,} lines/s, {limit['lines_per_second'] / rate:.0f} x under bare COPY"
        named = ours["who"].removeprefix("ours: ")
        found.append((f"{named}, {ours['n']:,} employees: 50,000 lines/s", shown, rate >= 50_000))
    return found
