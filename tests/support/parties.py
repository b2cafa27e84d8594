"""A running sandbox for tests: every party in this process, on free ports, with its own store."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from sandbox import signing
from sandbox.process import Addresses, playing
from sandbox.settings import Settings
from shared.clock import system_now
from tests.support.eventually import eventually

KEYS = {"bank": ("bank-key", b"bank secret"), "bureau": ("bureau-key", b"bureau secret")}
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


class Signing(httpx.Auth):
    """Signs each request as a connector does."""

    requires_request_body = True

    def __init__(self, key_id: str, secret: bytes) -> None:
        self._key_id, self._secret = key_id, secret

    def auth_flow(self, request: httpx.Request) -> Any:
        target = request.url.raw_path.decode()
        request.headers.update(
            signing.headers(
                self._key_id, self._secret, system_now(), request.method, target, request.content
            )
        )
        yield request


@dataclass
class Sandbox:
    """Clients of every party; `control` needs no signature."""

    addresses: Addresses
    settings: Settings
    bank: httpx.AsyncClient
    collector: httpx.AsyncClient
    authorities: httpx.AsyncClient
    oidc: httpx.AsyncClient
    control: httpx.AsyncClient

    async def step(self, at: str) -> None:
        """Business time goes to `at`; returns once all that is due has been done."""
        answer = await self.control.post("/clock", json={"at": at})
        assert answer.status_code == 200, answer.text

        async def quiet() -> bool:
            said = (await self.control.get("/readyz")).json()
            return bool(said["ready"] and said["jobs_due"] == 0)

        await eventually(quiet, every=0.02)

    async def order(self, party: str, kind: str, **order: Any) -> str:
        """A fault; its id."""
        answer = await self.control.post("/faults", json={"party": party, "kind": kind, **order})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["fault_id"])


Start = Callable[..., Awaitable[Sandbox]]
"""Starts a sandbox with settings of its own: what the fixture `start` gives."""


@asynccontextmanager
async def own_database(superuser_url: str) -> AsyncIterator[str]:
    """An empty database for one sandbox, as SQLAlchemy's address."""
    name = f"sandbox_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(superuser_url)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        base = superuser_url.rsplit("/", 1)[0].replace("postgresql://", "postgresql+asyncpg://")
        yield f"{base}/{name}"
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


def settings_of(
    folder: Path, database_url: str, bootstrap: str, clock_topic: str, **more: Any
) -> Settings:
    """Settings on free ports, with secrets in `folder`."""
    written = {
        "bank": KEYS["bank"][1],
        "bureau": KEYS["bureau"][1],
        "webhook": WEBHOOK_SECRET.encode(),
    }
    for name, secret in written.items():
        (folder / f"{name}.secret").write_bytes(secret + b"\n")
    ports = ("bank", "collector", "authorities", "oidc", "control", "smtp")
    return Settings.model_validate(
        {
            **{f"port_{name}": 0 for name in ports},
            **{f"{name}_secret_file": folder / f"{name}.secret" for name in written},
            "database_url": database_url,
            "kafka_bootstrap": bootstrap,
            "clock_topic": clock_topic,
            "bank_key_id": KEYS["bank"][0],
            "bureau_key_id": KEYS["bureau"][0],
            "requests_per_second": 1_000,
            **more,
        }
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Sandbox]:
    """The sandbox with these settings, and clients for its parties."""
    async with playing(settings) as addresses, _clients(addresses) as clients:
        yield Sandbox(addresses, settings, **clients)


@asynccontextmanager
async def _clients(addresses: Addresses) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    keys: Mapping[str, str] = {"bank": "bank", "collector": "bureau", "authorities": "bureau"}
    clients = {
        name: httpx.AsyncClient(
            base_url=getattr(addresses, name),
            auth=Signing(*KEYS[keys[name]]) if name in keys else None,
            timeout=20,
        )
        for name in ("bank", "collector", "authorities", "oidc", "control")
    }
    try:
        yield clients
    finally:
        for client in clients.values():
            await client.aclose()


def line(
    id_no: str = "110101199003070038", insurance: str = "310", **changes: str
) -> dict[str, str]:
    """A declaration's line: medical of 2024-10 on 9,500.00, 760.00 and 190.00."""
    return {
        "AAC002": id_no,
        "AAC003": "小王",
        "AAE140": insurance,
        "AAE003": "202410",
        "AAA115": "10",
        "AAE180": "9500.00",
        "AAE020": "760.00",
        "AAE022": "190.00",
        **changes,
    }


def paid(of: Mapping[str, str]) -> dict[str, str]:
    """The line as paid detail: what was due is what was paid."""
    names = {"AAE020": "AAE080", "AAE022": "AAE082"}
    return {names.get(name, name): text for name, text in of.items()}


def declaration(serial: str, *lines: dict[str, str], account_no: str = "A-1") -> dict[str, Any]:
    """A declaration of 2024-10, to be debited on the 10th."""
    return {
        "serial": serial,
        "AAB001": account_no,
        "AAE003": "202410",
        "debit_on": "20241010",
        "lines": list(lines) or [line()],
    }


def detail(serial: str, *lines: dict[str, str], account_no: str = "A-1") -> dict[str, Any]:
    """The paid detail of 2024-10."""
    return {
        "serial": serial,
        "AAB001": account_no,
        "AAE003": "202410",
        "lines": [paid(one) for one in lines] or [paid(line())],
    }


async def told(sandbox: Sandbox) -> list[tuple[bytes, str]]:
    """Every record on the clock's topic: key and time."""
    partition = TopicPartition(sandbox.settings.clock_topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=sandbox.settings.kafka_bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        records = [await asyncio.wait_for(consumer.getone(), 30) for _ in range(end)]
        return [(record.key, json.loads(record.value)["at"]) for record in records]
    finally:
        await consumer.stop()
