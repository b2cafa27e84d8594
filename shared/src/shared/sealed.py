"""Sealing of personal data: AES-256-GCM with a key per person, which is wrapped by a root key.

A ciphertext is `version byte | 12-byte nonce | ciphertext and tag`, in base64. The associated data
names employer and employee, so that a ciphertext moved to another person's row does not open.
Destroying a person's wrapped key destroys the data.
"""

import base64
import hashlib
import hmac
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class RootKeyUnusable(Exception):
    """The root key file is missing, readable by others, or not 32 bytes of hex per line."""


class SealBroken(Exception):
    """The ciphertext does not open for this employer and employee: moved, altered, or its key is
    gone.
    """


@dataclass(frozen=True, slots=True)
class Sealed:
    """A person's sealed data, all base64 text; `root_key_id` names the root key that wraps the
    person's key.
    """

    sealed: str
    wrapped_key: str
    root_key_id: str


class Sealer:
    """Seals and opens with a set of root keys; the first one seals, all of them open (rotation)."""

    def __init__(self, root_keys: Mapping[str, bytes]) -> None:
        if not root_keys or any(len(key) != _KEY_BYTES for key in root_keys.values()):
            raise RootKeyUnusable("at least one root key of 32 bytes is needed")
        self._root_keys = dict(root_keys)
        self._current = next(iter(self._root_keys))
        self._index_key = hashlib.sha256(b"blind-index" + self._oldest()).digest()

    def _oldest(self) -> bytes:
        # The blind index must survive a rotation: it hangs on the oldest key, which stays in the
        # file as the last line.
        return list(self._root_keys.values())[-1]

    @classmethod
    def from_file(cls, path: Path) -> "Sealer":
        """Root keys as hex, one a line, newest first. The file must not be readable by group or
        others.
        """
        try:
            mode = path.stat().st_mode
            lines = path.read_text().split()
        except OSError as error:
            raise RootKeyUnusable(
                f"ROOT_KEY_FILE {path} cannot be read: {error.strerror}"
            ) from error
        if stat.S_IMODE(mode) & 0o077:
            raise RootKeyUnusable(
                f"ROOT_KEY_FILE {path} is readable by others; set its mode to 600"
            )
        try:
            keys = [bytes.fromhex(line) for line in lines]
        except ValueError as error:
            raise RootKeyUnusable(f"ROOT_KEY_FILE {path} must hold hex, one key a line") from error
        return cls({hashlib.sha256(key).hexdigest()[:8]: key for key in keys})

    def seal(
        self,
        employer_id: str,
        employee_id: str,
        data: Mapping[str, str],
        wrapped_key: str = "",
        root_key_id: str = "",
    ) -> Sealed:
        """Seals `data`; with the person's existing wrapped key if one is given, a new one
        otherwise.
        """
        bound = _bound(employer_id, employee_id)
        if wrapped_key:
            key = self._unwrap(wrapped_key, root_key_id, bound)
        else:
            key, root_key_id = os.urandom(_KEY_BYTES), self._current
            wrapped_key = _encrypt(self._root_keys[root_key_id], key, b"key" + bound)
        plain = json.dumps(dict(data), ensure_ascii=False, sort_keys=True).encode()
        return Sealed(_encrypt(key, plain, b"data" + bound), wrapped_key, root_key_id)

    def open(self, employer_id: str, employee_id: str, sealed: Sealed) -> dict[str, str]:
        """The sealed object; SealBroken if it is not this person's or the key is gone."""
        bound = _bound(employer_id, employee_id)
        key = self._unwrap(sealed.wrapped_key, sealed.root_key_id, bound)
        opened: dict[str, str] = json.loads(_decrypt(key, sealed.sealed, b"data" + bound))
        return opened

    def blind_index(self, employer_id: str, text: str) -> str:
        """A keyed hash for look-up by equality; the same person at two employers has two different
        values.
        """
        message = f"{employer_id}\x1f{text.upper()}".encode()
        return hmac.new(self._index_key, message, hashlib.sha256).hexdigest()

    def _unwrap(self, wrapped_key: str, root_key_id: str, bound: bytes) -> bytes:
        root = self._root_keys.get(root_key_id)
        if root is None:
            raise SealBroken(f"root key {root_key_id} is not among the keys in use")
        return _decrypt(root, wrapped_key, b"key" + bound)


def _bound(employer_id: str, employee_id: str) -> bytes:
    return f"\x1f{employer_id}\x1f{employee_id}".encode()


def _encrypt(key: bytes, plain: bytes, bound: bytes) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(_VERSION + nonce + AESGCM(key).encrypt(nonce, plain, bound)).decode()


def _decrypt(key: bytes, text: str, bound: bytes) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise SealBroken("the ciphertext is not base64: it was altered or cut") from None
    if raw[:1] != _VERSION:
        raise SealBroken("the ciphertext has a version that this release does not know")
    nonce, body = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, bound)
    except (InvalidTag, ValueError):  # ValueError: too short to hold even a nonce
        raise SealBroken("the ciphertext was altered, or belongs to another person") from None
