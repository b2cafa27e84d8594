"""Telling: events leave in the transaction that made them true, and wait in `outbox_queue`.

The columns are those that Debezium's outbox router expects (aggregatetype names the topic,
aggregateid the key), so that a large installation can swap the relay for it. Sent rows stay: the
newest row of each aggregate is what `replay` tells again. What waits stands in the queue by its
number alone, so that a body is written once (ADR 0025).
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import TextClause, text

from shared.codec import Received, body_of
from shared.contracts.event import Event
from shared.db import Connection
from shared.logs import traceparent_now
from shared.values import derived_id

_COLUMNS = """
    (id, aggregatetype, aggregateid, type, family, subject, version, payload, ce_time, traceparent)
"""
_QUEUED = "WITH told AS ({} RETURNING seq) INSERT INTO outbox_queue (seq) SELECT seq FROM told"
_ADD = text(
    _QUEUED.format(
        f"""
        INSERT INTO outbox {_COLUMNS}
        SELECT id, CAST(:topic AS text), key, CAST(:type AS text), CAST(:family AS text), subject,
               version, payload, CAST(:at AS timestamptz), CAST(:trace AS text)
          FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:subjects AS text[]),
                      CAST(:versions AS bigint[]), CAST(:payloads AS bytea[]))
               AS n(id, key, subject, version, payload)
        """  # noqa: S608
    )
)


async def add(conn: Connection, events: Sequence[Event], at: datetime) -> None:
    """Tells `events`, in this order, when conn's transaction commits; `at` is business time.

    Lock each aggregate's row before: rows are numbered at insert and published in that order, so
    two writers of one aggregate that do not queue on its row could be told the wrong way round.
    """
    for _, run in groupby(events, key=type):
        told = list(run)
        kind = type(told[0])
        values = {
            "topic": kind.TOPIC,
            "type": kind.ce_type(),
            "family": kind.family(),
            "ids": [event.event_id() for event in told],
            "keys": [event.key() for event in told],
            "subjects": [event.aggregate() for event in told],
            "versions": [event.version for event in told],
            "payloads": [body_of(event) for event in told],
            "at": at,
            "trace": traceparent_now.get(),
        }
        await conn.execute(_ADD, values)


def _forgetting(deletion: str) -> TextClause:
    """Deletes these rows, from the queue too; gives how many."""
    return text(
        f"WITH gone AS ({deletion} RETURNING seq), unqueued AS (DELETE FROM outbox_queue WHERE seq"  # noqa: S608
        " IN (SELECT seq FROM gone)) SELECT count(*) FROM gone"
    )


_FORGET = _forgetting(
    """
    DELETE FROM outbox
     WHERE aggregatetype = :topic AND family = :family AND subject = ANY(:subjects)
    """
)
_BURY = text(
    _QUEUED.format(
        """
        INSERT INTO outbox (id, aggregatetype, aggregateid, type, family, subject, version, ce_time)
        VALUES (:id, :topic, :subject, :type, :family, :subject, :version, :at)
        """
    )
)


async def forget(conn: Connection, kind: type[Event], subjects: Sequence[str]) -> None:
    """Deletes every version of these aggregates that was told, for facts of which no copy may stay;
    the caller then tells the newest, or that there is none any more.
    """
    values = {"topic": kind.TOPIC, "family": kind.family(), "subjects": list(subjects)}
    await conn.execute(_FORGET, values)


async def bury(
    conn: Connection, kind: type[Event], subject: str, version: int, at: datetime
) -> None:
    """Tells, as the newest version, that the aggregate is gone: a record without a value, so that a
    compacted topic forgets its key, which must be the aggregate's name.
    """
    await forget(conn, kind, [subject])
    row = {
        "id": derived_id("tombstone", kind.TOPIC, subject, version),
        "topic": kind.TOPIC,
        "subject": subject,
        "type": kind.ce_type(),
        "family": kind.family(),
        "version": version,
        "at": at,
    }
    await conn.execute(_BURY, row)


_REPLAY = text(
    """
    INSERT INTO outbox_queue (seq)
    SELECT seq FROM (SELECT DISTINCT ON (aggregatetype, family, subject) seq, aggregatetype
                       FROM outbox ORDER BY aggregatetype, family, subject, version DESC) newest
     WHERE CAST(:topic AS text) IS NULL OR aggregatetype = :topic
    ON CONFLICT DO NOTHING
    """
)


async def replay(conn: Connection, topic: str | None = None) -> int:
    """Queues the newest version of every aggregate; the relay tells them again, with their old ids.
    Gives how many were not waiting already.
    """
    return (await conn.execute(_REPLAY, {"topic": topic})).rowcount


# Another event, or other content, under a version that was told: what was told stands.
_FORGET_OTHERS = _forgetting(
    """
    DELETE FROM outbox o
     USING unnest(CAST(:ids AS uuid[]), CAST(:topics AS text[]), CAST(:families AS text[]),
                  CAST(:subjects AS text[]), CAST(:versions AS bigint[]),
                  CAST(:payloads AS bytea[]))
           AS n(id, topic, family, subject, version, payload)
     WHERE o.aggregatetype = n.topic AND o.family = n.family AND o.subject = n.subject
       AND o.version = n.version AND (o.id <> n.id OR o.payload IS DISTINCT FROM n.payload)
    """
)
# Events with one id have one type, aggregate and version: these four columns hold ids unique too.
_TAKE_BACK = text(
    f"""
    INSERT INTO outbox {_COLUMNS}
    SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:topics AS text[]), CAST(:keys AS text[]),
        CAST(:types AS text[]), CAST(:families AS text[]), CAST(:subjects AS text[]),
        CAST(:versions AS bigint[]), CAST(:payloads AS bytea[]), CAST(:times AS timestamptz[]),
        CAST(:traces AS text[]))
    ON CONFLICT (aggregatetype, family, subject, version) DO NOTHING RETURNING CAST(id AS text)
    """  # noqa: S608
)
_UNQUEUE = text(
    """
    DELETE FROM outbox_queue q
     USING outbox o, unnest(CAST(:topics AS text[]), CAST(:families AS text[]),
                            CAST(:subjects AS text[]), CAST(:versions AS bigint[]))
                     AS n(topic, family, subject, version)
     WHERE q.seq = o.seq AND o.aggregatetype = n.topic AND o.family = n.family
       AND o.subject = n.subject AND o.version = n.version
    """
)
_FORGET_KEYS = _forgetting(
    "DELETE FROM outbox WHERE aggregatetype = :topic AND aggregateid = ANY(:keys)"
)
_TAKEN_A_STATEMENT = 5_000

Told = tuple[Received, bytes]
"""One of our own events as the topic has it: what it decoded to, and its body."""


async def take_back(conn: Connection, told: Sequence[Told]) -> tuple[list[Received], int]:
    """Keeps as sent what a topic has of our own events and the outbox has not, in this order.

    For a store that was restored from a backup. Gives those events, and how many others stood under
    a version that was told. Each id comes once: as readers do, the caller keeps the first.
    """
    missing: list[Received] = []
    replaced = 0
    for start in range(0, len(told), _TAKEN_A_STATEMENT):
        part = told[start : start + _TAKEN_A_STATEMENT]
        events = [one.event for one, _ in part]
        values = {
            "ids": [event.event_id() for event in events],
            "topics": [event.TOPIC for event in events],
            "keys": [event.key() for event in events],
            "types": [event.ce_type() for event in events],
            "families": [event.family() for event in events],
            "subjects": [event.aggregate() for event in events],
            "versions": [event.version for event in events],
            "payloads": [body for _, body in part],
            "times": [datetime.fromisoformat(one.time) for one, _ in part],
            "traces": [one.traceparent for one, _ in part],
        }
        replaced += (await conn.execute(_FORGET_OTHERS, values)).scalar_one()
        new = set((await conn.execute(_TAKE_BACK, values)).scalars())
        await conn.execute(_UNQUEUE, values)
        missing += [one for one, _ in part if one.event_id in new]
    return missing, replaced


async def forget_keys(conn: Connection, topic: str, keys: Sequence[str]) -> None:
    """Forgets what was told of keys that a deletion has taken from the topic."""
    await conn.execute(_FORGET_KEYS, {"topic": topic, "keys": list(keys)})


_COUNT_UNSENT = text("SELECT count(*) FROM outbox_queue")
_OLDEST_AGE = text(
    "SELECT extract(epoch FROM clock_timestamp() - since) FROM outbox_queue ORDER BY seq LIMIT 1"
)


async def unsent(conn: Connection) -> int:
    """How many events wait to be published."""
    return int((await conn.execute(_COUNT_UNSENT)).scalar_one())


async def oldest_age(conn: Connection) -> float | None:
    """Seconds for which the next event to be published has waited; None: none does."""
    age = (await conn.execute(_OLDEST_AGE)).scalar()
    return float(age) if age is not None else None
