"""Payroll runs, their members, payslips, and the assessments that they wait for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.income_tax import YearToDate
from payroll_svc.domain.payroll_run import (
    Assessment,
    DueLine,
    Member,
    Pay,
    PayrollRun,
    Payslip,
)
from payroll_svc.store.bulk import among, insert_new, merge
from payroll_svc.tables import assessments, payroll_runs, payslips, run_members
from shared.db import Connection
from shared.refusal import NotFound

_WITHHELD_SUMS = text(
    """
    SELECT line->>'insurance' AS insurance,
           sum(CAST(line->>'employer_fen' AS bigint)) AS employer_fen,
           sum(CAST(line->>'employee_fen' AS bigint)) AS employee_fen
      FROM payslips CROSS JOIN LATERAL jsonb_array_elements(withheld) AS line
     WHERE employer_id = :employer_id AND levy_period = :levy_period
     GROUP BY 1
    """
)


async def add_run(conn: Connection, run: PayrollRun, members: Sequence[Member]) -> bool:
    """Inserts the run with all its members; False if the period has one."""
    added = await conn.execute(
        insert(payroll_runs)
        .values(
            run_id=run.run_id,
            employer_id=run.employer_id,
            levy_period=run.levy_period,
            payday=run.payday,
            state=run.state,
            computed_at=run.computed_at,
        )
        .on_conflict_do_nothing()
        .returning(payroll_runs.c.run_id)
    )
    if added.first() is None:
        return False
    await save_members(conn, run, members)
    return True


async def save_members(conn: Connection, run: PayrollRun, members: Sequence[Member]) -> None:
    """Writes the members as computed: what an approval had figured from earlier ones is gone."""
    own = {"run_id": run.run_id, "employer_id": run.employer_id}
    unfigured = {
        "assessment_version": None,
        "withheld": None,
        "contributions_fen": 0,
        "special_additional_fen": 0,
        "tax_fen": 0,
        "net_fen": 0,
    }
    rows = [{**own, **asdict(member), **unfigured} for member in members]
    await merge(conn, run_members, rows)
    await _save_state(conn, run)


async def run(conn: Connection, run_id: str, *, lock: bool = False) -> PayrollRun:
    """The run, its row locked until the transaction ends if asked; NotFound if it is another's."""
    wanted = select(payroll_runs).where(payroll_runs.c.run_id == run_id)
    row = (await conn.execute(wanted.with_for_update() if lock else wanted)).mappings().first()
    if row is None:
        raise NotFound(f"There is no payroll run {run_id} that you may see.")
    return PayrollRun(**row)


async def runs_page(
    conn: Connection, employer_id: str, before_period: str | None, limit: int
) -> list[PayrollRun]:
    """One page of an employer's runs, the newest levy period first."""
    wanted = select(payroll_runs).where(payroll_runs.c.employer_id == employer_id)
    if before_period is not None:
        wanted = wanted.where(payroll_runs.c.levy_period < before_period)
    rows = await conn.execute(wanted.order_by(payroll_runs.c.levy_period.desc()).limit(limit))
    return [PayrollRun(**row) for row in rows.mappings()]


async def members(conn: Connection, run_id: str) -> list[Member]:
    """Everyone of the run, also who is left out."""
    wanted = select(
        run_members.c.employee_id,
        run_members.c.gross_fen,
        run_members.c.left_out,
        run_members.c.version,
    ).where(run_members.c.run_id == run_id)
    rows = (await conn.execute(wanted.order_by(run_members.c.employee_id))).mappings()
    return [Member(**row) for row in rows]


async def paid_members(conn: Connection, run_id: str) -> list[tuple[int, Pay, int]]:
    """(gross fen, pay, special additional fen) of every member as approved; none before that."""
    wanted = select(run_members).where(
        run_members.c.run_id == run_id, run_members.c.assessment_version.is_not(None)
    )
    rows = (await conn.execute(wanted.order_by(run_members.c.employee_id))).mappings()
    return [(row["gross_fen"], _pay(row), row["special_additional_fen"]) for row in rows]


def _pay(row: RowMapping) -> Pay:
    return Pay(
        employee_id=row["employee_id"],
        assessment_version=row["assessment_version"],
        withheld=_lines(row["withheld"]),
        contributions_fen=row["contributions_fen"],
        tax_fen=row["tax_fen"],
        net_fen=row["net_fen"],
    )


async def save_approval(
    conn: Connection,
    approved: PayrollRun,
    members: Sequence[Member],
    pays: Sequence[Pay],
    special_additional_fen: Mapping[str, int],
) -> None:
    """Writes what each member will be paid (one pay a member), and the run as approved."""
    await merge(
        conn,
        run_members,
        [
            {
                "run_id": approved.run_id,
                "employer_id": approved.employer_id,
                **asdict(member),
                "assessment_version": pay.assessment_version,
                "withheld": [asdict(line) for line in pay.withheld],
                "contributions_fen": pay.contributions_fen,
                "special_additional_fen": special_additional_fen[pay.employee_id],
                "tax_fen": pay.tax_fen,
                "net_fen": pay.net_fen,
            }
            for member, pay in zip(members, pays, strict=True)
        ],
    )
    await _save_state(conn, approved)


async def save_payment(conn: Connection, paid: PayrollRun, slips: Sequence[Payslip]) -> None:
    """Issues the payslips and marks the run as paid."""
    await insert_new(
        conn,
        payslips,
        [{**asdict(slip), "withheld": [asdict(line) for line in slip.withheld]} for slip in slips],
    )
    await _save_state(conn, paid)


async def _save_state(conn: Connection, changed: PayrollRun) -> None:
    await conn.execute(
        update(payroll_runs)
        .where(payroll_runs.c.run_id == changed.run_id)
        .values(
            state=changed.state,
            payday=changed.payday,
            computed_at=changed.computed_at,
            approved_at=changed.approved_at,
            approved_by=changed.approved_by,
            paid_at=changed.paid_at,
        )
    )


async def unpaid_before(conn: Connection, employer_id: str, payday: date) -> list[str]:
    """Levy periods of runs that are to be paid before this payday and are not paid yet."""
    wanted = select(payroll_runs.c.levy_period).where(
        payroll_runs.c.employer_id == employer_id,
        payroll_runs.c.payday < payday,
        payroll_runs.c.state != "paid",
    )
    return list((await conn.execute(wanted.order_by(payroll_runs.c.levy_period))).scalars())


async def first_payday(conn: Connection, employer_id: str) -> date | None:
    """The payday of the employer's first run here."""
    wanted = select(func.min(payroll_runs.c.payday)).where(
        payroll_runs.c.employer_id == employer_id
    )
    found: date | None = (await conn.execute(wanted)).scalar()
    return found


async def year_to_date(
    conn: Connection, employee_ids: Iterable[str], payday: date
) -> dict[str, YearToDate]:
    """What each was paid and withheld so far in the payday's tax year; absent where nothing."""
    wanted = (
        select(
            payslips.c.employee_id,
            func.sum(payslips.c.gross_fen).label("gross_fen"),
            func.sum(payslips.c.contributions_fen).label("contributions_fen"),
            func.sum(payslips.c.special_additional_fen).label("special_additional_fen"),
            func.sum(payslips.c.tax_fen).label("tax_fen"),
        )
        .where(
            among(payslips.c.employee_id, employee_ids),
            payslips.c.payday >= date(payday.year, 1, 1),
            payslips.c.payday <= payday,
        )
        .group_by(payslips.c.employee_id)
    )
    return {
        row.employee_id: YearToDate(
            int(row.gross_fen),
            int(row.contributions_fen),
            int(row.special_additional_fen),
            int(row.tax_fen),
        )
        for row in await conn.execute(wanted)
    }


async def assessments_of(
    conn: Connection, employee_ids: Iterable[str], levy_period: str
) -> dict[str, Assessment]:
    """The newest assessment of each employee for the period, by employee id."""
    wanted = select(assessments).where(
        assessments.c.levy_period == levy_period,
        among(assessments.c.employee_id, employee_ids),
    )
    return {
        row.employee_id: Assessment(row.version, _lines(row.lines))
        for row in await conn.execute(wanted)
    }


async def keep_newest_assessments(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores assessments, each unless its version or a newer one is there; any order, any repeat.

    `rows` hold the table's columns, at most one for each employee and levy period.
    """
    await merge(conn, assessments, rows, only_newer=True)


async def payslips_page(
    conn: Connection,
    employer_id: str | None,
    levy_period: str | None,
    before: tuple[str, str] | None,
    limit: int,
) -> list[Payslip]:
    """One page, the newest levy period first, of what row security lets the caller see."""
    wanted = select(payslips)
    if employer_id is not None:
        wanted = wanted.where(payslips.c.employer_id == employer_id)
    if levy_period is not None:
        wanted = wanted.where(payslips.c.levy_period == levy_period)
    if before is not None:
        wanted = wanted.where(tuple_(payslips.c.levy_period, payslips.c.employee_id) < before)
    ordered = wanted.order_by(payslips.c.levy_period.desc(), payslips.c.employee_id.desc())
    rows = (await conn.execute(ordered.limit(limit))).mappings()
    return [Payslip(**{**row, "withheld": _lines(row["withheld"])}) for row in rows]


async def withheld_sums(
    conn: Connection, employer_id: str, levy_period: str
) -> dict[str, tuple[int, int]]:
    """(employer fen, employee fen) per insurance over the period's payslips."""
    rows = await conn.execute(
        _WITHHELD_SUMS, {"employer_id": employer_id, "levy_period": levy_period}
    )
    return {row.insurance: (int(row.employer_fen), int(row.employee_fen)) for row in rows}


def _lines(stored: Any) -> tuple[DueLine, ...]:
    return tuple(DueLine(**line) for line in stored)
