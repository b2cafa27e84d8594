"""reconciliation-svc on a real database, as wired by its main.py, without its process."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from reconciliation_svc.main import SERVICE
from reconciliation_svc.settings import Settings
from shared import db
from shared.clock import FixedClock
from shared.serve import Parts, SignIn, make_app
from tests.support.reconciling import at
from tests.support.reconciling_service import Reconciliation
from tests.support.service_databases import ServiceDatabase
from tests.support.standins import AUDIENCE, Issuer, issuing


@pytest.fixture
async def database(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> ServiceDatabase:
    return await service_database("reconciliation_svc")


@pytest.fixture
async def service(database: ServiceDatabase) -> AsyncIterator[Reconciliation]:
    """The service at 20 September 2024, 09:00 China time, with nothing heard yet."""
    api, worker = db.connect(database.api_url, "test"), db.connect(database.worker_url, "test")
    clock = FixedClock(at(20, "09:00", month=9))
    wiring = SERVICE.build(Parts(Settings.model_construct(), api, worker, clock))
    yield Reconciliation(api, worker, clock, wiring)
    await api.dispose()
    await worker.dispose()


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[Issuer]:
    async with issuing() as made:
        yield made


@pytest.fixture
async def http(service: Reconciliation, issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    """The service's HTTP application, without a token."""
    sign_in = SignIn(issuer.address, AUDIENCE)
    app = make_app(SERVICE.name, SERVICE.description, service.wiring.routers, sign_in)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://reconciliation") as client:
        yield client
