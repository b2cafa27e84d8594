"""Databases and roles on a real server: each role opens its own database and no other."""

import stat
from pathlib import Path

import asyncpg
import pytest

from deploy import databases
from tests.support.service_databases import PASSWORD

ROLES = [role for package in databases.SERVICES for role in databases.service_roles(package)]
PASSWORDS = dict.fromkeys([*ROLES, "sandbox"], PASSWORD)


@pytest.fixture
async def server(postgres_url: str) -> str:
    """A server on which everything was created twice: the second time changes nothing."""
    await databases.create_all(postgres_url, PASSWORDS, sandbox=True)
    await databases.create_all(postgres_url, PASSWORDS, sandbox=True)
    return postgres_url


def address(server: str, role: str, database: str) -> str:
    return databases.url(server, role, PASSWORD, database).replace("+asyncpg", "")


@pytest.mark.parametrize("role", databases.service_roles("ticket_svc"))
async def test_a_role_opens_its_own_database(server: str, role: str) -> None:
    connection = await asyncpg.connect(address(server, role, "ticket_svc"))
    await connection.close()


@pytest.mark.parametrize("role", ["ticket_svc_owner", "ticket_svc_api", "ticket_svc_worker"])
async def test_a_role_opens_no_other_database(server: str, role: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(address(server, role, "payroll_svc"))


async def test_no_role_passes_by_row_security(server: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        privileged = await connection.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY($1)"
            " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)",
            list(PASSWORDS),
        )
    finally:
        await connection.close()
    assert privileged == []


async def test_api_and_worker_own_nothing(server: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        owners = await connection.fetch(
            "SELECT datname, pg_get_userbyid(datdba) AS owner FROM pg_database"
            " WHERE datname = ANY($1) ORDER BY datname",
            list(databases.SERVICES),
        )
    finally:
        await connection.close()
    assert {row["datname"]: row["owner"] for row in owners} == {
        package: f"{package}_owner" for package in databases.SERVICES
    }


def test_passwords_are_made_once_and_for_our_eyes_only(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"

    first = databases.read_passwords(path, ["a", "b"])
    second = databases.read_passwords(path, ["a", "b", "c"])

    assert {role: second[role] for role in first} == first
    assert len(set(second.values())) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
