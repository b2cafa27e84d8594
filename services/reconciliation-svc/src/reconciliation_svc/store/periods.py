"""Closes of levy periods: one row per employer and period, the newest close."""

from datetime import datetime

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
    values = {
        "cells": close.cells,
        "states": msgspec.json.encode(close.states).decode(),
        "sums_fen": msgspec.json.encode(close.sums_fen).decode(),
        "closed_at": at,
        "closed_by": close.closed_by,
        "reason": close.reason,
    }
    new = insert(period_closes).values(
        employer_id=employer_id, levy_period=str(levy_period), version=1, **values
    )
    statement = new.on_conflict_do_update(
        index_elements=["employer_id", "levy_period"],
        set_={**values, "version": period_closes.c.version + 1},
    ).returning(period_closes.c.version)
    version: int = (await conn.execute(statement)).scalar_one()
    return version
