"""Every environment variable of bureau-sync-svc, with its bounds, and the parties that it
reaches.
"""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from shared.sealed import BlindIndex, RootKeyUnusable, Sealer
from shared.serve import ServiceSettings


class Access(BaseModel):
    """How one party is reached, as BUREAU_CONNECTIONS_FILE lists it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    party: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")
    kind: Literal["collector", "authority"]
    url: str = Field(pattern=r"^https?://[^\s?#]+$")
    key_id: str = Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")
    secret_file: Path

    def secret(self) -> bytes:
        """The signing secret, without the line end that an editor leaves; ValueError if there is
        none.
        """
        try:
            secret = self.secret_file.read_bytes().strip()
        except OSError as error:
            raise ValueError(f"{self.secret_file} cannot be read: {error.strerror}") from None
        if not secret:
            raise ValueError(f"{self.secret_file} is empty")
        return secret


def accesses(path: Path) -> tuple[Access, ...]:
    """The parties that a connections file lists, their secrets readable; ValueError saying what is
    wrong with it.
    """
    try:
        listed = TypeAdapter(tuple[Access, ...]).validate_python(json.loads(path.read_bytes()))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        said = "; ".join(f"{'/'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise ValueError(f"{path}: {said}") from None
    except ValueError:
        raise ValueError(f"{path} is not JSON") from None
    names = [access.party for access in listed]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{path} lists {', '.join(twice)} more than once")
    for access in listed:
        access.secret()
    return listed


class BureauSyncSettings(ServiceSettings):
    """What bureau-sync-svc needs beside what every service has."""

    bureau_connections_file: Path = Field(
        description="JSON list of objects with party, kind, url, key_id and secret_file."
    )
    root_key_file: Path = Field(description="Root keys that open sealed identities, mode 600.")
    index_key_file: Path = Field(description="Key of the blind index of numbers, mode 600.")
    # A party that has not answered by then is taken as silent, and asked about later. The leases of
    # the jobs (40 s) are longer than the longest request.
    bureau_timeout_seconds: float = Field(default=20, gt=0, le=30)
    # 10,000 employees with five lines of about 200 bytes, doubled.
    bureau_reply_limit_bytes: int = Field(default=20 << 20, ge=1_024, le=256 << 20)

    @field_validator("bureau_connections_file")
    @classmethod
    def _reaches(cls, path: Path) -> Path:
        # A wrong connections file must stop the start, not the first filing.
        accesses(path)
        return path

    @field_validator("root_key_file")
    @classmethod
    def _opens(cls, path: Path) -> Path:
        try:
            Sealer.from_file(path)
        except RootKeyUnusable as error:
            raise ValueError(str(error)) from None
        return path

    @field_validator("index_key_file")
    @classmethod
    def _indexes(cls, path: Path) -> Path:
        try:
            BlindIndex.from_file(path)
        except RootKeyUnusable as error:
            raise ValueError(str(error)) from None
        return path
