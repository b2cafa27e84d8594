"""Cursors come back as they were given out, or are refused as malformed."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http_writes import Write, cursor_of, cursor_values
from shared.refusal import Malformed

# Keys of rows: what PostgreSQL can hold.
keys = st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.integers()


@given(st.lists(keys, max_size=4))
def test_a_cursor_comes_back_as_it_was_given_out(values: list[str | int]) -> None:
    cursor = cursor_of(*values)
    assert cursor_values(cursor, len(values)) == tuple(map(str, values))
    assert cursor.replace("-", "").replace("_", "").isalnum() or not values


def test_no_cursor_is_the_first_page() -> None:
    assert cursor_values(None, 2) is None


def made_of(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "a",
        "%%%",
        "王",
        made_of("text"),
        made_of({"a": 1, "b": 2}),
        made_of(["one"]),
        made_of(["a", None]),
        made_of(["a", 1.5]),
        made_of(["a", True]),
        made_of(["a", ["b"]]),
        made_of(["a", "\0"]),
        made_of(["a", "\ud800"]),
        base64.urlsafe_b64encode(b"[" * 30_000).decode(),
        base64.urlsafe_b64encode(b'["a",' + b"9" * 5_000 + b"]").decode(),
    ],
)
def test_what_this_list_never_gave_out_is_malformed(cursor: str) -> None:
    with pytest.raises(Malformed, match="not one that this list gave out"):
        cursor_values(cursor, 2)


@given(st.text(max_size=60), st.integers(1, 4))
def test_no_cursor_does_worse_than_be_refused(cursor: str, count: int) -> None:
    try:
        values = cursor_values(cursor, count)
    except Malformed:
        return
    assert values is not None
    assert len(values) == count


def test_an_upload_is_known_by_what_was_sent_and_not_by_its_boundary() -> None:
    write = Write("key-1", "POST /api/v1/imports", b"")
    assert write.of_content(b"kind", b"rows") == write.of_content(b"kind", b"rows")
    assert write.of_content(b"kind", b"rows") != write.of_content(b"kindrows", b"")
