"""A wrong connections file stops the start, by the setting's name; and the signature of section
D.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from bureau_sync_svc.bureau import signature
from bureau_sync_svc.settings import BureauSyncSettings, accesses
from shared.serve import SettingsRefused, load

ENTRY = {"party": "tax-990100", "kind": "collector", "url": "http://b/x", "key_id": "k"}


def listed(folder: Path, content: Any, written: str = "s") -> Path:
    (folder / "secret").write_text(written)
    path = folder / "bureaus.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def entry(folder: Path, **changes: str) -> dict[str, str]:
    return {**ENTRY, "secret_file": str(folder / "secret"), **changes}


def test_a_good_file(tmp_path: Path) -> None:
    (access,) = accesses(listed(tmp_path, [entry(tmp_path)], "s\n"))
    assert (access.party, access.secret()) == ("tax-990100", b"s")


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    cases: list[tuple[Any, str]] = [
        ("[", "is not JSON"),
        ([ENTRY], "0/secret_file: Field required"),
        ([entry(tmp_path, kind="bank")], "0/kind"),
        ([entry(tmp_path, url="ftp://b")], "0/url"),
        ([entry(tmp_path), entry(tmp_path)], "lists tax-990100 more than once"),
        ([entry(tmp_path, secret_file=str(tmp_path / "none"))], "cannot be read"),
    ]
    for content, reason in cases:
        with pytest.raises(ValueError, match=reason):
            accesses(listed(tmp_path, content))
    with pytest.raises(ValueError, match="is empty"):
        accesses(listed(tmp_path, [entry(tmp_path)], "\n"))


def test_a_service_without_its_files_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "HTTP_PORT": "8001",
        "DATABASE_API_URL": "postgresql+asyncpg://a@h/d",
        "DATABASE_WORKER_URL": "postgresql+asyncpg://w@h/d",
        "KAFKA_BOOTSTRAP": "k:9092",
        "OIDC_ISSUER": "http://issuer",
        "BUREAU_CONNECTIONS_FILE": str(tmp_path / "none.json"),
        "ROOT_KEY_FILE": str(tmp_path / "none.keys"),
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsRefused, match=r"BUREAU_CONNECTIONS_FILE.*ROOT_KEY_FILE"):
        load(BureauSyncSettings)


def test_the_signature_is_the_one_agreed() -> None:
    """An independent reckoning: openssl dgst over the four lines."""
    assert signature(b"secret", "1728352800", "GET", "/tax-990100/declarations/s1?a=b", b"") == (
        "45ce60a36cf48bf39690a2edd0f782f68c2de24d068d83f9fcfdca3a6786ae68"
    )
