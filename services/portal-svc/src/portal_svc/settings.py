"""Every environment variable of portal-svc."""

from pathlib import Path

from pydantic import Field, HttpUrl, field_validator

from shared.sealed import RootKeyUnusable, Sealer
from shared.serve import ServiceSettings


class PortalSettings(ServiceSettings):
    """What portal-svc needs beside what every service has."""

    ticket_url: HttpUrl = Field(description="Base address of ticket-svc, which owns feedback.")
    root_key_file: Path = Field(description="Root keys that open sealed identities, mode 600.")
    owner_timeout_seconds: int = Field(
        default=10, ge=1, le=60, description="How long a person waits for the owning service."
    )

    @field_validator("root_key_file")
    @classmethod
    def _opens(cls, path: Path) -> Path:
        # A wrong key file must stop the start, not the first page that shows a name.
        try:
            Sealer.from_file(path)
        except RootKeyUnusable as error:
            raise ValueError(str(error)) from None
        return path
