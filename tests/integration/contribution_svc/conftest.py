"""The fixture of a whole service beside a bank and an issuer, all real."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.integration.contribution_svc.bank import Bank, banking
from tests.integration.contribution_svc.hefei_months import At, hefei_at
from tests.integration.contribution_svc.month import Month
from tests.integration.contribution_svc.service import running
from tests.support.issuer import Issuer, issuer
from tests.support.service_databases import ServiceDatabase


@pytest.fixture(scope="session")
async def signing() -> AsyncIterator[Issuer]:
    async with issuer() as running:
        yield running


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    async with banking() as running:
        yield running


@pytest.fixture
async def month(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    bank: Bank,
    tmp_path: Path,
) -> AsyncIterator[Month]:
    """The service on 20 September 2024, with nothing in it."""
    database = await service_database("contribution_svc")
    async with running(database, signing, bank, tmp_path) as month:
        yield month


@pytest.fixture
def new_hefei(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    bank: Bank,
    tmp_path: Path,
) -> Callable[[], Awaitable[At]]:
    """Makes the service at a time, with Hefei's pack, always on one new database."""

    async def made() -> At:
        return hefei_at(await service_database("contribution_svc"), signing, bank, tmp_path)

    return made


@pytest.fixture
async def hefei(new_hefei: Callable[[], Awaitable[At]]) -> At:
    return await new_hefei()


@pytest.fixture
async def restored(new_hefei: Callable[[], Awaitable[At]]) -> At:
    """Hefei on a store that was lost."""
    return await new_hefei()
