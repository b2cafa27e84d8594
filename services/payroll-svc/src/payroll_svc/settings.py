"""Every environment variable of payroll-svc, with its bounds."""

from pathlib import Path

from pydantic import Field, field_validator

from shared.sealed import RootKeyUnusable, Sealer
from shared.serve import ServiceSettings


class PayrollSettings(ServiceSettings):
    """What payroll-svc needs beside what every service has."""

    root_key_file: Path = Field(description="Root keys that seal identities, mode 600.")

    @field_validator("root_key_file")
    @classmethod
    def _usable(cls, path: Path) -> Path:
        # A wrong key file must stop the start, not the first roster.
        try:
            Sealer.from_file(path)
        except RootKeyUnusable as error:
            raise ValueError(str(error)) from None
        return path
