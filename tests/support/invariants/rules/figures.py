"""I2: a figure is the same wherever it is kept, and a policy is the one that was approved."""

from collections.abc import Iterator
from typing import Any

from tests.support.invariants.facts import Copy, Facts, Origin, Pack
from tests.support.invariants.violation import states


@states("I2")
def figure_differs(facts: Facts) -> Iterator[str]:
    """What a store keeps of an event or of a payroll run has the figures that were told, or
    computed, at that version.
    """
    origins = {(one.family, one.subject, one.version): one for one in facts.of(Origin)}
    for copy in facts.of(Copy):
        origin = origins.get((copy.family, copy.subject, copy.version))
        if origin is None:
            continue
        for place, expected, found in _differing(origin.body, copy.body):
            yield (
                f"{copy.store} keeps {found} as {place} of {copy.family} {copy.subject}, version"
                f" {copy.version}; expected {expected}, of {origin.store}"
            )


def _differing(expected: Any, found: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where `found` has other figures than `expected`, or another number of lines; what it leaves
    out is not asked for.
    """
    if isinstance(found, dict) and isinstance(expected, dict):
        for name, part in found.items():
            yield from _differing(expected.get(name), part, f"{place}.{name}".strip("."))
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differing(one, other, f"{place}[{number}]")
    elif found != expected and not (_is_text(found) and _is_text(expected)):
        yield place, expected, found


def _is_text(value: Any) -> bool:
    """Days and reasons: an event has none as an empty text, a store as nothing."""
    return isinstance(value, str | None)


@states("I2")
def pack_altered(facts: Facts) -> Iterator[str]:
    """A policy pack in force is, byte for byte, the one that was approved."""
    for pack in facts.of(Pack):
        if pack.sha256 != pack.approved_sha256:
            yield (
                f"pack {pack.version} of {pack.city} has sha256 {pack.sha256}; approved was"
                f" {pack.approved_sha256}"
            )
