"""Whether an older reader can read a newer schema's events, and a newer reader an older one's."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_FOR_PEOPLE = ("$schema", "$id", "title", "description", "examples", "x-cloudevents")
"""Words about a schema: they may change freely."""


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What `new` changed beyond gaining optional fields: a sentence each, beginning with its place.

    A field that goes, becomes required, changes its type, its default or its enumerated values
    breaks one side: an old reader meets what it cannot decode, or old events mean something else.
    """
    return [*_moves(old, new), *_differences(_inlined(old, old), _inlined(new, new), "")]


def _moves(old: Schema, new: Schema) -> Iterator[str]:
    before, after = old.get("x-cloudevents", {}), new.get("x-cloudevents", {})
    for name in ("type", "source", "topic", "key"):
        if before.get(name) != after.get(name):
            yield f"the event: its {name} was {before.get(name)!r}, is {after.get(name)!r}"


def _inlined(node: Any, root: Schema) -> Any:
    """The same schema without `$ref`: where a part is defined means nothing on the wire."""
    if isinstance(node, list):
        return [_inlined(part, root) for part in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        definition = root["$defs"][reference.rsplit("/", 1)[1]]
        node = {**definition, **{name: part for name, part in node.items() if name != "$ref"}}
    return {name: _inlined(part, root) for name, part in node.items() if name != "$defs"}


def _differences(old: Any, new: Any, place: str) -> Iterator[str]:
    where = place or "the event"
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield f"{where}: was {old!r}, is {new!r}"
        return
    yield from _fields(old, new, place)
    for name in sorted((old.keys() | new.keys()) - {"properties", "required", *_FOR_PEOPLE}):
        if name not in old or name not in new:
            yield f"{where}: {name} was {old.get(name)!r}, is {new.get(name)!r}"
        elif name in ("anyOf", "prefixItems"):
            yield from _alternatives(old[name], new[name], f"{place}/{name}")
        elif name == "enum":
            yield from _values(old[name], new[name], where)
        else:
            yield from _differences(old[name], new[name], f"{place}/{name}")


def _fields(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    was_required, is_required = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(before):
        if name not in after:
            yield f"{place}/{name}: the field is gone"
        else:
            yield from _differences(before[name], after[name], f"{place}/{name}")
    for name in sorted(is_required - was_required):
        yield f"{place}/{name}: the field is required, and events told before do not have it"
    for name in sorted((was_required - is_required) & after.keys()):
        yield f"{place}/{name}: the field is no longer required, and older readers need it"


def _alternatives(old: list[Any], new: list[Any], place: str) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{place}: had {len(old)} alternatives, has {len(new)}"
    for index, (before, after) in enumerate(zip(old, new, strict=False)):
        yield from _differences(before, after, f"{place}/{index}")


def _values(old: list[Any], new: list[Any], where: str) -> Iterator[str]:
    for value in old:
        if value not in new:
            yield f"{where}: the value {value!r} is gone, and events told before have it"
    for value in new:
        if value not in old:
            yield f"{where}: the value {value!r} is new, and older readers do not know it"
