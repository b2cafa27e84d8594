"""Every setting of notify-svc, with its bounds."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, field_validator

from shared.sealed import RootKeyUnusable, Sealer
from shared.serve import ServiceSettings


class MailTls(StrEnum):
    """When mail travels encrypted: whenever the server offers it, always, or never (a test's own
    server).
    """

    OFFERED = "offered"
    REQUIRED = "required"
    NEVER = "never"


class Settings(ServiceSettings):
    """Without SMTP_HOST there is no e-mail, and every message is in the inbox all the same."""

    root_key_file: Path = Field(description="Root keys that open identities, mode 600.")
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_timeout_seconds: float = Field(default=20, ge=1, le=120)
    smtp_tls: MailTls = MailTls.OFFERED
    mail_from: str = Field(default="daozhang@localhost", pattern=r"^[^@\s]+@[^@\s]+$")

    @field_validator("root_key_file")
    @classmethod
    def _opens(cls, path: Path) -> Path:
        """A key that cannot be used stops the service at start, not at the first message."""
        try:
            Sealer.from_file(path)
        except RootKeyUnusable as error:
            raise ValueError(str(error)) from None
        return path
