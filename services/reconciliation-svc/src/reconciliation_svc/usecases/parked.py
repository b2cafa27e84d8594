"""`heed_parked`: what came and could not be taken in is said in the verdicts that it would have
changed.
"""

from collections.abc import Mapping
from datetime import datetime

from reconciliation_svc.store import locks, months, parked_sides
from shared.db import Connection


async def heed_parked(conn: Connection, side_of: Mapping[str, str], now: datetime) -> int:
    """Makes due every month of which an event was parked, replayed or dropped; gives how many.

    `side_of` maps event types to sides. Judging waits meanwhile: a month that is opened just now
    must see what is parked of it.
    """
    await locks.own_references(conn)
    concerned = await parked_sides.bring_in_step(conn, side_of)
    await months.mark_months(conn, sorted(concerned), now)
    return len(concerned)
