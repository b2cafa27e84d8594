"""Anomalies, feedback, and the causes that they share."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, distinct, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from shared.db import Connection
from shared.values import derived_id
from ticket_svc import tables
from ticket_svc.domain.facts import Anomaly, Feedback
from ticket_svc.store.arrays import among
from ticket_svc.store.copies import Desk

INCIDENT_PEOPLE = 2
"""So many employees with one cause are one incident."""


async def lock_causes(conn: Connection, anomalies: Sequence[Anomaly]) -> None:
    """Makes and locks the causes' rows in order, so that batches which share a cause are counted
    one by one.
    """
    earliest: dict[Desk, Anomaly] = {}
    for anomaly in sorted(anomalies, key=lambda a: a.raised_at):
        if anomaly.cause_id:
            earliest.setdefault((anomaly.employer_id, anomaly.cause_id), anomaly)
    if not earliest:
        return
    table = tables.incidents
    begun = {
        (str(derived_id("incident", *desk)), *desk): anomaly
        for desk, anomaly in sorted(earliest.items(), key=lambda item: item[0])
    }
    # Without a target every unique index of the table decides: two batches that make the row at
    # once may meet at either, and an upsert with one of them as its target fails at the other.
    await conn.execute(
        insert(table).on_conflict_do_nothing(),
        [
            {
                "incident_id": incident_id,
                "employer_id": employer,
                "cause_id": cause,
                "kind": anomaly.kind,
                "authority": anomaly.authority,
                "first_raised_at": anomaly.raised_at,
            }
            for (incident_id, employer, cause), anomaly in begun.items()
        ],
    )
    await conn.execute(
        update(table)
        .where(table.c.incident_id == bindparam("incident"))
        .values(first_raised_at=func.least(table.c.first_raised_at, bindparam("raised_at"))),
        [
            {"incident": incident_id, "raised_at": anomaly.raised_at}
            for (incident_id, _, _), anomaly in begun.items()
        ],
    )


async def count_people(conn: Connection, anomalies: Sequence[Anomaly]) -> list[Desk]:
    """Counts who shares the anomalies' causes.

    Gives back the employees who share one and whose ticket does not name the incident yet.
    """
    causes = {anomaly.cause_id for anomaly in anomalies if anomaly.cause_id}
    if not causes:
        return []
    table, rows, tickets = tables.incidents, tables.anomalies, tables.tickets
    counting = (
        select(func.count(distinct(rows.c.employee_id)))
        .where(rows.c.employer_id == table.c.employer_id, rows.c.cause_id == table.c.cause_id)
        .scalar_subquery()
    )
    counted = update(table).where(among(table.c.cause_id, causes)).values(people=counting)
    await conn.execute(counted)
    lone = (
        select(tickets.c.employee_id, tickets.c.employer_id)
        .join(rows, rows.c.ticket_id == tickets.c.ticket_id)
        .join(
            table,
            and_(table.c.employer_id == rows.c.employer_id, table.c.cause_id == rows.c.cause_id),
        )
        .where(
            among(table.c.cause_id, causes),
            table.c.people >= INCIDENT_PEOPLE,
            tickets.c.incident_id == "",
            tickets.c.resolved_by == "",
        )
        .distinct()
    )
    return [(row.employee_id, row.employer_id) for row in await conn.execute(lone)]


async def incidents_of(
    conn: Connection, anomalies: Sequence[Anomaly]
) -> dict[tuple[str, str], str]:
    """Incident ids by (employer id, cause id), for causes that enough people share."""
    table = tables.incidents
    causes = {anomaly.cause_id for anomaly in anomalies if anomaly.cause_id}
    shared = select(table).where(among(table.c.cause_id, causes), table.c.people >= INCIDENT_PEOPLE)
    rows = await conn.execute(shared)
    return {(row.employer_id, row.cause_id): row.incident_id for row in rows}


async def incidents(
    conn: Connection, employer_id: str, after: tuple[datetime, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """Incidents of the employer, the newest first, with how many of their tickets are open."""
    table, tickets = tables.incidents, tables.tickets
    open_tickets = (
        select(func.count())
        .where(tickets.c.incident_id == table.c.incident_id, tickets.c.resolved_at.is_(None))
        .scalar_subquery()
    )
    statement = select(table, open_tickets.label("open_tickets")).where(
        table.c.employer_id == employer_id, table.c.people >= INCIDENT_PEOPLE
    )
    keys = tuple_(table.c.first_raised_at, table.c.incident_id)
    if after is not None:
        statement = statement.where(keys < after)
    ordered = statement.order_by(table.c.first_raised_at.desc(), table.c.incident_id.desc())
    return (await conn.execute(ordered.limit(limit))).all()


async def anomalies_named(conn: Connection, fact_ids: Iterable[str]) -> dict[str, Anomaly]:
    """The anomalies there are, by fact id."""
    table = tables.anomalies
    wanted = {fact_id: fact_id.rpartition("#")[0] for fact_id in fact_ids}
    statement = select(table).where(among(table.c.anomaly_id, wanted.values()))
    found = (_anomaly(row) for row in await conn.execute(statement))
    return {anomaly.fact_id: anomaly for anomaly in found if anomaly.fact_id in wanted}


async def save_anomalies(conn: Connection, anomalies: Iterable[Anomaly]) -> None:
    """Writes them as they are; their employees' desks are locked."""
    table = tables.anomalies
    keys = {"anomaly_id", "occurrence"}
    statement = insert(table)
    statement = statement.on_conflict_do_update(
        constraint="anomalies_pkey",
        set_={c.name: statement.excluded[c.name] for c in table.c if c.name not in keys},
    )
    await conn.execute(statement, [_anomaly_row(anomaly) for anomaly in anomalies])


async def add_feedback(conn: Connection, feedback: Feedback) -> None:
    row = {column.name: getattr(feedback, column.name) for column in tables.feedbacks.c}
    await conn.execute(insert(tables.feedbacks), {**row, "insurances": list(feedback.insurances)})


async def ticket_of_feedback(conn: Connection, feedback_id: str) -> str:
    """The ticket that a feedback is in."""
    table = tables.feedbacks
    statement = select(table.c.ticket_id).where(table.c.feedback_id == feedback_id)
    found: str = (await conn.execute(statement)).scalar_one()
    return found


async def anomalies_of(conn: Connection, employee_ids: Sequence[str]) -> list[Anomaly]:
    table = tables.anomalies
    wanted = among(table.c.employee_id, employee_ids)
    return [_anomaly(row) for row in await conn.execute(select(table).where(wanted))]


async def feedbacks_of(conn: Connection, employee_ids: Sequence[str]) -> list[Feedback]:
    table = tables.feedbacks
    wanted = among(table.c.employee_id, employee_ids)
    return [_feedback(row) for row in await conn.execute(select(table).where(wanted))]


async def place(conn: Connection, places: Mapping[str, str]) -> None:
    """Writes which ticket each fact belongs to; a message of feedback goes where the
    feedback goes.
    """
    anomalies = [
        {"a": name, "o": int(number), "t": ticket_id}
        for fact_id, ticket_id in sorted(places.items())
        for name, mark, number in [fact_id.rpartition("#")]
        if mark
    ]
    feedbacks = [{"f": f, "t": t} for f, t in sorted(places.items()) if "#" not in f]
    if anomalies:
        await conn.execute(_PLACE_ANOMALY, anomalies)
    for statement in (_PLACE_FEEDBACK, _PLACE_MESSAGE):
        if feedbacks:
            await conn.execute(statement, feedbacks)


_ANOMALY_FIELDS = tuple(column.name for column in tables.anomalies.c if column.name != "gone")
_PLACE_ANOMALY = (
    update(tables.anomalies)
    .where(
        tables.anomalies.c.anomaly_id == bindparam("a"),
        tables.anomalies.c.occurrence == bindparam("o"),
    )
    .values(ticket_id=bindparam("t"))
)
_PLACE_FEEDBACK = (
    update(tables.feedbacks)
    .where(tables.feedbacks.c.feedback_id == bindparam("f"))
    .values(ticket_id=bindparam("t"))
)
_PLACE_MESSAGE = (
    update(tables.messages)
    .where(tables.messages.c.feedback_id == bindparam("f"))
    .values(ticket_id=bindparam("t"))
)


def _anomaly(row: Row[Any]) -> Anomaly:
    values = dict(row._mapping)
    gone = {name: datetime.fromisoformat(at) for name, at in values.pop("gone").items()}
    return Anomaly(**{**values, "insurances": tuple(values["insurances"])}, left=gone)


def _anomaly_row(anomaly: Anomaly) -> dict[str, Any]:
    row = {name: getattr(anomaly, name) for name in _ANOMALY_FIELDS}
    gone = {name: at.isoformat() for name, at in anomaly.left.items()}
    return {**row, "insurances": list(anomaly.insurances), "gone": gone}


def _feedback(row: Row[Any]) -> Feedback:
    values = dict(row._mapping)
    return Feedback(**{**values, "insurances": tuple(values["insurances"])})
