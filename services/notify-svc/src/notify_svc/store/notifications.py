"""Messages, and the tries to send them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, literal, literal_column, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from notify_svc import tables
from shared.db import Connection

STALE_AFTER = timedelta(minutes=10)
"""By the database's clock: a try that is open so long belongs to a process that died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message to one recipient by one channel.

    `state`: pending, sending, delivered, failed, switched_off or no_address. `try_at` is when it is
    to be sent next, in business time. (cause, transition, recipient, channel) is told once.
    """

    notification_id: str
    employer_id: str
    recipient_kind: str
    recipient: str
    channel: str
    template: str
    cause: str
    transition: str
    text: str
    at: datetime
    state: str
    cause_event: str
    employee_id: str = ""
    subject: str = ""
    reason: str = ""
    ticket_ids: tuple[str, ...] = ()
    anomaly_ids: tuple[str, ...] = ()
    tries: int = 0
    try_at: datetime | None = None
    delivered_at: datetime | None = None
    version: int = 0

    @property
    def ticket_id(self) -> str:
        """The ticket that it is about, where there is one only."""
        return self.ticket_ids[0] if len(self.ticket_ids) == 1 else ""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is limited to; empty values limit nothing."""

    equal: Mapping[str, str] = field(default_factory=dict)
    ticket_id: str = ""
    anomaly_id: str = ""


_NAMES = tuple(one.name for one in fields(Notification))
_ARRAYS = ("ticket_ids", "anomaly_ids")


async def add(conn: Connection, notifications: Sequence[Notification]) -> list[Notification]:
    """Stores those that were not told before, and gives them back. One that is only known to have
    been told gets its words.
    """
    if not notifications:
        return []
    table = tables.notifications
    made: list[Notification] = []
    # One thing may be said several times in a batch; the first says it.
    once = list({one.notification_id: one for one in reversed(notifications)}.values())
    for start in range(0, len(once), _ROWS_A_STATEMENT):
        rows = [_row(one) for one in once[start : start + _ROWS_A_STATEMENT]]
        new = insert(table).values(rows)
        statement = new.on_conflict_do_update(
            index_elements=["notification_id"],
            set_={name: new.excluded[name] for name in _WORDS},
            where=table.c.text == "",
        ).returning(table, literal_column("xmax = 0").label("is_new"))
        made += [_notification(row) for row in await conn.execute(statement) if row.is_new]
    return sorted(made, key=lambda one: one.notification_id)


_WORDS = ("cause", "transition", "subject", "text", "ticket_ids", "anomaly_ids")
"""What no event tells of a message."""


async def keep_told(conn: Connection, told: Sequence[Notification]) -> None:
    """Keeps that these were told: their rows are without words, and nothing is sent of them."""
    new = insert(tables.notifications)
    names = ("state", "reason", "try_at", "delivered_at", "version")
    statement = new.on_conflict_do_update(
        index_elements=["notification_id"],
        set_={name: new.excluded[name] for name in names},
        where=tables.notifications.c.version <= new.excluded.version,
    )
    await conn.execute(statement, [_row(one) for one in told])


async def without_words(conn: Connection) -> int:
    """How many messages are known as told, and not what they said."""
    table = tables.notifications
    wordless = select(func.count()).where(table.c.text == "")
    return int((await conn.execute(wordless)).scalar_one())


_ROWS_A_STATEMENT = 500
"""21 parameters a row; PostgreSQL takes 32,767 a statement."""


async def page(
    conn: Connection, filters: Filters, after: tuple[datetime, str] | None, limit: int
) -> list[Notification]:
    """Newest first, after (at, notification id)."""
    table = tables.notifications
    statement = select(table).where(*(table.c[k] == v for k, v in filters.equal.items() if v))
    if filters.ticket_id:
        statement = statement.where(table.c.ticket_ids.contains([filters.ticket_id]))
    if filters.anomaly_id:
        statement = statement.where(table.c.anomaly_ids.contains([filters.anomaly_id]))
    if after is not None:
        statement = statement.where(tuple_(table.c.at, table.c.notification_id) < after)
    ordered = statement.order_by(table.c.at.desc(), table.c.notification_id.desc())
    return [_notification(row) for row in await conn.execute(ordered.limit(limit))]


async def first_try(conn: Connection) -> datetime | None:
    """When the next message is to be sent; at once where a process died in the middle of a try."""
    table = tables.notifications
    waiting = select(func.min(table.c.try_at)).where(table.c.try_at.is_not(None))
    broken_off = select(func.min(table.c.at)).where(table.c.notification_id.in_(_left_open()))
    # Each has a partial index of its own; one condition with OR would read all messages ever sent.
    both = func.least(waiting.scalar_subquery(), broken_off.scalar_subquery())
    found: datetime | None = (await conn.execute(select(both))).scalar()
    return found


def _left_open() -> Any:
    table = tables.tries
    stale = func.clock_timestamp() - literal(STALE_AFTER)
    return select(table.c.notification_id).where(
        table.c.ended_at.is_(None), table.c.begun_at < stale
    )


async def begin_tries(conn: Connection, now: datetime, limit: int) -> list[Notification]:
    """Takes messages whose time has come and writes down, before any call, that each is
    being sent.
    """
    table = tables.notifications
    due = select(table.c.notification_id).where(table.c.try_at <= now)
    mine = due.order_by(table.c.try_at).limit(limit).with_for_update(skip_locked=True)
    taken = (
        update(table)
        .where(table.c.notification_id.in_(mine))
        .values(state="sending", try_at=None, tries=table.c.tries + 1)
        .returning(table)
    )
    begun = [_notification(row) for row in await conn.execute(taken)]
    if begun:
        await conn.execute(
            insert(tables.tries).values(begun_at=func.clock_timestamp()),
            [
                {
                    "notification_id": one.notification_id,
                    "number": one.tries,
                    "employer_id": one.employer_id,
                }
                for one in begun
            ],
        )
    return begun


async def left_open(conn: Connection, limit: int) -> list[Notification]:
    """Messages whose try was left open by a process that died, locked."""
    table = tables.notifications
    open_ones = select(table).where(
        table.c.notification_id.in_(_left_open()), table.c.state == "sending"
    )
    rows = await conn.execute(open_ones.limit(limit).with_for_update(skip_locked=True))
    return [_notification(row) for row in rows]


async def end_try(conn: Connection, notification: Notification, outcome: str, reply: str) -> None:
    """Writes what the try came to, and the message as it is now."""
    table, attempts = tables.notifications, tables.tries
    await conn.execute(
        update(attempts)
        .where(
            attempts.c.notification_id == notification.notification_id,
            attempts.c.number == notification.tries,
        )
        .values(ended_at=func.clock_timestamp(), outcome=outcome, reply=reply)
    )
    names = ("state", "reason", "try_at", "delivered_at", "version")
    await conn.execute(
        update(table)
        .where(table.c.notification_id == notification.notification_id)
        .values({name: getattr(notification, name) for name in names})
    )


def _row(notification: Notification) -> dict[str, Any]:
    row = {name: getattr(notification, name) for name in _NAMES}
    return row | {name: list(row[name]) for name in _ARRAYS}


def _notification(row: Row[Any]) -> Notification:
    values = {name: row._mapping[name] for name in _NAMES}
    return Notification(**{**values, **{name: tuple(values[name]) for name in _ARRAYS}})
