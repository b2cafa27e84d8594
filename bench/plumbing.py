"""Outbox to handler, beside bare aiokafka on the same broker in the same run: what our guarantees
cost.

Prints a table and writes var/bench/plumbing.json. `ours` is add to the outbox, relay, consume with
inbox and handler; `bare` is aiokafka's producer and `getmany` with nothing behind it. Read the
ratio: absolute figures differ from machine to machine.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.embedded.kafka import Kafka
from deploy.embedded.layout import free_ports
from deploy.embedded.postgres import Postgres
from deploy.topics import create_topics, wanted_topics
from shared import outbox
from shared.codec import body_of
from shared.consumer import Consumer
from shared.contracts import PAYROLL, SalaryComputed
from shared.db import Connection, Engine, connect, transaction
from shared.outbox import Relay
from tests.support.eventually import eventually
from tests.support.service_databases import ServiceDatabases
from tests.support.telling import salary

EVENTS = 20_000
BATCH = 2_000
AT = datetime(2024, 9, 30, tzinfo=UTC)
RESULT = Path(__file__).parents[1] / "var" / "bench" / "plumbing.json"


class Stopwatch:
    """Wall and CPU time of this process around one leg."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def row(self, who: str, leg: str) -> dict[str, Any]:
        wall, cpu = time.monotonic() - self.wall, time.process_time() - self.cpu
        return {
            "who": who,
            "leg": leg,
            "n": EVENTS,
            "events_per_second": round(EVENTS / wall),
            "cpu_us_per_event": round(cpu / EVENTS * 1e6, 1),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


async def bare(bootstrap: str, events: Sequence[SalaryComputed]) -> list[dict[str, Any]]:
    """aiokafka alone: idempotent sends, then one reader of all."""
    topic = "bench.bare"
    records = [(event.key().encode(), body_of(event)) for event in events]
    watch = Stopwatch()
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", compression_type="zstd"
    ) as producer:
        for start in range(0, EVENTS, BATCH):
            sent = [
                await producer.send(topic, key=key, value=value)
                for key, value in records[start : start + BATCH]
            ]
            await asyncio.gather(*sent)
    rows = [watch.row("bare aiokafka", "publish")]
    watch, seen = Stopwatch(), 0
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    ) as consumer:
        while seen < EVENTS:
            batches = await consumer.getmany(timeout_ms=200, max_records=10_000)
            seen += sum(len(records) for records in batches.values())
    return [*rows, watch.row("bare aiokafka", "consume")]


async def ours(
    engine: Engine, bootstrap: str, events: Sequence[SalaryComputed]
) -> list[dict[str, Any]]:
    """The same events through outbox, relay, inbox and a handler that does nothing of its own."""
    watch = Stopwatch()
    for start in range(0, EVENTS, BATCH):
        async with transaction(engine) as conn:
            await outbox.add(conn, events[start : start + BATCH], AT)
    rows = [watch.row("ours", "add to the outbox")]
    watch, stop = Stopwatch(), asyncio.Event()
    relay = Relay(engine, bootstrap, "/bench")
    relaying = asyncio.create_task(relay.run(stop))
    await eventually(lambda: relay.sent >= EVENTS, within=300, every=0.01)
    rows.append(watch.row("ours", "publish"))
    stop.set()
    await relaying
    handled = 0

    async def on_salaries(_: Connection, batch: Sequence[SalaryComputed]) -> None:
        nonlocal handled
        handled += len(batch)

    watch, stop = Stopwatch(), asyncio.Event()
    consumer = Consumer(
        engine, bootstrap, "contribution-svc", [PAYROLL], {SalaryComputed: on_salaries}
    )
    consuming = asyncio.create_task(consumer.run(stop))
    await eventually(lambda: handled >= EVENTS, within=300, every=0.01)
    rows.append(watch.row("ours", "consume"))
    stop.set()
    await consuming
    return rows


async def main() -> None:
    """Starts the servers, runs both, prints and writes the table."""
    events = [salary(f"employee-{number:06d}") for number in range(EVENTS)]
    with tempfile.TemporaryDirectory(prefix="daozhang-bench-") as folder:
        home = Path(folder)
        port, broker, controller = free_ports(3)
        postgres = Postgres(home / "postgres", home / "run", port, "bench-only")
        kafka = Kafka(home / "kafka", home / "run", broker, controller)
        await asyncio.gather(postgres.start(), kafka.start())
        try:
            rows = await _measure(postgres.url, kafka.bootstrap, events)
        finally:
            await asyncio.gather(postgres.stop(), kafka.stop())
    _print(rows)
    await asyncio.to_thread(_write, rows)


async def _measure(
    postgres_url: str, bootstrap: str, events: Sequence[SalaryComputed]
) -> list[dict[str, Any]]:
    topics = wanted_topics("sandbox")
    [payroll] = [topic for topic in topics if topic.name == PAYROLL]
    await create_topics(bootstrap, [*topics, type(payroll)("bench.bare", 6, {})])
    databases = ServiceDatabases(postgres_url)
    async with databases.clone("ticket_svc") as database:
        engine = connect(database.worker_url, "bench")
        rows = [*await bare(bootstrap, events), *await ours(engine, bootstrap, events)]
        await engine.dispose()
        connection = await asyncpg.connect(database.superuser_url)
        known = await connection.fetchval("SELECT count(*) FROM inbox")
        await connection.close()
    assert known == EVENTS, f"{known} of {EVENTS} events are in the inbox"
    return rows


def _print(rows: list[dict[str, Any]]) -> None:
    limits = {row["leg"]: row for row in rows if row["who"] == "bare aiokafka"}
    for row in rows:
        limit = limits.get(row["leg"])
        ratio = (
            f"{row['events_per_second'] / limit['events_per_second']:.2f} x bare" if limit else ""
        )
        sys.stdout.write(
            f"{row['who']:<14} {row['leg']:<18} {row['events_per_second']:>8,} events/s"
            f" {row['cpu_us_per_event']:>7.1f} us CPU each   {ratio}\n"
        )


def _write(rows: list[dict[str, Any]]) -> None:
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
