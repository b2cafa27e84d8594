"""I12: what a client was told has been done is there."""

from collections.abc import Iterator

from tests.support.invariants.facts import Facts, Kept, Resource
from tests.support.invariants.rules.events import store_of
from tests.support.invariants.violation import states


def _lost(facts: Facts, store: str, ids: dict[str, str]) -> list[str]:
    resources = {(one.store, one.name, one.id) for one in facts.of(Resource)}
    owned = {(one.store, one.name) for one in facts.of(Resource)}
    return [
        f"{name} {found}"
        for name, found in sorted(ids.items())
        if (store, name) in owned and (store, name, found) not in resources
    ]


@states("I12")
def kept_answer_without_effect(facts: Facts) -> Iterator[str]:
    """What a kept answer names is there: answer and effect are one transaction."""
    for kept in facts.of(Kept):
        for lost in _lost(facts, kept.store, kept.ids):
            yield f"{kept.store} answered {kept.operation} with {lost}, which is not there"


@states("I12")
def acknowledged_write_lost(facts: Facts) -> Iterator[str]:
    """Every write that a client was told has been done is there, and its answer is kept."""
    kept = {(one.store, one.caller, one.key) for one in facts.of(Kept)}
    for write in facts.given.acknowledged:
        store = store_of(write.service)
        lost = _lost(facts, store, dict(write.ids))
        if write.key and (store, write.caller, write.key) not in kept:
            lost.append(f"the answer for key {write.key}")
        for one in lost:
            yield f"{write.service} acknowledged a write of {write.caller}; {one} is not there"
