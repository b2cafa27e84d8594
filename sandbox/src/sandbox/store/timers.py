"""Timers: what a party does at a business time, as rows that survive a restart."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from sandbox.tables import deliveries, timers
from shared.db import Connection

PATIENT_ATTEMPTS = 8
"""A delivery that failed so often (about a minute) is still tried, but the conductor no longer
waits for it.
"""


@dataclass(frozen=True)
class Timer:
    """`act` says who does what; `facts` what it needs to know."""

    act: str
    facts: dict[str, Any]
    due_at: datetime


async def set_timer(conn: Connection, act: str, cause: str, due_at: datetime, **facts: Any) -> None:
    """Once per act and cause: a second call for the same changes nothing."""
    row = {"act": act, "cause": f"{act}:{cause}", "due_at": due_at, "facts": facts}
    await conn.execute(insert(timers).values(row).on_conflict_do_nothing(index_elements=["cause"]))


async def take_due(conn: Connection, now: datetime) -> Timer | None:
    """The timer that is due longest, locked and deleted: its act is done in the same transaction,
    or not at all.
    """
    oldest = (
        select(timers.c.timer_id)
        .where(timers.c.due_at <= now)
        .order_by(timers.c.due_at, timers.c.timer_id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = delete(timers).where(timers.c.timer_id == oldest).returning(timers)
    row = (await conn.execute(taken)).one_or_none()
    return None if row is None else Timer(row.act, row.facts, row.due_at)


@dataclass(frozen=True)
class Backlog:
    """What waits: due now (timers and young deliveries), and when the next timer is."""

    due: int
    undelivered: int
    next_due_at: datetime | None


async def backlog(conn: Connection, now: datetime) -> Backlog:
    later = select(func.min(timers.c.due_at)).where(timers.c.due_at > now)
    due = select(func.count()).select_from(timers).where(timers.c.due_at <= now)
    pending = (
        select(func.count()).select_from(deliveries).where(deliveries.c.delivered_at.is_(None))
    )
    young = pending.where(deliveries.c.attempts < PATIENT_ATTEMPTS)
    statement = select(
        due.scalar_subquery().label("due"),
        young.scalar_subquery().label("young"),
        pending.scalar_subquery().label("pending"),
        later.scalar_subquery().label("later"),
    )
    row = (await conn.execute(statement)).one()
    return Backlog(row.due + row.young, row.pending, row.later)
