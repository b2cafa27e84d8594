"""Deadlines of wage data, and what departments handed in."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import Select, delete, distinct, func, select, tuple_, update

from payroll_svc.domain.hand_ins import HANDED_IN, Brought, Deadline, HandIn
from payroll_svc.store.bulk import among, insert_new, merge
from payroll_svc.tables import imports, wage_deadlines, wage_hand_ins, wage_inputs
from shared.clock import china_day, china_time
from shared.db import Connection
from shared.refusal import NotFound

_TOLD_FROM = "08:00"
"""Reminders come in the morning of their day."""

_HAND_IN = [wage_hand_ins.c[field.name] for field in fields(HandIn)]


async def deadlines(conn: Connection, employer_id: str) -> list[Deadline]:
    """Of the employer, the general one first."""
    own = wage_deadlines.c
    wanted = select(own.department_id, own.day, own.month_shift, own.remind_days)
    rows = await conn.execute(
        wanted.where(own.employer_id == employer_id).order_by(own.department_id)
    )
    return [Deadline(*row) for row in rows]


async def replace_deadlines(
    conn: Connection, employer_id: str, wanted: Sequence[Deadline], open_at: datetime
) -> None:
    """Exactly these; the hand-ins of the next month come to be at `open_at`."""
    await conn.execute(delete(wage_deadlines).where(wage_deadlines.c.employer_id == employer_id))
    own = {"employer_id": employer_id, "open_at": open_at}
    await insert_new(conn, wage_deadlines, [{**own, **asdict(one)} for one in wanted])


async def first_opening(conn: Connection) -> datetime | None:
    """When the next month's hand-ins of some employer come to be."""
    at: datetime | None = (await conn.execute(select(func.min(wage_deadlines.c.open_at)))).scalar()
    return at


async def to_open(conn: Connection, now: datetime) -> tuple[str, datetime] | None:
    """(employer id, since when) whose next month is to be opened."""
    own = wage_deadlines.c
    wanted = select(own.employer_id, own.open_at).where(own.open_at <= now)
    row = (await conn.execute(wanted.order_by(own.open_at).limit(1))).first()
    return (row.employer_id, row.open_at) if row is not None else None


async def open_next_at(conn: Connection, employer_id: str, open_at: datetime) -> None:
    own = wage_deadlines.c.employer_id == employer_id
    await conn.execute(update(wage_deadlines).where(own).values(open_at=open_at))


async def first_reminder(conn: Connection) -> datetime | None:
    """When the stage of some hand-in moves on."""
    at: datetime | None = (await conn.execute(select(func.min(wage_hand_ins.c.next_at)))).scalar()
    return at


async def to_remind(conn: Connection, now: datetime, limit: int) -> list[HandIn]:
    """Hand-ins whose stage moves on, locked."""
    wanted = select(*_HAND_IN).where(wage_hand_ins.c.next_at <= now)
    return await _found(
        conn,
        wanted.order_by(wage_hand_ins.c.next_at).limit(limit).with_for_update(skip_locked=True),
    )


async def hand_ins_of(conn: Connection, employer_id: str, first: str, last: str) -> list[HandIn]:
    """Of the employer's levy periods from `first` to `last`, by period and department."""
    own = wage_hand_ins.c
    wanted = select(*_HAND_IN).where(
        own.employer_id == employer_id, own.levy_period >= first, own.levy_period <= last
    )
    return await _found(conn, wanted.order_by(own.levy_period, own.department_id))


async def hand_in(conn: Connection, department_id: str, levy_period: str) -> HandIn:
    """One, locked; NotFound if there is none or it is another's."""
    own = wage_hand_ins.c
    wanted = select(*_HAND_IN).where(
        own.department_id == department_id, own.levy_period == levy_period
    )
    found = await _found(conn, wanted.with_for_update())
    if not found:
        raise NotFound(f"Nothing is due of department {department_id} for {levy_period}.")
    return found[0]


async def hand_ins(
    conn: Connection, department_ids: Iterable[str], levy_periods: Iterable[str]
) -> list[HandIn]:
    """Those that exist, locked."""
    own = wage_hand_ins.c
    wanted = select(*_HAND_IN).where(
        among(own.department_id, department_ids), among(own.levy_period, levy_periods)
    )
    return await _found(conn, wanted.order_by(own.department_id, own.levy_period).with_for_update())


async def brought_by(conn: Connection, import_id: str) -> list[HandIn]:
    """Those that are handed in by an import, alone, first or beside others; locked."""
    own = wage_hand_ins.c
    its_rows = select(wage_inputs.c.department_id, wage_inputs.c.levy_period).where(
        wage_inputs.c.import_id == import_id
    )
    wanted = select(*_HAND_IN).where(
        own.state == HANDED_IN,
        (own.import_id == import_id) | tuple_(own.department_id, own.levy_period).in_(its_rows),
    )
    return await _found(conn, wanted.with_for_update())


async def standing_for(
    conn: Connection, employer_id: str, levy_periods: Iterable[str]
) -> dict[tuple[str, str], list[Brought]]:
    """By (department id, levy period) the imports by which wage data stand."""
    own = wage_inputs.c
    wanted = (
        select(
            own.department_id,
            own.levy_period,
            imports.c.import_id,
            imports.c.applied_by,
            imports.c.applied_at,
            func.count(distinct(tuple_(own.employee_id, own.row))).label("rows"),
        )
        .join(imports, imports.c.import_id == own.import_id)
        .where(own.employer_id == employer_id, among(own.levy_period, levy_periods))
        .group_by(own.department_id, own.levy_period, imports.c.import_id)
    )
    found: dict[tuple[str, str], list[Brought]] = {}
    for row in await conn.execute(wanted):
        at: datetime = row.applied_at
        brought = Brought(row.import_id, row.rows, row.applied_by, at, china_day(at))
        found.setdefault((row.department_id, row.levy_period), []).append(brought)
    return found


async def _found(conn: Connection, wanted: Select[tuple[object, ...]]) -> list[HandIn]:
    return [HandIn(**row) for row in (await conn.execute(wanted)).mappings()]


async def save(conn: Connection, changed: Sequence[HandIn], *, only_newer: bool = False) -> None:
    """Writes them as given, with when each moves on."""
    await merge(
        conn,
        wage_hand_ins,
        [
            {
                **asdict(one),
                "next_at": china_time(one.next_on, _TOLD_FROM) if one.next_on else None,
            }
            for one in changed
        ],
        only_newer=only_newer,
    )
