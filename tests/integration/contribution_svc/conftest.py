"""The fixture of a whole service beside a bank and an issuer, all real."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from contribution_svc.main import build
from contribution_svc.settings import Settings
from shared import db
from shared.clock import FixedClock
from shared.serve import Parts, SignIn, make_app
from tests.integration.contribution_svc.bank import KEY_ID, SECRET, Bank, banking
from tests.integration.contribution_svc.month import WEBHOOK_SECRET, Month, china
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


@asynccontextmanager
async def service(
    database: ServiceDatabase,
    signing: Issuer,
    bank: Bank,
    tmp_path: Path,
    at: str,
    policy_dir: Path | None = None,
) -> AsyncIterator[Month]:
    """The service on this database, at this time and with these packs."""
    secret, webhook_secret = tmp_path / "bank.secret", tmp_path / "webhook.secret"
    secret.write_text(SECRET)
    webhook_secret.write_text(WEBHOOK_SECRET)
    settings = Settings(
        http_port=1,
        database_api_url=SecretStr(database.api_url),
        database_worker_url=SecretStr(database.worker_url),
        kafka_bootstrap="none:1",
        oidc_issuer=signing.url,
        bank_url=bank.url,
        bank_key_id=KEY_ID,
        bank_secret_file=secret,
        bank_webhook_secret_file=webhook_secret,
        policy_dir=policy_dir,
    )
    clock = FixedClock(china(at))
    api = db.connect(database.api_url, "contribution-svc")
    worker = db.connect(database.worker_url, "contribution-svc")
    parts = Parts(settings, api, worker, clock)
    wiring = build(parts)
    app = make_app("contribution-svc", "", wiring.routers, SignIn(signing.url, "daozhang"))
    transport = httpx.ASGITransport(app=app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
            yield Month(parts, wiring, clock, http, signing, bank, database.superuser_url)
    finally:
        for close in wiring.closers:
            await close()
        await api.dispose()
        await worker.dispose()


@pytest.fixture
async def month(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    bank: Bank,
    tmp_path: Path,
) -> AsyncIterator[Month]:
    """The service on 20 September 2024, with nothing in it."""
    database = await service_database("contribution_svc")
    async with service(database, signing, bank, tmp_path, "2024-09-20 09:00") as running:
        yield running
