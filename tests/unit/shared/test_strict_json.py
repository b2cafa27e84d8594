"""Strict JSON: what two readers could take differently is refused with its place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.refusal import Malformed
from shared.serve.strict_json import MAX_DEPTH, check_address, check_body, is_json

IDENTITY_NUMBER = "110101199001011237"

good_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))
good = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | good_text,
    lambda inner: st.lists(inner) | st.dictionaries(good_text, inner),
    max_leaves=20,
)


@given(good, st.booleans())
def test_what_everybody_reads_alike_is_let_through(value: Any, ascii_only: bool) -> None:
    check_body(json.dumps(value, ensure_ascii=ascii_only).encode())


def places(body: bytes) -> dict[str, str]:
    """Each refused place and its reason."""
    with pytest.raises(Malformed) as refusal:
        check_body(body)
    return {fault.where: fault.reason for fault in refusal.value.faults}


@pytest.mark.parametrize(
    ("body", "place", "reason"),
    [
        (b'{"a": NaN}', "body/a", "finite number"),
        (b"[-Infinity]", "body/0", "finite number"),
        (b'{"a": {"fen": [1, 1e999]}}', "body/a/fen/1", "finite number"),
        (b'{"fen": 9223372036854775808}', "body/fen", "64 bits"),
        (b'{"fen": -9223372036854775809}', "body/fen", "64 bits"),
        (b'{"fen": ' + b"9" * 100_000 + b"}", "body/fen", "64 bits"),
        (b'{"a": {"b": 1, "b": 1}}', "body/a/b", "twice"),
        (b'{"a": 1, "\\u0061": 2}', "body/a", "twice"),
        (b'{"a": "x\\u0000y"}', "body/a", "control character"),
        (b'{"a": "\\u001b[2J"}', "body/a", "control character"),
        (b'{"a": "\\ud800"}', "body/a", "surrogate"),
        (b'{"a": "\\udc00\\ud800"}', "body/a", "surrogate"),
        (b'{"\\u0000": 1}', "body/\ufffd", "control character"),
        (b'"\xed\xa0\x80"', "body:byte 1", "not UTF-8"),
        ('"王"'.encode("gb18030"), "body:byte 1", "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "body:byte 0", "not UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}', "body:line 1 column 1", "BOM"),
        (b"{} {}", "body:line 1 column 4", "Extra data"),
        (b'{\n "a": }', "body:line 2 column 7", "Expecting value"),
        (b"", "body:line 1 column 1", "Expecting value"),
        (b"[" * 500_000, "body", "nested deeper"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "body" + "/0" * MAX_DEPTH, "nested"),
    ],
    ids=[
        "NaN",
        "minus infinity",
        "a fraction beyond all bounds",
        "one more than 64 bits",
        "one less than 64 bits",
        "a hundred thousand digits",
        "a name twice",
        "a name twice in two spellings",
        "a zero character",
        "an escape character",
        "half a surrogate pair",
        "a surrogate pair the wrong way round",
        "a zero character in a name",
        "a raw surrogate",
        "GB18030",
        "UTF-16",
        "a byte order mark",
        "two documents",
        "not JSON",
        "nothing",
        "nested without end",
        "nested one too deep",
    ],
)
def test_it_is_refused_with_its_place(body: bytes, place: str, reason: str) -> None:
    [(where, why)] = places(body).items()
    assert where == place
    assert reason in why


def test_the_deepest_allowed_is_allowed() -> None:
    check_body(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_a_whole_surrogate_pair_is_one_character() -> None:
    check_body(b'{"name": "\\ud842\\udfb7"}')


def test_all_places_are_named_in_the_order_of_the_document() -> None:
    body = b'{"a": NaN, "b": [1, "\\u0000"], "c": 1, "c": 99999999999999999999}'
    assert list(places(body)) == ["body/c", "body/a", "body/b/1"]


def test_a_thousand_faults_are_cut_to_a_hundred() -> None:
    assert len(places(b"[" + b",".join([b"NaN"] * 1_000) + b"]")) == 100


def test_a_refused_value_is_masked() -> None:
    with pytest.raises(Malformed) as refusal:
        check_body(b'{"id_no": "' + IDENTITY_NUMBER.encode() + b'\\u0000"}')
    assert IDENTITY_NUMBER not in str(refusal.value.faults)


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:1e-.\\u0d8N ', max_size=60))
def test_no_body_does_worse_than_be_refused(body: bytes | str) -> None:
    raw = body if isinstance(body, bytes) else body.encode()
    try:
        check_body(raw)
    except Malformed as refusal:
        faults = [f"{fault.where} {fault.value} {fault.reason}" for fault in refusal.faults]
    else:
        faults = [json.dumps(json.loads(raw))]
    assert "".join(faults).encode(), "an answer can carry them"


@pytest.mark.parametrize(
    ("kind", "length", "checked"),
    [
        ("application/json", "2", True),
        ("Application/JSON; charset=utf-8", "2", True),
        ("application/cloudevents+json", "2", True),
        ("", "2", True),
        ("application/json", "0", False),
        ("multipart/form-data; boundary=x", "2", False),
        ("application/xml", "2", False),
    ],
)
def test_a_body_that_may_be_read_as_json_is_checked(kind: str, length: str, checked: bool) -> None:
    assert is_json({"content-type": kind, "content-length": length}) is checked


def test_a_body_of_unknown_length_is_checked() -> None:
    assert is_json({"content-type": "application/json", "transfer-encoding": "chunked"})
    assert not is_json({"content-type": "application/json"})


@pytest.mark.parametrize(
    ("path", "query", "place"),
    [
        ("/api/v1/tickets/\0", b"", "path"),
        ("/api/v1/tickets", b"cursor=%00", "query"),
        ("/api/v1/tickets", b"cursor=\x00", "query"),
    ],
)
def test_an_address_that_cannot_be_stored_is_refused(path: str, query: bytes, place: str) -> None:
    with pytest.raises(Malformed) as refusal:
        check_address(path, query)
    assert [fault.where for fault in refusal.value.faults] == [place]


@given(good_text.filter(str.isprintable))
def test_an_ordinary_address_is_let_through(text: str) -> None:
    check_address(f"/api/v1/tickets/{text}", b"q=%E7%8E%8B+%22")
