"""I9: drained: nothing unsent, no lag, no job overdue, and parked is what is meant to be."""

from collections import Counter
from collections.abc import Iterator

from tests.support.invariants.facts import Due, Facts, Offset, Parked, ParkedKey, Told
from tests.support.invariants.violation import states


@states("I9")
def outbox_not_drained(facts: Facts) -> Iterator[str]:
    """When all is quiet, every outbox has been sent."""
    waiting = Counter(one.store for one in facts.of(Told) if one.waits)
    for store, count in sorted(waiting.items()):
        yield f"{count} events of {store} are not sent"


@states("I9")
def consumer_lags(facts: Facts) -> Iterator[str]:
    """When all is quiet, every group has committed the end of every partition that it reads."""
    for one in facts.of(Offset):
        at = one.first if one.committed is None else max(one.committed, one.first)
        if at < one.end:
            yield f"{one.group} is at {at} of {one.end} in {one.topic}/{one.partition}"


def _parked(facts: Facts) -> set[ParkedKey]:
    return {
        ParkedKey(one.store.replace("_", "-"), one.topic, one.key)
        for one in facts.of(Parked)
        if one.state in ("parked", "queued")
    }


@states("I9")
def key_parked(facts: Facts) -> Iterator[str]:
    """No key is parked but those that are meant to be."""
    for one in sorted(_parked(facts) - set(facts.given.planted)):
        yield f"{one.service} has parked key {one.key} of {one.topic}"


@states("I9")
def planted_key_not_parked(facts: Facts) -> Iterator[str]:
    """Each key that is meant to be parked is."""
    for one in sorted(set(facts.given.planted) - _parked(facts)):
        yield f"{one.service} has not parked key {one.key} of {one.topic}"


@states("I9")
def job_overdue(facts: Facts) -> Iterator[str]:
    """When all is quiet, nothing that a clock's job has to do lies in the past."""
    for one in facts.of(Due):
        if one.at is not None and one.at <= facts.now:
            yield f"{one.job} of {one.store} was due at {one.at}; it is {facts.now}"
