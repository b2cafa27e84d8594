"""Engines, transactions and bulk copy: how every service talks to its own PostgreSQL, and to no
other.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection as Connection
from sqlalchemy.ext.asyncio import AsyncEngine as Engine
from sqlalchemy.ext.asyncio import create_async_engine

__all__ = ["Connection", "Engine", "Scope", "connect", "copy_rows", "tenant", "transaction"]

_STATEMENT_TIMEOUT_MS = 60_000
_LOCK_TIMEOUT_MS = 10_000
_IDLE_IN_TRANSACTION_MS = 30_000


class Scope(Protocol):
    """Whose rows a caller may see: their employers', and their own only if `employee_id` is set."""

    @property
    def employer_ids(self) -> tuple[str, ...]: ...

    @property
    def employee_id(self) -> str: ...


def connect(url: str, application: str, pool_size: int = 5) -> Engine:
    """An engine whose every session has bounds on statements, locks and idle transactions.

    `pool_size` connections at most, none beyond: a starved pool must be seen, not hidden.
    """
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=20,
        pool_pre_ping=True,
        # An error's text goes to logs and to the parked table; the values that it met must not.
        hide_parameters=True,
        connect_args={
            "server_settings": {
                "application_name": application,
                "statement_timeout": str(_STATEMENT_TIMEOUT_MS),
                "lock_timeout": str(_LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(_IDLE_IN_TRANSACTION_MS),
                # A plan that was kept from when a table was empty reads all of it for ever after;
                # planning a batch's statement anew costs a few hundredths of what it does.
                "plan_cache_mode": "force_custom_plan",
            },
            "timeout": 10,
        },
    )


@asynccontextmanager
async def transaction(engine: Engine) -> AsyncIterator[Connection]:
    """One transaction, committed at the end or rolled back: for consumers and jobs."""
    async with engine.begin() as conn:
        yield conn


@asynccontextmanager
async def tenant(engine: Engine, scope: Scope) -> AsyncIterator[Connection]:
    """One transaction in which row-level security lets through this scope's rows only.

    The scope is set by an explicit first statement, local to the transaction: never by a pool hook,
    which has leaked settings of a cancelled request into the next one
    (sqlalchemy/sqlalchemy#13381).
    """
    async with engine.begin() as conn:
        await conn.execute(
            text(
                "SELECT set_config('app.employer', :employer, true),"
                " set_config('app.employee', :employee, true)"
            ),
            {"employer": ",".join(scope.employer_ids), "employee": scope.employee_id},
        )
        yield conn


async def copy_rows(
    conn: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Binary COPY into `table`, inside conn's transaction.

    PostgreSQL refuses COPY into a table with row security, so `table` is a temporary one that the
    caller made (ON COMMIT DROP) and then inserts from.
    """
    raw = await conn.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    await driver.copy_records_to_table(table, records=rows, columns=list(columns))
