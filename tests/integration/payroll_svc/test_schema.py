"""The schema: migrations and tables tell one story, and row security holds without our checks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from payroll_svc.tables import metadata
from shared import migrate
from shared.db import connect, tenant
from tests.integration.payroll_svc.conftest import PayrollService
from tests.support.rosters import csv_file, roster_row
from tests.support.service_databases import ServiceDatabase


@dataclass(frozen=True)
class Someone:
    employer_ids: tuple[str, ...] = ()
    employee_id: str = ""


async def test_tables_and_migrations_agree(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> None:
    database = await service_database("payroll_svc")
    await migrate.check(database.owner_url, "payroll_svc")


async def test_every_table_forces_row_security(service: PayrollService) -> None:
    forced = await service.rows(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    )
    assert {row.relname for row in forced} == {*metadata.tables, "http_writes"}


async def test_without_a_scope_nothing_shows_and_another_employers_rows_never_do(
    service: PayrollService,
) -> None:
    employer_id = await service.create_employer()
    rows = [roster_row(1), roster_row(2)]
    await service.take_in(employer_id, "roster", "roster.csv", csv_file(rows))
    counts = {}
    for name, scope in {
        "nobody": Someone(),
        "another": Someone(("another-employer",)),
        "theirs": Someone((employer_id,)),
    }.items():
        async with tenant(service.parts.api, scope) as conn:
            counts[name] = [
                (await conn.execute(text(f"SELECT count(*) FROM {table}"))).scalar()  # noqa: S608
                for table in ("employers", "employees", "spells", "identities")
            ]
    assert counts == {"nobody": [0] * 4, "another": [0] * 4, "theirs": [1, 2, 2, 2]}


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE payslips SET net_fen = 0",
        "DELETE FROM payslips",
        "UPDATE imported_payslips SET net_fen = 0",
        "DELETE FROM imported_payslips",
    ],
)
async def test_nobody_may_change_a_payslip(
    service_database: Callable[[str], Awaitable[ServiceDatabase]], act: str
) -> None:
    database = await service_database("payroll_svc")
    for url in (database.api_url, database.worker_url):
        engine = connect(url, "test")
        with pytest.raises(DBAPIError, match="permission denied"):
            async with tenant(engine, Someone(("any",))) as conn:
                await conn.execute(text(act))
        await engine.dispose()
