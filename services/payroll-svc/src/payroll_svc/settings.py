"""Every environment variable of payroll-svc, with its bounds."""

from pathlib import Path

from pydantic import Field, field_validator

from shared.sealed import BlindIndex, RootKeyUnusable, Sealer
from shared.serve import ServiceSettings


class PayrollSettings(ServiceSettings):
    """What payroll-svc needs beside what every service has."""

    root_key_file: Path = Field(description="Root keys that seal identities, mode 600.")

    index_key_file: Path = Field(description="Key of the blind index of numbers, mode 600.")
    identity_kept_months: int = Field(
        default=24,
        ge=0,
        le=120,
        description="How long after leaving an identity must be kept: 劳动合同法 art. 50 says two"
        " years, 工资支付暂行规定 art. 6 two years for the names on payrolls.",
    )

    @field_validator("root_key_file")
    @classmethod
    def _usable(cls, path: Path) -> Path:
        # A wrong key file must stop the start, not the first roster.
        try:
            Sealer.from_file(path)
        except RootKeyUnusable as error:
            raise ValueError(str(error)) from None
        return path

    @field_validator("index_key_file")
    @classmethod
    def _usable_index(cls, path: Path) -> Path:
        try:
            BlindIndex.from_file(path)
        except RootKeyUnusable as error:
            raise ValueError(str(error)) from None
        return path
