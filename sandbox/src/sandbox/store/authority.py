"""An authority's received detail and its records."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from sandbox.faults import Treatment
from sandbox.tables import detail_lines, details, records
from sandbox.wire import Detail
from shared.db import Connection

IN_FULL = "1"
IN_TRANSIT = "3"


async def add(conn: Connection, party: str, detail: Detail, text: str, at: datetime) -> bool:
    """Takes the serial; False when it was taken before. A text says why all of it is refused."""
    statement = insert(details).values(
        party=party,
        serial=detail.serial,
        account_no=detail.account_no,
        content_hash=detail.content_hash(),
        text=text,
        received_at=at,
    )
    return (await conn.execute(statement.on_conflict_do_nothing())).rowcount == 1


async def detail(conn: Connection, party: str, serial: str) -> Row[Any] | None:
    statement = select(details).where(details.c.party == party, details.c.serial == serial)
    return (await conn.execute(statement)).one_or_none()


async def add_lines(
    conn: Connection,
    party: str,
    detail: Detail,
    fates: Sequence[tuple[Treatment, str, datetime | None]],
) -> None:
    """Each line with its treatment, its state and when it will be booked (None: never, as things
    stand).
    """
    rows = [
        {
            "party": party,
            "serial": detail.serial,
            "line_no": number,
            "id_no": line.id_no,
            "name": line.name,
            "insurance": line.insurance,
            "month": line.month,
            "kind": line.kind,
            "base_fen": treatment.base_fen,
            "employer_fen": treatment.employer_fen,
            "employee_fen": treatment.employee_fen,
            "state": state,
            "text": treatment.refused_with,
            "book_at": book_at,
            "in_transit": treatment.in_transit,
            "dropped_by": treatment.dropped_by,
        }
        for number, (line, (treatment, state, book_at)) in enumerate(
            zip(detail.lines, fates, strict=True), start=1
        )
    ]
    await conn.execute(insert(detail_lines), rows)


async def detail_states(conn: Connection, party: str, serial: str) -> list[Row[Any]]:
    statement = select(
        detail_lines.c.id_no, detail_lines.c.insurance, detail_lines.c.state, detail_lines.c.text
    ).where(detail_lines.c.party == party, detail_lines.c.serial == serial)
    return list(await conn.execute(statement.order_by(detail_lines.c.line_no)))


_RECORD = (
    *("party", "id_no", "insurance", "month", "kind", "base_fen"),
    *("employer_fen", "employee_fen", "serial", "line_no"),
)


async def show_in_transit(conn: Connection, party: str, serial: str, account_no: str) -> None:
    """Lists late lines as 在途 until they are booked."""
    statement = select(*(detail_lines.c[name] for name in _RECORD)).where(
        detail_lines.c.party == party, detail_lines.c.serial == serial, detail_lines.c.in_transit
    )
    rows = (await conn.execute(statement)).mappings().all()
    await _list(conn, [dict(row) for row in rows], account_no, IN_TRANSIT, None)


async def book(
    conn: Connection, party: str, serial: str, account_no: str, at: datetime, day: date
) -> int:
    """Records the lines that are due by now, as arrived on `day`; how many."""
    statement = (
        update(detail_lines)
        .where(
            detail_lines.c.party == party,
            detail_lines.c.serial == serial,
            detail_lines.c.state == "accepted",
            detail_lines.c.book_at <= at,
        )
        .values(state="recorded")
        .returning(*(detail_lines.c[name] for name in _RECORD))
    )
    rows = [dict(row) for row in (await conn.execute(statement)).mappings()]
    rows.sort(key=lambda row: row["line_no"])
    await _list(conn, rows, account_no, IN_FULL, day)
    return len(rows)


async def _list(
    conn: Connection, rows: list[dict[str, Any]], account_no: str, flag: str, day: date | None
) -> None:
    if not rows:
        return
    statement = insert(records)
    listed = [
        {
            **row,
            "account_no": account_no,
            "month_end": row["month"],
            "flag": flag,
            "arrived_on": day,
        }
        for row in rows
    ]
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["party", "serial", "line_no"],
            set_={"flag": statement.excluded.flag, "arrived_on": statement.excluded.arrived_on},
        ),
        listed,
    )


async def refuse_due(conn: Connection, party: str, serial: str, at: datetime) -> None:
    """The refusal that comes after the detail was accepted; what was listed as 在途 is listed no
    more.
    """
    refused = (
        update(detail_lines)
        .where(
            detail_lines.c.party == party,
            detail_lines.c.serial == serial,
            detail_lines.c.state == "to_refuse",
            detail_lines.c.book_at <= at,
        )
        .values(state="refused")
        .returning(detail_lines.c.line_no)
    )
    lines = list((await conn.execute(refused)).scalars())
    await conn.execute(
        delete(records).where(
            records.c.party == party, records.c.serial == serial, records.c.line_no.in_(lines)
        )
    )


async def restore_dropped(
    conn: Connection, party: str, fault_id: str, book_at: datetime
) -> list[tuple[str, str]]:
    """Plans the booking of what a fault dropped; serial and account number of what it concerns."""
    restored = (
        update(detail_lines)
        .where(detail_lines.c.party == party, detail_lines.c.dropped_by == fault_id)
        .values(dropped_by=None, book_at=book_at)
        .returning(detail_lines.c.serial)
    )
    serials = set((await conn.execute(restored)).scalars())
    concerned = select(details.c.serial, details.c.account_no).where(
        details.c.party == party, details.c.serial.in_(serials)
    )
    rows = await conn.execute(concerned.order_by(details.c.serial))
    return [(row.serial, row.account_no) for row in rows]


async def plant(conn: Connection, record: dict[str, Any]) -> None:
    """A record that no detail led to: a range of months, an interrupted enrolment, somebody's
    mistake.
    """
    await conn.execute(insert(records).values(record))


async def records_of_account(
    conn: Connection, party: str, account_no: str, month: str, after: int, limit: int
) -> list[Row[Any]]:
    """One page by record id; a record of a range of months counts in each."""
    statement = select(records).where(
        records.c.party == party,
        records.c.account_no == account_no,
        records.c.month <= month,
        records.c.month_end >= month,
        records.c.record_id > after,
    )
    return list(await conn.execute(statement.order_by(records.c.record_id).limit(limit)))


async def records_of_person(
    conn: Connection, party: str, id_no: str, first_month: str, last_month: str
) -> list[Row[Any]]:
    overlaps = or_(
        records.c.month.between(first_month, last_month),
        and_(records.c.month <= first_month, records.c.month_end >= first_month),
    )
    statement = select(records).where(records.c.party == party, records.c.id_no == id_no, overlaps)
    return list(await conn.execute(statement.order_by(records.c.record_id)))
