"""Every environment variable of the sandbox, with its bounds, and the parties that it plays."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.clock import CLOCK_TOPIC
from shared.serve import SettingsRefused
from shared.values import Insurance

Port = Annotated[int, Field(ge=0, le=65_535)]
"""0 takes a free port: tests only, since services must know the address."""


class Party(BaseModel):
    """A collector (征收机构) or an authority (经办机构) of one city.

    `insurances` are those that an authority records; `passes_detail` says that a collector hands
    the paid detail to the city's authorities itself, so that the employer only watches.
    """

    party: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")]
    kind: Literal["collector", "authority"]
    city: Annotated[str, Field(pattern=r"^\d{6}$")]
    insurances: tuple[Insurance, ...] = ()
    passes_detail: bool = False


class Settings(BaseSettings):
    """Where the sandbox listens, what it stores in, and the keys that it shares with who
    calls it.
    """

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", extra="ignore", populate_by_name=True)

    host: str = "127.0.0.1"
    # Whoever reaches the control port owns every party: it leaves the loopback only on purpose.
    control_host: str = "127.0.0.1"
    port_bank: Port
    port_collector: Port
    port_authorities: Port
    port_oidc: Port
    port_control: Port
    port_smtp: Port
    database_url: SecretStr
    kafka_bootstrap: Annotated[str, Field(validation_alias="KAFKA_BOOTSTRAP", min_length=3)]
    clock_topic: str = CLOCK_TOPIC
    clock_start: AwareDatetime = datetime(2024, 9, 20, 1, 0, tzinfo=UTC)
    bank_key_id: str
    bank_secret_file: Path
    bureau_key_id: str
    bureau_secret_file: Path
    webhook_secret_file: Path
    webhook_url: str = ""
    parties_file: Path | None = None
    oidc_issuer: str = ""
    oidc_redirects: tuple[str, ...] = ()
    # Generous for a client that spaces its requests, and soon reached by one that does not.
    requests_per_second: Annotated[int, Field(ge=1, le=10_000)] = 20
    # 10,000 employees x 5 lines x about 200 bytes, doubled.
    body_limit_bytes: Annotated[int, Field(ge=1_024, le=256 << 20)] = 20 << 20
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    def parties(self) -> dict[str, Party]:
        """The parties by name; ValueError when two share a name or the file is not a list
        of them.
        """
        text = (
            self.parties_file.read_text()
            if self.parties_file
            else files("sandbox").joinpath("parties.json").read_text()
        )
        listed = TypeAdapter(list[Party]).validate_python(json.loads(text))
        by_name = {party.party: party for party in listed}
        if len(by_name) != len(listed):
            raise ValueError("two parties of the sandbox share a name")
        return by_name


def load() -> Settings:
    """The environment's settings; SettingsRefused names every one that is missing or wrong."""
    try:
        settings = Settings()  # type: ignore[call-arg]  # the environment gives them
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        lines = [f"{_variable(fault['loc'])}: {fault['msg']}" for fault in faults]
        raise SettingsRefused("; ".join(lines)) from None
    try:
        settings.parties()
    except (OSError, ValueError) as error:
        raise SettingsRefused(f"SANDBOX_PARTIES_FILE: {error}") from None
    return settings


def _variable(loc: tuple[int | str, ...]) -> str:
    name = "_".join(str(part) for part in loc).upper()
    return name if name == "KAFKA_BOOTSTRAP" else f"SANDBOX_{name}"
