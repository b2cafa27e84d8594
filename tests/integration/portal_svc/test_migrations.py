"""The migrations make exactly what tables.py says, and protect every table about people."""

from collections.abc import Awaitable, Callable

import asyncpg

from shared import migrate
from tests.support.service_databases import ServiceDatabase

Clone = Callable[[str], Awaitable[ServiceDatabase]]

OPEN_TO_ALL = {"policies", "authorities"}
"""Published facts about nobody."""


async def test_tables_and_migrations_tell_the_same_story(service_database: Clone) -> None:
    database = await service_database("portal_svc")
    await migrate.check(database.owner_url, "portal_svc")


async def test_every_table_about_somebody_is_protected(service_database: Clone) -> None:
    database = await service_database("portal_svc")
    connection = await asyncpg.connect(database.superuser_url)
    try:
        rows = await connection.fetch(
            "SELECT relname, relrowsecurity AND relforcerowsecurity AS safe FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
    finally:
        await connection.close()
    plumbing = {*migrate.PLUMBING, "alembic_version"}
    unsafe = {row["relname"] for row in rows if not row["safe"]} - plumbing
    assert unsafe == OPEN_TO_ALL
