"""The committed schemas are what the code says, and no event of old has become unreadable."""

import json

from shared.contracts import EVENTS
from tests.support.schemas.__main__ import differences, rendered_events
from tests.support.schemas.compatibility import breaking_changes
from tests.support.schemas.events import DIALECT, OWNERS, file_name, rendered_schemas
from tests.support.schemas.history import ROOT, ever_committed

DOCS = ROOT / "docs" / "events"
ADDED_VALUE = "the value 'supplementary_pension' is new, and older readers do not know it"
"""ADR 0021: before the first release, and none but this one."""


def test_the_committed_documents_are_what_the_code_says() -> None:
    assert differences(DOCS, rendered_events()) == [], "run `python -m tests.support.schemas`"


def test_every_event_has_one_schema_that_stands_alone() -> None:
    for name, text in rendered_schemas().items():
        schema = json.loads(text)
        assert schema["$schema"] == DIALECT, name
        assert "version" in schema["required"], name
        for reference in references(schema):
            assert reference.removeprefix("#/$defs/") in schema.get("$defs", {}), (name, reference)


def test_no_float_travels() -> None:
    for name, text in rendered_schemas().items():
        assert "number" not in types_in(json.loads(text)), f"{name}: integer fen and millionths"


def test_every_topic_has_an_owner_and_every_owner_a_topic() -> None:
    assert {cls.TOPIC for cls in EVENTS.values()} == set(OWNERS)
    assert len({file_name(cls) for cls in EVENTS.values()}) == len(EVENTS)


def test_schemas_only_ever_gained_optional_fields() -> None:
    now = {name: json.loads(text) for name, text in rendered_schemas().items()}
    for name, text in ever_committed("docs/events"):
        if name.endswith(".json"):
            assert name in now, f"{name} was told: an event class may be retired, never deleted"
            changes = breaking_changes(json.loads(text), now[name])
            changes = [change for change in changes if not change.endswith(ADDED_VALUE)]
            assert changes == [], f"{name}: make a V2 class"


def types_in(node: object) -> set[object]:
    """Every JSON type that the schema allows somewhere."""
    if isinstance(node, dict):
        own = {node["type"]} if isinstance(node.get("type"), str) else set()
        return own.union(*(types_in(part) for part in node.values()))
    if isinstance(node, list):
        return set[object]().union(*(types_in(part) for part in node))
    return set()


def references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for part in node.values() for found in references(part)]
    if isinstance(node, list):
        return [found for part in node for found in references(part)]
    return []
