"""The embedded servers survive a kill -9 with all that they acknowledged, and leave no process."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.embedded.kafka import Kafka
from deploy.embedded.layout import free_ports
from deploy.embedded.postgres import Postgres
from deploy.embedded.processes import Process
from deploy.topics import Topic, create_topics


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[Postgres]:
    [port] = free_ports(1)
    server = Postgres(tmp_path / "postgres", tmp_path / "run", port, "for-tests-only")
    yield server
    await server.stop()


@pytest.fixture
async def kafka(tmp_path: Path) -> AsyncIterator[Kafka]:
    port, controller = free_ports(2)
    server = Kafka(tmp_path / "kafka", tmp_path / "run", port, controller)
    yield server
    await server.stop()


def kill(process: Process | None) -> None:
    assert process is not None
    os.kill(process.popen.pid, signal.SIGKILL)
    process.popen.wait()


def left_behind(folder: Path) -> list[int]:
    """Processes whose command line names the folder: a server's own data directory."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in process.info["cmdline"] or [])
    ]


async def test_postgres_keeps_what_it_committed(postgres: Postgres, tmp_path: Path) -> None:
    await postgres.start()
    connection = await asyncpg.connect(postgres.url)
    assert await connection.fetchval("SHOW fsync") == "on"
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS value")

    kill(postgres.process)
    connection.terminate()
    await postgres.start()

    connection = await asyncpg.connect(postgres.url)
    assert await connection.fetchval("SELECT value FROM kept") == 1
    await connection.close()
    await postgres.stop()
    assert left_behind(tmp_path) == []


async def test_postgres_starts_in_spite_of_a_stale_pid_file(
    postgres: Postgres, tmp_path: Path
) -> None:
    await postgres.start()
    kill(postgres.process)
    lock = tmp_path / "postgres" / "postmaster.pid"
    # As after the restart of a container: the pid is in use again, by something else.
    lock.write_text(lock.read_text().replace(lock.read_text().split()[0], str(os.getpid()), 1))

    await postgres.start()

    connection = await asyncpg.connect(postgres.url)
    await connection.close()


async def test_kafka_keeps_what_it_acknowledged(kafka: Kafka, tmp_path: Path) -> None:
    await kafka.start()
    await create_topics(kafka.bootstrap, [Topic("kept", 3)])
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, enable_idempotence=True, acks="all"
    )
    await producer.start()
    for number in range(100):
        await producer.send_and_wait("kept", str(number).encode())
    await producer.stop()

    kill(kafka.process)
    await kafka.start()

    consumer = AIOKafkaConsumer(
        "kept",
        bootstrap_servers=kafka.bootstrap,
        group_id="reader",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    found = [int((await consumer.getone()).value) for _ in range(100)]
    await consumer.stop()
    assert sorted(found) == list(range(100))
    await kafka.stop()
    assert left_behind(tmp_path) == []
