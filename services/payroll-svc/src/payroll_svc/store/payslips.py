"""Payslips as issued, what they add up to, and what people say of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import exists, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.deductions import ROSTERS_SUM
from payroll_svc.domain.differences import PaidMonth
from payroll_svc.domain.income_tax import YearToDate
from payroll_svc.domain.pay_items import Reckoned
from payroll_svc.domain.payslip import DISPUTED, Payslip, Reply
from payroll_svc.store.bulk import among, insert_new, merge, next_versions_of
from payroll_svc.store.parts import columns_of, items_of, lines_of, tax_of
from payroll_svc.tables import paid_months as paid_month_versions
from payroll_svc.tables import payslip_replies, payslips
from shared.db import Connection
from shared.refusal import NotFound

# A line is for its payslip's own month unless it names an earlier one.
_WITHHELD_SUMS = text(
    """
    SELECT line->>'insurance' AS insurance,
           sum(CAST(line->>'employer_fen' AS bigint)) AS employer_fen,
           sum(CAST(line->>'employee_fen' AS bigint)) AS employee_fen
      FROM payslips CROSS JOIN LATERAL jsonb_array_elements(withheld) AS line
     WHERE employer_id = :employer_id AND levy_period >= :levy_period
       AND coalesce(nullif(line->>'levy_period', ''), levy_period) = :levy_period
     GROUP BY 1
    """
)

# Whose grounds may have changed since a month was reckoned: something entered, or the person.
_MAY_DIFFER = text(
    """
    SELECT DISTINCT slip.employee_id
      FROM payslips AS slip
      JOIN payroll_runs AS run USING (run_id)
      JOIN employees AS person ON person.employee_id = slip.employee_id
     WHERE slip.employer_id = :employer_id
       AND slip.levy_period >= :since_period AND slip.levy_period < :levy_period
       AND (person.version <> slip.person_version
            OR EXISTS (SELECT 1 FROM standing_items AS s
                        WHERE s.employee_id = slip.employee_id AND s.entered_at >= run.computed_at)
            OR EXISTS (SELECT 1 FROM entries AS e
                        WHERE e.employee_id = slip.employee_id
                          AND e.levy_period = slip.levy_period AND e.entered_at >= run.computed_at))
    """
)

_OF_THE_ROSTER = [{"label": ROSTERS_SUM}]
"""What 专项附加扣除 of a payslip is made of where it is the roster's sum of the month."""


def row_of(slip: Payslip) -> dict[str, Any]:
    """What a payslip's row holds."""
    return columns_of(slip)


async def issue(conn: Connection, slips: Sequence[Payslip]) -> None:
    await insert_new(conn, payslips, [row_of(slip) for slip in slips])


async def restore(conn: Connection, slips: Sequence[Payslip]) -> None:
    """Payslips that a restored store has lost; those that it has stay as they are."""
    if slips:
        rows = [row_of(slip) for slip in slips]
        await conn.execute(insert(payslips).on_conflict_do_nothing(), rows)


async def payslip(conn: Connection, run_id: str, employee_id: str) -> Payslip:
    """NotFound if there is none that the caller may see."""
    wanted = select(payslips).where(
        payslips.c.run_id == run_id, payslips.c.employee_id == employee_id
    )
    row = (await conn.execute(wanted)).mappings().first()
    if row is None:
        raise NotFound(f"There is no payslip of {employee_id} in run {run_id} that you may see.")
    return _slip(row)


async def is_without_reckoning(conn: Connection, run_id: str) -> bool:
    """Whether the run was paid before payslips kept their reckoning, or restored without it."""
    lacking = select(payslips.c.employee_id).where(
        payslips.c.run_id == run_id, payslips.c.tax.is_(None)
    )
    return (await conn.execute(lacking.limit(1))).first() is not None


async def payslips_page(
    conn: Connection,
    employer_id: str | None,
    levy_period: str | None,
    before: tuple[str, ...] | None,
    limit: int,
) -> list[Payslip]:
    """One page, the newest levy period first, of what row security lets the caller see."""
    wanted = select(payslips)
    if employer_id is not None:
        wanted = wanted.where(payslips.c.employer_id == employer_id)
    if levy_period is not None:
        wanted = wanted.where(payslips.c.levy_period == levy_period)
    place = (payslips.c.levy_period, payslips.c.employee_id, payslips.c.run_id)
    if before is not None:
        wanted = wanted.where(tuple_(*place) < before)
    ordered = wanted.order_by(*(column.desc() for column in place))
    return [_slip(row) for row in (await conn.execute(ordered.limit(limit))).mappings()]


async def payslips_for(
    conn: Connection, employee_ids: Iterable[str], levy_periods: Sequence[str]
) -> dict[tuple[str, str], list[Payslip]]:
    """By (employee id, levy period) all payslips that paid for that month or withheld for it, in
    the order of their issue.
    """
    wanted = select(payslips).where(
        among(payslips.c.employee_id, employee_ids), payslips.c.levy_period >= min(levy_periods)
    )
    found: dict[tuple[str, str], list[Payslip]] = {}
    ordered = wanted.order_by(payslips.c.issued_at, payslips.c.run_id)
    for row in (await conn.execute(ordered)).mappings():
        slip = _slip(row)
        for levy_period in levy_periods:
            if slip.levy_period == levy_period or slip.lines_for(levy_period):
                found.setdefault((slip.employee_id, levy_period), []).append(slip)
    return found


async def next_versions(
    conn: Connection, employer_id: str, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """The version under which each (employee id, levy period) is told next; counted on with it."""
    return await next_versions_of(conn, paid_month_versions, employer_id, wanted)


async def keep_versions(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Versions that were told, each unless a newer one is there; `rows` hold the columns."""
    await merge(conn, paid_month_versions, rows, only_newer=True)


async def months_to_make_good(
    conn: Connection, employer_id: str, since_period: str, levy_period: str
) -> dict[str, list[PaidMonth]]:
    """By employee id the months from `since_period` on and before `levy_period` that were paid with
    items and whose grounds may have changed since.
    """
    span = {
        "employer_id": employer_id,
        "since_period": since_period,
        "levy_period": levy_period,
    }
    ids = list((await conn.execute(_MAY_DIFFER, span)).scalars())
    return await months_paid(conn, ids, since_period, levy_period) if ids else {}


async def months_reckoned(
    conn: Connection, employee_ids: Iterable[str]
) -> dict[tuple[str, str], bool]:
    """By (employee id, levy period) of every month that was paid, whether its reckoning is kept."""
    key = (payslips.c.employee_id, payslips.c.levy_period)
    wanted = select(*key, func.bool_or(payslips.c.tax.is_not(None)).label("is_reckoned")).where(
        among(payslips.c.employee_id, employee_ids)
    )
    rows = await conn.execute(wanted.group_by(*key))
    return {(row.employee_id, row.levy_period): row.is_reckoned for row in rows}


async def months_paid(
    conn: Connection, employee_ids: Iterable[str], since_period: str, before_period: str
) -> dict[str, list[PaidMonth]]:
    """By employee id everything that was paid for each of the span's months, whichever run paid
    it. Months whose reckoning was not kept, as before this was done, are left out.
    """
    wanted = select(payslips).where(
        among(payslips.c.employee_id, employee_ids), payslips.c.levy_period >= since_period
    )
    ordered = wanted.order_by(payslips.c.employee_id, payslips.c.levy_period, payslips.c.issued_at)
    rows = (await conn.execute(ordered)).mappings()
    return {
        employee_id: _months([_slip(row) for row in group], before_period)
        for employee_id, group in groupby(rows, key=lambda row: row["employee_id"])
    }


def _months(slips: Sequence[Payslip], before_period: str) -> list[PaidMonth]:
    paid: dict[str, list[Reckoned]] = {}
    for slip in slips:
        for item in slip.items:
            paid.setdefault(item.belongs_to or slip.levy_period, []).append(item)
    first: dict[str, Payslip] = {}
    for slip in slips:
        if slip.tax is not None and slip.levy_period < before_period:
            first.setdefault(slip.levy_period, slip)
    return [
        PaidMonth(month, slip.agreed_wage_fen, tuple(paid.get(month, ())))
        for month, slip in first.items()
    ]


async def year_to_date(
    conn: Connection, employee_ids: Iterable[str], payday: date
) -> dict[str, YearToDate]:
    """What each was paid and withheld so far in the payday's tax year; absent where nothing."""
    parts = payslips.c.tax["special"]
    by_declaration = (func.jsonb_array_length(parts) > 0) & ~parts.contains(_OF_THE_ROSTER)
    wanted = (
        select(
            payslips.c.employee_id,
            func.sum(func.coalesce(payslips.c.income_fen, payslips.c.gross_fen)),
            func.sum(payslips.c.contributions_fen),
            func.sum(payslips.c.special_additional_fen),
            func.sum(payslips.c.tax_fen - payslips.c.bonus_tax_fen),
            func.sum(payslips.c.bonus_apart_fen),
            func.array_agg(payslips.c.levy_period.distinct()),
            func.bool_or(by_declaration),
        )
        .where(
            among(payslips.c.employee_id, employee_ids),
            payslips.c.payday >= date(payday.year, 1, 1),
            payslips.c.payday <= payday,
        )
        .group_by(payslips.c.employee_id)
    )
    return {
        employee_id: YearToDate(
            int(income),
            int(own),
            int(special),
            int(tax),
            int(bonus),
            frozenset(months),
            by_declaration=bool(declared),
        )
        for employee_id, income, own, special, tax, bonus, months, declared in await conn.execute(
            wanted
        )
    }


async def withheld_sums(
    conn: Connection, employer_id: str, levy_period: str
) -> dict[str, tuple[int, int]]:
    """(employer fen, employee fen) per insurance withheld for the period, by whichever payslip."""
    rows = await conn.execute(
        _WITHHELD_SUMS, {"employer_id": employer_id, "levy_period": levy_period}
    )
    return {row.insurance: (int(row.employer_fen), int(row.employee_fen)) for row in rows}


async def replies_to(conn: Connection, run_id: str, employee_id: str) -> list[Reply]:
    """What was said of one payslip, in its order."""
    wanted = select(payslip_replies).where(
        payslip_replies.c.run_id == run_id, payslip_replies.c.employee_id == employee_id
    )
    rows = (await conn.execute(wanted.order_by(payslip_replies.c.ordinal))).mappings()
    return [Reply(**{k: v for k, v in row.items() if k != "employer_id"}) for row in rows]


async def add_reply(conn: Connection, employer_id: str, reply: Reply) -> bool:
    """False if another reply took its place in the same moment."""
    added = await conn.execute(
        insert(payslip_replies)
        .values(employer_id=employer_id, **asdict(reply))
        .on_conflict_do_nothing()
        .returning(payslip_replies.c.ordinal)
    )
    return added.first() is not None


async def open_disputes(conn: Connection, employer_id: str, limit: int) -> list[Reply]:
    """Disputes that HR has not answered yet, the oldest first."""
    later = payslip_replies.alias()
    wanted = select(payslip_replies).where(
        payslip_replies.c.employer_id == employer_id,
        payslip_replies.c.kind == DISPUTED,
        ~exists().where(
            later.c.employee_id == payslip_replies.c.employee_id,
            later.c.run_id == payslip_replies.c.run_id,
            later.c.ordinal > payslip_replies.c.ordinal,
        ),
    )
    ordered = wanted.order_by(payslip_replies.c.said_at, payslip_replies.c.run_id)
    rows = (await conn.execute(ordered.limit(limit))).mappings()
    return [Reply(**{k: v for k, v in row.items() if k != "employer_id"}) for row in rows]


def _slip(row: Any) -> Payslip:
    return Payslip(
        **{
            **row,
            "withheld": lines_of(row["withheld"]),
            "items": items_of(row["items"]),
            "tax": tax_of(row["tax"]),
            "warnings": tuple(row["warnings"]),
        }
    )
