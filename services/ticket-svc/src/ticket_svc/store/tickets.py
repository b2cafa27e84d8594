"""Tickets, their numbers, their timeline and their conversation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from shared.db import Connection
from ticket_svc import tables
from ticket_svc.domain.ticket import Item, Ticket, WaitingOn
from ticket_svc.errors import TicketUnknown
from ticket_svc.store.arrays import among

_FIELDS = tuple(field.name for field in fields(Ticket) if field.name != "items")


@dataclass(frozen=True, slots=True)
class Message:
    """One thing said: `author_kind` is employee or hr, `author` the `sub` of who said it."""

    message_id: str
    at: datetime
    author_kind: str
    author: str
    text: str
    waiting_on: str = ""
    feedback_id: str | None = None


async def ticket(conn: Connection, ticket_id: str, *, lock: bool = False) -> Ticket:
    """TicketUnknown if there is none that this caller may see."""
    statement = select(tables.tickets).where(tables.tickets.c.ticket_id == ticket_id)
    row = (await conn.execute(statement.with_for_update() if lock else statement)).first()
    if row is None:
        raise TicketUnknown(f"There is no ticket {ticket_id[:40]}.")
    return _ticket(row)


async def tickets_of(conn: Connection, employee_ids: Sequence[str]) -> list[Ticket]:
    """All tickets of these employees, locked; their desks are locked already."""
    table = tables.tickets
    wanted = among(table.c.employee_id, employee_ids)
    ordered = select(table).where(wanted).order_by(table.c.ticket_id).with_for_update()
    return [_ticket(row) for row in await conn.execute(ordered)]


async def tickets_named(conn: Connection, ticket_ids: Iterable[str]) -> dict[str, Ticket]:
    """Those of these tickets that there are, by id, locked."""
    table = tables.tickets
    wanted = select(table).where(among(table.c.ticket_id, ticket_ids))
    rows = await conn.execute(wanted.order_by(table.c.ticket_id).with_for_update())
    return {row.ticket_id: _ticket(row) for row in rows}


async def open_at_authorities(conn: Connection, authorities: Iterable[str]) -> list[Ticket]:
    """Open tickets about these authorities, locked."""
    table = tables.tickets
    wanted = among(table.c.authority, authorities)
    statement = select(table).where(wanted, table.c.resolved_at.is_(None))
    ordered = statement.order_by(table.c.ticket_id).with_for_update()
    return [_ticket(row) for row in await conn.execute(ordered)]


async def another_open(conn: Connection, ticket: Ticket) -> str | None:
    """The number of the other open ticket of the same employee and cause."""
    table = tables.tickets
    statement = select(table.c.number).where(
        table.c.employee_id == ticket.employee_id,
        table.c.cause == ticket.cause,
        table.c.ticket_id != ticket.ticket_id,
        table.c.resolved_at.is_(None),
    )
    found: str | None = (await conn.execute(statement)).scalar()
    return found


async def take_numbers(conn: Connection, wanted: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Takes so many numbers per (employer id, month); the last one before them, by
    `employer/month`.
    """
    table = tables.ticket_numbers
    first: dict[str, int] = {}
    for (employer, month), count in sorted(wanted.items()):
        statement = insert(table).values(employer_id=employer, month=month, last=count)
        taken = statement.on_conflict_do_update(
            constraint="ticket_numbers_pkey", set_={"last": table.c.last + count}
        ).returning(table.c.last)
        first[f"{employer}/{month}"] = (await conn.execute(taken)).scalar_one() - count
    return first


async def save(conn: Connection, rows: Sequence[tuple[Ticket, datetime | None]]) -> None:
    """Writes each (ticket, when the sweep looks at it next); closed ones first, since there is one
    open a cause.
    """
    if not rows:
        return
    table = tables.tickets
    statement = insert(table)
    statement = statement.on_conflict_do_update(
        index_elements=["ticket_id"],
        set_={c.name: statement.excluded[c.name] for c in table.c if c.name != "ticket_id"},
    )
    ordered = sorted(rows, key=lambda row: (row[0].is_open, row[0].ticket_id))
    await conn.execute(statement, [_ticket_row(ticket, at) for ticket, at in ordered])


async def add_changes(
    conn: Connection, rows: Sequence[tuple[Ticket, str]], at: datetime, by: str
) -> None:
    """The timeline's row of each (ticket, name of the change)."""
    values = [
        {
            "ticket_id": ticket.ticket_id,
            "version": ticket.version,
            "employer_id": ticket.employer_id,
            "employee_id": ticket.employee_id,
            "at": at,
            "change": name,
            "state": ticket.state,
            "by": by,
        }
        for ticket, name in rows
    ]
    if values:
        await conn.execute(insert(tables.changes), values)


async def changes(conn: Connection, ticket_id: str) -> Sequence[Row[Any]]:
    table = tables.changes
    ordered = select(table).where(table.c.ticket_id == ticket_id).order_by(table.c.version)
    return (await conn.execute(ordered)).all()


async def add_message(
    conn: Connection, ticket_id: str, desk: tuple[str, str], message: Message
) -> None:
    """Adds to the conversation; `desk` is (employee id, employer id)."""
    row = {field.name: getattr(message, field.name) for field in fields(Message)}
    row |= {"ticket_id": ticket_id, "employee_id": desk[0], "employer_id": desk[1]}
    await conn.execute(insert(tables.messages), row)


async def messages(conn: Connection, ticket_id: str) -> list[Message]:
    table = tables.messages
    wanted = select(table).where(table.c.ticket_id == ticket_id)
    rows = await conn.execute(wanted.order_by(table.c.at, table.c.message_id))
    names = [field.name for field in fields(Message)]
    return [Message(**{name: row._mapping[name] for name in names}) for row in rows]


async def page(
    conn: Connection,
    filters: Mapping[str, str],
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Ticket]:
    """Tickets that have these values, newest first, after (opened_at, ticket id)."""
    table = tables.tickets
    statement = select(table).where(*(table.c[name] == value for name, value in filters.items()))
    if after is not None:
        statement = statement.where(tuple_(table.c.opened_at, table.c.ticket_id) < after)
    ordered = statement.order_by(table.c.opened_at.desc(), table.c.ticket_id.desc())
    return [_ticket(row) for row in await conn.execute(ordered.limit(limit))]


async def counts(conn: Connection) -> dict[str, int]:
    """How many tickets there are in each state, of all employers: numbers without persons."""
    table = tables.tickets
    rows = await conn.execute(select(table.c.state, func.count()).group_by(table.c.state))
    return {row[0]: row[1] for row in rows}


async def first_unassigned(conn: Connection) -> datetime | None:
    """When the oldest ticket was opened that somebody could take."""
    found: datetime | None = (await conn.execute(_assignable(func.min(_t.opened_at)))).scalar()
    return found


async def unassigned(conn: Connection, limit: int) -> list[Ticket]:
    """Tickets that somebody could take, oldest first, locked; those that another holds are left
    out.
    """
    ordered = _assignable(tables.tickets).order_by(_t.opened_at, _t.ticket_id).limit(limit)
    rows = await conn.execute(ordered.with_for_update(skip_locked=True, of=tables.tickets))
    return [_ticket(row) for row in rows]


_t = tables.tickets.c


def _assignable(*columns: Any) -> Any:
    employers = tables.employers
    has_staff = select(1).where(
        employers.c.employer_id == _t.employer_id, func.jsonb_array_length(employers.c.staff) > 0
    )
    return select(*columns).where(_t.resolved_at.is_(None), _t.assignee == "", has_staff.exists())


async def abandoned(conn: Connection, employer_id: str, subs: Sequence[str]) -> list[Ticket]:
    """Open tickets of people who are not among `subs`, locked."""
    statement = select(tables.tickets).where(
        _t.employer_id == employer_id,
        _t.resolved_at.is_(None),
        _t.assignee != "",
        _t.assignee.not_in(list(subs)),
    )
    rows = await conn.execute(statement.order_by(_t.ticket_id).with_for_update())
    return [_ticket(row) for row in rows]


async def loads(conn: Connection, employer_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """Open tickets per employer and assignee."""
    statement = (
        select(_t.employer_id, _t.assignee, func.count())
        .where(among(_t.employer_id, employer_ids), _t.resolved_at.is_(None), _t.assignee != "")
        .group_by(_t.employer_id, _t.assignee)
    )
    found: dict[str, dict[str, int]] = {}
    for employer, assignee, count in await conn.execute(statement):
        found.setdefault(employer, {})[assignee] = count
    return found


async def first_escalation(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(select(func.min(_t.escalate_at)))).scalar()
    return found


async def to_escalate(conn: Connection, now: datetime, limit: int) -> list[Ticket]:
    """Tickets that the sweep has to look at, locked; those that another holds are left out."""
    statement = select(tables.tickets).where(_t.escalate_at <= now)
    ordered = statement.order_by(_t.escalate_at, _t.ticket_id).limit(limit)
    rows = await conn.execute(ordered.with_for_update(skip_locked=True))
    return [_ticket(row) for row in rows]


def _ticket(row: Row[Any]) -> Ticket:
    values = row._mapping
    items = tuple(
        Item(
            item["levy_period"],
            item["insurance"],
            item["anomaly_id"],
            item["kind"],
            datetime.fromisoformat(item["raised_at"]),
            datetime.fromisoformat(item["cleared_at"]) if item["cleared_at"] else None,
        )
        for item in values["items"]
    )
    kept = {name: values[name] for name in _FIELDS}
    return Ticket(**{**kept, "waiting_on": WaitingOn(kept["waiting_on"]), "items": items})


def _ticket_row(ticket: Ticket, escalate_at: datetime | None) -> dict[str, Any]:
    items = [
        {
            "levy_period": item.levy_period,
            "insurance": item.insurance,
            "anomaly_id": item.anomaly_id,
            "kind": item.kind,
            "raised_at": item.raised_at.isoformat(),
            "cleared_at": item.cleared_at.isoformat() if item.cleared_at else "",
        }
        for item in ticket.items
    ]
    row = {name: getattr(ticket, name) for name in _FIELDS}
    return {**row, "items": items, "state": ticket.state, "escalate_at": escalate_at}
