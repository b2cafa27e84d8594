"""bureau-sync-svc on a real database, with its collector and its authority as real HTTP servers."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bureau_sync_svc.main import build
from bureau_sync_svc.settings import BureauSyncSettings
from shared import db
from shared.clock import FixedClock
from shared.sealed import Sealer
from shared.serve import Parts, SignIn, make_app
from tests.integration.bureau_sync_svc.party import SECRET, Party, app, served
from tests.integration.bureau_sync_svc.world import AUTHORITY, COLLECTOR, World, china
from tests.support.issuer import Issuer, issuer
from tests.support.service_databases import ServiceDatabase


@pytest.fixture(scope="session")
async def signing() -> AsyncIterator[Issuer]:
    async with issuer() as running:
        yield running


@pytest.fixture
async def world(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    tmp_path: Path,
) -> AsyncIterator[World]:
    """A fresh service over small parties that the test orders about."""
    database = await service_database("bureau_sync_svc")
    parties = {COLLECTOR: Party(), AUTHORITY: Party()}
    async with served(app(parties)) as address:
        urls = {name: f"{address}/{name}" for name in parties}
        settings = settings_of(tmp_path, database, signing, urls, SECRET)
        async with running(settings, signing, parties) as made:
            yield made


@asynccontextmanager
async def running(
    settings: BureauSyncSettings, signing: Issuer, parties: dict[str, Party]
) -> AsyncIterator[World]:
    """The service without its loops: each step is made by the test."""
    clock = FixedClock(china("2024-10-08 09:00"))
    api = db.connect(settings.database_api_url.get_secret_value(), "bureau-sync-svc")
    worker = db.connect(settings.database_worker_url.get_secret_value(), "bureau-sync-svc")
    parts = Parts(settings, api, worker, clock)
    wiring = build(parts)
    application = make_app("bureau-sync-svc", "", wiring.routers, SignIn(signing.url, "daozhang"))
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
        yield World(
            parts,
            wiring,
            clock,
            http,
            signing,
            parties.get(COLLECTOR, Party()),
            parties.get(AUTHORITY, Party()),
            Sealer.from_file(settings.root_key_file),
        )
    for close in wiring.closers:
        await close()
    await api.dispose()
    await worker.dispose()


def settings_of(
    folder: Path,
    database: ServiceDatabase,
    signing: Issuer,
    urls: dict[str, str],
    secret: bytes,
    key_id: str = "bureau-key",
) -> BureauSyncSettings:
    """Settings with the connections to these parties, their files in `folder`."""
    keys, secret_file, listed = (
        folder / "root.keys",
        folder / "bureau.secret",
        folder / "bureaus.json",
    )
    keys.write_text("ab" * 32)
    keys.chmod(0o600)
    index_key = folder / "index.key"
    index_key.write_text("cd" * 32)
    index_key.chmod(0o600)
    secret_file.write_bytes(secret + b"\n")
    entries = [
        {
            "party": name,
            "kind": "collector" if name.startswith("tax-") else "authority",
            "url": url,
            "key_id": key_id,
            "secret_file": str(secret_file),
        }
        for name, url in urls.items()
    ]
    listed.write_text(json.dumps(entries))
    return BureauSyncSettings(
        http_port=1,
        database_api_url=SecretStr(database.api_url),
        database_worker_url=SecretStr(database.worker_url),
        kafka_bootstrap="none:1",
        oidc_issuer=signing.url,
        root_key_file=keys,
        index_key_file=index_key,
        bureau_connections_file=listed,
        bureau_timeout_seconds=0.4,
    )
