"""Make each service's database and its three roles: by command, or called by the supervisor."""

import argparse
import asyncio
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg

SERVICES = (
    "payroll_svc",
    "contribution_svc",
    "bureau_sync_svc",
    "reconciliation_svc",
    "ticket_svc",
    "notify_svc",
    "portal_svc",
)
"""The seven packages in the order of design.md section 2; each is its database's name too."""

ROLE_KINDS = ("owner", "api", "worker")
LOCK_KEY = 7_240_510
"""Two makers at once would both try to create a role: the advisory lock lets one wait."""


@dataclass(frozen=True)
class DatabaseUrls:
    """A service's addresses, `postgresql+asyncpg://…`; the owner's is for migrations alone."""

    owner: str
    api: str
    worker: str


def read_passwords(path: Path, roles: Sequence[str]) -> dict[str, str]:
    """Passwords by role from a file that only its owner may read, made for roles it lacks."""
    passwords: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    for role in roles:
        passwords.setdefault(role, secrets.token_urlsafe(24))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(passwords, indent=1, sort_keys=True))
    unfinished.replace(path)
    return passwords


def service_roles(package: str) -> list[str]:
    """`<package>_owner`, `_api`, `_worker`."""
    return [f"{package}_{kind}" for kind in ROLE_KINDS]


def urls(
    superuser_url: str, package: str, passwords: dict[str, str], database: str = ""
) -> DatabaseUrls:
    """The addresses of `package`'s roles on the superuser's server."""
    return DatabaseUrls(
        *(
            url(superuser_url, role, passwords[role], database or package)
            for role in service_roles(package)
        )
    )


def url(superuser_url: str, role: str, password: str, database: str) -> str:
    """A role's address of one database, for SQLAlchemy."""
    server = urlsplit(superuser_url)
    where = f"{server.hostname}:{server.port or 5432}/{quote(database)}"
    return f"postgresql+asyncpg://{quote(role)}:{quote(password)}@{where}"


async def create_all(superuser_url: str, passwords: dict[str, str], *, sandbox: bool) -> None:
    """Create what is missing, and set the passwords and rights of what is there: idempotent.

    Each role can open its own database alone; none owns tables of another, none may pass by
    row security.
    """
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        for package in SERVICES:
            roles = service_roles(package)
            for role in roles:
                await create_role(connection, role, passwords[role])
            await create_database(connection, package, roles)
        if sandbox:
            await create_role(connection, "sandbox", passwords["sandbox"])
            await create_database(connection, "sandbox", ["sandbox"])
    finally:
        await connection.close()


async def create_role(connection: asyncpg.Connection, role: str, password: str) -> None:
    """A login role without any privilege of the cluster."""
    exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if exists else "CREATE"
    # Utility statements take no parameters, so the server does the quoting.
    quoted = await connection.fetchval("SELECT quote_literal($1::text)", password)
    await connection.execute(
        f'{verb} ROLE "{role}" LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE'
        f" NOREPLICATION NOBYPASSRLS PASSWORD {quoted}"
    )


async def create_database(
    connection: asyncpg.Connection, database: str, roles: Sequence[str], template: str = "template1"
) -> None:
    """A database owned by the first role; only the named roles may connect."""
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
        await connection.execute(
            f'CREATE DATABASE "{database}" OWNER "{roles[0]}" TEMPLATE "{template}"'
        )
    await connection.execute(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{database}" FROM PUBLIC')
    for role in roles:
        # TEMPORARY too: COPY into a protected table is refused, so bulk writes copy to one first.
        await connection.execute(f'GRANT CONNECT, TEMPORARY ON DATABASE "{database}" TO "{role}"')


def main() -> None:
    """`python -m deploy.databases --passwords FILE`; the superuser's address is POSTGRES_URL."""
    parser = argparse.ArgumentParser(prog="python -m deploy.databases", description=__doc__)
    parser.add_argument(
        "--passwords", type=Path, required=True, help="file to keep them in, mode 600"
    )
    parser.add_argument("--sandbox", action="store_true", help="also the sandbox's own database")
    chosen = parser.parse_args()
    roles = [role for package in SERVICES for role in service_roles(package)]
    passwords = read_passwords(chosen.passwords, [*roles, "sandbox"] if chosen.sandbox else roles)
    asyncio.run(create_all(os.environ["POSTGRES_URL"], passwords, sandbox=chosen.sandbox))


if __name__ == "__main__":
    main()
