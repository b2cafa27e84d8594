"""Faults and notices as rows: ordered, standing at a moment, struck, lifted, repaired."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from sandbox.faults import PARAMS, Fault, FaultOrder, Kind, Params
from sandbox.tables import faults, notices
from shared.db import Connection


async def order(conn: Connection, fault_id: str, wanted: FaultOrder, at: datetime) -> None:
    """From now on unless the order names another beginning; an order that is known changes
    nothing.
    """
    await conn.execute(
        insert(faults)
        .values(
            fault_id=fault_id,
            party=wanted.party,
            kind=wanted.kind,
            insurances=list(wanted.insurances),
            people=list(wanted.people),
            accounts=list(wanted.accounts),
            from_at=wanted.from_at or at,
            until_at=wanted.until_at,
            params=wanted.params,
            times=wanted.times,
        )
        .on_conflict_do_nothing(index_elements=["fault_id"])
    )


async def standing(conn: Connection, party: str, at: datetime) -> list[Fault]:
    """The party's faults in force at this business time, in the order in which they were
    ordered.
    """
    statement = (
        select(faults)
        .where(
            faults.c.party == party,
            faults.c.lifted_at.is_(None),
            faults.c.from_at <= at,
            or_(faults.c.until_at.is_(None), faults.c.until_at > at),
            or_(faults.c.times.is_(None), faults.c.struck < faults.c.times),
        )
        .order_by(faults.c.fault_no)
    )
    return [_fault(row) for row in await conn.execute(statement)]


def _fault(row: Any) -> Fault:
    kind = Kind(row.kind)
    return Fault(
        row.fault_id,
        kind,
        PARAMS.get(kind, Params).model_validate(row.params),
        frozenset(row.insurances),
        frozenset(row.people),
        frozenset(row.accounts),
        row.until_at,
    )


async def count_strikes(conn: Connection, fault_ids: Iterable[str]) -> None:
    """One strike each, for faults that were ordered for so many times only."""
    ids = sorted(set(fault_ids))
    if ids:
        await conn.execute(
            update(faults).where(faults.c.fault_id.in_(ids)).values(struck=faults.c.struck + 1)
        )


async def lift(conn: Connection, fault_id: str, at: datetime) -> str | None:
    """The fault ends now; its party, or None when no such fault was ordered. A second time changes
    nothing.
    """
    statement = (
        update(faults)
        .where(faults.c.fault_id == fault_id)
        .values(lifted_at=func.coalesce(faults.c.lifted_at, at))
        .returning(faults.c.party)
    )
    party: str | None = (await conn.execute(statement)).scalar_one_or_none()
    return party


async def all_orders(conn: Connection) -> list[dict[str, Any]]:
    rows = await conn.execute(select(faults).order_by(faults.c.fault_no))
    return [dict(row) for row in rows.mappings()]


async def announce(conn: Connection, notice: dict[str, Any]) -> None:
    await conn.execute(insert(notices).values(notice).on_conflict_do_nothing())


async def announced(conn: Connection, party: str) -> list[dict[str, Any]]:
    """A party's notices by their beginning."""
    statement = select(notices).where(notices.c.party == party)
    rows = await conn.execute(statement.order_by(notices.c.from_at, notices.c.notice_id))
    return [dict(row) for row in rows.mappings()]
