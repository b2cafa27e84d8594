"""Row-level security by raw SQL as each role of every service, over whatever tables its catalog
has: a new table without a policy fails here.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deploy.databases import SERVICES
from tests.support.planted_rows import PEOPLE, A, B, Table, plant, tables_of
from tests.support.service_databases import ServiceDatabase, ServiceDatabases

PUBLIC = {
    "contribution_svc": {"policies", "policy_packs", "policy_proposals"},
    "bureau_sync_svc": {"parties"},
    "ticket_svc": {"authorities"},
    "portal_svc": {"policies", "authorities"},
}
"""Published facts about nobody, which the api role may read and no more."""

NOT_THE_APIS = {"alembic_version", "relay_lease", "inbox", "parked", "parked_keys"}
"""The plumbing's own."""

ADDED_TO_ALONE = {
    "payroll_svc": {"payslips"},
    "contribution_svc": {"statements"},
    "bureau_sync_svc": {"exchanges"},
    "ticket_svc": {"changes"},
    "notify_svc": {"tries"},
}
"""What was issued, said or exchanged: the api role neither changes nor deletes it."""

_REFUSED = "permission denied|row-level security|cannot insert a non-DEFAULT value"
"""The last is of numbered rows, which nobody writes by hand."""


@dataclass(frozen=True)
class Planted:
    """A service's database with rows of two employers in every table that names one."""

    package: str
    database: ServiceDatabase
    tables: list[Table]

    @asynccontextmanager
    async def role(
        self, kind: str, employer: str = "", employee: str = ""
    ) -> AsyncIterator[asyncpg.Connection]:
        """A session of the api, worker or owner role, with these settings if given."""
        address = getattr(self.database, f"{kind}_url")
        connection = await asyncpg.connect(
            urlunsplit(urlsplit(address)._replace(scheme="postgresql"))
        )
        try:
            for name, value in (("app.employer", employer), ("app.employee", employee)):
                if value:
                    await connection.execute("SELECT set_config($1, $2, false)", name, value)
            yield connection
        finally:
            await connection.close()

    def about_employers(self) -> list[str]:
        return [table.name for table in self.tables if table.names_an_employer]


@pytest.fixture(scope="module", params=SERVICES)
async def planted(
    request: pytest.FixtureRequest, service_databases: ServiceDatabases
) -> AsyncIterator[Planted]:
    async with service_databases.clone(request.param) as database:
        superuser = await asyncpg.connect(database.superuser_url)
        try:
            tables = await tables_of(superuser)
            await plant(superuser, [table for table in tables if table.names_an_employer])
        finally:
            await superuser.close()
        yield Planted(request.param, database, tables)


async def privileges(planted: Planted, kind: str) -> dict[str, set[str]]:
    """What the role may do with each table, whole or by column."""
    role = f"{planted.package}_{kind}"
    superuser = await asyncpg.connect(planted.database.superuser_url)
    try:
        found = {}
        for table in planted.tables:
            may = {
                name
                for name in ("SELECT", "INSERT", "UPDATE")
                if await superuser.fetchval(
                    "SELECT has_any_column_privilege($1, $2::regclass, $3)", role, table.name, name
                )
            }
            for name in ("DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
                if await superuser.fetchval(
                    "SELECT has_table_privilege($1, $2::regclass, $3)", role, table.name, name
                ):
                    may.add(name)
            found[table.name] = may
        return found
    finally:
        await superuser.close()


async def _columns_read(planted: Planted, table: str) -> set[str]:
    """The columns of the table that the api role may read."""
    superuser = await asyncpg.connect(planted.database.superuser_url)
    try:
        rows = await superuser.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $2::regclass AND attnum > 0"
            " AND has_column_privilege($1, attrelid, attnum, 'SELECT')",
            f"{planted.package}_api",
            table,
        )
        return {row["attname"] for row in rows}
    finally:
        await superuser.close()


async def rows_seen(session: asyncpg.Connection, table: str, column: str) -> list[str] | None:
    """The distinct values of the rows that the session sees; None where it may not look."""
    try:
        rows = await session.fetch(f'SELECT DISTINCT {column} AS one FROM "{table}" ORDER BY 1')  # noqa: S608
    except asyncpg.InsufficientPrivilegeError:
        return None
    return [row["one"] for row in rows]


async def test_every_table_is_secured_or_out_of_the_apis_reach(planted: Planted) -> None:
    may = await privileges(planted, "api")
    public = PUBLIC.get(planted.package, set())
    for table in planted.tables:
        assert table.owner == f"{planted.package}_owner", table.name
        if table.kind == "v":
            assert "security_invoker=true" in table.options, table.name
            continue
        assert table.kind in ("r", "p"), f"{table.name}: rows of such a table cannot be secured"
        if table.name in public:
            assert may[table.name] == {"SELECT"}, table.name
        elif table.name == "outbox_queue":
            assert may[table.name] == {"INSERT"}
        elif table.name == "outbox":
            assert may[table.name] == {"INSERT", "SELECT"}
            seen = await _columns_read(planted, "outbox")
            assert seen == {"seq"}, "the api role need not read what others told"
        elif table.name in NOT_THE_APIS:
            assert may[table.name] == set(), table.name
        elif table.names_an_employer or may[table.name]:
            assert (table.name, table.secured, table.forced) == (table.name, True, True)


async def test_neither_role_can_pass_by_row_security(planted: Planted) -> None:
    async with planted.role("worker") as session:
        for kind in ("api", "worker"):
            role = await session.fetchrow(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,"
                " (SELECT count(*) FROM pg_class WHERE relowner = r.oid) > 0 AS owns,"
                " (SELECT count(*) FROM pg_auth_members WHERE member = r.oid) > 0 AS is_member"
                " FROM pg_roles r WHERE rolname = $1",
                f"{planted.package}_{kind}",
            )
            assert role is not None
            assert not any(role.values()), (kind, dict(role))
        assert (
            await session.fetch(
                "SELECT proname FROM pg_proc"
                " WHERE prosecdef AND pronamespace = 'public'::regnamespace"
            )
            == []
        )


async def test_the_api_role_sees_the_rows_of_the_employer_that_is_set(planted: Planted) -> None:
    looked_at = 0
    for setting, seen in (("", []), (A, [A]), (B, [B]), (f"{A},{B}", [A, B]), ("employer-c", [])):
        async with planted.role("api", setting) as session:
            for table in planted.about_employers():
                found = await rows_seen(session, table, "employer_id")
                assert found is None or (table, found) == (table, seen)
                looked_at += found is not None
    assert looked_at >= 10


async def test_an_employee_sees_their_own_rows_in_every_table_about_people(
    planted: Planted,
) -> None:
    me, colleague = PEOPLE[A]
    people = [table.name for table in planted.tables if table.names_an_employee]
    looked_at = 0
    for employer, employee, seen in ((A, me, [me]), (A, PEOPLE[B][0], []), (B, me, [])):
        async with planted.role("api", employer, employee) as session:
            for table in people:
                found = await rows_seen(session, table, "employee_id")
                assert found is None or (table, found) == (table, seen)
                looked_at += found is not None
    assert looked_at >= 3
    assert colleague not in seen


async def test_the_worker_role_sees_all_and_the_owner_nothing(planted: Planted) -> None:
    for table in planted.about_employers():
        async with planted.role("worker") as session:
            found = await rows_seen(session, table, "employer_id")
            assert found is None or (table, found) == (table, [A, B])
        async with planted.role("owner") as session:
            assert (table, await rows_seen(session, table, "employer_id")) == (table, [])


async def test_the_api_role_writes_nothing_for_another_employer(planted: Planted) -> None:
    """Not by insert, not by handing a row over; and no row of another is there to be changed."""
    async with planted.role("api", A) as session:
        for table in planted.tables:
            if table.names_an_employer:
                await _cannot_give(session, table)
                await _cannot_take(session, table.name)
    async with planted.role("worker") as session:
        for name in planted.about_employers():
            found = await rows_seen(session, name, "employer_id")
            assert found is None or (name, found) == (name, [A, B])


async def _cannot_give(session: asyncpg.Connection, table: Table) -> None:
    columns = ", ".join(f'"{name}"' for name in table.columns)
    copied = columns.replace('"employer_id"', f"'{B}'")
    for statement in (
        f'INSERT INTO "{table.name}" ({columns}) SELECT {copied} FROM "{table.name}"',  # noqa: S608
        f"UPDATE \"{table.name}\" SET employer_id = '{B}'",  # noqa: S608
    ):
        with pytest.raises(asyncpg.PostgresError, match=_REFUSED):
            await session.execute(statement)


async def _cannot_take(session: asyncpg.Connection, table: str) -> None:
    for statement in (
        f"UPDATE \"{table}\" SET employer_id = employer_id WHERE employer_id <> '{A}'",  # noqa: S608
        f"DELETE FROM \"{table}\" WHERE employer_id <> '{A}'",  # noqa: S608
    ):
        try:
            done = await session.execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            continue
        assert done.split()[-1] == "0", (table, done)


async def test_what_was_issued_or_said_is_only_added_to(planted: Planted) -> None:
    may = await privileges(planted, "api")
    for table in ADDED_TO_ALONE.get(planted.package, set()):
        assert not may[table] & {"UPDATE", "DELETE", "TRUNCATE"}, table
    for table, granted in may.items():
        assert not granted & {"TRUNCATE", "REFERENCES", "TRIGGER"}, table


async def test_kept_answers_are_of_those_in_whose_name_the_request_ran(planted: Planted) -> None:
    claim = (
        "INSERT INTO http_writes (caller, key, operation, body_hash)"
        " VALUES ($1, 'key', 'POST /', '')"
    )
    me, colleague = PEOPLE[A]
    for employer, employee in ((A, ""), (B, ""), (f"{A},{B}", ""), (A, me)):
        async with planted.role("api", employer, employee) as session:
            await session.execute(claim, f"{employer} {employee}".strip())
    of_a, of_b, of_both, of_me = A, B, f"{A},{B}", f"{A} {me}"
    for employer, employee, seen in (
        ("", "", []),
        (A, "", [of_a, of_me]),
        (B, "", [of_b]),
        (f"{B},{A}", "", [of_a, of_me, of_both, of_b]),
        (A, me, [of_me]),
        (A, colleague, []),
    ):
        async with planted.role("api", employer, employee) as session:
            assert await rows_seen(session, "http_writes", "caller") == sorted(seen)
    async with planted.role("api") as session:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await session.execute(claim, "nobody")
