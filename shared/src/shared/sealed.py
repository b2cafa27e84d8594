"""Sealing of personal data: AES-256-GCM with a key per person, which is wrapped by a root key.

A ciphertext is `version byte | 12-byte nonce | ciphertext and tag`, in base64. The associated data
names employer and employee, so that a ciphertext moved to another person's row does not open.
Destroying a person's wrapped key destroys the data. What does not open is logged and counted here,
whoever asked: it is an alarm, not a detail of the caller's.
"""

import base64
import hashlib
import hmac
import json
import logging
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from prometheus_client import Counter

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32

_log = logging.getLogger(__name__)  # shared.logs lies beside this module, and formats these too
_broken_total = Counter(
    "daozhang_seal_broken_total", "Sealed data that did not open for its person", ["reason"]
)


class RootKeyUnusable(Exception):
    """A key file is missing, readable by others, or not 32 bytes of hex per line."""


class SealBroken(Exception):
    """The ciphertext does not open for this employer and employee: moved, altered, or its key is
    gone.
    """

    reason = "altered or moved"


class RootKeyUnknown(SealBroken):
    """The root key that wraps the person's key is not in the file: not yet here, or taken out too
    early. Trying again may help.
    """

    reason = "root key unknown"


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

    @property
    def newest(self) -> str:
        """The id of the root key that wraps from now on."""
        return self._current

    @classmethod
    def from_file(cls, path: Path) -> "Sealer":
        """Root keys as hex, one a line, newest first. The file must not be readable by group or
        others.
        """
        keys = _keys_in(path, "ROOT_KEY_FILE")
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
        try:
            key = self._unwrap(sealed.wrapped_key, sealed.root_key_id, bound)
            opened: dict[str, str] = json.loads(_decrypt(key, sealed.sealed, b"data" + bound))
        except SealBroken as broken:
            _broken_total.labels(broken.reason).inc()
            facts = {"employer_id": employer_id, "employee_id": employee_id, "reason": str(broken)}
            _log.error("seal_broken", extra=facts)
            raise
        return opened

    def rewrap(self, employer_id: str, employee_id: str, sealed: Sealed) -> Sealed:
        """The same data under the same key of the person, which the newest root key wraps now."""
        bound = _bound(employer_id, employee_id)
        key = self._unwrap(sealed.wrapped_key, sealed.root_key_id, bound)
        wrapped_key = _encrypt(self._root_keys[self._current], key, b"key" + bound)
        return replace(sealed, wrapped_key=wrapped_key, root_key_id=self._current)

    def _unwrap(self, wrapped_key: str, root_key_id: str, bound: bytes) -> bytes:
        root = self._root_keys.get(root_key_id)
        if root is None:
            raise RootKeyUnknown(f"root key {root_key_id} is not among the keys in use")
        return _decrypt(root, wrapped_key, b"key" + bound)


class RootKeyFile:
    """The sealer of a root key file that changes while we run: call it for each piece of work.

    A file that has become unusable (half written, its mode wrong) leaves the keys as they were,
    and is logged once.
    """

    def __init__(self, path: Callable[[], Path]) -> None:
        """`path` is asked for at the first use: doors are wired without settings too."""
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._sealer: Sealer | None = None

    def __call__(self) -> Sealer:
        """RootKeyUnusable only when there has never been a usable file."""
        seen = self._state()
        if self._sealer is None or seen != self._seen:
            try:
                self._sealer = Sealer.from_file(self._path())
            except RootKeyUnusable as error:
                if self._sealer is None:
                    raise
                _log.error("root_key_file_unusable", extra={"reason": str(error)})
            self._seen = seen
        return self._sealer

    def _state(self) -> tuple[int, ...]:
        try:
            now = self._path().stat()
        except OSError:
            return ()
        return now.st_ino, now.st_mtime_ns, now.st_size, now.st_mode


class BlindIndex:
    """A keyed hash for look-up by equality, with a key of its own: root keys come and go, and the
    index of a number must not.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def from_file(cls, path: Path) -> "BlindIndex":
        """The key as hex on one line; RootKeyUnusable if it is not that."""
        keys = _keys_in(path, "INDEX_KEY_FILE")
        if len(keys) != 1 or len(keys[0]) != _KEY_BYTES:
            raise RootKeyUnusable(f"INDEX_KEY_FILE {path} must hold one key of {_KEY_BYTES} bytes")
        return cls(keys[0])

    def of(self, employer_id: str, text: str) -> str:
        """The same person at two employers has two different values."""
        message = f"{employer_id}\x1f{text.upper()}".encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()


def _keys_in(path: Path, setting: str) -> list[bytes]:
    try:
        mode = path.stat().st_mode
        lines = path.read_text().split()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise RootKeyUnusable(f"{setting} {path} cannot be read: {reason}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise RootKeyUnusable(f"{setting} {path} is readable by others; set its mode to 600")
    try:
        return [bytes.fromhex(line) for line in lines]
    except ValueError as error:
        raise RootKeyUnusable(f"{setting} {path} must hold hex, one key a line") from error


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
