"""The settings that every service has; each service's settings.py adds its own."""

from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

SettingsT = TypeVar("SettingsT", bound="ServiceSettings")


class Profile(StrEnum):
    """Where the process runs."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"


class ClockSource(StrEnum):
    """Where business time comes from."""

    SYSTEM = "system"
    SANDBOX = "sandbox"


class SettingsRefused(Exception):
    """A setting is missing or wrong; the message names each one."""


class ServiceSettings(BaseSettings):
    """Environment variables of a service, with bounds. Secrets come as files, or in connection
    addresses.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    profile: Profile = Profile.PRODUCTION
    clock: ClockSource = ClockSource.SYSTEM
    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=1, le=65535)
    database_api_url: SecretStr
    database_worker_url: SecretStr
    database_owner_url: SecretStr | None = None
    database_pool: int = Field(default=5, ge=2, le=50)
    http_in_flight: int = Field(default=200, ge=1, le=10_000)
    """Requests answered at the same time; with a pool of five, two hundred are a wait of about
    half a second. More are told to come again."""
    ready_behind_seconds: int = Field(default=60, ge=1, le=86_400)
    """Events applied later than this after they were told: what people read is stale."""
    kafka_bootstrap: str = Field(pattern=r"^[^\s,]+:\d{1,5}(,[^\s,]+:\d{1,5})*$")
    oidc_issuer: str = Field(pattern=r"^https?://[^\s/]+")
    oidc_audience: str = "daozhang"
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @field_validator("database_api_url", "database_worker_url", "database_owner_url")
    @classmethod
    def _is_an_address(cls, address: SecretStr | None) -> SecretStr | None:
        expected = "expected postgresql+asyncpg://role:password@host:port/database"
        try:
            driver = make_url(address.get_secret_value()).drivername if address is not None else ""
        except (ArgumentError, ValueError):
            raise ValueError(expected) from None  # the first error may quote the password
        if driver not in ("", "postgresql+asyncpg"):
            raise ValueError(expected)
        return address

    @model_validator(mode="after")
    def _sandbox_clock_needs_the_sandbox(self) -> "ServiceSettings":
        if self.clock is ClockSource.SANDBOX and self.profile is Profile.PRODUCTION:
            raise ValueError(
                "CLOCK=sandbox is refused with PROFILE=production: business time would stand still"
            )
        return self


def load(kind: type[SettingsT]) -> SettingsT:
    """Reads the environment; SettingsRefused names every setting that is missing or wrong, without
    its value.
    """
    try:
        return kind()  # type: ignore[call-arg]  # the environment gives them
    except ValidationError as error:
        lines = []
        for fault in error.errors(include_input=False, include_url=False):
            # A rule over several settings has no place; its message names them.
            name = str(fault["loc"][0]).upper() + ": " if fault["loc"] else ""
            lines.append(f"{name}{fault['msg']}")
        raise SettingsRefused("; ".join(lines)) from None
    except SettingsError as error:
        raise SettingsRefused(str(error)) from None


def secret_from(path: Path, setting: str) -> str:
    """A secret's text from its file; SettingsRefused with the setting's name if there is none."""
    try:
        secret = path.read_text().strip()
    except OSError as error:
        raise SettingsRefused(f"{setting}: {path} cannot be read: {error.strerror}") from None
    if not secret:
        raise SettingsRefused(f"{setting}: {path} is empty")
    return secret
