"""What a restored store takes back of runs and payslips, under the versions that were told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.payroll_run import Member, PayrollRun
from payroll_svc.domain.payslip import Payslip, rest_of
from payroll_svc.store.bulk import among, merge
from payroll_svc.store.payslips import keep_versions, payslips_for, restore
from payroll_svc.store.runs import member_row
from payroll_svc.tables import employees, identities, payroll_runs, run_members
from shared.db import Connection


async def forget_identities(conn: Connection, employee_ids: Iterable[str]) -> None:
    """Deletes what a deletion took from the topic, and a backup has still."""
    await conn.execute(delete(identities).where(among(identities.c.employee_id, employee_ids)))


async def keep_members(conn: Connection, run: PayrollRun, members: Sequence[Member]) -> None:
    """A run that the store has lost, or only some of its salaries."""
    values = {name: getattr(run, name) for name in _RUN}
    await conn.execute(insert(payroll_runs).values(values).on_conflict_do_nothing())
    await merge(conn, run_members, [member_row(run, m) for m in members], only_newer=True)


_RUN = ("run_id", "employer_id", "levy_period", "payday", "state", "computed_at")


_PAID = text(
    """
    UPDATE run_members m
       SET special_additional_fen = s.special_additional_fen, withheld = s.withheld,
           contributions_fen = s.contributions_fen, tax_fen = s.tax_fen, net_fen = s.net_fen,
           assessment_version = coalesce(m.assessment_version, 0)
      FROM payslips s
     WHERE m.run_id = s.run_id AND m.employee_id = s.employee_id AND s.employee_id = ANY(:ids)
    """
)


async def keep_payslips(
    conn: Connection, slips: Sequence[Payslip], at: Mapping[str, datetime]
) -> None:
    """Payslips that were issued: their runs are paid, at the time of each run's id. What a month's
    payslips were told to say in all becomes one payslip, less those that the backup has.
    """
    ids = [slip.employee_id for slip in slips]
    known = await payslips_for(conn, ids, sorted({slip.levy_period for slip in slips}))
    rests: list[Payslip] = []
    for slip in sorted(slips, key=lambda slip: slip.levy_period, reverse=True):
        # The latest month first: what it withheld for earlier ones is known to theirs.
        rest = rest_of(slip, known.get((slip.employee_id, slip.levy_period), ()))
        if rest is not None:
            rests.append(rest)
            for earlier in {line.levy_period for line in rest.withheld} - {"", slip.levy_period}:
                known.setdefault((slip.employee_id, earlier), []).append(rest)
    await restore(conn, rests)
    await conn.execute(_PAID, {"ids": ids})
    for run_id, paid_at in sorted(at.items()):
        paid = update(payroll_runs).where(payroll_runs.c.run_id == run_id)
        await conn.execute(
            paid.values(
                state="paid",
                paid_at=paid_at,
                approved_at=func.coalesce(payroll_runs.c.approved_at, paid_at),
            )
        )


async def keep_payslip_versions(conn: Connection, told: Sequence[tuple[int, Payslip]]) -> None:
    """The version under which each month's payslips were told."""
    rows = [
        {
            "employee_id": slip.employee_id,
            "levy_period": slip.levy_period,
            "employer_id": slip.employer_id,
            "version": version,
        }
        for version, slip in told
    ]
    await keep_versions(conn, rows)


async def special_additional_fen(conn: Connection, employee_ids: Iterable[str]) -> dict[str, int]:
    """专项附加扣除 of each employee, by id."""
    wanted = select(employees.c.employee_id, employees.c.special_additional_fen)
    rows = await conn.execute(wanted.where(among(employees.c.employee_id, employee_ids)))
    return {row.employee_id: row.special_additional_fen for row in rows}
