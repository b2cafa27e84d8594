"""Payslips of a run that is paid, and what they say of each month that they pay for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from payroll_svc.domain.pay import Pay
from payroll_svc.domain.payroll_run import CORRECTION, Member, PayrollRun
from payroll_svc.domain.payslip import MonthPaid, Payslip, month_paid
from payroll_svc.store import payslips as payslips_store
from payroll_svc.store import runs as runs_store
from payroll_svc.usecases.facts import corrected_salary, payslip_issued
from shared import outbox
from shared.db import Connection


async def issue_payslips(
    conn: Connection, run: PayrollRun, members: Sequence[tuple[Member, Pay]], at: datetime
) -> None:
    """Stores the payslips, and tells of every month that they paid for or withheld for all that
    payslips say of it; of a corrected month also its salary as it is now.
    """
    slips = [_payslip(run, member, pay, at) for member, pay in members]
    await payslips_store.issue(conn, slips)
    told = [month_paid(run.levy_period, [slip]) for slip in slips]
    if run.kind == CORRECTION:
        told = await _months(conn, {(slip.employee_id, run.levy_period) for slip in slips})
        await _tell_salaries(conn, run, [member for member, _ in members], told, at)
    late = {
        (slip.employee_id, line.levy_period)
        for slip in slips
        for line in slip.withheld
        if line.levy_period not in ("", run.levy_period)
    }
    told += await _months(conn, late)
    await _tell_months(conn, run.employer_id, told, at)


async def _tell_months(
    conn: Connection, employer_id: str, months: Sequence[MonthPaid], at: datetime
) -> None:
    keys = [(month.last.employee_id, month.last.levy_period) for month in months]
    versions = await payslips_store.next_versions(conn, employer_id, keys)
    news = [payslip_issued(month, versions[key]) for key, month in zip(keys, months, strict=True)]
    await outbox.add(conn, news, at)


async def _tell_salaries(
    conn: Connection,
    run: PayrollRun,
    members: Sequence[Member],
    months: Sequence[MonthPaid],
    at: datetime,
) -> None:
    """The salary of everyone whose items were corrected, under the next of its versions."""
    ids = [member.employee_id for member in members]
    known = await runs_store.salary_versions(conn, ids, run.levy_period)
    paid = {month.last.employee_id: month for month in months}
    corrected = [
        replace(member, version=known[member.employee_id] + 1) for member in members if member.items
    ]
    await runs_store.save_versions(conn, run, corrected)
    salaries = [corrected_salary(paid[one.employee_id], one.version) for one in corrected]
    await outbox.add(conn, salaries, at)


async def _months(conn: Connection, wanted: set[tuple[str, str]]) -> list[MonthPaid]:
    """By employee and levy period; a month that no payslip paid has nothing to be told yet."""
    if not wanted:
        return []
    people = {employee_id for employee_id, _ in wanted}
    months = sorted({levy_period for _, levy_period in wanted})
    found = await payslips_store.payslips_for(conn, people, months)
    return [
        month_paid(levy_period, slips)
        for (employee_id, levy_period), slips in sorted(found.items())
        if (employee_id, levy_period) in wanted
        and any(slip.levy_period == levy_period for slip in slips)
    ]


def _payslip(run: PayrollRun, member: Member, pay: Pay, at: datetime) -> Payslip:
    return Payslip(
        employee_id=pay.employee_id,
        levy_period=run.levy_period,
        employer_id=run.employer_id,
        run_id=run.run_id,
        payday=run.payday,
        gross_fen=member.gross_fen,
        contributions_fen=pay.contributions_fen,
        special_additional_fen=pay.special_additional_fen,
        tax_fen=pay.tax_fen,
        net_fen=pay.net_fen,
        withheld=pay.withheld,
        issued_at=at,
        kind=run.kind,
        items=member.items,
        tax=pay.tax,
        income_fen=pay.income_fen,
        bonus_apart_fen=pay.tax.bonus_fen,
        bonus_tax_fen=pay.tax.bonus_tax_fen,
        employer_fen=pay.employer_fen,
        agreed_wage_fen=member.agreed_wage_fen,
        department_id=member.department_id,
        person_version=member.person_version,
        warnings=pay.warnings,
    )
