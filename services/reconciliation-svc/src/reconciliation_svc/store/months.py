"""Months: the set-based merge of sides, the rows that time makes due, and their verdicts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, RowMapping, and_, case, func, or_, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.elements import ColumnElement

from reconciliation_svc.domain.month import SIDES, Folded, Judged, MonthKey
from reconciliation_svc.domain.sides import (
    AssessedSide,
    BureauSide,
    Month,
    PostedSide,
    RosterSide,
    WithheldSide,
)
from reconciliation_svc.domain.verdict import Verdict
from reconciliation_svc.tables import incoming, judged, months
from shared.db import Connection, copy_rows
from shared.values import LevyPeriod

encode = msgspec.json.Encoder().encode
_decode_cells = msgspec.json.Decoder(tuple[Verdict, ...]).decode
_decode_roster = msgspec.json.Decoder(RosterSide).decode
_decode_assessed = msgspec.json.Decoder(AssessedSide).decode
_decode_posted = msgspec.json.Decoder(PostedSide).decode
_decode_bureau = msgspec.json.Decoder(BureauSide).decode
_decode_withheld = msgspec.json.Decoder(WithheldSide).decode


@dataclass(frozen=True, slots=True)
class KeptMonth:
    """A month as it rests in its row: the sides, the verdicts told last, and the row's version.

    `place` is city, account and department as they were told; `anomalous`: it has anomalies that
    are not cleared.
    """

    month: Month
    verdicts: tuple[Verdict, ...]
    version: int
    place: tuple[str, str, str]
    next_due_at: datetime | None
    anomalous: bool


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """What a judgement writes to a month's row."""

    judged: Judged
    version: int
    anomalous: bool


@dataclass(frozen=True, slots=True)
class ToldMonth:
    """A month's verdicts as its newest CellsJudged told them; `place` as in KeptMonth."""

    employer_id: str
    employee_id: str
    levy_period: str
    version: int
    verdicts: tuple[Verdict, ...]
    place: tuple[str, str, str]
    judged_at: datetime


_INCOMING = [column.name for column in incoming.c]
_JUDGED = [column.name for column in judged.c]


async def merge(conn: Connection, folded: Mapping[MonthKey, Folded]) -> list[KeptMonth]:
    """Merges sides into their months, newest version per side; gives the rows that changed, locked.

    One COPY and one INSERT, in key order, so that two merges of the same months queue and never
    deadlock.
    """
    if not folded:
        return []
    await _empty(conn, incoming.name, CreateTable(incoming, if_not_exists=True))
    await copy_rows(conn, incoming.name, _INCOMING, _incoming_rows(folded))
    rows = (await conn.execute(_MERGE)).all()
    return [_kept(row) for row in rows]


async def _empty(conn: Connection, name: str, create: CreateTable) -> None:
    await conn.execute(create)
    await conn.exec_driver_sql(f"TRUNCATE {name}")


def _incoming_rows(folded: Mapping[MonthKey, Folded]) -> Iterable[tuple[Any, ...]]:
    for (employee_id, levy_period), month in folded.items():
        row: list[Any] = [employee_id, str(levy_period), month.employer_id]
        for side in SIDES:
            brought = month.newest.get(side)
            row += [brought[0], encode(brought[1]).decode()] if brought else [0, None]
        yield tuple(row)


def _newest_wins() -> dict[str, ColumnElement[Any]]:
    changes: dict[str, ColumnElement[Any]] = {}
    for side in SIDES:
        held, brought = months.c[f"{side}_version"], _brought.excluded[f"{side}_version"]
        changes[side] = case((brought > held, _brought.excluded[side]), else_=months.c[side])
        changes[f"{side}_version"] = func.greatest(brought, held)
    return changes


_brought = insert(months).from_select(
    _INCOMING, select(incoming).order_by(incoming.c.employee_id, incoming.c.levy_period)
)
_MERGE = _brought.on_conflict_do_update(
    index_elements=[months.c.employee_id, months.c.levy_period],
    set_=_newest_wins(),
    where=and_(
        # Another employer's fact about this employee id is nobody's fact: it must not move a
        # tenant's sums.
        months.c.employer_id == _brought.excluded.employer_id,
        or_(
            *(_brought.excluded[f"{side}_version"] > months.c[f"{side}_version"] for side in SIDES)
        ),
    ),
).returning(months)


async def due(conn: Connection) -> datetime | None:
    """When the next month can change by time alone."""
    at: datetime | None = (await conn.execute(select(func.min(months.c.next_due_at)))).scalar()
    return at


async def take_due(conn: Connection, now: datetime, limit: int) -> list[KeptMonth]:
    """Months whose time has come, locked; those that another replica holds are left to it."""
    query = (
        select(months)
        .where(months.c.next_due_at <= now)
        .order_by(months.c.next_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_kept(row) for row in (await conn.execute(query)).all()]


async def save_judged(conn: Connection, rows: Sequence[JudgedRow], now: datetime) -> None:
    """Writes verdicts to months that this transaction has locked."""
    if not rows:
        return
    await _empty(conn, judged.name, CreateTable(judged, if_not_exists=True))
    await copy_rows(conn, judged.name, _JUDGED, (_judged_row(row, now) for row in rows))
    await conn.execute(_SAVE)


def _judged_row(row: JudgedRow, now: datetime) -> tuple[Any, ...]:
    month = row.judged.month
    return (
        month.employee_id,
        str(month.levy_period),
        month.city,
        month.account_id,
        month.department_id,
        encode(row.judged.verdicts).decode(),
        row.version,
        now,
        row.judged.next_due_at,
        row.judged.is_settled,
        row.anomalous,
    )


_SAVE = (
    update(months)
    .values({column.name: column for column in judged.c if not months.c[column.name].primary_key})
    .where(
        months.c.employee_id == judged.c.employee_id, months.c.levy_period == judged.c.levy_period
    )
)


async def known_rosters(
    conn: Connection, employee_ids: Sequence[str]
) -> dict[str, dict[LevyPeriod, RosterSide | None]]:
    """Per employee the months that have a row, each with the roster's side that it holds."""
    query = select(months.c.employee_id, months.c.levy_period, months.c.roster).where(
        months.c.employee_id.in_(employee_ids)
    )
    found: dict[str, dict[LevyPeriod, RosterSide | None]] = {}
    for employee_id, period, roster in (await conn.execute(query)).all():
        side = None if roster is None else _decode_roster(roster)
        found.setdefault(employee_id, {})[LevyPeriod.parse(period)] = side
    return found


async def mark_employers(conn: Connection, employer_ids: Sequence[str], now: datetime) -> None:
    """An employer's cut-over decides whether a month is history: all its months are due."""
    await conn.execute(
        update(months).where(months.c.employer_id.in_(employer_ids)).values(next_due_at=now)
    )


async def mark_all(conn: Connection, now: datetime) -> None:
    """Every month is due: the store has just caught up."""
    await conn.execute(update(months).values(next_due_at=now))


async def keep_told(conn: Connection, told: Sequence[ToldMonth]) -> None:
    """Brings months to what was told of them. Whether they have anomalies is looked at by who
    judges them next.
    """
    new = insert(months)
    names = ("city", "account_id", "department_id", "cells", "version", "judged_at", "anomalous")
    statement = new.on_conflict_do_update(
        index_elements=[months.c.employee_id, months.c.levy_period],
        set_={name: new.excluded[name] for name in names},
        where=months.c.version <= new.excluded.version,
    )
    rows = [
        {
            "employee_id": one.employee_id,
            "levy_period": one.levy_period,
            "employer_id": one.employer_id,
            **dict(zip(names[:3], one.place, strict=True)),
            "cells": encode(one.verdicts).decode(),
            "version": one.version,
            "judged_at": one.judged_at,
            "anomalous": True,
        }
        for one in told
    ]
    await conn.execute(statement, rows)


async def mark_cities(conn: Connection, cities: Sequence[str], now: datetime) -> None:
    """Days and closures of a city move the windows of what is not settled there."""
    await conn.execute(
        update(months)
        .where(months.c.city.in_(cities), months.c.settled.is_(False))
        .values(next_due_at=now)
    )


async def mark_months(conn: Connection, keys: Sequence[tuple[str, str]], now: datetime) -> None:
    """These months (employee, levy period) are due, as far as they are there."""
    if keys:
        await conn.execute(
            update(months)
            .where(tuple_(months.c.employee_id, months.c.levy_period).in_(keys))
            .values(next_due_at=now)
        )


async def of_period(conn: Connection, employer_id: str, levy_period: LevyPeriod) -> list[KeptMonth]:
    """All months of one employer and levy period."""
    query = (
        select(months)
        .where(months.c.employer_id == employer_id, months.c.levy_period == str(levy_period))
        .order_by(months.c.employee_id)
    )
    return [_kept(row) for row in (await conn.execute(query)).all()]


async def page(
    conn: Connection,
    filters: Mapping[str, str],
    outcome: str | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[KeptMonth]:
    """Months in the order of period and employee; `filters` are columns that must be equal.

    With `outcome` only months of which some cell has it. `after` is the last (levy period,
    employee) of the page before.
    """
    query = select(months).where(*(months.c[name] == value for name, value in filters.items()))
    if outcome is not None:
        query = query.where(months.c.cells.contains(encode([{"outcome": outcome}]).decode()))
    if after is not None:
        position = func.row(months.c.levy_period, months.c.employee_id)
        query = query.where(position > func.row(*after))
    query = query.order_by(months.c.levy_period, months.c.employee_id).limit(limit)
    return [_kept(row) for row in (await conn.execute(query)).all()]


@dataclass(frozen=True, slots=True)
class Counts:
    """K from the roster alone, cells by outcome (extras apart), and how many extras there are."""

    cells: int
    states: dict[str, int]
    extras: int


async def counts(conn: Connection, employer_id: str, levy_period: LevyPeriod) -> Counts:
    """How many cells of the period are in which state: by the roster on one side, by the verdicts
    on the other.
    """
    here = and_(months.c.employer_id == employer_id, months.c.levy_period == str(levy_period))
    keys = func.jsonb_object_keys(months.c.roster["authorities"]).table_valued("insurance")
    k = (
        await conn.execute(
            select(func.count()).select_from(months).join(keys, onclause=true()).where(here)
        )
    ).scalar_one()
    cell = func.jsonb_array_elements(months.c.cells).table_valued("value").lateral("cell")
    outcome, extra = cell.c.value.op("->>")("outcome"), cell.c.value.op("->>")("extra")
    rows = await conn.execute(
        select(outcome, extra, func.count())
        .select_from(months)
        .join(cell, onclause=true())
        .where(here)
        .group_by(outcome, extra)
    )
    states: dict[str, int] = {}
    extras = 0
    for name, is_extra, number in rows.all():
        if is_extra == "true":
            extras += number
        else:
            states[name] = number
    return Counts(k, states, extras)


def _kept(row: Row[Any] | RowMapping) -> KeptMonth:
    values = row._mapping if isinstance(row, Row) else row
    month = Month(
        employer_id=values["employer_id"],
        employee_id=values["employee_id"],
        levy_period=LevyPeriod.parse(values["levy_period"]),
        roster=_side(_decode_roster, values["roster"]),
        assessed=_side(_decode_assessed, values["assessed"]),
        posted=_side(_decode_posted, values["posted"]),
        bureau=_side(_decode_bureau, values["bureau"]),
        withheld=_side(_decode_withheld, values["withheld"]),
    )
    return KeptMonth(
        month=month,
        verdicts=_decode_cells(values["cells"]),
        version=values["version"],
        place=(values["city"], values["account_id"], values["department_id"]),
        next_due_at=values["next_due_at"],
        anomalous=values["anomalous"],
    )


def _side(decode: Any, body: str | None) -> Any:
    return None if body is None else decode(body)
