"""Payroll runs and their members."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.income_tax import Withholding
from payroll_svc.domain.pay import Pay
from payroll_svc.domain.payroll_run import (
    CORRECTION,
    REGULAR,
    SUMMED,
    DepartmentSums,
    Member,
    PayrollRun,
)
from payroll_svc.store.bulk import among, merge
from payroll_svc.store.parts import columns_of, items_of, lines_of, tax_of
from payroll_svc.tables import payroll_runs, run_members
from shared.db import Connection
from shared.refusal import NotFound

_MEMBER = tuple(Member.__slots__)


async def add_run(conn: Connection, run: PayrollRun, members: Sequence[Member]) -> bool:
    """Inserts the run with all its members; False if the period has one."""
    added = await conn.execute(
        insert(payroll_runs)
        .values(asdict(run))
        .on_conflict_do_nothing()
        .returning(payroll_runs.c.run_id)
    )
    if added.first() is None:
        return False
    await save_members(conn, run, members)
    return True


async def save_members(conn: Connection, run: PayrollRun, members: Sequence[Member]) -> None:
    """Writes the members as computed: what a check had figured from earlier ones is gone."""
    await merge(
        conn, run_members, [{**member_row(run, member), **_UNFIGURED} for member in members]
    )
    await save_state(conn, run)


_UNFIGURED: Mapping[str, Any] = {
    "assessment_version": None,
    "withheld": None,
    "contributions_fen": 0,
    "special_additional_fen": 0,
    "tax_fen": 0,
    "net_fen": 0,
    "income_fen": 0,
    "employer_fen": 0,
    "tax": None,
    "warnings": [],
}


def member_row(run: PayrollRun, member: Member) -> dict[str, Any]:
    """What a member's row holds before anything is withheld."""
    own = {"run_id": run.run_id, "employer_id": run.employer_id}
    return {**own, **columns_of(member), "gross_fen": member.gross_fen}


async def run(conn: Connection, run_id: str, *, lock: bool = False) -> PayrollRun:
    """The run, its row locked until the transaction ends if asked; NotFound if it is another's."""
    wanted = select(payroll_runs).where(payroll_runs.c.run_id == run_id)
    row = (await conn.execute(wanted.with_for_update() if lock else wanted)).mappings().first()
    if row is None:
        raise NotFound(f"There is no payroll run {run_id} that you may see.")
    return PayrollRun(**row)


async def computed_at(conn: Connection, run_id: str) -> datetime | None:
    """When the run was computed last; None where it is not here."""
    wanted = select(payroll_runs.c.computed_at).where(payroll_runs.c.run_id == run_id)
    found: datetime | None = (await conn.execute(wanted)).scalar()
    return found


async def runs_page(
    conn: Connection, employer_id: str, before: tuple[str, str] | None, limit: int
) -> list[PayrollRun]:
    """One page of an employer's runs, the newest levy period first; `before` is the last page's
    last (levy period, run id).
    """
    place = (payroll_runs.c.levy_period, payroll_runs.c.run_id)
    wanted = select(payroll_runs).where(payroll_runs.c.employer_id == employer_id)
    if before is not None:
        wanted = wanted.where(tuple_(*place) < before)
    rows = await conn.execute(wanted.order_by(*(c.desc() for c in place)).limit(limit))
    return [PayrollRun(**row) for row in rows.mappings()]


async def members(conn: Connection, run_id: str) -> list[Member]:
    """Everyone of the run, also who is left out."""
    wanted = select(*(run_members.c[name] for name in _MEMBER))
    ordered = wanted.where(run_members.c.run_id == run_id).order_by(run_members.c.employee_id)
    return [_member(row) for row in (await conn.execute(ordered)).mappings()]


def _member(row: RowMapping) -> Member:
    return Member(**{**{name: row[name] for name in _MEMBER}, "items": items_of(row["items"])})


async def counts_of(conn: Connection, run_id: str) -> tuple[int, int, int]:
    """(people who are paid, people who are left out, gross in fen) of a run."""
    is_in = run_members.c.left_out == ""
    wanted = select(
        func.count().filter(is_in),
        func.count().filter(~is_in),
        func.coalesce(func.sum(run_members.c.gross_fen), 0),
    ).where(run_members.c.run_id == run_id)
    people, left_out, gross_fen = (await conn.execute(wanted)).one()
    return people, left_out, int(gross_fen)


async def left_out_of(conn: Connection, run_id: str, limit: int) -> list[tuple[str, str]]:
    """(employee id, reason) of the first who are left out, by id."""
    own = run_members.c
    wanted = select(own.employee_id, own.left_out).where(own.run_id == run_id, own.left_out != "")
    rows = await conn.execute(wanted.order_by(own.employee_id).limit(limit))
    return [(row.employee_id, row.left_out) for row in rows]


async def awaited_of(conn: Connection, run_id: str) -> list[str]:
    """Whose assessment the run has to wait for, by id."""
    own = run_members.c
    wanted = select(own.employee_id).where(
        own.run_id == run_id, own.left_out == "", own.awaits_assessment
    )
    return list((await conn.execute(wanted.order_by(own.employee_id))).scalars())


async def sums_of(conn: Connection, run_id: str) -> list[DepartmentSums]:
    """What everyone who was checked is paid together, by department."""
    own = run_members.c
    wanted = (
        select(
            own.department_id,
            func.count().label("people"),
            *(func.sum(own[name]).label(name) for name in SUMMED),
        )
        .where(own.run_id == run_id, own.assessment_version.is_not(None))
        .group_by(own.department_id)
    )
    rows = (await conn.execute(wanted)).mappings()
    return [
        DepartmentSums(
            row["department_id"], row["people"], **{name: int(row[name]) for name in SUMMED}
        )
        for row in rows
    ]


async def people_page(
    conn: Connection, run_id: str, after: str, limit: int
) -> list[tuple[Member, Pay | None]]:
    """One page of a run's people by id, from the one after `after` on; no pay before the check."""
    return await _people(conn, run_id, after, limit)


async def everyone(conn: Connection, run_id: str) -> list[tuple[Member, Pay | None]]:
    """All people of a run by id, also who is left out, each with their pay once it is checked."""
    return await _people(conn, run_id, "", None)


async def _people(
    conn: Connection, run_id: str, after: str, limit: int | None
) -> list[tuple[Member, Pay | None]]:
    wanted = select(run_members).where(
        run_members.c.run_id == run_id, run_members.c.employee_id > after
    )
    rows = await conn.execute(wanted.order_by(run_members.c.employee_id).limit(limit))
    return [
        (_member(row), _pay(row) if row["assessment_version"] is not None else None)
        for row in rows.mappings()
    ]


def _pay(row: RowMapping) -> Pay:
    tax = tax_of(row["tax"])
    return Pay(
        employee_id=row["employee_id"],
        assessment_version=row["assessment_version"],
        withheld=lines_of(row["withheld"]),
        contributions_fen=row["contributions_fen"],
        tax=tax or Withholding(row["tax_fen"]),
        net_fen=row["net_fen"],
        employer_fen=row["employer_fen"],
        income_fen=row["income_fen"],
        special_additional_fen=row["special_additional_fen"],
        warnings=tuple(row["warnings"]),
    )


async def save_check(
    conn: Connection, checked: PayrollRun, members: Sequence[Member], pays: Sequence[Pay]
) -> None:
    """Writes what each member will be paid (one pay a member), and the run as checked."""
    await merge(
        conn,
        run_members,
        [
            {**member_row(checked, member), **columns_of(pay), "tax_fen": pay.tax_fen}
            for member, pay in zip(members, pays, strict=True)
        ],
    )
    await save_state(conn, checked)


async def save_versions(conn: Connection, run: PayrollRun, members: Sequence[Member]) -> None:
    """Writes the members' versions; what they are paid stays."""
    await merge(conn, run_members, [member_row(run, member) for member in members])


async def save_state(conn: Connection, changed: PayrollRun) -> None:
    """Writes the run as given."""
    await conn.execute(
        update(payroll_runs)
        .where(payroll_runs.c.run_id == changed.run_id)
        .values({k: v for k, v in asdict(changed).items() if k != "run_id"})
    )


async def unpaid_before(conn: Connection, employer_id: str, payday: date) -> list[str]:
    """Levy periods of regular runs that are to be paid before this payday and are not paid yet."""
    wanted = select(payroll_runs.c.levy_period).where(
        payroll_runs.c.employer_id == employer_id,
        payroll_runs.c.kind == REGULAR,
        payroll_runs.c.payday < payday,
        payroll_runs.c.state != "paid",
    )
    return list((await conn.execute(wanted.order_by(payroll_runs.c.levy_period))).scalars())


async def under_way(conn: Connection, run: PayrollRun) -> list[PayrollRun]:
    """The employer's other runs that are checked or approved, and not paid yet."""
    wanted = select(payroll_runs).where(
        payroll_runs.c.employer_id == run.employer_id,
        payroll_runs.c.run_id != run.run_id,
        payroll_runs.c.state.in_(("checked", "approved")),
    )
    return [PayrollRun(**row) for row in (await conn.execute(wanted)).mappings()]


async def corrections_of(conn: Connection, run_id: str) -> list[PayrollRun]:
    """The runs that correct this one, in the order that they came to be."""
    wanted = select(payroll_runs).where(
        payroll_runs.c.corrects == run_id, payroll_runs.c.kind == CORRECTION
    )
    rows = await conn.execute(wanted.order_by(payroll_runs.c.computed_at, payroll_runs.c.run_id))
    return [PayrollRun(**row) for row in rows.mappings()]


async def salary_versions(
    conn: Connection, employee_ids: Iterable[str], levy_period: str
) -> dict[str, int]:
    """The newest version of each one's salary of the period, by employee id."""
    wanted = (
        select(run_members.c.employee_id, func.max(run_members.c.version).label("version"))
        .join(payroll_runs, payroll_runs.c.run_id == run_members.c.run_id)
        .where(
            payroll_runs.c.levy_period == levy_period,
            among(run_members.c.employee_id, employee_ids),
        )
        .group_by(run_members.c.employee_id)
    )
    return {row.employee_id: row.version for row in await conn.execute(wanted)}


async def last_paid_period(conn: Connection, employer_id: str) -> str | None:
    """The newest levy period whose regular run is paid."""
    wanted = select(func.max(payroll_runs.c.levy_period)).where(
        payroll_runs.c.employer_id == employer_id,
        payroll_runs.c.kind == REGULAR,
        payroll_runs.c.state == "paid",
    )
    found: str | None = (await conn.execute(wanted)).scalar()
    return found


async def last_payday(conn: Connection, employer_id: str) -> date | None:
    """The latest payday of a run that is paid."""
    wanted = select(func.max(payroll_runs.c.payday)).where(
        payroll_runs.c.employer_id == employer_id, payroll_runs.c.state == "paid"
    )
    found: date | None = (await conn.execute(wanted)).scalar()
    return found


async def first_payday(conn: Connection, employer_id: str) -> date | None:
    """The payday of the employer's first run here."""
    wanted = select(func.min(payroll_runs.c.payday)).where(
        payroll_runs.c.employer_id == employer_id
    )
    found: date | None = (await conn.execute(wanted)).scalar()
    return found
