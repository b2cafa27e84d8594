"""Payroll runs: computed from the roster, approved once all are assessed, paid with payslips."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from payroll_svc.domain.income_tax import YearToDate
from payroll_svc.domain.payroll_run import (
    FIRST_WAGE_UNKNOWN,
    Assessment,
    Member,
    Pay,
    PayrollRun,
    Payslip,
    members_of,
    pay_of,
    payday_of,
    recomputed,
    run_id_of,
    tax_months,
    waiting_for,
)
from payroll_svc.domain.people import Person
from payroll_svc.errors import PaydayUnknown, PayrollRunExists, PayrollRunNotReady, PayrollRunPaid
from payroll_svc.store import employers as employers_store
from payroll_svc.store import people as people_store
from payroll_svc.store import runs as runs_store
from payroll_svc.usecases.facts import payslip_issued, run_salary
from shared import outbox
from shared.clock import CalendarYearUnknown
from shared.db import Connection
from shared.refusal import FieldFault
from shared.values import LevyPeriod

_REPORTED_PEOPLE = 1_000
"""How many people one answer names; the counts are of all."""


@dataclass(frozen=True)
class RunView:
    """A run with its people: who is paid, who is left out and why, and who is waited for."""

    run: PayrollRun
    members: Sequence[Member]
    waiting: Sequence[tuple[str, str]]
    pays: Sequence[Pay] = ()

    @property
    def state(self) -> str:
        """`assessed` is what a computed run becomes when nobody is waited for any more."""
        if self.run.state == "computed" and not self.waiting:
            return "assessed"
        return self.run.state


async def compute_salaries(
    conn: Connection,
    employer_id: str,
    levy_period: LevyPeriod,
    on_or_before: Callable[[date], date],
    at: datetime,
) -> RunView:
    """Gross for everyone of the roster, told as SalaryComputed; PayrollRunExists when known."""
    employer = await employers_store.employer(conn, employer_id, lock=True)
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
    people = await people_store.people(conn, employer_id)
    members = recomputed((), members_of(people, levy_period))
    if not await runs_store.add_run(conn, run, members):
        raise PayrollRunExists(
            f"{employer.name} has the payroll run {run.run_id} for {levy_period}; go on with it."
        )
    await outbox.add(conn, [run_salary(run, one) for one in members if one.version], at)
    return await _view(conn, run)


async def recompute_run(conn: Connection, run_id: str, at: datetime) -> RunView:
    """Computes an unpaid run anew from the roster as it is, and tells the salaries that changed.

    An approval is void with it. PayrollRunPaid when it is too late.
    """
    run = await _locked(conn, run_id)
    known = await runs_store.members(conn, run_id)
    people = await people_store.people(conn, run.employer_id)
    members = recomputed(known, members_of(people, LevyPeriod.parse(run.levy_period)))
    run = replace(run, state="computed", computed_at=at, approved_at=None, approved_by=None)
    await runs_store.save_members(conn, run, members)
    told = {member.employee_id: member.version for member in known}
    news = [one for one in members if one.version > told.get(one.employee_id, 0)]
    await outbox.add(conn, [run_salary(run, member) for member in news], at)
    return await _view(conn, run)


async def view_run(conn: Connection, run_id: str) -> RunView:
    """The run as it stands."""
    return await _view(conn, await runs_store.run(conn, run_id))


async def runs_of(
    conn: Connection, employer_id: str, before_period: str | None, limit: int
) -> list[RunView]:
    """One page of an employer's runs, the newest levy period first."""
    runs = await runs_store.runs_page(conn, employer_id, before_period, limit)
    return [await _view(conn, run) for run in runs]


async def _view(conn: Connection, run: PayrollRun) -> RunView:
    members = await runs_store.members(conn, run.run_id)
    paid = [member.employee_id for member in members if not member.left_out]
    waiting: Sequence[tuple[str, str]] = ()
    if run.state == "computed":
        assessed = await runs_store.assessments_of(conn, paid, run.levy_period)
        waiting = waiting_for(paid, assessed)
    pays = [pay for _, pay, _ in await runs_store.paid_members(conn, run.run_id)]
    return RunView(run, members, waiting, pays)


async def approve_run(
    conn: Connection, run_id: str, by: str, accept_first_wage_unknown: bool, at: datetime
) -> RunView:
    """Takes what is due and income tax off everyone's gross, and keeps it for payment.

    An approved run may be approved again, with newer assessments. PayrollRunNotReady names whom it
    waits for, earlier runs that are not paid, or whose net would be negative.
    """
    run = await _locked(conn, run_id)
    unpaid = await runs_store.unpaid_before(conn, run.employer_id, run.payday)
    if unpaid:
        # Income tax is cumulative: an earlier payment must be known before this one is taxed.
        raise PayrollRunNotReady(f"The runs of {', '.join(unpaid)} come first; pay them.")
    members = [m for m in await runs_store.members(conn, run_id) if not m.left_out]
    ids = [member.employee_id for member in members]
    assessed = await runs_store.assessments_of(conn, ids, run.levy_period)
    _refuse_waiting(run, waiting_for(ids, assessed), accept_first_wage_unknown)
    people = await people_store.people_by_id(conn, ids)
    pays = await _pays(conn, run, members, assessed, people)
    _refuse_negative(run, pays)
    approved = replace(run, state="approved", approved_at=at, approved_by=by)
    special = {one.employee_id: one.special_additional_fen for one in people.values()}
    await runs_store.save_approval(conn, approved, members, pays, special)
    return await _view(conn, approved)


async def _locked(conn: Connection, run_id: str) -> PayrollRun:
    """The run, in the same lock order as everything else that changes the employer."""
    employer_id = (await runs_store.run(conn, run_id)).employer_id
    await employers_store.employer(conn, employer_id, lock=True)
    run = await runs_store.run(conn, run_id, lock=True)
    if run.state == "paid":
        raise PayrollRunPaid(f"The run for {run.levy_period} was paid at {run.paid_at}.")
    return run


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


def _refuse_negative(run: PayrollRun, pays: Sequence[Pay]) -> None:
    negative = [(pay.employee_id, "net_negative") for pay in pays if pay.net_fen < 0]
    if negative:
        raise PayrollRunNotReady(
            f"{len(negative)} people of {run.levy_period} would get less than nothing.",
            _naming(negative, "correct the agreed wage or the assessment"),
        )


def _naming(people: Sequence[tuple[str, str]], todo: str) -> tuple[FieldFault, ...]:
    return tuple(
        FieldFault(f"employees/{employee_id}", "", reason, todo)
        for employee_id, reason in people[:_REPORTED_PEOPLE]
    )


async def _pays(
    conn: Connection,
    run: PayrollRun,
    members: Sequence[Member],
    assessed: Mapping[str, Assessment],
    people: Mapping[str, Person],
) -> list[Pay]:
    so_far = await runs_store.year_to_date(conn, assessed, run.payday)
    first = await runs_store.first_payday(conn, run.employer_id) or run.payday
    return [
        pay_of(
            member,
            assessed[member.employee_id],
            so_far.get(member.employee_id, YearToDate()),
            tax_months(run.payday, _joined(people[member.employee_id], run.payday), first),
            people[member.employee_id].special_additional_fen,
        )
        for member in members
    ]


def _joined(person: Person, payday: date) -> date:
    """The first day of employment that counts in the payday's tax year."""
    year_began = date(payday.year, 1, 1)
    counted = [s.since for s in person.spells if s.until is None or s.until >= year_began]
    return min(counted, default=payday)


async def pay_run(conn: Connection, run_id: str, at: datetime) -> RunView:
    """Issues the payslips of an approved run and tells PayslipIssued.

    PayrollRunNotReady when it is not approved, or an assessment has changed since.
    """
    run = await _locked(conn, run_id)
    if run.state != "approved":
        raise PayrollRunNotReady(f"The run for {run.levy_period} is not approved yet.")
    members = await runs_store.paid_members(conn, run_id)
    await _refuse_changed(conn, run, [pay for _, pay, _ in members])
    slips = [
        Payslip(
            employee_id=pay.employee_id,
            levy_period=run.levy_period,
            employer_id=run.employer_id,
            run_id=run.run_id,
            payday=run.payday,
            gross_fen=gross_fen,
            contributions_fen=pay.contributions_fen,
            special_additional_fen=special_additional_fen,
            tax_fen=pay.tax_fen,
            net_fen=pay.net_fen,
            withheld=pay.withheld,
            issued_at=at,
        )
        for gross_fen, pay, special_additional_fen in members
    ]
    paid = replace(run, state="paid", paid_at=at)
    await runs_store.save_payment(conn, paid, slips)
    await outbox.add(conn, [payslip_issued(slip) for slip in slips], at)
    return await _view(conn, paid)


async def _refuse_changed(conn: Connection, run: PayrollRun, pays: Sequence[Pay]) -> None:
    ids = [pay.employee_id for pay in pays]
    assessed = await runs_store.assessments_of(conn, ids, run.levy_period)
    changed = [
        (pay.employee_id, "assessment_changed")
        for pay in pays
        if assessed[pay.employee_id].version != pay.assessment_version
    ]
    if changed:
        raise PayrollRunNotReady(
            f"{len(changed)} assessments of {run.levy_period} changed; approve the run again.",
            _naming(changed, "approve the run again"),
        )


async def keep_assessments(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps the newest assessment of each employee and levy period; any order, any repeat."""
    await runs_store.keep_newest_assessments(conn, rows)
