"""Passwords and keys of one embedded installation: made once, in files only we may read."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy import databases

OPERATOR = "operator"
"""The one person who can sign in from the start; all others come with an employer."""

KEY_FILES: dict[str, Callable[[], str]] = {
    # Wraps the keys of sealed identities: 32 bytes for AES-256.
    "root.key": lambda: secrets.token_hex(32),
    # Hashes identity numbers for look-up; it outlives every root key.
    "index.key": lambda: secrets.token_hex(32),
    "bank.secret": lambda: secrets.token_hex(32),
    "bureau.secret": lambda: secrets.token_hex(32),
    # The form that Standard Webhooks prescribes.
    "webhook.secret": lambda: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
}


@dataclass(frozen=True)
class Credentials:
    """`passwords` by database role, `postgres` and `sandbox` among them; keys by file name."""

    folder: Path
    passwords: dict[str, str]

    def file(self, name: str) -> str:
        """The path of one of KEY_FILES or of a file written by `write`."""
        return str(self.folder / name)

    def write(self, name: str, content: object) -> str:
        """Keep settings that name secrets beside them, as JSON; the path."""
        _write(self.folder / name, json.dumps(content, indent=1))
        return self.file(name)


def make_credentials(folder: Path) -> Credentials:
    """Read what is there, make what is missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / "root.key").exists() and not (folder / "index.key").exists():
        # Of an installation in which the index hung on the oldest root key: its hashes stay valid.
        oldest = bytes.fromhex((folder / "root.key").read_text().split()[-1])
        _write(folder / "index.key", hashlib.sha256(b"blind-index" + oldest).hexdigest())
    for name, make in KEY_FILES.items():
        if not (folder / name).exists():
            _write(folder / name, make())
    roles = [role for package in databases.SERVICES for role in databases.service_roles(package)]
    names = ["postgres", "sandbox", *roles, OPERATOR]
    return Credentials(folder, databases.read_passwords(folder / "passwords.json", names))


def _write(path: Path, text: str) -> None:
    # Under another name first: a key that was cut short by a kill would never open anything.
    unfinished = path.with_name(path.name + ".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(path)
