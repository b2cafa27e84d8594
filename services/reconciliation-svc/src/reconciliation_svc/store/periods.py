"""Closes of levy periods: one row per employer and period, the newest close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.dialects.postgresql import insert

from reconciliation_svc.domain.close import Close
from reconciliation_svc.tables import period_closes
from shared.db import Connection
from shared.values import LevyPeriod


async def save_close(
    conn: Connection, employer_id: str, levy_period: LevyPeriod, close: Close, at: datetime
) -> int:
    """Keeps the close in place of an earlier one, whose row it locks; gives its version."""
    values = _values(close, at)
    new = insert(period_closes).values(
        employer_id=employer_id, levy_period=str(levy_period), version=1, **values
    )
    statement = new.on_conflict_do_update(
        index_elements=["employer_id", "levy_period"],
        set_={**values, "version": period_closes.c.version + 1},
    ).returning(period_closes.c.version)
    version: int = (await conn.execute(statement)).scalar_one()
    return version


def _values(close: Close, at: datetime) -> dict[str, Any]:
    return {
        "cells": close.cells,
        "states": msgspec.json.encode(close.states).decode(),
        "sums_fen": msgspec.json.encode(close.sums_fen).decode(),
        "closed_at": at,
        "closed_by": close.closed_by,
        "reason": close.reason,
    }


@dataclass(frozen=True, slots=True)
class ToldClose:
    """A close as it was told."""

    employer_id: str
    levy_period: str
    version: int
    close: Close
    closed_at: datetime


async def keep_told(conn: Connection, told: Sequence[ToldClose]) -> None:
    """Keeps closes under the versions with which they were told."""
    new = insert(period_closes)
    keys = ("employer_id", "levy_period")
    statement = new.on_conflict_do_update(
        index_elements=list(keys),
        set_={c.name: new.excluded[c.name] for c in period_closes.c if c.name not in keys},
        where=period_closes.c.version <= new.excluded.version,
    )
    rows = [
        {
            "employer_id": one.employer_id,
            "levy_period": one.levy_period,
            "version": one.version,
            **_values(one.close, one.closed_at),
        }
        for one in told
    ]
    await conn.execute(statement, rows)
