"""The check on schema changes, on made-up ones: it sees each that breaks, others pass."""

import copy
from typing import Any

import msgspec
import pytest

from shared.contracts.event import EmployeeMonthEvent, Event
from shared.values import Insurance
from tests.support.schemas.compatibility import breaking_changes

OLD: dict[str, Any] = {
    "x-cloudevents": {
        "type": "daozhang.DebitSeen.v1",
        "topic": "contribution.events",
        "key": "account_id",
    },
    "title": "DebitSeen",
    "description": "An invented event.",
    "type": "object",
    "properties": {
        "version": {"type": "integer"},
        "insurance": {"$ref": "#/$defs/Insurance"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
        "base_fen": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
    },
    "required": ["version", "insurance", "lines"],
    "$defs": {
        "Insurance": {"enum": ["medical", "pension"]},
        "Line": {
            "type": "object",
            "properties": {
                "employer_fen": {"type": "integer"},
                "note": {"type": "string", "default": ""},
            },
            "required": ["employer_fen"],
        },
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """OLD with the value at `a/b/c` replaced, or removed when it is None."""
    new = copy.deepcopy(OLD)
    *parents, last = path.split("/")
    node: Any = new
    for name in parents:
        node = node[name]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return new


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties/late_fee_fen", {"type": "integer", "default": 0}),
        ("$defs/Line/properties/authority", {"type": "string", "default": ""}),
        ("description", "Said better."),
        ("title", "Another title"),
    ],
    ids=["an optional field", "an optional field of a part", "other words", "another title"],
)
def test_what_may_change(path: str, value: Any) -> None:
    assert breaking_changes(OLD, changed(path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("properties/base_fen", None, "/base_fen: the field is gone"),
        ("$defs/Line/properties/note", None, "/lines/items/note: the field is gone"),
        ("properties/version/type", "string", "/version/type: was 'integer', is 'string'"),
        (
            "required",
            ["version", "insurance", "lines", "base_fen"],
            "/base_fen: the field is required",
        ),
        ("required", ["version", "insurance"], "/lines: the field is no longer required"),
        (
            "$defs/Line/required",
            ["employer_fen", "note"],
            "/lines/items/note: the field is required",
        ),
        ("$defs/Insurance/enum", ["medical"], "the value 'pension' is gone"),
        (
            "$defs/Insurance/enum",
            ["housing_fund", "medical", "pension"],
            "the value 'housing_fund' is new",
        ),
        ("$defs/Line/properties/note/default", "none", "was '', is 'none'"),
        ("properties/base_fen/anyOf", [{"type": "integer"}], "had 2 alternatives, has 1"),
        ("x-cloudevents/topic", "ticket.events", "its topic was 'contribution.events'"),
        ("x-cloudevents/key", "employee_id", "its key was 'account_id'"),
    ],
)
def test_what_breaks_a_reader(path: str, value: Any, expected: str) -> None:
    found = breaking_changes(OLD, changed(path, value))
    assert any(expected in sentence for sentence in found), found


def test_a_part_may_move_to_another_definition() -> None:
    new = copy.deepcopy(OLD)
    new["$defs"]["Posting"] = new["$defs"].pop("Line")
    new["properties"]["lines"]["items"] = {"$ref": "#/$defs/Posting"}
    assert breaking_changes(OLD, new) == []


class Sighting(EmployeeMonthEvent, frozen=True, kw_only=True):
    insurances: tuple[Insurance, ...]


class SightingWithMore(Sighting, frozen=True, kw_only=True):
    seen_by: str = ""


class SightingWithDemand(Sighting, frozen=True, kw_only=True):
    seen_by: str


def schema(cls: type[Event]) -> dict[str, Any]:
    generated = msgspec.json.schema(cls)
    return {**generated["$defs"][cls.__name__], "$defs": generated["$defs"]}


def test_real_event_classes_are_compared_alike() -> None:
    assert breaking_changes(schema(Sighting), schema(SightingWithMore)) == []
    assert breaking_changes(schema(SightingWithMore), schema(Sighting)) == [
        "/seen_by: the field is gone"
    ]
    assert breaking_changes(schema(Sighting), schema(SightingWithDemand)) != []
