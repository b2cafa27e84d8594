"""The schema: migrations and tables tell one story, and row security holds without the code's
help.
"""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from contribution_svc.tables import metadata
from shared import migrate
from tests.integration.contribution_svc.month import Month, employee
from tests.support.service_databases import ServiceDatabase

OPEN_TO_ALL = {
    "policies",
    "policy_packs",
    "policy_proposals",
    "policy_updates",
    "policy_polls",
    "bank_webhooks",
    "offered_statements",
}
"""No employer's rows: public policy and how it comes into force, and the bank's word that only the
worker reads.
"""


async def test_migrations_make_the_tables(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> None:
    database = await service_database("contribution_svc")
    await migrate.check(database.owner_url, "contribution_svc")


async def test_every_business_table_has_forced_row_security(month: Month) -> None:
    rows = await month.rows(
        "SELECT relname FROM pg_class"
        " WHERE relkind = 'r' AND relrowsecurity AND relforcerowsecurity"
    )
    assert {row.relname for row in rows} == {*metadata.tables, "http_writes"} - OPEN_TO_ALL


async def test_without_a_scope_the_api_role_sees_nothing(month: Month) -> None:
    await month.open(employee("other"))
    url = month.parts.settings.database_api_url.get_secret_value()
    conn = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        assert await conn.fetchval("SELECT count(*) FROM assessments") == 0
        await conn.execute("SELECT set_config('app.employer', 'employer-1', false)")
        assert await conn.fetchval("SELECT count(*) FROM assessments") == 2
        await conn.execute("SELECT set_config('app.employee', 'other', false)")
        assert await conn.fetchval("SELECT count(*) FROM assessments") == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("DELETE FROM assessments")
        # 小王 has twelve months; figures are explained from them, by nobody's but their own.
        assert await conn.fetchval("SELECT count(*) FROM wages") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("UPDATE wages SET wage_fen = 0")
    finally:
        await conn.close()
