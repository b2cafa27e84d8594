"""payroll-svc on a real database, with a real issuer: events in by the consumer's machinery, HTTP
by its app.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from payroll_svc.main import build
from payroll_svc.settings import PayrollSettings
from shared import db
from shared.clock import FixedClock, china_time
from shared.codec import body_of, decode, headers_of
from shared.consumer import Outcome, apply_batch
from shared.contracts import Event
from shared.sealed import Sealer
from shared.serve import Parts, SignIn, Wiring, make_app
from tests.support.issuer import Issuer, issuer
from tests.support.service_databases import ServiceDatabase

USCC = "91110000600037341L"

EMPLOYER: dict[str, Any] = {
    "group_id": "group-1",
    "name": "示例科技有限公司",
    "uscc": USCC,
    "cut_over": "2024-10",
    "payday": 5,
    "accounts": [
        {
            "account_no": "9901000001",
            "city": "990100",
            "city_name": "示例甲市",
            "collector": "tax-990100",
            "bank_account_ref": "BANK-1",
        },
        {
            "account_no": "9902000001",
            "city": "990200",
            "collector": "tax-990200",
            "bank_account_ref": "BANK-2",
        },
    ],
    "departments": [
        {"code": "operations", "name": "运营部"},
        {"code": "sales", "name": "销售部"},
    ],
    "hr_staff": [{"sub": "hr-li", "department_codes": ["operations"]}],
}


@dataclass
class PayrollService:
    """payroll-svc without its loops: each step is made by the test."""

    parts: Parts[PayrollSettings]
    wiring: Wiring
    clock: FixedClock
    http: httpx.AsyncClient
    issuer: Issuer
    sealer: Sealer
    keys: int = 0

    async def hear(self, *events: Event) -> Outcome:
        """One batch of one partition, as Kafka would bring it."""
        return await apply_batch(
            self.parts.worker, self.wiring.handlers, "payroll-svc", [_record(e) for e in events]
        )

    async def told(self, kind: type[Event]) -> list[Any]:
        """Every event of one kind told so far, in order."""
        async with db.transaction(self.parts.worker) as conn:
            rows = list(await conn.execute(text("SELECT * FROM outbox ORDER BY seq")))
        events = [_event(row) for row in rows]
        return [event for event in events if isinstance(event, kind)]

    async def rows(self, statement: str) -> Sequence[Any]:
        async with db.transaction(self.parts.worker) as conn:
            return (await conn.execute(text(statement))).all()

    def operator(self) -> dict[str, str]:
        return self.issuer.headers("operator-1", ["operator"])

    def hr(self, *employer_ids: str, sub: str = "hr-li") -> dict[str, str]:
        return self.issuer.headers(sub, ["hr"], employer_ids=employer_ids)

    def employee(self, employer_id: str, employee_id: str) -> dict[str, str]:
        return self.issuer.headers(
            "someone", ["employee"], employer_ids=[employer_id], employee_id=employee_id
        )

    async def post(
        self, path: str, headers: dict[str, str], key: str = "", **content: Any
    ) -> httpx.Response:
        """A POST with an idempotency key: a new one unless the test gives one."""
        self.keys += 1
        with_key = {**headers, "Idempotency-Key": key or f"key-{self.keys}"}
        return await self.http.post(path, headers=with_key, **content)

    async def create_employer(self, **changes: Any) -> str:
        """The employer's id."""
        answer = await self.post("/employers", self.operator(), json={**EMPLOYER, **changes})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["employer_id"])

    async def upload(
        self, employer_id: str, kind: str, name: str, data: bytes, **form: str
    ) -> httpx.Response:
        return await self.post(
            "/imports",
            self.hr(employer_id),
            data={"kind": kind, "employer_id": employer_id, **form},
            files={"file": (name, data)},
        )

    async def apply(self, employer_id: str, staged: Any, take: str = "whole") -> httpx.Response:
        path = f"/imports/{staged['import_id']}/apply"
        return await self.post(path, self.hr(employer_id), json={"take": take})

    async def take_in(self, employer_id: str, kind: str, name: str, data: bytes) -> Any:
        """Uploads and applies a file that has no faults."""
        staged = await self.upload(employer_id, kind, name, data)
        assert staged.status_code == 201, staged.text
        assert staged.json()["faults"] == []
        applied = await self.apply(employer_id, staged.json())
        assert applied.status_code == 200, applied.text
        return applied.json()


def _record(event: Event) -> Any:
    """The event as the broker hands it over."""
    headers = headers_of(
        str(event.event_id()),
        event.ce_type(),
        "/tests",
        event.aggregate(),
        china_time(date(2024, 9, 25), "06:00"),
        "",
    )
    return SimpleNamespace(
        topic=event.TOPIC,
        partition=0,
        offset=0,
        key=event.key().encode(),
        value=body_of(event),
        headers=headers,
    )


def _event(row: Any) -> Event:
    headers = headers_of(str(row.id), row.type, "/payroll-svc", row.subject, row.ce_time, "")
    body = bytes(row.payload) if row.payload is not None else None
    received = decode(row.aggregatetype, row.aggregateid.encode(), body, headers)
    assert received is not None
    return received.event


@pytest.fixture(scope="session")
async def signing() -> AsyncIterator[Issuer]:
    async with issuer() as running:
        yield running


@pytest.fixture
async def service(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    tmp_path: Path,
) -> AsyncIterator[PayrollService]:
    async with payroll(await service_database("payroll_svc"), signing, tmp_path) as running:
        yield running


@pytest.fixture
async def restored(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    service: PayrollService,
) -> AsyncIterator[PayrollService]:
    """The same service with its keys on a store that has nothing."""
    folder = service.parts.settings.root_key_file.parent
    async with payroll(await service_database("payroll_svc"), signing, folder) as running:
        yield running


@asynccontextmanager
async def payroll(
    database: ServiceDatabase, signing: Issuer, folder: Path
) -> AsyncIterator[PayrollService]:
    keys, index_key = folder / "root.keys", folder / "index.key"
    for file, content in ((keys, "ab" * 32), (index_key, "cd" * 32)):
        file.write_text(content)
        file.chmod(0o600)
    settings = PayrollSettings(
        http_port=1,
        database_api_url=SecretStr(database.api_url),
        database_worker_url=SecretStr(database.worker_url),
        kafka_bootstrap="none:1",
        oidc_issuer=signing.url,
        root_key_file=keys,
        index_key_file=index_key,
    )
    clock = FixedClock(china_time(date(2024, 9, 20), "09:00"))
    api = db.connect(database.api_url, "payroll-svc")
    worker = db.connect(database.worker_url, "payroll-svc")
    parts = Parts(settings, api, worker, clock)
    wiring = build(parts)
    app = make_app("payroll-svc", "", wiring.routers, SignIn(signing.url, "daozhang"))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
        yield PayrollService(
            parts, wiring, clock, http, signing, Sealer.from_file(settings.root_key_file)
        )
    await api.dispose()
    await worker.dispose()
