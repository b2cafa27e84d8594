"""Reading an installation: every store in a read-only snapshot of its own, every topic without a
group. Nothing is written, and nothing that runs notices.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import asyncpg

from deploy.databases import SERVICES
from shared.clock import system_now
from tests.support.invariants.collect import desk, figures, lines, outside, plumbing, versions
from tests.support.invariants.collect.canaries import Canaries, strays_in
from tests.support.invariants.collect.query import Query, fetch
from tests.support.invariants.collect.sessions import read_sessions
from tests.support.invariants.collect.topics import read_topics
from tests.support.invariants.facts import Facts, Given, Row, Rows, Stray

APPLICATION = "invariants"
DATABASES = (*SERVICES, "sandbox")
TOPICS, SERVER = "topics", "server"


class Installation(Protocol):
    """Where everything is; `deploy.embedded.stack.Stack` is one."""

    @property
    def postgres_url(self) -> str: ...

    @property
    def kafka_bootstrap(self) -> str: ...


def queries_of(database: str) -> tuple[Query, ...]:
    """All questions to one database."""
    parts = (lines, versions, desk, outside, plumbing, figures)
    rooms = tuple(part.QUERIES for part in parts)
    asked = tuple(query for room in rooms for query in room.get(database, ()))
    return asked + (plumbing.PLUMBING if database in SERVICES else ())


async def collect(installation: Installation, given: Given | None = None) -> Facts:
    """Everything, as it is now."""
    sources: dict[str, Rows] = {}
    async with snapshot(installation, "payroll_svc") as connection:
        sources["payroll_svc"] = await collect_store(connection, "payroll_svc")
    async with snapshot(installation, "sandbox") as connection:
        rows = await connection.fetch("SELECT DISTINCT name FROM declaration_lines")
    canaries = Canaries.of(sources.values(), (row["name"] for row in rows))

    async def read(database: str) -> None:
        async with snapshot(installation, database) as connection:
            sources[database] = await collect_store(connection, database, canaries)

    async with asyncio.TaskGroup() as tasks:
        topics = tasks.create_task(read_topics(installation.kafka_bootstrap, canaries))
        sessions = tasks.create_task(read_sessions(installation.postgres_url, APPLICATION))
        for database in DATABASES:
            tasks.create_task(read(database))
    sources |= {TOPICS: topics.result().rows(), SERVER: sessions.result()}
    return Facts(sources, topics.result().now or system_now(), given or Given())


async def collect_store(
    connection: asyncpg.Connection, database: str, canaries: Canaries | None = None
) -> Rows:
    """One database's facts, read inside connection's transaction."""
    found: dict[type[Row], list[Row]] = defaultdict(list)
    for query in queries_of(database):
        found[query.kind] += await fetch(connection, database, query)
    if canaries is not None and database in SERVICES:
        found[Stray] += await strays_in(connection, database, canaries)
    return dict(found)


@asynccontextmanager
async def snapshot(installation: Installation, database: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection in a transaction that can only read, all of one moment."""
    connection = await connect(installation, database)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()


async def connect(installation: Installation, database: str) -> asyncpg.Connection:
    """A superuser's connection: row security hides no row from it. jsonb comes as Python values."""
    url = installation.postgres_url.rsplit("/", 1)[0] + "/" + database
    connection = await asyncpg.connect(url, server_settings={"application_name": APPLICATION})
    await decode_json(connection)
    return connection


async def decode_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
    )


__all__ = [
    "APPLICATION",
    "DATABASES",
    "SERVER",
    "TOPICS",
    "Canaries",
    "Installation",
    "collect",
    "collect_store",
    "connect",
    "snapshot",
]
