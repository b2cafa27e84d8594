"""What runs in the embedded profile: each part's command, settings and readiness address."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy import databases
from deploy.embedded.credentials import Credentials
from deploy.embedded.layout import SERVICE_NAMES, Layout


@dataclass(frozen=True)
class Party:
    """An outside party of bureau-sync-svc, as the sandbox plays it."""

    code: str
    kind: str


PARTIES = (
    Party("tax-990100", "collector"),
    Party("tax-990200", "collector"),
    Party("hrss-990100", "authority"),
    Party("medical-990100", "authority"),
    Party("hrss-990200", "authority"),
    Party("medical-990200", "authority"),
)
PORT_OF_KIND = {"collector": "collector", "authority": "authorities"}
KEY_ID = "daozhang"
HOLDS_IDENTITIES = ("payroll", "bureau-sync", "notify", "portal")
"""The four services that may open sealed identities get the root key; no other does."""
INDEXES_NUMBERS = ("payroll", "bureau-sync")
"""Those that look a person up by an identity number."""
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
"""All that a service sees of our own environment: its settings are those listed here."""


@dataclass(frozen=True)
class Part:
    """A program of ours: how to prepare it, how to run it, and where it says that it is ready."""

    name: str
    serve: tuple[str, ...]
    env: dict[str, str]
    ready_url: str
    outside: bool = False
    """A party that is not ours: it stops after those who talk to it."""
    migrate: tuple[str, ...] = ()
    migrate_env: dict[str, str] = field(default_factory=dict)
    recover: tuple[str, ...] = ()


def build_parts(
    layout: Layout,
    credentials: Credentials,
    *,
    superuser_url: str,
    kafka_bootstrap: str,
    extra_env: Mapping[str, str],
    serve_prefix: Sequence[str] = (),
) -> list[Part]:
    """The sandbox and the seven services, with the secrets that each may know.

    `serve_prefix` goes before each service's serve command.
    """
    common = _common_env(layout, kafka_bootstrap) | dict(extra_env)
    services = [
        _service(name, layout, credentials, superuser_url, common) for name in SERVICE_NAMES
    ]
    services = [replace(one, serve=(*serve_prefix, *one.serve)) for one in services]
    return [_sandbox(layout, credentials, superuser_url, common), *services]


def _common_env(layout: Layout, kafka_bootstrap: str) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed_on | {
        "PYTHONUNBUFFERED": "1",
        "PROFILE": "sandbox",
        "CLOCK": "sandbox",
        "LOG_LEVEL": "INFO",
        "KAFKA_BOOTSTRAP": kafka_bootstrap,
        "OIDC_ISSUER": layout.sandbox_url("oidc"),
        "OIDC_AUDIENCE": "daozhang",
    }


def _service(
    name: str, layout: Layout, credentials: Credentials, superuser_url: str, common: dict[str, str]
) -> Part:
    package = name.replace("-", "_") + "_svc"
    urls = databases.urls(superuser_url, package, credentials.passwords)
    env = common | {
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(layout.services[name]),
        "DATABASE_API_URL": urls.api,
        "DATABASE_WORKER_URL": urls.worker,
    }
    if name in HOLDS_IDENTITIES:
        env["ROOT_KEY_FILE"] = credentials.file("root.key")
    if name in INDEXES_NUMBERS:
        env["INDEX_KEY_FILE"] = credentials.file("index.key")
    env |= _own_settings(name, layout, credentials)
    command = _command(f"{name}-svc")
    return Part(
        name=f"{name}-svc",
        serve=(command, "serve"),
        env=env,
        ready_url=layout.service_url(name) + "/readyz",
        migrate=(command, "migrate"),
        recover=(command, "recover"),
        # The owner may change tables, so only the migration knows its password.
        migrate_env=env | {"DATABASE_OWNER_URL": urls.owner},
    )


def _own_settings(name: str, layout: Layout, credentials: Credentials) -> dict[str, str]:
    """What only this service needs to know."""
    if name == "contribution":
        return {
            "BANK_URL": layout.sandbox_url("bank"),
            "BANK_KEY_ID": KEY_ID,
            "BANK_SECRET_FILE": credentials.file("bank.secret"),
            "BANK_WEBHOOK_SECRET_FILE": credentials.file("webhook.secret"),
        }
    if name == "bureau-sync":
        return {"BUREAU_CONNECTIONS_FILE": _write_connections(layout, credentials)}
    if name == "notify":
        return {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(layout.sandbox["smtp"]),
            "MAIL_FROM": "no-reply@daozhang.example",
        }
    if name == "portal":
        others = (other for other in SERVICE_NAMES if other != "portal")
        return {f"{o.replace('-', '_').upper()}_URL": layout.service_url(o) for o in others}
    return {}


def _write_connections(layout: Layout, credentials: Credentials) -> str:
    connections = [
        {
            "party": party.code,
            "kind": party.kind,
            "url": f"{layout.sandbox_url(PORT_OF_KIND[party.kind])}/{party.code}",
            "key_id": KEY_ID,
            "secret_file": credentials.file("bureau.secret"),
        }
        for party in PARTIES
    ]
    return credentials.write("bureau-connections.json", connections)


def _sandbox(
    layout: Layout, credentials: Credentials, superuser_url: str, common: dict[str, str]
) -> Part:
    ports = {f"SANDBOX_PORT_{name.upper()}": str(port) for name, port in layout.sandbox.items()}
    password = credentials.passwords["sandbox"]
    env = ports | {
        "SANDBOX_HOST": "127.0.0.1",
        "SANDBOX_DATABASE_URL": databases.url(superuser_url, "sandbox", password, "sandbox"),
        "SANDBOX_OIDC_ISSUER": common["OIDC_ISSUER"],
        "SANDBOX_LOG_LEVEL": common["LOG_LEVEL"],
        "SANDBOX_BANK_KEY_ID": KEY_ID,
        "SANDBOX_BUREAU_KEY_ID": KEY_ID,
        "SANDBOX_BANK_SECRET_FILE": credentials.file("bank.secret"),
        "SANDBOX_WEBHOOK_SECRET_FILE": credentials.file("webhook.secret"),
        "SANDBOX_BUREAU_SECRET_FILE": credentials.file("bureau.secret"),
        "SANDBOX_WEBHOOK_URL": layout.service_url("contribution") + "/api/v1/webhooks/bank",
    }
    return Part(
        name="sandbox",
        serve=(_command("sandbox"), "serve"),
        env=common | env,
        ready_url=layout.sandbox_url("control") + "/readyz",
        outside=True,
    )


def _command(name: str) -> str:
    """A console script of the environment that we run in."""
    return str(Path(sys.executable).with_name(name))
