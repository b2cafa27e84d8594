"""Look-ups that did not come: when to see about them, and the alarms that stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, text

from reconciliation_svc.tables import look_up_alarms, look_up_watches
from shared.db import Connection
from shared.values import Outcome


@dataclass(frozen=True, slots=True)
class Alarm:
    """An authority whose due look-up did not come; `cells` were not looked up when it was
    raised.
    """

    authority: str
    raised_at: datetime
    cells: int


async def watch(conn: Connection, watches: Iterable[tuple[str, datetime]]) -> None:
    """Asks to see about (authority, at)."""
    rows = [{"authority": authority, "at": at} for authority, at in watches]
    if rows:
        await conn.execute(insert(look_up_watches), rows)


async def due(conn: Connection) -> datetime | None:
    """When to see about an authority next."""
    at: datetime | None = (await conn.execute(select(func.min(look_up_watches.c.at)))).scalar()
    return at


async def take_watches(conn: Connection, now: datetime) -> list[str]:
    """The authorities that are to be seen about by now, each once."""
    removed = (
        delete(look_up_watches)
        .where(look_up_watches.c.at <= now)
        .returning(look_up_watches.c.authority)
    )
    return sorted(set((await conn.execute(removed)).scalars()))


_CELLS = text(
    """
    SELECT count(*) FROM months, jsonb_array_elements(cells) AS cell
     WHERE settled IS false AND cell ->> 'outcome' = :outcome AND cell ->> 'authority' = :authority
    """
)


async def cells_not_looked_up(conn: Connection, authority: str) -> int:
    """How many cells of all employers wait for a look-up of this authority."""
    values = {"outcome": str(Outcome.NOT_LOOKED_UP), "authority": authority}
    found: int = (await conn.execute(_CELLS, values)).scalar_one()
    return found


async def alarms(conn: Connection) -> list[Alarm]:
    """Those that stand, by authority."""
    rows = await conn.execute(select(look_up_alarms).order_by(look_up_alarms.c.authority))
    return [Alarm(row.authority, row.raised_at, row.cells) for row in rows]


async def raise_alarm(conn: Connection, alarm: Alarm) -> None:
    row = {"authority": alarm.authority, "raised_at": alarm.raised_at, "cells": alarm.cells}
    await conn.execute(insert(look_up_alarms), [row])


async def end_alarm(conn: Connection, authority: str) -> None:
    await conn.execute(delete(look_up_alarms).where(look_up_alarms.c.authority == authority))
