"""A missing or wrong setting, secret or policy stops the service at start, by name."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from contribution_svc.main import build
from contribution_svc.settings import Settings
from shared.clock import SystemClock
from shared.db import connect
from shared.serve import Parts, SettingsRefused, load

GOOD = {
    "HTTP_PORT": "8002",
    "DATABASE_API_URL": "postgresql+asyncpg://nobody",
    "DATABASE_WORKER_URL": "postgresql+asyncpg://nobody",
    "KAFKA_BOOTSTRAP": "localhost:9092",
    "OIDC_ISSUER": "http://issuer",
    "BANK_URL": "http://bank",
    "BANK_KEY_ID": "contribution",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    secret = tmp_path / "secret"
    secret.write_text("whsec_AAAA")
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    for name in ("BANK_SECRET_FILE", "BANK_WEBHOOK_SECRET_FILE"):
        monkeypatch.setenv(name, str(secret))
    return monkeypatch


def test_good_settings_are_taken(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LOG_LEVEL", "INFO")
    assert load(Settings).policy_dir is None


@pytest.mark.parametrize("name", ["BANK_URL", "BANK_KEY_ID", "BANK_SECRET_FILE", "HTTP_PORT"])
def test_a_missing_setting_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(SettingsRefused, match=name):
        load(Settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BANK_URL", "ftp://bank"),
        ("BANK_SECRET_FILE", "/nowhere/secret"),
        ("POLICY_DIR", "/nowhere/policies"),
        ("POLICY_UPDATE_ADDRESS", "http://updates.example/policy.json"),
        ("POLICY_UPDATE_ADDRESS", "https://somebody@updates.example/policy.json"),
        ("POLICY_UPDATE_ADDRESS", "updates/policy.json"),
    ],
)
def test_a_wrong_setting_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsRefused, match=name):
        load(Settings)


def test_an_empty_secret_is_no_secret(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    environment.setenv("BANK_SECRET_FILE", str(tmp_path / "empty"))
    with pytest.raises(SettingsRefused, match=r"BANK_SECRET_FILE: .*is empty"):
        load(Settings)


async def test_a_wrong_policy_stops_the_service_with_its_place(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "990100.yaml").write_text("city: '990100'\n")
    environment.setenv("POLICY_DIR", str(tmp_path))
    settings = load(Settings)
    engine = connect(SecretStr("postgresql+asyncpg://nobody").get_secret_value(), "test")
    with pytest.raises(SettingsRefused, match=r"POLICY_DIR: 990100\.yaml:1:"):
        build(Parts(settings, engine, engine, SystemClock()))


def test_an_update_address_needs_somebody_to_believe(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("POLICY_UPDATE_ADDRESS", "https://updates.example/policy.json")
    with pytest.raises(SettingsRefused, match="POLICY_KEYS_FILE"):
        load(Settings)
    environment.setenv("POLICY_KEYS_FILE", str(tmp_path / "keys"))
    assert load(Settings).policy_update_address == "https://updates.example/policy.json"


async def test_a_broken_key_ring_stops_the_service_with_its_line(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("publisher-2026 AAAA")
    environment.setenv("POLICY_KEYS_FILE", str(tmp_path / "keys"))
    settings = load(Settings)
    engine = connect(SecretStr("postgresql+asyncpg://nobody").get_secret_value(), "test")
    with pytest.raises(SettingsRefused, match=r"POLICY_KEYS_FILE: .*line 1"):
        build(Parts(settings, engine, engine, SystemClock()))
