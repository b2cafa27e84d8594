"""contribution-svc wired as it is, with no loop running."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from contribution_svc.main import build
from contribution_svc.settings import Settings
from shared import db
from shared.clock import FixedClock
from shared.serve import Parts, SignIn, make_app
from tests.integration.contribution_svc.bank import KEY_ID, SECRET, Bank
from tests.integration.contribution_svc.month import WEBHOOK_SECRET, Month, china
from tests.support.issuer import Issuer
from tests.support.service_databases import ServiceDatabase


@asynccontextmanager
async def running(
    database: ServiceDatabase,
    signing: Issuer,
    bank: Bank,
    folder: Path,
    at: str = "2024-09-20 09:00",
    **settings: Any,
) -> AsyncIterator[Month]:
    """One process of the service on this database, at this business time; its secrets lie in
    `folder`.
    """
    secret, webhook_secret = folder / "bank.secret", folder / "webhook.secret"
    secret.write_text(SECRET)
    webhook_secret.write_text(WEBHOOK_SECRET)
    chosen = Settings(
        http_port=1,
        database_api_url=SecretStr(database.api_url),
        database_worker_url=SecretStr(database.worker_url),
        kafka_bootstrap="none:1",
        oidc_issuer=signing.url,
        bank_url=bank.url,
        bank_key_id=KEY_ID,
        bank_secret_file=secret,
        bank_webhook_secret_file=webhook_secret,
        **settings,
    )
    clock = FixedClock(china(at))
    api = db.connect(database.api_url, "contribution-svc")
    worker = db.connect(database.worker_url, "contribution-svc")
    parts = Parts(chosen, api, worker, clock)
    wiring = build(parts)
    app = make_app("contribution-svc", "", wiring.routers, SignIn(signing.url, "daozhang"))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
        yield Month(parts, wiring, clock, http, signing, bank, database.superuser_url)
    for close in wiring.closers:
        await close()
    await api.dispose()
    await worker.dispose()
