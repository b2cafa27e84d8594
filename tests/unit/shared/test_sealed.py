"""Sealed data open for their own person, with any key in use, and for nobody else."""

import base64
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from shared.sealed import (
    BlindIndex,
    RootKeyFile,
    RootKeyUnknown,
    RootKeyUnusable,
    SealBroken,
    Sealed,
    Sealer,
)

OLD, NEW = ({name: os.urandom(32)} for name in ("old", "new"))
SEALER = Sealer(OLD)
WANG = {"name": "王小明", "id_no": "110101199001011237"}


def sealed_wang(sealer: Sealer = SEALER) -> Sealed:
    return sealer.seal("employer-1", "employee-1", WANG)


@given(st.dictionaries(st.text(), st.text(), max_size=6))
def test_what_was_sealed_opens_again(data: dict[str, str]) -> None:
    sealed = SEALER.seal("employer-1", "employee-1", data)
    assert SEALER.open("employer-1", "employee-1", sealed) == data


def test_nothing_of_it_can_be_read() -> None:
    sealed = sealed_wang()
    raw = base64.b64decode(sealed.sealed)
    assert not any(value.encode() in raw for value in WANG.values())


def test_the_same_data_are_never_sealed_alike() -> None:
    assert sealed_wang().sealed != sealed_wang().sealed


@pytest.mark.parametrize(
    ("employer_id", "employee_id"),
    [("employer-1", "employee-2"), ("employer-2", "employee-1"), ("employer-1\x1f", "employee-1")],
)
def test_a_ciphertext_moved_to_another_row_does_not_open(
    employer_id: str, employee_id: str
) -> None:
    with pytest.raises(SealBroken, match="another person"):
        SEALER.open(employer_id, employee_id, sealed_wang())


def test_a_ciphertext_under_another_persons_key_does_not_open() -> None:
    other = SEALER.seal("employer-1", "employee-2", WANG)
    mixed = replace(sealed_wang(), wrapped_key=other.wrapped_key)
    with pytest.raises(SealBroken):
        SEALER.open("employer-1", "employee-1", mixed)


@given(st.integers(0, 10_000), st.integers(1, 255), st.sampled_from(["sealed", "wrapped_key"]))
def test_one_changed_byte_is_seen(index: int, mask: int, field: str) -> None:
    sealed = sealed_wang()
    raw = bytearray(base64.b64decode(getattr(sealed, field)))
    raw[index % len(raw)] ^= mask
    altered = replace(sealed, **{field: base64.b64encode(raw).decode()})
    with pytest.raises(SealBroken):
        SEALER.open("employer-1", "employee-1", altered)


@pytest.mark.parametrize("text", ["", "AQ==", "AQAA", "not base64!", "王"])
def test_a_ciphertext_cut_short_or_made_up_is_broken(text: str) -> None:
    with pytest.raises(SealBroken):
        SEALER.open("employer-1", "employee-1", replace(sealed_wang(), sealed=text))


def test_with_two_keys_the_first_seals_and_both_open() -> None:
    before = sealed_wang(Sealer(OLD))
    rotated = Sealer(NEW | OLD)
    after = sealed_wang(rotated)
    assert (before.root_key_id, after.root_key_id) == ("old", "new")
    assert rotated.open("employer-1", "employee-1", before) == WANG
    assert rotated.open("employer-1", "employee-1", after) == WANG


def test_sealing_anew_keeps_the_persons_key() -> None:
    before = sealed_wang(Sealer(OLD))
    rotated = Sealer(NEW | OLD)
    moved = {**WANG, "phone": "13800138000"}
    after = rotated.seal("employer-1", "employee-1", moved, before.wrapped_key, before.root_key_id)
    assert (after.wrapped_key, after.root_key_id) == (before.wrapped_key, "old")
    assert rotated.open("employer-1", "employee-1", after) == moved


def test_without_its_root_key_nothing_opens() -> None:
    with pytest.raises(SealBroken, match="root key old is not among the keys"):
        Sealer(NEW).open("employer-1", "employee-1", sealed_wang(Sealer(OLD)))


def test_a_key_wrapped_anew_opens_under_the_newest_root_key_alone() -> None:
    before = sealed_wang(Sealer(OLD))
    after = Sealer(NEW | OLD).rewrap("employer-1", "employee-1", before)
    assert (after.sealed, after.root_key_id) == (before.sealed, "new")
    assert Sealer(NEW).open("employer-1", "employee-1", after) == WANG


def test_a_key_of_another_person_is_not_wrapped_anew() -> None:
    with pytest.raises(SealBroken):
        Sealer(NEW | OLD).rewrap("employer-1", "employee-2", sealed_wang(Sealer(OLD)))


def test_what_does_not_open_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    sample = ("daozhang_seal_broken_total", {"reason": "altered or moved"})
    before = REGISTRY.get_sample_value(*sample) or 0
    with pytest.raises(SealBroken):
        SEALER.open("employer-1", "employee-2", sealed_wang())
    assert REGISTRY.get_sample_value(*sample) == before + 1
    [entry] = caplog.records
    assert (entry.levelname, entry.getMessage()) == ("ERROR", "seal_broken")
    assert entry.__dict__["employee_id"] == "employee-2"


def test_a_blind_index_differs_per_employer_and_not_per_spelling() -> None:
    index = BlindIndex(os.urandom(32))
    first = index.of("employer-1", "11010119900101123x")
    assert first == index.of("employer-1", "11010119900101123X")
    assert first != index.of("employer-2", "11010119900101123X")
    assert first != index.of("employer-1", "110101199001011237")
    assert first != BlindIndex(os.urandom(32)).of("employer-1", "11010119900101123X")


def test_an_index_key_file_holds_one_key(tmp_path: Path) -> None:
    one = write_keys(tmp_path / "one", "11" * 32 + "\n")
    assert BlindIndex.from_file(one).of("e", "n") == BlindIndex(b"\x11" * 32).of("e", "n")
    two = write_keys(tmp_path / "two", "11" * 32 + "\n" + "22" * 32)
    with pytest.raises(RootKeyUnusable, match=r"INDEX_KEY_FILE .* one key"):
        BlindIndex.from_file(two)


def test_a_root_key_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    path = write_keys(tmp_path / "root.key", "11" * 32)
    current = RootKeyFile(lambda: path)
    before = sealed_wang(current())
    assert current() is current()
    write_keys(tmp_path / "new", "22" * 32 + "\n" + "11" * 32).replace(path)
    assert current().newest != before.root_key_id
    assert current().open("employer-1", "employee-1", before) == WANG
    write_keys(tmp_path / "new", "22" * 32).replace(path)
    with pytest.raises(RootKeyUnknown):
        current().open("employer-1", "employee-1", before)


@pytest.mark.parametrize("spoilt", ["text", "mode", "gone"])
def test_a_root_key_file_that_became_unusable_leaves_the_keys_as_they_were(
    tmp_path: Path, spoilt: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_keys(tmp_path / "root.key", "11" * 32)
    current = RootKeyFile(lambda: path)
    before = sealed_wang(current())
    if spoilt == "text":
        path.write_text("11" * 31)
    elif spoilt == "mode":
        path.chmod(0o644)
    else:
        path.unlink()
    for _ in range(2):
        assert current().open("employer-1", "employee-1", before) == WANG
    assert [entry.getMessage() for entry in caplog.records] == ["root_key_file_unusable"]


def test_without_any_usable_file_there_is_no_sealer(tmp_path: Path) -> None:
    with pytest.raises(RootKeyUnusable):
        RootKeyFile(lambda: tmp_path / "nowhere")()


def write_keys(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_key_file_holds_the_current_key_first(tmp_path: Path) -> None:
    old = write_keys(tmp_path / "old", "11" * 32 + "\n")
    both = write_keys(tmp_path / "both", "22" * 32 + "\n" + "11" * 32 + "\n")
    before = sealed_wang(Sealer.from_file(old))
    rotated = Sealer.from_file(both)
    assert rotated.open("employer-1", "employee-1", before) == WANG
    assert sealed_wang(rotated).root_key_id != before.root_key_id


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = write_keys(tmp_path / "keys", "11" * 32, mode)
    with pytest.raises(RootKeyUnusable, match="set its mode to 600"):
        Sealer.from_file(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "at least one root key"), ("1122", "32 bytes"), ("zz" * 32, "must hold hex")],
    ids=["empty", "too short", "not hex"],
)
def test_a_key_file_without_a_good_key_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(RootKeyUnusable, match=reason):
        Sealer.from_file(write_keys(tmp_path / "keys", text))


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RootKeyUnusable, match=r"ROOT_KEY_FILE .*nowhere cannot be read"):
        Sealer.from_file(tmp_path / "nowhere")
