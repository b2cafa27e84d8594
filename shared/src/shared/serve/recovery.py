"""`recover`: brings a store that was restored from a backup back to where its service was.

The others went on meanwhile, and so did the service itself until its store was lost. Its own topics
have what it told since (full states, with their versions), the topics that it listens to have what
it heard. Both are taken in one transaction before the service starts, so that no job acts on a
store that is half of then and half of now, and nothing is told under a version that others know
with other content.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text

from shared import consumer, outbox
from shared.codec import Received, Tombstone, Undecodable, decode
from shared.consumer import Whole
from shared.contracts.event import IDENTITIES, Event
from shared.db import Connection, transaction
from shared.logs import get_logger
from shared.serve.service import Parts, Recovery, Wiring

_log = get_logger(__name__)


async def recover(group: str, parts: Parts[Any], wiring: Wiring) -> list[str]:
    """Does it, while no process of the service runs (GroupRuns otherwise). Doing it again does
    nothing. Gives what to tell the person who asked for it.
    """
    bootstrap, recovery = parts.settings.kafka_bootstrap, wiring.recovery
    await consumer.await_no_member(bootstrap, group)
    told, deleted = _own_events(await consumer.read_whole(bootstrap, recovery.topics))
    heard = await consumer.read_whole(bootstrap, wiring.topics)
    handlers = wiring.handlers if recovery.handlers is None else recovery.handlers
    async with transaction(parts.worker) as conn:
        # One long transaction by a person's order, not a batch that got stuck.
        await conn.execute(text("SET LOCAL statement_timeout = 0"))
        await conn.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        # A backup has it still: told again it would undo the deletion in every other store.
        await outbox.forget_keys(conn, IDENTITIES, list(deleted))
        taken, replaced = await outbox.take_back(conn, told)
        await _keep(conn, recovery, [*deleted.values(), *sorted(taken, key=_version)])
        outcome = await consumer.catch_up(
            conn, handlers, group, heard.records.values(), versioned=wiring.versioned
        )
        notes = await recovery.settle(conn, parts.clock.now())
    await consumer.commit_ends(bootstrap, group, heard.ends)
    lines = [
        f"{len(taken)} of {len(told)} own events were taken back from the topics",
        f"{outcome.handled} events of others were heard again",
        f"{replaced} events that readers know otherwise were forgotten" if replaced else "",
        f"{outcome.parked} events are parked; see `dead-letters list`" if outcome.parked else "",
    ]
    if recovery.topics and not told:
        lines.append("the own topics are empty: if Kafka lost its data too, run `replay`")
    return [*filter(None, lines), *notes]


async def _keep(conn: Connection, recovery: Recovery, taken: Sequence[Received]) -> None:
    for keeper in dict.fromkeys(recovery.own.values()):
        run = [one for one in taken if recovery.own.get(type(one.event)) is keeper]
        if run:
            await keeper(conn, run)


def _own_events(own: Whole) -> tuple[list[outbox.Told], dict[str, Received]]:
    """Our own events, each version of an aggregate once, as readers know it (the first that was
    told); and by key what was deleted.
    """
    records = [record for found in own.records.values() for record in found]
    reads = [(one, record) for record in records if (one := _read(record)) is not None]
    ends = {one.event.key(): at for at, (one, _) in enumerate(reads) if _deletes(one)}
    told: dict[tuple[str, str, str, int], outbox.Told] = {}
    for at, (one, record) in enumerate(reads):
        if one.event_id != str(one.event.event_id()):
            continue
        if one.event.TOPIC == IDENTITIES and at < ends.get(one.event.key(), 0):
            continue
        event = one.event
        place = (event.TOPIC, event.family(), event.aggregate(), event.version)
        told.setdefault(place, (one, record.value))
    return list(told.values()), {key: reads[at][0] for key, at in ends.items()}


def _deletes(received: Received) -> bool:
    return isinstance(received.event, Tombstone)


def _read(record: Any) -> Received | None:
    try:
        return decode(record.topic, record.key, record.value, record.headers)
    except Undecodable as error:
        _log.warning("own_event_unreadable", topic=record.topic, reason=str(error))
        return None


def newest_of(told: Iterable[Received]) -> list[Any]:
    """The newest event of each aggregate."""
    newest: dict[tuple[str, str], Event] = {}
    for one in sorted(told, key=_version):
        newest[one.event.family(), one.event.aggregate()] = one.event
    return list(newest.values())


def _version(received: Received) -> int:
    return received.event.version
