"""Signed bundles that were taken in, and the address at which they are looked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from contribution_svc.store.values import to_json
from shared.db import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A bundle that was taken in: which proposals it made."""

    sequence: int
    sha256: str
    key_id: str
    origin: str
    taken_by: str
    taken_at: datetime
    note: str
    proposal_ids: Sequence[str]


# Two that come at once take turns: the later one sees what the first took in.
_LOCK = text("SELECT pg_advisory_xact_lock(7262)")
_NEWEST = text(
    """
    SELECT sequence, sha256, key_id, origin, taken_by, taken_at, note, proposal_ids
      FROM policy_updates ORDER BY sequence DESC LIMIT 1
    """
)
_ADD = text(
    """
    INSERT INTO policy_updates (sequence, sha256, key_id, origin, taken_by, taken_at, note,
                                proposal_ids)
    VALUES (:sequence, :sha256, :key_id, :origin, :taken_by, :taken_at, :note,
            CAST(:proposal_ids AS jsonb))
    """
)


async def newest(conn: Connection) -> Taken | None:
    """The bundle of the highest sequence; nobody else takes one in until conn's transaction
    ends.
    """
    await conn.execute(_LOCK)
    row = (await conn.execute(_NEWEST)).mappings().first()
    return Taken(**row) if row is not None else None


async def add(conn: Connection, taken: Taken) -> None:
    values = {name: getattr(taken, name) for name in Taken.__slots__}
    await conn.execute(_ADD, {**values, "proposal_ids": to_json(taken.proposal_ids)})


_ENSURE = text(
    "INSERT INTO policy_polls (address, poll_at) VALUES (:address, :now) ON CONFLICT DO NOTHING"
)
_NEXT = text("SELECT poll_at FROM policy_polls WHERE address = :address")
_CLAIM = text(
    """
    UPDATE policy_polls SET poll_at = :next_at
     WHERE address = :address AND poll_at <= :now RETURNING address
    """
)
_REACHED = text(
    """
    UPDATE policy_polls SET reached_at = :now, failing_since = NULL, reason = ''
     WHERE address = :address
    """
)
_FAILED = text(
    """
    UPDATE policy_polls SET failing_since = coalesce(failing_since, :now), reason = :reason
     WHERE address = :address
    """
)
_FAILING = text(
    """
    SELECT failing_since, reason FROM policy_polls
     WHERE address = :address AND failing_since IS NOT NULL
    """
)


async def next_poll(conn: Connection, address: str) -> datetime | None:
    """When the address is asked next; None where it was never asked."""
    found: datetime | None = (await conn.execute(_NEXT, {"address": address})).scalar()
    return found


async def claim_poll(conn: Connection, address: str, now: datetime, next_at: datetime) -> bool:
    """Whether it is this process that asks now; the next asks at `next_at`, whatever becomes of
    this one.
    """
    await conn.execute(_ENSURE, {"address": address, "now": now})
    values = {"address": address, "now": now, "next_at": next_at}
    return (await conn.execute(_CLAIM, values)).first() is not None


async def reached(conn: Connection, address: str, now: datetime) -> None:
    await conn.execute(_REACHED, {"address": address, "now": now})


async def failed(conn: Connection, address: str, now: datetime, reason: str) -> None:
    await conn.execute(_FAILED, {"address": address, "now": now, "reason": reason})


async def failing(conn: Connection, address: str) -> tuple[datetime, str] | None:
    """Since when the address gives nothing that can be taken in, and why; None where it does."""
    row = (await conn.execute(_FAILING, {"address": address})).first()
    return (row.failing_since, row.reason) if row is not None else None
