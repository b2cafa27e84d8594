"""The migrated schema: the same story as tables.py, every table protected."""

from collections.abc import Awaitable, Callable

import asyncpg

from shared.migrate import PLUMBING, check
from tests.support.service_databases import ServiceDatabase

Databases = Callable[[str], Awaitable[ServiceDatabase]]


async def test_tables_and_migrations_agree(service_database: Databases) -> None:
    database = await service_database("bureau_sync_svc")
    await check(database.owner_url, "bureau_sync_svc")


async def test_every_business_table_has_forced_row_security(service_database: Databases) -> None:
    database = await service_database("bureau_sync_svc")
    connection = await asyncpg.connect(database.superuser_url)
    try:
        open_tables = await connection.fetch(
            "SELECT relname FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND NOT (relrowsecurity AND relforcerowsecurity)"
        )
    finally:
        await connection.close()
    assert {row["relname"] for row in open_tables} <= PLUMBING | {"alembic_version"}
