"""Settings from the environment: what is missing or wrong is named, without its value."""

from pathlib import Path

import pytest

from shared.serve import ClockSource, Profile, ServiceSettings, SettingsRefused, load, secret_from

GOOD = {
    "HTTP_PORT": "8001",
    "DATABASE_API_URL": "postgresql+asyncpg://payroll_svc_api:geheim@127.0.0.1:5432/payroll_svc",
    "DATABASE_WORKER_URL": "postgresql+asyncpg://payroll_svc_worker:geheim@127.0.0.1/payroll_svc",
    "KAFKA_BOOTSTRAP": "127.0.0.1:9092,127.0.0.1:9093",
    "OIDC_ISSUER": "https://sign-in.example",
}


class ListedSettings(ServiceSettings):
    """A service's own setting that is not plain text."""

    cities: tuple[str, ...] = ()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ServiceSettings.model_fields, "cities"):
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def refused(kind: type[ServiceSettings] = ServiceSettings) -> str:
    with pytest.raises(SettingsRefused) as refusal:
        load(kind)
    return str(refusal.value)


def test_good_settings_are_taken_with_safe_defaults() -> None:
    settings = load(ServiceSettings)
    assert settings.http_port == 8001
    assert settings.http_host == "127.0.0.1", "nothing listens to the world by default"
    assert (settings.profile, settings.clock) == (Profile.PRODUCTION, ClockSource.SYSTEM)


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_setting_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    assert refused() == f"{name}: Field required"


def test_all_missing_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in GOOD:
        monkeypatch.delenv(name)
    assert all(name in refused() for name in GOOD)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "0"),
        ("HTTP_PORT", "65536"),
        ("HTTP_PORT", "eighty"),
        ("DATABASE_POOL", "1"),
        ("DATABASE_API_URL", "nonsense-geheim"),
        ("DATABASE_API_URL", ""),
        ("DATABASE_WORKER_URL", "postgresql://role:geheim@127.0.0.1/payroll_svc"),
        ("DATABASE_WORKER_URL", "postgresql+asyncpg://role:geheim@127.0.0.1:port/payroll_svc"),
        ("DATABASE_OWNER_URL", "sqlite:///geheim"),
        ("KAFKA_BOOTSTRAP", "no-port"),
        ("KAFKA_BOOTSTRAP", "127.0.0.1:9092,"),
        ("OIDC_ISSUER", "sign-in.example"),
        ("LOG_LEVEL", "LOUD"),
        ("PROFILE", "staging"),
        ("CLOCK", "sundial"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert refused().startswith(f"{name}: ")
    assert "geheim" not in refused()


def test_a_list_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITIES", "990100,990200")
    assert "cities" in refused(ListedSettings)


def test_the_sandbox_clock_is_refused_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOCK", "sandbox")
    assert "CLOCK=sandbox is refused with PROFILE=production" in refused()
    monkeypatch.setenv("PROFILE", "sandbox")
    assert load(ServiceSettings).clock is ClockSource.SANDBOX


def test_secrets_are_not_shown() -> None:
    settings = load(ServiceSettings)
    assert "geheim" not in repr(settings)
    assert "geheim" not in str(settings.model_dump(mode="json"))


def test_a_secret_file_gives_its_text_without_the_line_end(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("geheim\n")
    assert secret_from(path, "BANK_SECRET_FILE") == "geheim"


def test_a_missing_or_empty_secret_file_is_named_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match=r"BANK_SECRET_FILE: .* cannot be read"):
        secret_from(tmp_path / "nowhere", "BANK_SECRET_FILE")
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(SettingsRefused, match=r"BANK_SECRET_FILE: .* is empty"):
        secret_from(empty, "BANK_SECRET_FILE")
