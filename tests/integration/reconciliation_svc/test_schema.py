"""The schema: migrations and tables agree, row security holds without the service's own checks."""

import asyncpg
import pytest

from shared import migrate
from tests.support.reconciling import at
from tests.support.reconciling_events import (
    EMPLOYER,
    assessed,
    employee,
    employer,
    policy,
)
from tests.support.reconciling_service import Reconciliation
from tests.support.service_databases import ServiceDatabase


async def test_migrations_make_what_tables_say(database: ServiceDatabase) -> None:
    await migrate.check(database.owner_url, "reconciliation_svc")


@pytest.mark.parametrize(
    ("employer_ids", "employee_id", "seen"),
    [
        ("", "", 0),
        ("employer-2", "", 0),
        (EMPLOYER, "", 2),
        (f"employer-2,{EMPLOYER}", "", 2),
        (EMPLOYER, "wang", 1),
        ("", "wang", 0),
    ],
    ids=[
        "nobody sees nothing",
        "another employer's HR sees nothing",
        "HR sees its employer's months",
        "HR of several sees them all",
        "an employee sees their own",
        "an employee without an employer sees nothing",
    ],
)
async def test_row_security_of_months(
    service: Reconciliation,
    database: ServiceDatabase,
    employer_ids: str,
    employee_id: str,
    seen: int,
) -> None:
    await service.tell(employer(), policy(), employee("wang"), employee("li"))
    await service.until(at(25, "06:00", month=9))
    connection = await asyncpg.connect(database.api_url.replace("+asyncpg", ""))
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT set_config('app.employer', $1, true), set_config('app.employee', $2, true)",
                employer_ids,
                employee_id,
            )
            months = await connection.fetchval("SELECT count(*) FROM months")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE months SET version = 0")
    finally:
        await connection.close()
    assert months == seen


async def test_the_database_refuses_a_second_open_occurrence(
    service: Reconciliation, database: ServiceDatabase
) -> None:
    await service.tell(employer(), policy(), employee("wang"), assessed("wang", state="blocked"))
    await service.until(at(25, "06:10", month=9))
    connection = await asyncpg.connect(database.superuser_url)
    try:
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(
                "CREATE TEMP TABLE other AS SELECT * FROM anomalies;"
                "UPDATE other SET anomaly_id = 'another', occurrence = 2;"
                "INSERT INTO anomalies SELECT * FROM other"
            )
    finally:
        await connection.close()
