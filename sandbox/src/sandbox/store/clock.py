"""Business time as it rests between two starts, whatever becomes of the broker."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from sandbox.tables import business_time
from shared.db import Connection


async def last(conn: Connection) -> datetime | None:
    """The newest time that was kept; None before the first start."""
    at: datetime | None = (await conn.execute(select(business_time.c.at))).scalar()
    return at


async def keep(conn: Connection, at: datetime) -> None:
    """Keeps a time that was published; it never goes back."""
    new = insert(business_time).values(only=True, at=at)
    newest = func.greatest(business_time.c.at, new.excluded.at)
    await conn.execute(new.on_conflict_do_update(index_elements=["only"], set_={"at": newest}))
