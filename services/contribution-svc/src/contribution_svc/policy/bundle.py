"""A signed bundle of packs: one JSON file whose manifest names each pack by its hash, and is signed
by a publisher (Ed25519).

What is signed is the manifest's text, byte for byte: two readers cannot read it in two ways.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from contribution_svc.errors import BundleRefused

FORMAT = "daozhang-policy-bundle/1"
MAX_BUNDLE_BYTES = 16_000_000
"""Some 330 cities with packs of 40 KB; more is something else."""
_MOST_PACKS = 500
_LONGEST_NOTE = 500
_NAME = re.compile(r"[0-9a-z][0-9a-z_-]{0,40}\.yaml")
_KEY_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,60}")

Keys = Mapping[str, Ed25519PublicKey]
"""Publishers' keys by id; several are valid at once, so that one can follow another."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed: `sequence` rises from one bundle to the next; `packs` maps a file's name to
    the sha256 of its text.
    """

    format: str
    sequence: int
    note: str
    packs: dict[str, str]


class _Bundle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: the manifest's text, signatures in base64 by key id, and the packs' texts."""

    manifest: str
    signatures: dict[str, str]
    packs: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose signature and hashes are right: by whose key, and its packs by file name."""

    sequence: int
    note: str
    key_id: str
    sha256: str
    packs: Mapping[str, bytes]


def read_keys(path: Path | None) -> Keys:
    """A key ring: a line `id base64` for each public key of 32 bytes, # for remarks. Without a file
    nobody is believed. BundleRefused names the line that is wrong.
    """
    if path is None:
        return {}
    keys: dict[str, Ed25519PublicKey] = {}
    try:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            words = line.partition("#")[0].split()
            if words:
                key_id, key = _key(words, number)
                if key_id in keys:
                    raise ValueError(f"line {number}: {key_id} stands twice")
                keys[key_id] = key
    except (OSError, ValueError) as error:
        raise BundleRefused(f"the key ring {path} cannot be read: {error}") from None
    return keys


def _key(words: list[str], number: int) -> tuple[str, Ed25519PublicKey]:
    try:
        key_id, encoded = words
        if not _KEY_ID.fullmatch(key_id):
            raise ValueError(f"{key_id!r} is no key id")
        raw = base64.b64decode(encoded, validate=True)
        return key_id, Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise ValueError(f"line {number}: expected `id base64`: {error}") from None


def opened(content: bytes, keys: Keys) -> Bundle:
    """The bundle of a file; BundleRefused with the reason unless a known key has signed it, and
    each pack is what the manifest names.
    """
    if len(content) > MAX_BUNDLE_BYTES:
        raise BundleRefused(f"the bundle has more than {MAX_BUNDLE_BYTES} bytes")
    try:
        bundle = msgspec.json.decode(content, type=_Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleRefused(f"this is no policy bundle: {error}") from None
    key_id = _signer(bundle, keys)
    manifest = _manifest(bundle.manifest)
    packs = {name: text.encode() for name, text in bundle.packs.items()}
    _check_packs(manifest, packs)
    return Bundle(
        sequence=manifest.sequence,
        note=manifest.note,
        key_id=key_id,
        sha256=hashlib.sha256(bundle.manifest.encode()).hexdigest(),
        packs=packs,
    )


def _signer(bundle: _Bundle, keys: Keys) -> str:
    """The known key that signed; one wrong signature of a known key spoils the whole."""
    known = {name: text for name, text in bundle.signatures.items() if name in keys}
    if not known:
        named = ", ".join(sorted(bundle.signatures)) or "nobody"
        raise BundleRefused(f"signed by {named[:200]}, whose key is not in the key ring")
    for key_id, text in known.items():
        try:
            keys[key_id].verify(base64.b64decode(text, validate=True), _signed(bundle.manifest))
        except (InvalidSignature, binascii.Error, ValueError):
            raise BundleRefused(f"the signature of {key_id} is not of this manifest") from None
    return min(known)


def _signed(manifest: str) -> bytes:
    """With its format before it: no other document that a key signs can pass for a manifest."""
    return f"{FORMAT}\n{manifest}".encode()


def _manifest(text: str) -> Manifest:
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise BundleRefused(f"the manifest cannot be read: {error}") from None
    if manifest.format != FORMAT or not 0 < manifest.sequence < 2**53:
        raise BundleRefused(f"expected a manifest of {FORMAT} with a sequence from 1 up")
    if len(manifest.note) > _LONGEST_NOTE or not manifest.note.isprintable():
        raise BundleRefused(f"expected a note of at most {_LONGEST_NOTE} printable characters")
    return manifest


def _check_packs(manifest: Manifest, packs: Mapping[str, bytes]) -> None:
    if not 0 < len(packs) <= _MOST_PACKS or packs.keys() != manifest.packs.keys():
        raise BundleRefused("the bundle does not hold the packs that its manifest names")
    for name, content in packs.items():
        if not _NAME.fullmatch(name):
            raise BundleRefused(f"{name[:60]!r} is no name of a pack, as in 990200.yaml")
        if hashlib.sha256(content).hexdigest() != manifest.packs[name]:
            raise BundleRefused(f"{name} is not what was signed")


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who signs: a key and the id under which installations know it."""

    key_id: str
    key: Ed25519PrivateKey

    @classmethod
    def of(cls, key_id: str, pem: bytes) -> "Publisher":
        """From a private key in PEM, as `openssl genpkey -algorithm ed25519` makes it; ValueError
        if it is another.
        """
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, Ed25519PrivateKey) or not _KEY_ID.fullmatch(key_id):
            raise ValueError("expected an Ed25519 key, and a key id of letters, digits and ._-")
        return cls(key_id, key)

    def ring_line(self) -> str:
        """The line of a key ring that makes installations believe this key."""
        raw = self.key.public_key().public_bytes_raw()
        return f"{self.key_id} {base64.b64encode(raw).decode()}"


def sealed(publisher: Publisher, sequence: int, note: str, packs: Mapping[str, bytes]) -> bytes:
    """The bundle of these packs, signed."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in packs.items()}
    manifest = msgspec.json.encode(
        Manifest(format=FORMAT, sequence=sequence, note=note, packs=hashes), order="sorted"
    ).decode()
    signature = base64.b64encode(publisher.key.sign(_signed(manifest))).decode()
    return msgspec.json.encode(
        _Bundle(
            manifest=manifest,
            signatures={publisher.key_id: signature},
            packs={name: content.decode() for name, content in packs.items()},
        ),
        order="sorted",
    )
