"""Policy bundles: a known key's signature over exactly these packs, or nothing."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from contribution_svc.errors import BundleRefused
from contribution_svc.policy.bundle import (
    FORMAT,
    MAX_BUNDLE_BYTES,
    Publisher,
    opened,
    read_keys,
    sealed,
)
from tests.support.packs import AFTER

NEW, OLD, STRANGER = (
    Publisher(name, Ed25519PrivateKey.generate()) for name in ("pub-2026", "pub-2024", "stranger")
)
KEYS = {one.key_id: one.key.public_key() for one in (NEW, OLD)}
PACKS = {"990200.yaml": AFTER.encode()}


@pytest.mark.parametrize("publisher", [NEW, OLD])
def test_every_valid_key_is_believed(publisher: Publisher) -> None:
    bundle = opened(sealed(publisher, 7, "2024 年公告", PACKS), KEYS)
    assert (bundle.sequence, bundle.key_id, bundle.note) == (7, publisher.key_id, "2024 年公告")
    assert bundle.packs == PACKS


def test_equal_bundles_have_one_name_and_others_another() -> None:
    assert opened(sealed(NEW, 7, "", PACKS), KEYS).sha256 == (
        opened(sealed(OLD, 7, "", PACKS), KEYS).sha256
    )
    assert opened(sealed(NEW, 8, "", PACKS), KEYS).sha256 != (
        opened(sealed(NEW, 7, "", PACKS), KEYS).sha256
    )


def _manifest(bundle: Any, old: str, new: str) -> None:
    assert old in bundle["manifest"]
    bundle["manifest"] = bundle["manifest"].replace(old, new)


def _resigned(bundle: Any, **changes: Any) -> None:
    """Signed by the right key, and wrong in itself."""
    manifest = {**json.loads(bundle["manifest"]), **changes}
    bundle["manifest"] = json.dumps(manifest)
    signed = f"{FORMAT}\n{bundle['manifest']}".encode()
    bundle["signatures"] = {NEW.key_id: base64.b64encode(NEW.key.sign(signed)).decode()}


def _unprefixed(bundle: Any) -> None:
    signature = NEW.key.sign(bundle["manifest"].encode())
    bundle["signatures"] = {NEW.key_id: base64.b64encode(signature).decode()}


def _named_by_a_path(bundle: Any) -> None:
    hashed = json.loads(bundle["manifest"])["packs"]["990200.yaml"]
    bundle["packs"] = {"../x.yaml": AFTER}
    _resigned(bundle, packs={"../x.yaml": hashed})


ALTERED: list[tuple[str, Callable[[Any], Any], str]] = [
    ("a byte of a pack", lambda b: b["packs"].update({"990200.yaml": AFTER + " "}), "not what"),
    ("a pack more", lambda b: b["packs"].update({"990100.yaml": AFTER}), "does not hold"),
    ("no pack", lambda b: b["packs"].clear(), "does not hold"),
    ("the sequence", lambda b: _manifest(b, '"sequence":7', '"sequence":9'), "signature"),
    ("nobody", lambda b: b["signatures"].clear(), "signed by nobody"),
    ("an unknown key", lambda b: b.update(signatures={"stranger": "AA=="}), "not in the key ring"),
    ("no signature", lambda b: b["signatures"].update({NEW.key_id: "?"}), "signature of pub-2026"),
    (
        "one good and one bad signature",
        lambda b: b["signatures"].update({OLD.key_id: b["signatures"][NEW.key_id]}),
        "signature of pub-2024",
    ),
    ("a signature of something else", _unprefixed, "signature of pub-2026"),
    ("a sequence of zero", lambda b: _resigned(b, sequence=0), "sequence from 1"),
    ("another format", lambda b: _resigned(b, format="x/2"), "expected a manifest"),
    ("more than is known", lambda b: _resigned(b, then="run"), "manifest cannot be read"),
    ("a path for a name", _named_by_a_path, "no name of a pack"),
    ("a note that no database keeps", lambda b: _resigned(b, note="a\0"), "expected a note"),
    ("a note without end", lambda b: _resigned(b, note="x" * 501), "expected a note"),
]


@pytest.mark.parametrize(("alter", "reason"), [c[1:] for c in ALTERED], ids=[c[0] for c in ALTERED])
def test_what_was_altered_is_refused(alter: Callable[[Any], Any], reason: str) -> None:
    bundle = json.loads(sealed(NEW, 7, "", PACKS))
    alter(bundle)
    with pytest.raises(BundleRefused, match=reason):
        opened(json.dumps(bundle).encode(), KEYS)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[" * 100_000, b"\xff", b'{"manifest": 1}', b"x" * (MAX_BUNDLE_BYTES + 1)],
    ids=["nothing", "empty", "deep", "no text", "a number", "too large"],
)
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    with pytest.raises(BundleRefused):
        opened(content, KEYS)


def test_a_key_ring_holds_what_a_publisher_prints(tmp_path: Path) -> None:
    ring = tmp_path / "keys"
    ring.write_text(f"# until 2027\n{OLD.ring_line()}\n\n{NEW.ring_line()} # from 2026\n")
    assert read_keys(ring) == KEYS
    assert read_keys(None) == {}


@pytest.mark.parametrize(
    "text",
    ["pub", "pub AA==", "pub ???", "a/b AA==", f"{OLD.ring_line()}\n{OLD.ring_line()}"],
    ids=["no key", "short", "no base64", "a strange id", "twice"],
)
def test_a_broken_key_ring_names_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(BundleRefused, match=r"key ring .*line \d"):
        read_keys(tmp_path / "keys")


def test_a_publisher_signs_with_a_pem_of_openssl() -> None:
    pem = NEW.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert Publisher.of("pub-2026", pem).ring_line() == NEW.ring_line()
    with pytest.raises(ValueError, match="key id"):
        Publisher.of("pub 2026", pem)
