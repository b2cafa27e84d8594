"""Migrations and tables of notify-svc tell one story, and row security holds."""

from collections.abc import Awaitable, Callable

import asyncpg

from shared import migrate
from tests.support.service_databases import ServiceDatabase

Clone = Callable[[str], Awaitable[ServiceDatabase]]


async def test_tables_and_migrations_agree(service_database: Clone) -> None:
    database = await service_database("notify_svc")
    await migrate.check(database.owner_url, "notify_svc")


async def test_every_table_about_an_employer_has_row_security(service_database: Clone) -> None:
    database = await service_database("notify_svc")
    connection = await asyncpg.connect(database.superuser_url)
    try:
        rows = await connection.fetch(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind = 'r' AND a.attname = 'employer_id' AND NOT c.relforcerowsecurity"
        )
    finally:
        await connection.close()
    assert rows == []
