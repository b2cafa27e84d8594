"""What employers and their people entered: own pay items, standing items, entries, declarations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.deductions import Deduction, TaxDeclaration
from payroll_svc.domain.pay_items import Entry, Noted, PayItem, Standing
from payroll_svc.domain.payroll_run import Entered
from payroll_svc.store.bulk import among, merge, next_versions_of
from payroll_svc.tables import (
    entered_versions,
    entries,
    pay_items,
    standing_items,
    tax_declarations,
)
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


async def add_own_items(conn: Connection, employer_id: str, items: Sequence[PayItem]) -> None:
    """Adds them; those that are known stay as they are."""
    rows = [{"employer_id": employer_id, **asdict(item)} for item in items]
    await conn.execute(insert(pay_items).on_conflict_do_nothing(), rows)


async def standing_of(conn: Connection, employee_id: str) -> list[Standing]:
    """One person's standing items, each code's in the order of its days."""
    wanted = select(*_STANDING).where(standing_items.c.employee_id == employee_id)
    rows = await conn.execute(wanted.order_by(standing_items.c.code, standing_items.c.since))
    return [Standing(**row) for row in rows.mappings()]


async def noted_standing(conn: Connection, employee_id: str) -> list[Noted[Standing]]:
    """One person's standing items with when and by whom each was entered."""
    wanted = select(*_STANDING, standing_items.c.entered_at, standing_items.c.entered_by).where(
        standing_items.c.employee_id == employee_id
    )
    rows = await conn.execute(wanted.order_by(standing_items.c.code, standing_items.c.since))
    return [Noted(_standing(row), row["entered_at"], row["entered_by"]) for row in rows.mappings()]


async def save_standing(
    conn: Connection, employer_id: str, items: Sequence[tuple[str, Noted[Standing]]]
) -> None:
    """Writes (employee id, item) pairs: one of the same code and first day is corrected."""
    await merge(conn, standing_items, [_row(employer_id, *item) for item in items])


async def save_entries(
    conn: Connection, employer_id: str, levy_period: str, given: Sequence[tuple[str, Noted[Entry]]]
) -> None:
    """Writes (employee id, entry) pairs of one month: one of the same code is corrected."""
    rows = [_row(employer_id, *entry) for entry in given]
    await merge(conn, entries, [{**row, "levy_period": levy_period} for row in rows])


def _row(employer_id: str, employee_id: str, noted: Noted[Any]) -> dict[str, Any]:
    own = {"employee_id": employee_id, "employer_id": employer_id}
    return (
        own | asdict(noted.what) | {"entered_at": noted.entered_at, "entered_by": noted.entered_by}
    )


async def noted_entries(
    conn: Connection, employee_ids: Iterable[str], levy_period: str
) -> dict[str, list[Noted[Entry]]]:
    """By employee id all entries of a month, those that were taken back too, with when and by whom
    each was entered.
    """
    wanted = select(entries).where(
        among(entries.c.employee_id, employee_ids), entries.c.levy_period == levy_period
    )
    found: dict[str, list[Noted[Entry]]] = {}
    for row in (await conn.execute(wanted.order_by(entries.c.code))).mappings():
        noted = Noted(_entry(row), row["entered_at"], row["entered_by"])
        found.setdefault(row["employee_id"], []).append(noted)
    return found


async def next_versions(
    conn: Connection, employer_id: str, employee_ids: Iterable[str], what: str
) -> dict[str, int]:
    """By employee id the version under which is told next `what` they, or HR for them, entered."""
    pairs = [(employee_id, what) for employee_id in employee_ids]
    found = await next_versions_of(conn, entered_versions, employer_id, pairs)
    return {employee_id: version for (employee_id, _), version in found.items()}


async def keep_versions(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Versions that were told, each unless a newer one is there; `rows` hold the columns."""
    await merge(conn, entered_versions, rows, only_newer=True)


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
        row.employee_id: declaration_of(
            row.deductions, [(one["tax_year"], one["election"]) for one in row.elections]
        )
        for row in await conn.execute(wanted)
    }


def declaration_of(
    deductions: Iterable[dict[str, Any]], elections: Iterable[Sequence[Any]]
) -> TaxDeclaration:
    """Out of JSON: elections are pairs of tax year and election."""
    return TaxDeclaration(
        tuple(Deduction(**one) for one in deductions),
        tuple((year, election) for year, election in elections),
    )


async def save_declaration(
    conn: Connection,
    employer_id: str,
    employee_id: str,
    declared: Noted[TaxDeclaration],
) -> None:
    """Writes all that a person declares; what they declared before is gone with it."""
    said = declared.what
    row = {
        "employee_id": employee_id,
        "employer_id": employer_id,
        "deductions": [asdict(one) for one in said.deductions],
        "elections": [{"tax_year": year, "election": one} for year, one in said.elections],
        "entered_at": declared.entered_at,
        "entered_by": declared.entered_by,
    }
    await merge(conn, tax_declarations, [row])


def _standing(row: Any) -> Standing:
    since: date = row["since"]
    return Standing(row["code"], since, row["amount_fen"], row["until"])


def _entry(row: Any) -> Entry:
    return Entry(*(row[column.name] for column in _ENTRY))
