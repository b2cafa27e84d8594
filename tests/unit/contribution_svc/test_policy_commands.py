"""`policy sign` makes what installations that hold its key take in."""

from pathlib import Path

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner, Result

from contribution_svc.commands import add_commands
from contribution_svc.policy.bundle import opened, read_keys
from tests.support.packs import AFTER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "990200.yaml").write_text(AFTER)
    return tmp_path


def sign(folder: Path, *packs: str) -> Result:
    cli = typer.Typer()
    add_commands(cli, lambda _: None)
    options = {"--key": "key.pem", "--out": "bundle.json"}
    files = [word for name, file in options.items() for word in (name, str(folder / file))]
    named = ["--key-id", "publisher-2026", "--sequence", "7"]
    signed = [str(folder / pack) for pack in packs or ("990200.yaml",)]
    return CliRunner().invoke(cli, ["policy", "sign", *signed, *files, *named])


def test_what_is_signed_is_believed_by_the_line_that_is_printed(folder: Path) -> None:
    done = sign(folder)
    assert done.exit_code == 0, done.output
    (folder / "keys").write_text(done.stdout)
    bundle = opened((folder / "bundle.json").read_bytes(), read_keys(folder / "keys"))
    assert (bundle.sequence, list(bundle.packs)) == (7, ["990200.yaml"])


def test_a_broken_pack_is_not_signed(folder: Path) -> None:
    (folder / "990200.yaml").write_text(AFTER.replace("value: '9'", "value: '90'"))
    done = sign(folder)
    assert (done.exit_code, "990200.yaml:" in done.output) == (1, True)
    assert not (folder / "bundle.json").exists()


def test_what_no_installation_would_take_is_not_signed(folder: Path) -> None:
    (folder / "other").mkdir()
    for name in ("Shanghai.yaml", "other/990200.yaml"):
        (folder / name).write_text(AFTER)
    done = sign(folder, "Shanghai.yaml")
    assert (done.exit_code, "no name of a pack" in done.output) == (1, True)
    done = sign(folder, "990200.yaml", "other/990200.yaml")
    assert (done.exit_code, "one name" in done.output) == (1, True)
    assert not (folder / "bundle.json").exists()
