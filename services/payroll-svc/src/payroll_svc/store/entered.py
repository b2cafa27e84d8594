"""What employers and their people entered: own pay items, standing items, entries, declarations."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.deductions import Deduction, TaxDeclaration
from payroll_svc.domain.pay_items import Entry, PayItem, Standing
from payroll_svc.domain.payroll_run import Entered
from payroll_svc.store.bulk import among, merge
from payroll_svc.tables import entries, pay_items, standing_items, tax_declarations
from shared.db import Connection

_STANDING = [standing_items.c[name] for name in ("code", "since", "amount_fen", "until")]
_ENTRY = [
    entries.c[name]
    for name in ("code", "amount_fen", "quantity_thousandths", "unit_price_fen_hundredths")
]


async def own_items(conn: Connection, employer_id: str) -> list[PayItem]:
    """The employer's own pay items, by code."""
    wanted = select(pay_items).where(pay_items.c.employer_id == employer_id)
    rows = (await conn.execute(wanted.order_by(pay_items.c.code))).mappings()
    return [PayItem(**{k: v for k, v in row.items() if k != "employer_id"}) for row in rows]


async def add_own_item(conn: Connection, employer_id: str, item: PayItem) -> None:
    await conn.execute(insert(pay_items).values(employer_id=employer_id, **asdict(item)))


async def standing_of(conn: Connection, employee_id: str) -> list[Standing]:
    """One person's standing items, each code's in the order of its days."""
    wanted = select(*_STANDING).where(standing_items.c.employee_id == employee_id)
    rows = await conn.execute(wanted.order_by(standing_items.c.code, standing_items.c.since))
    return [Standing(**row) for row in rows.mappings()]


async def save_standing(
    conn: Connection,
    employer_id: str,
    employee_id: str,
    items: Sequence[Standing],
    by: str,
    at: datetime,
) -> None:
    """Writes the items: one of the same code and first day is corrected."""
    own = {"employee_id": employee_id, "employer_id": employer_id}
    noted = {"entered_at": at, "entered_by": by}
    await merge(conn, standing_items, [{**own, **asdict(item), **noted} for item in items])


async def save_entries(
    conn: Connection,
    employer_id: str,
    levy_period: str,
    given: Sequence[tuple[str, Entry]],
    by: str,
    at: datetime,
) -> None:
    """Writes (employee id, entry) pairs of one month: one of the same code is corrected."""
    own = {"employer_id": employer_id, "levy_period": levy_period}
    noted = {"entered_at": at, "entered_by": by}
    await merge(
        conn,
        entries,
        [{**own, "employee_id": person, **asdict(entry), **noted} for person, entry in given],
    )


async def entries_of_month(
    conn: Connection, employer_id: str, levy_period: str, after: tuple[str, str] | None, limit: int
) -> list[tuple[str, Entry]]:
    """One page of (employee id, entry) by employee and code, without those that were taken back."""
    wanted = select(entries.c.employee_id, *_ENTRY).where(
        entries.c.employer_id == employer_id,
        entries.c.levy_period == levy_period,
        (entries.c.amount_fen != 0) | (entries.c.quantity_thousandths != 0),
    )
    if after is not None:
        wanted = wanted.where(
            (entries.c.employee_id > after[0])
            | ((entries.c.employee_id == after[0]) & (entries.c.code > after[1]))
        )
    ordered = wanted.order_by(entries.c.employee_id, entries.c.code).limit(limit)
    return [(row["employee_id"], _entry(row)) for row in (await conn.execute(ordered)).mappings()]


async def entered_for(
    conn: Connection, employer_id: str, since_period: str, levy_period: str
) -> dict[str, Entered]:
    """What was entered for each of the employer's people, by employee id: all standing items, and
    the entries of the months from `since_period` to `levy_period`.
    """
    standing = select(standing_items.c.employee_id, *_STANDING).where(
        standing_items.c.employer_id == employer_id
    )
    by_person: dict[str, list[Standing]] = {}
    for row in (await conn.execute(standing)).mappings():
        by_person.setdefault(row["employee_id"], []).append(_standing(row))
    given = select(entries.c.employee_id, entries.c.levy_period, *_ENTRY).where(
        entries.c.employer_id == employer_id,
        entries.c.levy_period >= since_period,
        entries.c.levy_period <= levy_period,
    )
    ordered = given.order_by(entries.c.employee_id, entries.c.levy_period, entries.c.code)
    by_month: dict[str, dict[str, tuple[Entry, ...]]] = {}
    rows = (await conn.execute(ordered)).mappings()
    for (employee_id, month), group in groupby(
        rows, key=lambda row: (row["employee_id"], row["levy_period"])
    ):
        by_month.setdefault(employee_id, {})[month] = tuple(_entry(row) for row in group)
    return {
        employee_id: Entered(tuple(by_person.get(employee_id, ())), by_month.get(employee_id, {}))
        for employee_id in by_person.keys() | by_month.keys()
    }


async def declarations_of(
    conn: Connection, employee_ids: Iterable[str]
) -> dict[str, TaxDeclaration]:
    """Those of the employees that declared anything, by id."""
    wanted = select(tax_declarations).where(among(tax_declarations.c.employee_id, employee_ids))
    return {
        row.employee_id: TaxDeclaration(
            tuple(Deduction(**one) for one in row.deductions),
            tuple((one["tax_year"], one["election"]) for one in row.elections),
        )
        for row in await conn.execute(wanted)
    }


async def save_declaration(
    conn: Connection,
    employer_id: str,
    employee_id: str,
    declared: TaxDeclaration,
    by: str,
    at: datetime,
) -> None:
    """Writes all that a person declares; what they declared before is gone with it."""
    row = {
        "employee_id": employee_id,
        "employer_id": employer_id,
        "deductions": [asdict(one) for one in declared.deductions],
        "elections": [{"tax_year": year, "election": one} for year, one in declared.elections],
        "entered_at": at,
        "entered_by": by,
    }
    await merge(conn, tax_declarations, [row])


def _standing(row: Any) -> Standing:
    since: date = row["since"]
    return Standing(row["code"], since, row["amount_fen"], row["until"])


def _entry(row: Any) -> Entry:
    return Entry(*(row[column.name] for column in _ENTRY))
