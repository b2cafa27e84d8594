"""Backup and restore of the services' databases. A backup holds no identities, and so no wrapped
keys; payroll-svc's are backed up apart, kept 35 days at most, and so are forgotten when erased.

The other three that hold copies of identities are told them again after a restore.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from deploy import databases
from deploy.embedded.postgres import binary
from deploy.embedded.processes import PartFailed

_IDENTITIES = ("identities",)
NOT_IN_A_BACKUP: dict[str, tuple[str, ...]] = {
    # A roster that was staged and not applied is uploaded again. Kept files have their keys within;
    # what imports changed has keyed hashes of earlier numbers.
    "payroll_svc": (*_IDENTITIES, "erasures", "staged_rows", "import_files", "import_effects"),
    "bureau_sync_svc": (*_IDENTITIES, "identity_indexes"),
    "notify_svc": _IDENTITIES,
    "portal_svc": _IDENTITIES,
}
"""Tables by database whose rows a backup leaves out."""

_TOLD = "aggregatetype <> 'payroll.identities' OR payload IS NULL"
IN_PART = {
    "outbox": _TOLD,
    "outbox_queue": f"seq IN (SELECT seq FROM outbox WHERE {_TOLD})",  # noqa: S608
    "parked": "topic <> 'payroll.identities'",
    "parked_keys": "topic <> 'payroll.identities'",
}
"""Tables of which a backup holds these rows: an event about an identity has its key within."""

APART = {
    "identities": "true",
    "erasures": "true",
    "outbox": "aggregatetype = 'payroll.identities' AND payload IS NOT NULL",
}
"""What of payroll_svc is backed up apart: the identities, what was told of them, and whose are to
be destroyed again after a restore.
"""

_LOAD_APART = {
    "identities": "INSERT INTO identities SELECT * FROM loaded"
    " WHERE employee_id IN (SELECT employee_id FROM employees)",
    # As if they were still to be done: whoever was restored with these people is told again.
    "erasures": "INSERT INTO erasures SELECT employee_id, employer_id, reason, asked_by, asked_at"
    " FROM loaded",
    # And queued: the three that hold copies are told them again.
    "outbox": "WITH told AS (INSERT INTO outbox (id, aggregatetype, aggregateid, type, family,"
    " subject, version, payload, ce_time, traceparent) SELECT id, aggregatetype, aggregateid, type,"
    " family, subject, version, payload, ce_time, traceparent FROM loaded"
    " WHERE aggregateid IN (SELECT employee_id FROM identities) ORDER BY seq RETURNING seq)"
    " INSERT INTO outbox_queue (seq) SELECT seq FROM told",
}


async def backup(server_url: str, folder: Path) -> None:
    """Every database as `<name>.dump` with `<name>.<table>.copy` beside it, each of one moment."""
    _make(folder)
    for name in databases.SERVICES:
        async with _moment(server_url, name) as connection:
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            left_out = [*NOT_IN_A_BACKUP.get(name, ()), *IN_PART]
            options = [f"--exclude-table-data={table}" for table in left_out]
            # Not compressed: what a backup holds can be searched, and is packed as a whole.
            options += ["--format=custom", "--compress=none", f"--snapshot={snapshot}"]
            await _run("pg_dump", server_url, name, *options, f"--file={folder / name}.dump")
            for table, rows in IN_PART.items():
                await _copy_out(connection, table, rows, folder / f"{name}.{table}.copy")


async def backup_keys(server_url: str, folder: Path) -> None:
    """The identities of payroll-svc as `payroll_svc.<table>.copy`, for a place of its own."""
    _make(folder)
    async with _moment(server_url, "payroll_svc") as connection:
        for table, rows in APART.items():
            await _copy_out(connection, table, rows, folder / f"payroll_svc.{table}.copy")


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


async def restore(server_url: str, passwords: Mapping[str, str], folder: Path, keys: Path) -> None:
    """Replaces every database by the backup in `folder`, with the identities in `keys`, which are
    those of today; the services must be stopped. They tell one another the rest once they run.
    """
    async with _database(server_url, "postgres") as server:
        for name in databases.SERVICES:
            await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await databases.create_all(server_url, dict(passwords), sandbox=False)
    for name in databases.SERVICES:
        await _run("pg_restore", server_url, name, "--exit-on-error", str(folder / f"{name}.dump"))
        async with _database(server_url, name) as connection, connection.transaction():
            for table in IN_PART:
                await connection.copy_to_table(table, source=folder / f"{name}.{table}.copy")
    async with _database(server_url, "payroll_svc") as connection, connection.transaction():
        for table, load in _LOAD_APART.items():
            await connection.execute(f"CREATE TEMPORARY TABLE loaded (LIKE {table})")
            await connection.copy_to_table("loaded", source=keys / f"payroll_svc.{table}.copy")
            await connection.execute(load)
            await connection.execute("DROP TABLE loaded")


@asynccontextmanager
async def _database(server_url: str, name: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server_url.rsplit("/", 1)[0] + "/" + name)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def _moment(server_url: str, name: str) -> AsyncIterator[asyncpg.Connection]:
    """All that is read within is of one moment."""
    async with (
        _database(server_url, name) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def _copy_out(connection: asyncpg.Connection, table: str, rows: str, file: Path) -> None:
    # The folder lets nobody else in.
    query = f"SELECT * FROM {table} WHERE {rows}"  # noqa: S608 - both are constants of ours
    await connection.copy_from_query(query, output=file)


async def _run(program: str, server_url: str, database: str, *options: str) -> None:
    server = urlsplit(server_url)
    where = ["--host", str(server.hostname), "--port", str(server.port or 5432)]
    process = await asyncio.create_subprocess_exec(
        binary(program),
        *(*where, "--username", str(server.username), "--dbname", database, *options),
        env={"PATH": os.environ.get("PATH", ""), "PGPASSWORD": server.password or ""},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode:
        raise PartFailed(f"{program} {database}: {errors.decode(errors='replace')[-2000:]}")
