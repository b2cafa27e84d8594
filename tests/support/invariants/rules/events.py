"""I3 and I4: each event is told once, taken once by everyone who listens, in order; no store is
ahead of the owner or behind it.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from shared.contracts import EVENTS
from tests.support.invariants.collect.topics import SUBSCRIPTIONS
from tests.support.invariants.facts import Facts, Held, Parked, Record, Taken, Told
from tests.support.invariants.violation import states
from tests.support.schemas.asyncapi import HEARS

VERSIONED = frozenset({"reconciliation-svc", "portal-svc"})
"""Their effects are merges by version: no inbox rows (ADR 0004)."""
COMPACTED = frozenset({"payroll.identities", "contribution.policies"})
"""Topics that keep the newest record of a key only."""


def store_of(service: str) -> str:
    return service.replace("-", "_")


def listeners(topic: str, event: str) -> list[str]:
    """The services that keep an inbox and handle this event."""
    return [
        service
        for service, topics in SUBSCRIPTIONS.items()
        if topic in topics and event in HEARS[service] and service not in VERSIONED
    ]


@states("I3")
def event_not_taken(facts: Facts) -> Iterator[str]:
    """Each event of a topic has an inbox row in every service that listens to it and keeps an
    inbox, unless it is parked there.
    """
    taken = {(one.store, one.event_id) for one in facts.of(Taken)}
    taken |= {(one.store, one.event_id) for one in facts.of(Parked)}
    seen = set()
    for record in facts.of(Record):
        for service in listeners(record.topic, record.type) if record.event_id else ():
            name = (store_of(service), record.event_id)
            if name not in taken and name not in seen:
                seen.add(name)
                yield (
                    f"{service} never took {record.type} {record.event_id} of {record.subject},"
                    f" version {record.version} ({record.topic}/{record.partition}/{record.offset})"
                )


@states("I3")
def event_taken_with_other_content(facts: Facts) -> Iterator[str]:
    """What an inbox took under an event's id is what the topic holds under it."""
    told: dict[str, set[bytes]] = defaultdict(set)
    for record in facts.of(Record):
        if record.event_id:
            told[record.event_id].add(record.inbox_hash)
    for taken in facts.of(Taken):
        contents = told.get(taken.event_id)
        if contents and bytes(taken.content) not in contents:
            yield f"{taken.store} took another content under event id {taken.event_id}"


@states("I3")
def event_id_with_two_contents(facts: Facts) -> Iterator[str]:
    """The same event id never stands for two contents in a topic."""
    contents: dict[tuple[str, str], set[bytes | None]] = defaultdict(set)
    for record in facts.of(Record):
        if record.event_id:
            contents[record.topic, record.event_id].add(record.content)
    for (topic, event_id), found in sorted(contents.items()):
        if len(found) > 1:
            yield f"{topic} holds {len(found)} contents under event id {event_id}"


@states("I3")
def topic_differs_from_outbox(facts: Facts) -> Iterator[str]:
    """A record says what its owner's outbox says under that id."""
    told = {one.event_id: one for one in facts.of(Told)}
    for record in facts.of(Record):
        owned = told.get(record.event_id)
        if owned is not None and owned.content != record.content:
            yield (
                f"{record.type} {record.event_id} of {record.subject}: the record in {record.topic}"
                f" is not what {owned.store} told"
            )


@states("I3")
def event_of_nobody(facts: Facts) -> Iterator[str]:
    """Every event of a topic is in an outbox: nobody else may say anything."""
    told = {one.event_id for one in facts.of(Told)}
    for record in facts.of(Record):
        if record.event_id and record.event_id not in told:
            yield (
                f"{record.type} {record.event_id} of {record.subject}, version {record.version}, is"
                f" in {record.topic} and in no outbox"
            )


@states("I3")
def inbox_row_of_nothing(facts: Facts) -> Iterator[str]:
    """Every event that was taken was told by someone."""
    told = {one.event_id for one in facts.of(Told)}
    told |= {record.event_id for record in facts.of(Record)}
    for taken in facts.of(Taken):
        if taken.event_id not in told:
            yield f"{taken.store} took event {taken.event_id}, which is in no outbox and no topic"


@states("I3")
def sent_event_not_in_topic(facts: Facts) -> Iterator[str]:
    """Every event that waits no longer is in its topic, as long as the topic reaches back to when
    it was told; of each aggregate the newest is there in any case.
    """
    present = {(record.topic, record.event_id) for record in facts.of(Record)}
    # A deletion has no id in the topic: its key is what it leaves.
    deleted = {(record.topic, record.key) for record in facts.of(Record) if not record.event_id}
    since: dict[str, int] = {}
    for record in facts.of(Record):
        since[record.topic] = min(since.get(record.topic, record.at_ms), record.at_ms)
    for told in facts.of(Told):
        newest = facts.newest_told[told.aggregate].version == told.version
        if told.waits or (told.topic in COMPACTED and not newest):
            continue
        told_ms = int(told.told_at.timestamp() * 1_000)
        there = (told.topic, told.event_id) in present or (
            told.content is None and (told.topic, told.key) in deleted
        )
        if not there and (newest or told_ms >= since.get(told.topic, 0)):
            yield (
                f"{told.type} {told.event_id} of {told.subject}, version {told.version}, waits"
                f" no longer and is not in {told.topic}"
            )


@states("I4")
def version_ahead(facts: Facts) -> Iterator[str]:
    """No store holds a version that the owner has not told."""
    for held in facts.of(Held):
        newest = facts.newest_told.get(held.aggregate)
        told = newest.version if newest else 0
        if held.version > told:
            yield (
                f"{held.store} holds version {held.version} of {held.family} {held.subject}; the"
                f" newest that was told is {told}"
            )


@states("I4")
def version_behind(facts: Facts) -> Iterator[str]:
    """When all is quiet, every store that keeps an aggregate holds its newest version."""
    keepers: dict[str, set[str]] = defaultdict(set)
    held: dict[tuple[str, str, str], int] = {}
    for one in facts.of(Held):
        keepers[one.family].add(one.store)
        held[one.store, one.family, one.subject] = one.version
    for (family, subject), told in facts.newest_told.items():
        for store in sorted(keepers[family] | hearers(family)):
            found = held.get((store, family, subject), 0)
            parked = (store, family, subject) in facts.parked_aggregates
            deleted = told.content is None and found == 0
            if found < told.version and not parked and not deleted:
                yield (
                    f"{store} holds version {found} of {family} {subject}; {told.store} told"
                    f" {told.version}"
                )


NO_COPY = frozenset(
    {
        # An employer without an account leaves no row there.
        ("bureau_sync_svc", "EmployerChanged"),
        # These become messages.
        ("notify_svc", "Anomaly"),
        ("notify_svc", "WageDataDue"),
        ("notify_svc", "PolicyChanged"),
        ("notify_svc", "PolicyReleaseAnnounced"),
        ("notify_svc", "DeadlineAtRisk"),
    }
)
"""Stores that hear of a family and keep no copy with its version."""


@cache
def hearers(family: str) -> frozenset[str]:
    """The stores that must keep aggregates of this family."""
    events = {cls.event_name() for cls in EVENTS.values() if cls.family() == family}
    stores = {store_of(service) for service, heard in HEARS.items() if events & set(heard)}
    return frozenset(store for store in stores if (store, family) not in NO_COPY)


@states("I4")
def topic_steps_back(facts: Facts) -> Iterator[str]:
    """Within a partition an aggregate's version never steps back, but where an event is told
    again.
    """
    newest: dict[tuple[str, str, str], int] = {}
    seen: set[tuple[str, str]] = set()
    ordered = sorted(facts.of(Record), key=lambda one: (one.topic, one.partition, one.offset))
    for record in ordered:
        again = (record.topic, record.event_id) in seen
        seen.add((record.topic, record.event_id))
        name = (record.topic, record.family, record.subject)
        if not record.event_id or again:
            continue
        before = newest.get(name, 0)
        if record.version <= before:
            yield (
                f"{record.topic}/{record.partition}/{record.offset}: {record.family}"
                f" {record.subject} goes from version {before} to {record.version}"
            )
        newest[name] = max(before, record.version)
