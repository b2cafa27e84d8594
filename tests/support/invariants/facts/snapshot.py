"""All facts of one look at an installation, and what the caller says beside them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, TypeVar, cast

from tests.support.invariants.facts.events import Parked, Told

Row = tuple[Any, ...]
Rows = Mapping[type[Row], Sequence[Row]]
"""Facts by kind, of one store or of the topics."""

FactT = TypeVar("FactT", bound=Row)


class ParkedKey(NamedTuple):
    """A key that is meant to be parked: `service` as in topics.toml, `ticket-svc`."""

    service: str
    topic: str
    key: str


class Acknowledged(NamedTuple):
    """A write that a client was told has been done, and the ids that the answer named.

    `key` is its Idempotency-Key, empty where the request has none.
    """

    service: str
    caller: str
    key: str
    ids: Mapping[str, str]


@dataclass(frozen=True)
class Given:
    """What the caller knows: the keys that are meant to be parked, the writes that were
    acknowledged, and how long an idle transaction is borne.
    """

    planted: Collection[ParkedKey] = ()
    acknowledged: Collection[Acknowledged] = ()
    idle_seconds: int = 30


@dataclass(frozen=True)
class Facts:
    """`sources` maps each database, `topics` and `server` to its facts; `now` is business time."""

    sources: Mapping[str, Rows]
    now: datetime
    given: Given = field(default_factory=Given)

    def of(self, kind: type[FactT], *stores: str) -> list[FactT]:
        """All facts of this kind, of these stores or of all."""
        names: Iterable[str] = stores or self.sources
        return [
            cast("FactT", row) for name in names for row in self.sources.get(name, {}).get(kind, ())
        ]

    def with_source(self, name: str, rows: Rows) -> "Facts":
        """The same facts, but for one source."""
        return replace(self, sources={**self.sources, name: rows})

    @cached_property
    def parked_aggregates(self) -> frozenset[tuple[str, str, str]]:
        """(store, family, subject) of what was parked there and not replayed.

        What follows from it is not said again: a rule of its own says which keys are parked.
        """
        told = {one.event_id: one for one in self.of(Told)}
        found = set()
        for parked in self.of(Parked):
            event = told.get(parked.event_id)
            if event is not None and parked.state != "replayed":
                found.add((parked.store, *event.aggregate))
        return frozenset(found)

    @cached_property
    def newest_told(self) -> dict[tuple[str, str], Told]:
        """The newest version in its owner's outbox, by aggregate."""
        newest: dict[tuple[str, str], Told] = {}
        for one in self.of(Told):
            known = newest.get(one.aggregate)
            if known is None or known.version < one.version:
                newest[one.aggregate] = one
        return newest
