"""Every environment variable of contribution-svc beside those that all services have."""

from pathlib import Path

from pydantic import Field, field_validator, model_validator

from shared.serve import ServiceSettings


class Settings(ServiceSettings):
    """The bank's address and secrets; `policy_dir` replaces the policy packs that ship with the
    service. A file that cannot be read stops the service at start, with the setting's name.

    `policy_update_address`, https or an absolute path, is asked for signed bundles; of whom they
    are believed stands in `policy_keys_file`, a line `id base64` for each public key.
    """

    bank_url: str = Field(pattern="^https?://")
    bank_key_id: str = Field(min_length=1)
    bank_secret_file: Path
    bank_webhook_secret_file: Path
    policy_dir: Path | None = None
    policy_update_address: str = Field(default="", pattern=r"^($|https://[^\s/@]+/\S*$|/\S+$)")
    policy_keys_file: Path | None = None

    @field_validator("bank_secret_file", "bank_webhook_secret_file")
    @classmethod
    def _holds_a_secret(cls, path: Path) -> Path:
        try:
            secret = path.read_text().strip()
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None
        if not secret:
            raise ValueError(f"{path} is empty")
        return path

    @model_validator(mode="after")
    def _updates_need_keys(self) -> "Settings":
        if self.policy_update_address and self.policy_keys_file is None:
            raise ValueError(
                "POLICY_UPDATE_ADDRESS needs POLICY_KEYS_FILE: whose bundles are believed"
            )
        return self

    @field_validator("policy_dir")
    @classmethod
    def _is_a_folder(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_dir():
            raise ValueError(f"{path} is not a folder")
        return path
