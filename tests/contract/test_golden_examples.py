"""Each golden example still parses, travels unchanged, and the CloudEvents SDK reads it alike."""

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event

from shared import codec
from shared.contracts import (
    EVENTS,
    BureauAck,
    CellsJudged,
    ContributionAssessed,
    ContributionPosted,
    PayslipIssued,
)
from shared.contracts.event import Event
from shared.values import Insurance
from tests.support.schemas.events import attributes_of, file_name, source_of
from tests.support.schemas.golden import Golden, golden_examples, golden_examples_of_old

EXAMPLES = list(golden_examples())
every_example = pytest.mark.parametrize("golden", EXAMPLES, ids=lambda golden: golden.name)

FAR_BELOW_1_MB = 100_000
"""Six insurances take a few KB; ten times as much is a mistake in an event."""


def decoded(golden: Golden) -> codec.Received:
    received = codec.decode(golden.topic, golden.key.encode(), golden.body(), golden.raw_headers())
    assert received is not None, f"{golden.name}: nobody here reads it any more"
    return received


def is_within(old: Any, new: Any) -> bool:
    """Every value of `old` is in `new` at its place; `new` may have fields that came later."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and is_within(part, new[name]) for name, part in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(is_within, old, new))
    return bool(old == new)


def test_every_event_has_an_example() -> None:
    missing = {file_name(cls) for cls in EVENTS.values()} - {golden.name for golden in EXAMPLES}
    assert not missing, "write one by hand, from the month of the case; it is never rewritten"


@every_example
def test_it_parses_and_says_the_same_again(golden: Golden) -> None:
    received = decoded(golden)
    assert is_within(golden.data, json.loads(codec.body_of(received.event)))
    again = codec.decode(
        golden.topic, golden.key.encode(), codec.body_of(received.event), golden.raw_headers()
    )
    assert again is not None
    assert again.event == received.event


@every_example
def test_its_attributes_follow_from_the_event(golden: Golden) -> None:
    event = decoded(golden).event
    assert golden.headers["ce_id"] == str(event.event_id())
    assert golden.headers["ce_subject"] == event.aggregate()
    assert golden.headers["ce_source"] == source_of(type(event))
    assert golden.key == event.key()
    described = attributes_of(type(event))["key"]
    keys = [golden.data.get(name.split()[0]) for name in described.split(", or ")]
    assert event.key() in keys, f"the documents say that the key is {described}"


@every_example
def test_the_sdk_reads_what_we_write(golden: Golden) -> None:
    event = decoded(golden).event
    at = datetime.fromisoformat(golden.headers["ce_time"])
    headers = codec.headers_of(
        str(event.event_id()),
        event.ce_type(),
        source_of(type(event)),
        event.aggregate(),
        at,
        golden.headers["traceparent"],
    )
    assert dict(headers) == dict(golden.raw_headers())
    theirs = from_binary_event(
        KafkaMessage(dict(headers), event.key().encode(), codec.body_of(event))
    )
    assert theirs.get_id() == str(event.event_id())
    assert theirs.get_type() == event.ce_type()
    assert theirs.get_source() == source_of(type(event))
    assert theirs.get_subject() == event.aggregate()
    assert theirs.get_time() == at
    assert theirs.get_specversion() == "1.0"
    assert theirs.get_datacontenttype() == "application/json"
    assert theirs.get_data() == json.loads(codec.body_of(event))


@every_example
def test_we_read_what_the_sdk_writes(golden: Golden) -> None:
    received = decoded(golden)
    theirs = from_binary_event(
        KafkaMessage(dict(golden.raw_headers()), golden.key.encode(), golden.body())
    )
    message = to_binary_event(theirs)
    key = message.key.encode() if isinstance(message.key, str) else message.key
    ours = codec.decode(golden.topic, key, message.value, list(message.headers.items()))
    assert ours is not None
    assert (ours.event, ours.event_id) == (received.event, received.event_id)


@every_example
def test_unknown_fields_are_ignored(golden: Golden) -> None:
    newer = {**golden.data, "a_field_of_next_year": {"x": 1}}
    received = codec.decode(
        golden.topic, golden.key.encode(), json.dumps(newer).encode(), golden.raw_headers()
    )
    assert received is not None
    assert received.event == decoded(golden).event


def test_every_example_ever_committed_still_parses() -> None:
    for golden in golden_examples_of_old():
        assert is_within(golden.data, json.loads(codec.body_of(decoded(golden).event))), golden.name


def test_a_month_of_six_insurances_stays_far_below_the_limit() -> None:
    by_name = {golden.name: golden for golden in EXAMPLES}
    parts: dict[type[Event], str] = {
        PayslipIssued: "withheld",
        ContributionAssessed: "lines",
        ContributionPosted: "lines",
        BureauAck: "rows",
        CellsJudged: "cells",
    }
    for cls, field in parts.items():
        event = decoded(by_name[file_name(cls)]).event
        widest = max(getattr(event, field), key=lambda part: len(msgspec.json.encode(part)))
        six = tuple(msgspec.structs.replace(widest, insurance=one) for one in Insurance)
        size = len(codec.body_of(msgspec.structs.replace(event, **{field: six})))
        assert size < FAR_BELOW_1_MB, f"{cls.event_name()}: {size} bytes"


@every_example
def test_no_event_is_large(golden: Golden) -> None:
    assert len(codec.body_of(decoded(golden).event)) < FAR_BELOW_1_MB
