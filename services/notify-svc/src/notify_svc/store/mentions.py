"""What HR has to hear of, until it is gathered into a message."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from notify_svc import tables
from notify_svc.domain.digest import Mention
from notify_svc.store.arrays import among
from shared.db import Connection

_NAMES = tuple(field.name for field in fields(Mention))


async def add(conn: Connection, mentions: Sequence[Mention], *, dropped: bool = False) -> None:
    """Adds each once. A dropped one need not be told; it stays, so that what comes late is not told
    either.
    """
    if not mentions:
        return
    table = tables.mentions
    statement = insert(table)
    rows = [
        {
            **{name: getattr(mention, name) for name in _NAMES},
            "anomaly_ids": list(mention.anomaly_ids),
            "params": dict(mention.params),
            "dropped": dropped,
        }
        for mention in sorted(mentions, key=lambda m: m.mention_id)
    ]
    if dropped:
        statement = statement.on_conflict_do_update(
            index_elements=["mention_id"], set_={"dropped": True}, where=table.c.told_at.is_(None)
        )
    else:
        # One that is only known to have been told gets what it was about.
        statement = statement.on_conflict_do_update(
            index_elements=["mention_id"],
            set_={name: statement.excluded[name] for name in _NAMES if name != "mention_id"},
            where=table.c.cause == "",
        )
    await conn.execute(statement, rows)


async def first_due(conn: Connection) -> datetime | None:
    """When the next message to HR is due; what concerns an employer without known staff waits for
    it.
    """
    table = tables.mentions
    due = select(func.min(table.c.due_at)).where(*_waiting())
    found: datetime | None = (await conn.execute(due)).scalar()
    return found


async def take_due(conn: Connection, now: datetime, groups: int) -> list[Mention]:
    """All due mentions of so many groups, locked in order: a digest is never cut in two."""
    table = tables.mentions
    keys = (table.c.employer_id, table.c.template, table.c.cause)
    chosen = select(*keys).where(table.c.due_at <= now, *_waiting()).distinct().limit(groups)
    due = select(table).where(
        tuple_(*keys).in_(chosen),
        table.c.due_at <= now,
        table.c.told_at.is_(None),
        table.c.dropped.is_(False),
    )
    rows = await conn.execute(due.order_by(table.c.mention_id).with_for_update())
    return [_mention(row) for row in rows]


async def mark_told(conn: Connection, mention_ids: Sequence[str], at: datetime) -> None:
    table = tables.mentions
    told = update(table).where(among(table.c.mention_id, mention_ids))
    await conn.execute(told.values(told_at=at))


async def keep_told(conn: Connection, rows: Sequence[tuple[str, str, str, str, datetime]]) -> None:
    """Keeps that each (mention id, employer id, template, cause event, when) was told: what asked
    for it may be heard again.
    """
    new = insert(tables.mentions)
    statement = new.on_conflict_do_update(
        index_elements=["mention_id"], set_={"told_at": new.excluded.told_at}
    )
    names = ("mention_id", "employer_id", "template", "cause_event", "told_at")
    fixed = {"cause": "", "anomaly_ids": [], "params": {}}
    await conn.execute(
        statement,
        [{**dict(zip(names, row, strict=True)), "due_at": row[4], **fixed} for row in rows],
    )


async def named(conn: Connection, mention_ids: Sequence[str]) -> list[Mention]:
    """Those of these mentions of which it is known what they were about."""
    table = tables.mentions
    wanted = select(table).where(among(table.c.mention_id, mention_ids), table.c.cause != "")
    return [_mention(row) for row in await conn.execute(wanted)]


def _waiting() -> tuple[Any, ...]:
    table, employers = tables.mentions, tables.employers
    has_staff = select(1).where(
        employers.c.employer_id == table.c.employer_id,
        func.jsonb_array_length(employers.c.staff) > 0,
    )
    return table.c.told_at.is_(None), table.c.dropped.is_(False), has_staff.exists()


def _mention(row: Row[Any]) -> Mention:
    values = {name: row._mapping[name] for name in _NAMES}
    return Mention(**{**values, "anomaly_ids": tuple(values["anomaly_ids"])})
