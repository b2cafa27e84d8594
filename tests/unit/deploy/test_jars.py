"""The lock of Kafka's jars: whatever is not exactly as locked is named."""

from hashlib import sha256
from pathlib import Path

from deploy.embedded.jars import differences


def test_jars_as_locked_have_no_difference(tmp_path: Path) -> None:
    (tmp_path / "a-1.jar").write_bytes(b"a")

    assert differences(tmp_path, {"a-1.jar": sha256(b"a").hexdigest()}) == []


def test_a_changed_a_missing_and_a_foreign_jar_are_named(tmp_path: Path) -> None:
    (tmp_path / "changed-1.jar").write_bytes(b"other")
    (tmp_path / "foreign-1.jar").write_bytes(b"foreign")

    found = differences(tmp_path, {"changed-1.jar": "0" * 64, "missing-1.jar": "0" * 64})

    assert found == [
        "missing-1.jar is missing",
        "foreign-1.jar is not in the lock",
        f"changed-1.jar has sha256 {sha256(b'other').hexdigest()}, expected {'0' * 64}",
    ]
