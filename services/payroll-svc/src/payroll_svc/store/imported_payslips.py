"""Payslips of companies that keep their own payroll, and which of their months are closed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, select, text, tuple_
from sqlalchemy.dialects.postgresql import distinct_on, insert

from payroll_svc.domain.imported_payslips import ImportedPayslip, SaidLine
from payroll_svc.store.bulk import among, insert_new, merge
from payroll_svc.tables import imported_payslips, period_closes
from shared.db import Connection

_INSERTED_AT_ONCE = 1_000


async def newest(
    conn: Connection, employee_ids: Iterable[str], levy_periods: Iterable[str]
) -> dict[str, ImportedPayslip]:
    """The version that holds of each of these employees' payslips, by employee id/levy period."""
    own = imported_payslips.c
    wanted = (
        select(imported_payslips)
        .where(among(own.employee_id, employee_ids), among(own.levy_period, levy_periods))
        .ext(distinct_on(own.employee_id, own.levy_period))
        .order_by(own.employee_id, own.levy_period, own.version.desc())
    )
    slips = [_payslip(row) for row in (await conn.execute(wanted)).mappings()]
    return {f"{slip.employee_id}/{slip.levy_period}": slip for slip in slips}


async def of_tax_year(
    conn: Connection, employee_ids: Iterable[str], payday: date
) -> dict[str, list[ImportedPayslip]]:
    """By employee id the payslips that hold and were paid in the payday's tax year, up to it."""
    own = imported_payslips.c
    held = (
        select(imported_payslips)
        .where(among(own.employee_id, employee_ids))
        .ext(distinct_on(own.employee_id, own.levy_period))
        .order_by(own.employee_id, own.levy_period, own.version.desc())
    ).subquery()
    wanted = select(held).where(held.c.payday.between(date(payday.year, 1, 1), payday))
    found: dict[str, list[ImportedPayslip]] = {}
    for row in (await conn.execute(wanted)).mappings():
        slip = _payslip(row)
        if not slip.is_withdrawn:
            found.setdefault(slip.employee_id, []).append(slip)
    return found


async def page(
    conn: Connection,
    employer_id: str,
    levy_period: str | None,
    before: tuple[str, str, int] | None,
    limit: int,
) -> list[ImportedPayslip]:
    """One page of every version, the newest levy period first, of what row security lets the caller
    see.
    """
    own = imported_payslips.c
    place = tuple_(own.levy_period, own.employee_id, own.version)
    wanted = select(imported_payslips).where(own.employer_id == employer_id)
    if levy_period is not None:
        wanted = wanted.where(own.levy_period == levy_period)
    if before is not None:
        wanted = wanted.where(place < before)
    ordered = wanted.order_by(
        own.levy_period.desc(), own.employee_id.desc(), own.version.desc()
    ).limit(limit)
    return [_payslip(row) for row in (await conn.execute(ordered)).mappings()]


def _payslip(row: RowMapping) -> ImportedPayslip:
    withheld = tuple(SaidLine(**line) for line in row["withheld"])
    return ImportedPayslip(**{**row, "withheld": withheld})


_SUMS = text(
    """
    SELECT line->>'insurance' AS insurance,
           sum(CAST(line->>'employer_fen' AS bigint)) AS employer_fen,
           sum(CAST(line->>'employee_fen' AS bigint)) AS employee_fen
      FROM (SELECT DISTINCT ON (employee_id) withheld FROM imported_payslips
             WHERE employer_id = :employer_id AND levy_period = :levy_period
             ORDER BY employee_id, version DESC) AS newest
     CROSS JOIN LATERAL jsonb_array_elements(withheld) AS line
     GROUP BY 1
    """
)


async def withheld_sums(
    conn: Connection, employer_id: str, levy_period: str
) -> dict[str, tuple[int, int]]:
    """(employer fen, employee fen) per insurance over the period's imported payslips."""
    rows = await conn.execute(_SUMS, {"employer_id": employer_id, "levy_period": levy_period})
    return {row.insurance: (int(row.employer_fen), int(row.employee_fen)) for row in rows}


async def restore(conn: Connection, slips: Sequence[ImportedPayslip]) -> None:
    """What a restored store has lost of them; what it has stays as it is."""
    if slips:
        rows = [_row(slip) for slip in slips]
        await conn.execute(insert(imported_payslips).on_conflict_do_nothing(), rows)


def _row(slip: ImportedPayslip) -> dict[str, Any]:
    return {**asdict(slip), "withheld": [asdict(line) for line in slip.withheld]}


async def add(conn: Connection, slips: Sequence[ImportedPayslip]) -> None:
    """Issues them: new, or as the next version."""
    rows = [_row(slip) for slip in slips]
    for start in range(0, len(rows), _INSERTED_AT_ONCE):
        await insert_new(conn, imported_payslips, rows[start : start + _INSERTED_AT_ONCE])


async def has_any(conn: Connection, employer_id: str, levy_period: str) -> bool:
    """Whether the employer's own payroll ever told payslips of the period."""
    own = imported_payslips.c
    wanted = select(own.employee_id).where(
        own.employer_id == employer_id, own.levy_period == levy_period
    )
    return (await conn.execute(wanted.limit(1))).first() is not None


async def closed_periods(conn: Connection, employer_id: str) -> set[str]:
    """Levy periods that reconciliation-svc said are closed."""
    wanted = select(period_closes.c.levy_period).where(period_closes.c.employer_id == employer_id)
    return set((await conn.execute(wanted)).scalars())


async def keep_closed(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps that periods are closed; any order, any repeat."""
    await merge(conn, period_closes, rows, only_newer=True)
