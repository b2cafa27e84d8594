"""The one lock that keeps verdicts in step with what they were judged against."""

from sqlalchemy import func, select

from shared.db import Connection

_REFERENCES = 7_391_004
"""Number of the advisory lock; any number that no other lock of this database has."""


async def share_references(conn: Connection) -> None:
    """Held by every transaction that judges, from before it reads policies, authorities and
    cut-overs.

    Without it a merge could judge by an old policy and commit after the months were marked for the
    new one: nobody would look at its month again.
    """
    await conn.execute(select(func.pg_advisory_xact_lock_shared(_REFERENCES)))


async def own_references(conn: Connection) -> None:
    """Waits for all judging transactions and holds new ones off; the first statement of its
    transaction.
    """
    await conn.execute(select(func.pg_advisory_xact_lock(_REFERENCES)))
