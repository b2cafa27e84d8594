"""Anomalies: those of a month, those that wait to be told, their spread, and pages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, true
from sqlalchemy.dialects.postgresql import insert

from reconciliation_svc.domain.anomalies import Anomaly, Spread
from reconciliation_svc.domain.month import MonthKey
from reconciliation_svc.tables import anomalies
from shared.db import Connection
from shared.values import Insurance, LevyPeriod, Outcome

_COLUMNS = [column.name for column in anomalies.c]
_decode_outcomes = msgspec.json.Decoder(dict[str, Outcome]).decode

SpreadKey = tuple[str, str, str, str]
"""(kind, employer, city, levy period)"""


async def of_months(
    conn: Connection, keys: Sequence[MonthKey]
) -> tuple[dict[MonthKey, list[Anomaly]], dict[MonthKey, dict[Outcome, int]]]:
    """Per month its uncleared anomalies, locked, and per kind how many occurrences were cleared."""
    wanted = set(keys)
    query = (
        select(anomalies)
        .where(
            anomalies.c.employee_id.in_({employee_id for employee_id, _ in wanted}),
            anomalies.c.levy_period.in_({str(period) for _, period in wanted}),
        )
        .order_by(anomalies.c.anomaly_id)
        .with_for_update()
    )
    open_ones: dict[MonthKey, list[Anomaly]] = {}
    cleared: dict[MonthKey, dict[Outcome, int]] = {}
    for row in (await conn.execute(query)).mappings():
        anomaly = _anomaly(row)
        key = (anomaly.employee_id, LevyPeriod.parse(anomaly.levy_period))
        if key not in wanted:
            continue
        if anomaly.cleared_at is None:
            open_ones.setdefault(key, []).append(anomaly)
        else:
            counts = cleared.setdefault(key, {})
            counts[anomaly.kind] = counts.get(anomaly.kind, 0) + 1
    return open_ones, cleared


async def save(conn: Connection, changed: Sequence[Anomaly]) -> None:
    """Writes anomalies as they are now; the caller holds the months' rows or the anomalies' own."""
    if not changed:
        return
    new = insert(anomalies)
    values = {name: new.excluded[name] for name in _COLUMNS if name != "anomaly_id"}
    await conn.execute(
        new.on_conflict_do_update(index_elements=["anomaly_id"], set_=values),
        [_row(anomaly) for anomaly in changed],
    )


async def keep_told(conn: Connection, told: Sequence[Anomaly]) -> None:
    """Brings anomalies to what was told of them."""
    new = insert(anomalies)
    values = {name: new.excluded[name] for name in _COLUMNS if name != "anomaly_id"}
    statement = new.on_conflict_do_update(
        index_elements=["anomaly_id"],
        set_=values,
        where=anomalies.c.version <= new.excluded.version,
    )
    # The cleared first: of a kind one occurrence may be open.
    ordered = sorted(told, key=lambda one: one.cleared_at is None)
    await conn.execute(statement, [_row(anomaly) for anomaly in ordered])


async def forget(conn: Connection, anomaly_ids: Iterable[str]) -> None:
    """Deletes occurrences that nobody was told of."""
    names = sorted(anomaly_ids)
    if names:
        await conn.execute(
            delete(anomalies).where(anomalies.c.anomaly_id.in_(names), anomalies.c.version == 0)
        )


async def untold_due(conn: Connection) -> datetime | None:
    """When the next anomaly is to be told."""
    at: datetime | None = (await conn.execute(select(func.min(anomalies.c.tell_at)))).scalar()
    return at


async def take_untold(conn: Connection, now: datetime, limit: int) -> list[Anomaly]:
    """Anomalies that are to be told, locked."""
    query = (
        select(anomalies)
        .where(anomalies.c.tell_at <= now)
        .order_by(anomalies.c.tell_at, anomalies.c.anomaly_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_anomaly(row) for row in (await conn.execute(query)).mappings()]


async def spreads(conn: Connection, of: Sequence[Anomaly]) -> dict[SpreadKey, Spread]:
    """How far each of these kinds reaches now, in its employer, city and levy period; one query."""
    insurance = func.unnest(anomalies.c.insurances).table_valued("insurance").render_derived("one")
    keys = [anomalies.c.kind, anomalies.c.employer_id, anomalies.c.city, anomalies.c.levy_period]
    query = (
        select(
            *keys,
            func.count(anomalies.c.employee_id.distinct()),
            func.count(insurance.c.insurance.distinct()),
            func.count(anomalies.c.authority.distinct()),
            func.count(anomalies.c.account_id.distinct()),
        )
        .select_from(anomalies)
        .join(insurance, onclause=true())
        .where(
            anomalies.c.cleared_at.is_(None),
            anomalies.c.kind.in_({anomaly.kind for anomaly in of}),
            anomalies.c.employer_id.in_({anomaly.employer_id for anomaly in of}),
            anomalies.c.levy_period.in_({anomaly.levy_period for anomaly in of}),
        )
        .group_by(*keys)
    )
    rows = (await conn.execute(query)).all()
    return {
        (row[0], row[1], row[2], row[3]): Spread(row[4], row[5], row[6], row[7]) for row in rows
    }


async def page(
    conn: Connection,
    filters: Mapping[str, str],
    is_open: bool | None,
    after: str | None,
    limit: int,
) -> list[Anomaly]:
    """Told anomalies in the order of their ids; `is_open` None: cleared ones too."""
    query = select(anomalies).where(
        anomalies.c.version > 0, *(anomalies.c[name] == value for name, value in filters.items())
    )
    if is_open is not None:
        cleared = anomalies.c.cleared_at
        query = query.where(cleared.is_(None) if is_open else cleared.is_not(None))
    if after is not None:
        query = query.where(anomalies.c.anomaly_id > after)
    query = query.order_by(anomalies.c.anomaly_id).limit(limit)
    return [_anomaly(row) for row in (await conn.execute(query)).mappings()]


def _row(anomaly: Anomaly) -> dict[str, Any]:
    row = {name: getattr(anomaly, name) for name in _COLUMNS}
    outcomes = anomaly.outcomes
    row["insurances"] = [str(insurance) for insurance in anomaly.insurances]
    row["outcomes"] = None if outcomes is None else msgspec.json.encode(outcomes).decode()
    return row


def _anomaly(row: Mapping[Any, Any]) -> Anomaly:
    outcomes = row["outcomes"]
    values = {name: row[name] for name in _COLUMNS}
    values |= {
        "kind": Outcome(row["kind"]),
        "insurances": tuple(Insurance(name) for name in row["insurances"]),
        "outcomes": None if outcomes is None else _decode_outcomes(outcomes),
    }
    return Anomaly(**values)
