"""A portal on a real database, with a real issuer and a real stand-in for ticket-svc."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from portal_svc.main import SERVICE
from portal_svc.settings import PortalSettings
from shared import db
from shared.clock import SystemClock
from shared.sealed import Sealer
from shared.serve import Parts, SignIn, make_app
from tests.support.portal import Portal
from tests.support.service_databases import ServiceDatabase
from tests.support.standins import AUDIENCE, Issuer, Recording, issuing, serving

TAKEN = {"ticket_id": "t-1", "number": "T-202410-0001", "joined": True, "reply_due_at": ""}


@pytest.fixture(scope="session")
async def issuer() -> AsyncIterator[Issuer]:
    async with issuing() as running:
        yield running


@pytest.fixture(scope="session")
def root_key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "root.key"
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(32))
    return path


@pytest.fixture
async def portal(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    issuer: Issuer,
    root_key_file: Path,
) -> AsyncIterator[Portal]:
    database = await service_database("portal_svc")
    ticket_svc = Recording(201, TAKEN)
    async with AsyncExitStack() as until_end:
        ticket_url = await until_end.enter_async_context(serving(ticket_svc.app()))
        settings = PortalSettings.model_validate(
            {
                "http_port": 1,
                "database_api_url": database.api_url,
                "database_worker_url": database.worker_url,
                "kafka_bootstrap": "none:1",
                "oidc_issuer": issuer.address,
                "ticket_url": ticket_url,
                "root_key_file": root_key_file,
            }
        )
        api = db.connect(database.api_url, "test")
        worker = db.connect(database.worker_url, "test")
        for engine in (api, worker):
            until_end.push_async_callback(engine.dispose)
        wiring = SERVICE.build(Parts(settings, api, worker, SystemClock()))
        for close in wiring.closers:
            until_end.push_async_callback(close)
        sign_in = SignIn(issuer.address, AUDIENCE)
        app = make_app(SERVICE.name, SERVICE.description, wiring.routers, sign_in)
        http = await until_end.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal")
        )
        sealer = Sealer.from_file(root_key_file)
        yield Portal(worker, http, issuer, ticket_svc, sealer, wiring.handlers)
