"""Events to records and back; what claims to be ours and is not is refused by name."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.codec import (
    MAX_MESSAGE_BYTES,
    MAX_NAME_CHARS,
    Received,
    Tombstone,
    Undecodable,
    body_of,
    content_hash,
    decode,
    headers_of,
)
from shared.contracts import EVENTS, IDENTITIES, PAYROLL, POLICIES, SalaryComputed
from shared.contracts.event import Event
from tests.support.schemas.golden import Golden, golden_examples
from tests.support.telling import salary

AT = datetime(2024, 9, 30, 1, 0, tzinfo=UTC)
EXAMPLES = list(golden_examples())


def headers(event: Event, **changed: str) -> list[tuple[str, bytes]]:
    made = headers_of(
        str(event.event_id()), event.ce_type(), "/payroll-svc", event.aggregate(), AT, ""
    )
    return [(name, changed[name].encode() if name in changed else raw) for name, raw in made]


def read(event: Event, **changed: Any) -> Received:
    """Decodes the event's own record, but for what is changed of topic, key, value, headers."""
    record: dict[str, Any] = {
        "topic": event.TOPIC,
        "key": event.key().encode(),
        "value": body_of(event),
        "headers": headers(event),
    }
    received = decode(**record | changed)
    assert received is not None
    return received


@pytest.mark.parametrize("golden", EXAMPLES, ids=lambda golden: golden.name)
def test_every_event_makes_the_round_trip(golden: Golden) -> None:
    first = decode(golden.topic, golden.key.encode(), golden.body(), golden.raw_headers())
    assert first is not None
    again = read(first.event)
    assert again.event == first.event
    assert again.event_id == str(first.event.event_id())
    assert again.time == "2024-09-30T01:00:00Z"


def test_there_is_an_example_of_every_event() -> None:
    assert {dict(golden.raw_headers())["ce_type"].decode() for golden in EXAMPLES} >= set(EVENTS)


@given(
    st.text(
        alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60
    ),
    st.integers(0, 10**9),
    st.integers(-(2**62), 2**62),
)
def test_any_salary_makes_the_round_trip(who: str, version: int, fen: int) -> None:
    event = salary(who, version, wage_fen=fen)
    assert read(event).event == event


def test_the_trace_travels_beside_the_event() -> None:
    event, trace = salary("a"), f"00-{'ab' * 16}-{'cd' * 8}-01"
    made = headers_of(
        str(event.event_id()), event.ce_type(), "/payroll-svc", event.aggregate(), AT, trace
    )
    assert read(event, headers=made).traceparent == trace


def test_an_event_of_a_newer_release_is_skipped() -> None:
    event = salary("a")
    newer = headers(event, ce_type="daozhang.SalaryComputedV2.v1")
    assert decode(PAYROLL, b"a", body_of(event), newer) is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"key": b"another"}, "key is not the body's"),
        ({"key": None}, "key is not the body's"),
        ({"key": b"k" * (MAX_NAME_CHARS + 1)}, "the key has 301 characters"),
        ({"topic": "ticket.events"}, "belongs on payroll.events, not on ticket.events"),
        ({"value": b"\xff"}, "does not fit its schema"),
        ({"value": b""}, "does not fit its schema"),
        ({"value": b"[]"}, "does not fit its schema"),
        ({"value": b"{}"}, "does not fit its schema"),
        ({"value": b'{"version": "1"}'}, "does not fit its schema"),
        ({"value": b'{"x":' + b"[" * 100_000}, "does not fit its schema"),
        ({"headers": headers(salary("a"), ce_type="com.stranger.Salary.v1")}, "not one of ours"),
        ({"headers": headers(salary("a"), ce_id="")}, "no ce_id header"),
        ({"headers": headers(salary("a"), ce_id="i" * 301)}, "the ce_id has 301 characters"),
        ({"headers": headers(salary("a"), ce_id="id-1")}, "the ce_id is not a UUID"),
        ({"headers": headers(salary("a"), ce_subject="b/2024-10")}, "subject is not the body's"),
        (
            {"headers": headers(salary("a"), ce_type="daozhang.SalaryComputed.v9")},
            "version that this release does not know",
        ),
        ({"value": body_of(salary("a", 10**9 + 1))}, "version 1000000001 counts nobody's changes"),
        ({"value": body_of(salary("a", -1))}, "version -1 counts nobody's changes"),
        ({"value": body_of(salary("a"))[:-1] + b" " * MAX_MESSAGE_BYTES + b"}"}, "the limit is"),
        ({"headers": []}, "no ce_type"),
        ({"headers": [("ce_type", None), ("ce_id", None)]}, "no ce_type"),
    ],
    ids=[
        "another's key",
        "no key",
        "an endless key",
        "another topic",
        "not UTF-8",
        "nothing in it",
        "not an object",
        "fields missing",
        "text for a number",
        "nested without end",
        "a stranger's type",
        "no id",
        "an endless id",
        "an id that is none",
        "another's subject",
        "another version",
        "a version from the far future",
        "a version below zero",
        "too large",
        "no headers",
        "empty headers",
    ],
)
def test_a_record_that_is_not_ours_is_refused_by_name(changed: Any, reason: str) -> None:
    with pytest.raises(Undecodable, match=reason):
        read(salary("a"), **changed)


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_no_bytes_do_worse_than_be_refused(value: bytes, key: bytes) -> None:
    with pytest.raises(Undecodable):
        read(salary("a"), value=value, key=key)


def test_a_zero_character_never_gets_past_the_codec_in_a_name() -> None:
    event = salary("a\0b")
    with pytest.raises(Undecodable, match="key is not the body's"):
        read(event)


def test_a_record_without_a_value_deletes_what_its_key_names() -> None:
    received = decode(IDENTITIES, b"employee-1", None, [])
    assert received is not None
    assert received.event == Tombstone(version=0, deleted_key="employee-1")
    assert received.event_id == "", "told again it does the same: the inbox must not swallow it"


@pytest.mark.parametrize(
    ("topic", "key", "reason"),
    [
        (PAYROLL, b"employee-1", "deletes nothing on payroll.events"),
        (POLICIES, b"990100", "deletes nothing on contribution.policies"),
        (IDENTITIES, None, "neither key nor value"),
        (IDENTITIES, b"k" * 301, "the key has 301 characters"),
    ],
    ids=[
        "on a topic that keeps everything",
        "among the policies",
        "without a key",
        "with an endless key",
    ],
)
def test_a_deletion_that_names_nothing_is_refused(
    topic: str, key: bytes | None, reason: str
) -> None:
    with pytest.raises(Undecodable, match=reason):
        decode(topic, key, None, [])


def test_two_contents_under_one_id_are_told_apart() -> None:
    first, second = body_of(salary("a")), body_of(salary("a", wage_fen=7))
    assert content_hash(first) == content_hash(bytes(first)) != content_hash(second)
    assert len(content_hash(first)) == 16


def test_a_body_too_large_for_the_broker_is_not_made() -> None:
    huge: SalaryComputed = msgspec.structs.replace(salary("a"), run_id="r" * MAX_MESSAGE_BYTES)
    with pytest.raises(ValueError, match="the limit is 900000"):
        body_of(huge)
