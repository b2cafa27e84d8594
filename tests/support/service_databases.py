"""A migrated template database per service, cloned for each test that commits."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from deploy import databases
from deploy.databases import DatabaseUrls

PASSWORD = "for-tests-only"
"""Roles belong to the whole server: equal passwords let two sessions share them."""


@dataclass(frozen=True)
class ServiceDatabase:
    """One clone: its name, three roles' addresses for SQLAlchemy, the superuser's for asyncpg."""

    name: str
    owner_url: str
    api_url: str
    worker_url: str
    superuser_url: str


class ServiceDatabases:
    """Makes templates at first use and clones them; drops only what it made."""

    def __init__(self, superuser_url: str) -> None:
        self._superuser_url = superuser_url
        self._session = secrets.token_hex(4)
        self._templates: dict[str, str] = {}
        self._clones = 0

    @asynccontextmanager
    async def clone(self, package: str) -> AsyncIterator[ServiceDatabase]:
        """A fresh migrated database of `package`, dropped at the end."""
        template = self._templates.get(package) or await self._make_template(package)
        self._clones += 1
        name = f"{package}_{self._session}_{self._clones}"
        await self._create(name, package, template)
        try:
            yield self._addresses(package, name)
        finally:
            await self._drop(name)

    @asynccontextmanager
    async def empty(self, package: str) -> AsyncIterator[ServiceDatabase]:
        """A database of `package` without tables, for tests of the migrations themselves."""
        self._clones += 1
        name = f"{package}_{self._session}_{self._clones}"
        await self._create_roles(package)
        await self._create(name, package, "template1")
        try:
            yield self._addresses(package, name)
        finally:
            await self._drop(name)

    async def drop_templates(self) -> None:
        """The end of the session."""
        for name in self._templates.values():
            await self._drop(name)

    async def _make_template(self, package: str) -> str:
        from shared.migrate import upgrade  # Alembic is slow to import: only when needed

        name = f"{package}_{self._session}_template"
        await self._create_roles(package)
        await self._create(name, package, "template1")
        self._templates[package] = name
        await upgrade(self._addresses(package, name).owner_url, package)
        return name

    async def _create_roles(self, package: str) -> None:
        connection = await asyncpg.connect(self._superuser_url)
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", databases.LOCK_KEY)
            for role in databases.service_roles(package):
                await databases.create_role(connection, role, PASSWORD)
        finally:
            await connection.close()

    async def _create(self, name: str, package: str, template: str) -> None:
        connection = await asyncpg.connect(self._superuser_url)
        try:
            roles = databases.service_roles(package)
            await databases.create_database(connection, name, roles, template)
        finally:
            await connection.close()

    async def _drop(self, name: str) -> None:
        connection = await asyncpg.connect(self._superuser_url)
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    def _addresses(self, package: str, name: str) -> ServiceDatabase:
        passwords = dict.fromkeys(databases.service_roles(package), PASSWORD)
        urls: DatabaseUrls = databases.urls(self._superuser_url, package, passwords, name)
        superuser_url = self._superuser_url.rsplit("/", 1)[0] + "/" + name
        return ServiceDatabase(name, urls.owner, urls.api, urls.worker, superuser_url)
