"""Row-level security by raw SQL as each role: what a forgotten check would let through, PostgreSQL
refuses.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db import Engine, connect, copy_rows, tenant, transaction
from tests.support.eventually import eventually
from tests.support.service_databases import ServiceDatabase

PEOPLE = (("employee-1", "employer-1"), ("employee-2", "employer-1"), ("employee-3", "employer-2"))
ALL = [person for person, _ in PEOPLE]


@dataclass(frozen=True)
class Scope:
    """Whose rows a caller may see."""

    employer_ids: tuple[str, ...] = ()
    employee_id: str = ""


@dataclass(frozen=True)
class Roles:
    """The three ways into one database: a pool per service role, and raw sessions."""

    database: ServiceDatabase
    api: Engine
    worker: Engine

    @asynccontextmanager
    async def raw(self, url: str) -> AsyncIterator[asyncpg.Connection]:
        address = urlunsplit(urlsplit(url)._replace(scheme="postgresql"))
        connection = await asyncpg.connect(address)
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture
async def roles(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> AsyncIterator[Roles]:
    database = await service_database("ticket_svc")
    # One connection in the pool: the next user surely gets the one that the last user left.
    roles = Roles(
        database, connect(database.api_url, "test", 1), connect(database.worker_url, "test", 1)
    )
    async with transaction(roles.worker) as conn:
        await conn.execute(
            text("INSERT INTO employees (employee_id, employer_id) VALUES (:person, :employer)"),
            [{"person": person, "employer": employer} for person, employer in PEOPLE],
        )
    yield roles
    await roles.api.dispose()
    await roles.worker.dispose()


async def seen(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("SELECT employee_id FROM employees ORDER BY 1")
    return [row["employee_id"] for row in rows]


async def seen_by(engine: Engine, scope: Scope) -> list[str]:
    async with tenant(engine, scope) as conn:
        return list((await conn.execute(text(_SEEN))).scalars())


_SEEN = "SELECT employee_id FROM employees ORDER BY 1"
_SETTINGS = "SELECT current_setting('app.employer', true), current_setting('app.employee', true)"


async def test_the_api_role_with_nothing_set_sees_nothing(roles: Roles) -> None:
    async with roles.raw(roles.database.api_url) as connection:
        assert await seen(connection) == []
        await connection.execute("SET app.employer = ''")
        assert await seen(connection) == []


async def test_the_worker_role_sees_all(roles: Roles) -> None:
    async with roles.raw(roles.database.worker_url) as connection:
        assert await seen(connection) == ALL


@pytest.mark.parametrize(
    ("scope", "rows"),
    [
        (Scope(), []),
        (Scope(("employer-1",)), ["employee-1", "employee-2"]),
        (Scope(("employer-2",)), ["employee-3"]),
        (Scope(("employer-1", "employer-2")), ALL),
        (Scope(("employer-1",), "employee-2"), ["employee-2"]),
        (Scope(("employer-1",), "employee-3"), []),
        (Scope((), "employee-1"), []),
        (Scope(("employer-1' OR true --",)), []),
    ],
    ids=[
        "nobody",
        "one employer",
        "another employer",
        "two employers",
        "an employee",
        "an employee of another employer",
        "an employee without an employer",
        "an injection",
    ],
)
async def test_a_caller_sees_the_rows_of_the_scope_alone(
    roles: Roles, scope: Scope, rows: list[str]
) -> None:
    assert await seen_by(roles.api, scope) == rows


@pytest.mark.parametrize(
    ("statement", "scope"),
    [
        (
            "INSERT INTO employees (employee_id, employer_id) VALUES ('employee-9', 'employer-2')",
            Scope(("employer-1",)),
        ),
        ("UPDATE employees SET employer_id = 'employer-2'", Scope(("employer-1",))),
        (
            "INSERT INTO employees (employee_id, employer_id) VALUES ('employee-9', 'employer-1')",
            Scope(("employer-1",), "employee-1"),
        ),
    ],
    ids=["another employer's row", "handing a row over", "a colleague's row"],
)
async def test_a_caller_cannot_write_what_is_anothers(
    roles: Roles, statement: str, scope: Scope
) -> None:
    with pytest.raises(DBAPIError, match="violates row-level security policy"):
        async with tenant(roles.api, scope) as conn:
            await conn.execute(text(statement))
    async with roles.raw(roles.database.worker_url) as connection:
        assert await seen(connection) == ALL


async def test_anothers_rows_are_not_there_to_be_changed(roles: Roles) -> None:
    async with tenant(roles.api, Scope(("employer-1",))) as conn:
        changed = await conn.execute(
            text("UPDATE employees SET version = 7 WHERE employer_id = 'employer-2'")
        )
        assert changed.rowcount == 0


@pytest.mark.parametrize("statement", ["DELETE FROM employees", "TRUNCATE employees"])
async def test_the_api_role_cannot_delete(roles: Roles, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with tenant(roles.api, Scope(("employer-1",))) as conn:
            await conn.execute(text(statement))


@pytest.mark.parametrize("kind", ["api", "worker"])
async def test_no_role_of_a_process_can_lift_the_protection(roles: Roles, kind: str) -> None:
    url = roles.database.api_url if kind == "api" else roles.database.worker_url
    async with roles.raw(url) as connection:
        for statement in (
            "ALTER TABLE employees DISABLE ROW LEVEL SECURITY",
            "DROP POLICY api ON employees",
            "SET ROLE ticket_svc_owner",
            "CREATE TABLE mine (a int)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_even_the_owner_is_not_exempt(roles: Roles) -> None:
    async with roles.raw(roles.database.owner_url) as connection:
        assert await seen(connection) == []


async def _settings_of_next_user(engine: Engine) -> tuple[str, str]:
    async with transaction(engine) as conn:
        employer, employee = (await conn.execute(text(_SETTINGS))).one()
        assert (await conn.execute(text(_SEEN))).all() == []
    return employer or "", employee or ""


async def test_the_next_user_of_the_connection_inherits_no_scope(roles: Roles) -> None:
    await seen_by(roles.api, Scope(("employer-1",), "employee-1"))
    assert await _settings_of_next_user(roles.api) == ("", "")


async def test_a_failed_request_leaves_no_scope_behind(roles: Roles) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        async with tenant(roles.api, Scope(("employer-1",), "employee-1")) as conn:
            await conn.execute(text("SELECT 1 / 0"))
    assert await _settings_of_next_user(roles.api) == ("", "")


async def _sleep_as(engine: Engine, scope: Scope) -> None:
    async with tenant(engine, scope) as conn:
        await conn.execute(text("SELECT pg_sleep(60)"))


async def _is_asleep(roles: Roles) -> bool:
    async with roles.raw(roles.database.superuser_url) as connection:
        return bool(
            await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%'"
            )
        )


async def test_a_cancelled_request_leaves_no_scope_behind(roles: Roles) -> None:
    for _ in range(3):
        request = asyncio.create_task(_sleep_as(roles.api, Scope(("employer-1",), "employee-1")))
        await eventually(lambda: _is_asleep(roles))
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert await _settings_of_next_user(roles.api) == ("", "")


async def test_requests_cancelled_at_any_moment_leave_no_scope_behind(roles: Roles) -> None:
    for delay in range(40):
        request = asyncio.create_task(seen_by(roles.api, Scope(("employer-1",), "employee-1")))
        for _ in range(delay):
            await asyncio.sleep(0)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        assert await _settings_of_next_user(roles.api) == ("", "")


async def test_a_thousand_requests_cancelled_at_random_mix_no_rows(roles: Roles) -> None:
    """Two employers' requests through one pool: every second pair is cancelled at some await, the
    others must end beside them with their own rows.
    """
    engine = connect(roles.database.api_url, "storm", 3)
    chance, gate = random.Random(16), asyncio.Semaphore(9)
    theirs = (
        (Scope(("employer-1",)), ["employee-1", "employee-2"]),
        (Scope(("employer-2",), "employee-3"), ["employee-3"]),
    )
    ended = Counter[str]()

    async def visit(number: int) -> None:
        scope, own = theirs[number % 2]
        async with gate:
            request = asyncio.create_task(seen_by(engine, scope))
            if number % 4 < 2:
                for _ in range(chance.randrange(80)):
                    await asyncio.sleep(0)
                request.cancel()
            try:
                assert await request == own
            except asyncio.CancelledError:
                ended["cancelled"] += 1
            else:
                ended["whole"] += 1

    await asyncio.gather(*(visit(number) for number in range(1_000)))
    assert ended["cancelled"] > 100, ended
    assert ended["whole"] >= 500, ended
    inherited = await asyncio.gather(*(_settings_of_next_user(engine) for _ in range(30)))
    assert set(inherited) == {("", "")}
    await engine.dispose()
    async with roles.raw(roles.database.superuser_url) as connection:
        left = await connection.fetch(
            "SELECT state, query FROM pg_stat_activity"
            " WHERE application_name = 'storm' AND state LIKE 'idle in transaction%'"
        )
    assert left == []


async def test_copied_rows_land_in_a_table_of_the_transactions_own(roles: Roles) -> None:
    async with transaction(roles.worker) as conn:
        await conn.execute(
            text("CREATE TEMP TABLE incoming (employee_id text, employer_id text) ON COMMIT DROP")
        )
        rows = [(f"employee-{n}", "employer-3") for n in range(10, 15)]
        await copy_rows(conn, "incoming", ["employee_id", "employer_id"], rows)
        await conn.execute(
            text("INSERT INTO employees (employee_id, employer_id) SELECT * FROM incoming")
        )
    assert len(await seen_by(roles.api, Scope(("employer-3",)))) == 5


async def test_an_error_does_not_quote_the_values_it_met(roles: Roles) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with transaction(roles.worker) as conn:
            await conn.execute(
                text("INSERT INTO employers (employer_id, version, staff) VALUES (:a, 1, NULL)"),
                {"a": "王小明"},
            )
    assert "parameters: " not in str(failed.value)
