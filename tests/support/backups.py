"""Backups of one service's database, made and restored as operations.md says."""

import asyncio
from pathlib import Path

import asyncpg

from deploy.databases import create_database, service_roles
from deploy.embedded.postgres import binary


async def back_up(postgres_url: str, package: str, file: Path) -> None:
    """`pg_dump` of a running database: one consistent moment, whoever writes meanwhile."""
    file.parent.mkdir(parents=True, exist_ok=True)
    options = ("--format=custom", f"--file={file}", f"--dbname={_of(postgres_url, package)}")
    await _run("pg_dump", *options)


async def drop(postgres_url: str, package: str) -> None:
    """An empty database in place of what is there; its service is stopped."""
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{package}"')
        await create_database(connection, package, service_roles(package))
    finally:
        await connection.close()


async def restore(postgres_url: str, package: str, file: Path) -> None:
    """The database as it was in `file`, in place of what is there; its service is stopped."""
    await drop(postgres_url, package)
    await _run("pg_restore", "--exit-on-error", f"--dbname={_of(postgres_url, package)}", str(file))


def _of(postgres_url: str, package: str) -> str:
    return postgres_url.rpartition("/")[0] + f"/{package}"


async def _run(command: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        str(binary(command)), *arguments, stdout=-1, stderr=-2
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, f"{command}: {out.decode()[-2000:]}"
