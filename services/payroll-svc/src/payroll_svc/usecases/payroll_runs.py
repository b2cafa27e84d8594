"""Payroll runs: computed from the roster, checked, approved by a second person, paid by payslips.

A run that is paid is corrected by another run, never edited.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from payroll_svc.domain.pay import FIRST_WAGE_UNKNOWN, Pay, waiting_for
from payroll_svc.domain.payroll_run import (
    CHANGED_SINCE,
    CORRECTION,
    DIFFERENCES_CHANGED,
    NOT_IN_RUN,
    Member,
    PayrollRun,
    correction_id_of,
    outdated,
    payday_of,
    recomputed,
    run_id_of,
)
from payroll_svc.errors import (
    ApproverChecked,
    PaydayUnknown,
    PayrollRunExists,
    PayrollRunNotReady,
    PayrollRunPaid,
    PayslipsImported,
)
from payroll_svc.policy import Rules
from payroll_svc.store import assessments as assessments_store
from payroll_svc.store import employers as employers_store
from payroll_svc.store import imported_payslips as slips_store
from payroll_svc.store import payslips as payslips_store
from payroll_svc.store import runs as runs_store
from payroll_svc.usecases.facts import run_salary
from payroll_svc.usecases.issuing import issue_payslips
from payroll_svc.usecases.rosters import fresh_members, lines_of_run
from payroll_svc.usecases.run_views import RunView, view_of
from payroll_svc.usecases.taxing import pays_of
from shared import outbox
from shared.clock import CalendarYearUnknown, china_day
from shared.db import Connection
from shared.refusal import FieldFault
from shared.values import LevyPeriod

_REPORTED_PEOPLE = 1_000
"""How many people one answer names; the counts are of all."""


async def compute_salaries(
    conn: Connection,
    rules: Rules,
    employer_id: str,
    levy_period: LevyPeriod,
    on_or_before: Callable[[date], date],
    at: datetime,
) -> RunView:
    """Gross for everyone of the roster, told as SalaryComputed; PayrollRunExists when known,
    PayslipsImported where the company's own payroll paid.
    """
    employer = await employers_store.employer(conn, employer_id, lock=True)
    if await slips_store.has_any(conn, employer_id, str(levy_period)):
        # Two payslips of one month would be withheld twice, and their versions would cross.
        raise PayslipsImported(
            f"The payslips of {levy_period} were imported; correct them by another file."
        )
    try:
        payday = payday_of(levy_period, employer.payday, on_or_before)
    except CalendarYearUnknown as unknown:
        raise PaydayUnknown(f"The payday of {levy_period} cannot be told: {unknown}.") from None
    run = PayrollRun(
        run_id=run_id_of(employer_id, str(levy_period)),
        employer_id=employer_id,
        levy_period=str(levy_period),
        payday=payday,
        state="computed",
        computed_at=at,
    )
    members = recomputed((), await fresh_members(conn, rules, run))
    if not await runs_store.add_run(conn, run, members):
        raise PayrollRunExists(
            f"{employer.name} has the payroll run {run.run_id} for {levy_period}; go on with it."
        )
    await outbox.add(conn, [run_salary(run, one) for one in members if one.version], at)
    return await view_of(conn, run)


async def compute_correction(
    conn: Connection, rules: Rules, corrected_id: str, payday: date, reason: str, at: datetime
) -> RunView:
    """A run of what a paid run should have paid and withheld beside what it did, as known now.

    PayrollRunNotReady when the run is not a paid regular one, the payday is before the last that
    was paid, in a past tax year or later than next month, or how it was reckoned is not known;
    PayrollRunExists while another correction of it is unpaid.
    """
    corrected = await runs_store.run(conn, corrected_id)
    await employers_store.employer(conn, corrected.employer_id, lock=True)
    known = await runs_store.corrections_of(conn, corrected_id)
    await _refuse_correction(conn, corrected, payday, known, china_day(at))
    run = PayrollRun(
        run_id=correction_id_of(corrected_id, len(known) + 1),
        employer_id=corrected.employer_id,
        levy_period=corrected.levy_period,
        payday=payday,
        state="computed",
        computed_at=at,
        kind=CORRECTION,
        corrects=corrected_id,
        reason=reason,
    )
    await runs_store.add_run(conn, run, await fresh_members(conn, rules, run))
    return await view_of(conn, run)


async def _refuse_correction(
    conn: Connection,
    corrected: PayrollRun,
    payday: date,
    known: Sequence[PayrollRun],
    today: date,
) -> None:
    month = corrected.levy_period
    if corrected.kind == CORRECTION or corrected.state != "paid":
        raise PayrollRunNotReady(
            f"Only a paid regular run is corrected; recompute that of {month}."
        )
    last = await runs_store.last_payday(conn, corrected.employer_id) or corrected.payday
    if payday < last:
        # Income tax is cumulative: a payment before one that was made would be taxed without it.
        raise PayrollRunNotReady(f"The last payday was {last}; give that day or a later one.")
    if payday.year < today.year:
        # Wages are taxed in the year in which they are paid, and its settlement is under way.
        raise PayrollRunNotReady(
            f"{payday.year} is a past tax year, and what is paid now is taxed now; give"
            f" {today.year}-01-01 or a later day."
        )
    latest = max(LevyPeriod.of(today).shifted(1).last_day(), last)
    if payday > latest:
        # Until it is paid, every payday between would be taxed without it.
        raise PayrollRunNotReady(f"{payday} is too far off; give {latest} or an earlier day.")
    for run in known:
        if run.state != "paid":
            raise PayrollRunExists(f"The correction {run.run_id} of {month} is not paid yet.")
    if await payslips_store.is_without_reckoning(conn, corrected.run_id):
        raise PayrollRunNotReady(
            f"How {month} was reckoned is not known here; enter the difference in the next run."
        )


async def recompute_run(conn: Connection, rules: Rules, run_id: str, at: datetime) -> RunView:
    """Computes an unpaid run anew from what is known now, and tells the salaries that changed.

    A check or approval is void with it. PayrollRunPaid when it is too late.
    """
    run = await _locked(conn, run_id)
    run = replace(
        run,
        state="computed",
        computed_at=at,
        checked_at=None,
        checked_by=None,
        approved_at=None,
        approved_by=None,
    )
    fresh = await fresh_members(conn, rules, run)
    if run.kind == CORRECTION:
        # A correction's salaries are told when it is paid.
        await runs_store.save_members(conn, run, fresh)
        return await view_of(conn, run)
    known = await runs_store.members(conn, run_id)
    members = recomputed(known, fresh)
    await runs_store.save_members(conn, run, members)
    told = {member.employee_id: member.version for member in known}
    news = [one for one in members if one.version > told.get(one.employee_id, 0)]
    await outbox.add(conn, [run_salary(run, member) for member in news], at)
    return await view_of(conn, run)


async def check_run(
    conn: Connection,
    rules: Rules,
    run_id: str,
    by: str,
    accept_first_wage_unknown: bool,
    at: datetime,
) -> RunView:
    """Takes what is due and income tax off everyone's gross, and keeps it for approval.

    A checked or approved run may be checked again, with newer assessments; where nothing has
    changed it stays as it is. PayrollRunNotReady names whom it waits for, runs that come first,
    whose net would be negative, or who has checked the same already.
    """
    run = await _locked(conn, run_id)
    await _refuse_out_of_turn(conn, run)
    known = await runs_store.everyone(conn, run_id)
    everyone = [member for member, _ in known]
    members = [member for member in everyone if not member.left_out]
    ids = [member.employee_id for member in members]
    assessed = await assessments_store.assessments_of(conn, ids, run.levy_period)
    awaited = [member.employee_id for member in members if member.awaits_assessment]
    _refuse_waiting(run, waiting_for(awaited, assessed), accept_first_wage_unknown)
    _refuse_unreckoned(run, members)
    await _refuse_outdated(conn, rules, run, everyone)
    lines = await lines_of_run(conn, run, ids, assessed)
    pays = await pays_of(conn, rules, run, members, assessed, lines)
    if run.kind != CORRECTION:
        _refuse_negative(run, pays)
    if run.state != "computed" and [pay for _, pay in known if pay is not None] == pays:
        _refuse_checked(run, by)
        return await view_of(conn, run)
    checked = replace(
        run, state="checked", checked_at=at, checked_by=by, approved_at=None, approved_by=None
    )
    await runs_store.save_check(conn, checked, members, pays)
    return await view_of(conn, checked)


async def approve_run(
    conn: Connection, rules: Rules, run_id: str, by: str, at: datetime
) -> RunView:
    """A second person accepts what was checked: ApproverChecked if it is the same one.

    PayrollRunNotReady when it is not checked, or an assessment, the roster or what was entered has
    changed since.
    """
    run = await _locked(conn, run_id)
    if run.state != "checked":
        raise PayrollRunNotReady(f"The run for {run.levy_period} is not checked yet.")
    if run.checked_by == by:
        raise ApproverChecked(
            f"{by} has checked the run for {run.levy_period}; a second person approves it."
        )
    everyone = await runs_store.everyone(conn, run_id)
    await _refuse_outdated(conn, rules, run, [member for member, _ in everyone])
    await _refuse_changed(conn, run, [pay for _, pay in everyone if pay is not None])
    approved = replace(run, state="approved", approved_at=at, approved_by=by)
    await runs_store.save_state(conn, approved)
    return await view_of(conn, approved)


async def pay_run(conn: Connection, rules: Rules, run_id: str, at: datetime) -> RunView:
    """Issues the payslips of an approved run and tells PayslipIssued.

    PayrollRunNotReady when it is not approved, an assessment or what it makes good has changed
    since, or somebody has come who is not in it. What else has changed makes a difference in the
    next run.
    """
    run = await _locked(conn, run_id)
    if run.state != "approved":
        raise PayrollRunNotReady(f"The run for {run.levy_period} is not approved yet.")
    everyone = await runs_store.everyone(conn, run_id)
    members = [(member, pay) for member, pay in everyone if pay is not None]
    _refuse_unreckoned(run, [member for member, _ in members])
    await _refuse_changed(conn, run, [pay for _, pay in members])
    reasons = (NOT_IN_RUN, DIFFERENCES_CHANGED)
    await _refuse_outdated(conn, rules, run, [member for member, _ in everyone], reasons)
    paid = replace(run, state="paid", paid_at=at)
    await runs_store.save_state(conn, paid)
    await issue_payslips(conn, paid, members, at)
    return await view_of(conn, paid)


async def _locked(conn: Connection, run_id: str) -> PayrollRun:
    """The run, in the same lock order as everything else that changes the employer."""
    employer_id = (await runs_store.run(conn, run_id)).employer_id
    await employers_store.employer(conn, employer_id, lock=True)
    run = await runs_store.run(conn, run_id, lock=True)
    if run.state == "paid":
        raise PayrollRunPaid(
            f"The run for {run.levy_period} was paid at {run.paid_at}; correct it by another run."
        )
    return run


async def _refuse_out_of_turn(conn: Connection, run: PayrollRun) -> None:
    # Income tax is cumulative, and differences are of what was paid: one run after the other.
    unpaid = await runs_store.unpaid_before(conn, run.employer_id, run.payday)
    if unpaid and run.kind != CORRECTION:
        raise PayrollRunNotReady(f"The runs of {', '.join(unpaid)} come first; pay them.")
    others = [other.levy_period for other in await runs_store.under_way(conn, run)]
    if others:
        raise PayrollRunNotReady(
            f"The runs of {', '.join(others)} are checked and not paid; pay or recompute them."
        )


def _refuse_waiting(
    run: PayrollRun, waits: Sequence[tuple[str, str]], accept_first_wage_unknown: bool
) -> None:
    if accept_first_wage_unknown:
        waits = [wait for wait in waits if wait[1] != FIRST_WAGE_UNKNOWN]
    if waits:
        raise PayrollRunNotReady(
            f"{len(waits)} people of {run.levy_period} are not assessed yet; wait for them.",
            _naming(waits, "wait for the assessment, or complete the employee's data"),
        )


def _refuse_unreckoned(run: PayrollRun, members: Sequence[Member]) -> None:
    """Computed by an older release, or restored from what was told: only the amounts are known."""
    unknown = [
        (member.employee_id, "reckoning_unknown")
        for member in members
        if any(not item.reckoning for item in member.items)
    ]
    if unknown:
        raise PayrollRunNotReady(
            f"How {len(unknown)} people of {run.levy_period} are paid is not known here.",
            _naming(unknown, "recompute the run"),
        )


async def _refuse_outdated(
    conn: Connection,
    rules: Rules,
    run: PayrollRun,
    members: Sequence[Member],
    reasons: Collection[str] = (NOT_IN_RUN, DIFFERENCES_CHANGED, CHANGED_SINCE),
) -> None:
    """Of whom that holds for one of these reasons; `members` are everyone of the run."""
    fresh = await fresh_members(conn, rules, run)
    named = [one for one in outdated(members, fresh) if one[1] in reasons]
    if named:
        raise PayrollRunNotReady(
            f"What {len(named)} people of {run.levy_period} are paid has changed since the run was"
            " computed.",
            _naming(named, "recompute the run"),
        )


def _refuse_checked(run: PayrollRun, by: str) -> None:
    """A second check of the same would leave only a third person to approve it."""
    if run.checked_by != by:
        raise PayrollRunNotReady(
            f"{run.checked_by} has checked the run for {run.levy_period}, and nothing has changed"
            " since; approve it, or recompute it to check it yourself."
        )


def _refuse_negative(run: PayrollRun, pays: Sequence[Pay]) -> None:
    negative = [(pay.employee_id, "net_negative") for pay in pays if pay.net_fen < 0]
    if negative:
        raise PayrollRunNotReady(
            f"{len(negative)} people of {run.levy_period} would get less than nothing.",
            _naming(negative, "correct the pay items or the assessment"),
        )


async def _refuse_changed(conn: Connection, run: PayrollRun, pays: Sequence[Pay]) -> None:
    ids = [pay.employee_id for pay in pays]
    assessed = await assessments_store.assessments_of(conn, ids, run.levy_period)
    lines = await lines_of_run(conn, run, ids, assessed)
    versions = {employee_id: one.version for employee_id, one in assessed.items()}
    changed = [
        (pay.employee_id, "assessment_changed")
        for pay in pays
        if versions.get(pay.employee_id, 0) != pay.assessment_version
        or lines[pay.employee_id] != pay.withheld
    ]
    if changed:
        raise PayrollRunNotReady(
            f"{len(changed)} assessments of {run.levy_period} changed; check the run again.",
            _naming(changed, "check the run again"),
        )


def _naming(people: Sequence[tuple[str, str]], todo: str) -> tuple[FieldFault, ...]:
    return tuple(
        FieldFault(f"employees/{employee_id}", "", reason, todo)
        for employee_id, reason in people[:_REPORTED_PEOPLE]
    )


async def keep_assessments(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps the newest assessment of each employee and levy period; any order, any repeat."""
    await assessments_store.keep_newest_assessments(conn, rows)
