"""Payslips of a company that keeps its own payroll: the withheld side, as the file says it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from payroll_svc.domain.employers import Employer
from payroll_svc.domain.faults import Fault
from payroll_svc.domain.imported_payslips import (
    TAX_BASIS,
    WITHDRAWN,
    ImportedPayslip,
    SaidLine,
    SaidPayslip,
    payslip_faults,
    state_of,
)
from payroll_svc.domain.imports import Effect, Import, Upload, missing_person
from payroll_svc.domain.payroll_run import payday_of
from payroll_svc.store import approvals as approvals_store
from payroll_svc.store import employers as employers_store
from payroll_svc.store import imported_payslips as slips_store
from payroll_svc.store import people as people_store
from payroll_svc.store import staged as staged_store
from payroll_svc.usecases.imports.kind import Kind, States
from payroll_svc.usecases.people import departments_in, departments_of
from shared import outbox
from shared.clock import CalendarYearUnknown
from shared.contracts import PayslipIssued, WithheldFact
from shared.db import Connection
from shared.values import Insurance, LevyPeriod

_TOLD_AT_ONCE = 5_000

OnOrBefore = Callable[[date], date]


async def with_paydays(
    conn: Connection, on_or_before: OnOrBefore, upload: Upload, slips: Sequence[SaidPayslip]
) -> list[SaidPayslip]:
    """The employer's usual payday where a row names none; none still where it cannot be told."""
    employer = await employers_store.employer(conn, upload.employer_id)
    usual = {
        period: _usual_payday(employer, period, on_or_before)
        for period in {slip.levy_period for slip in slips}
    }
    return [replace(slip, payday=slip.payday or usual[slip.levy_period]) for slip in slips]


def _usual_payday(employer: Employer, period: str, on_or_before: OnOrBefore) -> date | None:
    try:
        return payday_of(LevyPeriod.parse(period), employer.payday, on_or_before)
    except CalendarYearUnknown:
        return None


async def _known(conn: Connection, slips: Sequence[SaidPayslip]) -> dict[str, ImportedPayslip]:
    return await slips_store.newest(
        conn, {slip.employee_id for slip in slips}, {slip.levy_period for slip in slips}
    )


async def _faults(conn: Connection, upload: Upload, slips: Sequence[SaidPayslip]) -> list[Fault]:
    ids, periods = {slip.employee_id for slip in slips}, {slip.levy_period for slip in slips}
    return payslip_faults(
        slips,
        await departments_of(conn, ids, periods),
        await _known(conn, slips),
        await approvals_store.periods_with_runs(conn, upload.employer_id),
        await slips_store.closed_periods(conn, upload.employer_id),
        upload.corrects,
    )


async def _effects(conn: Connection, upload: Upload, slips: Sequence[SaidPayslip]) -> list[Effect]:
    """Missing is whoever is employed in a month of the file and has no payslip in it."""
    known = await _known(conn, slips)
    effects = [
        Effect(
            row=slip.row,
            employee_id=slip.employee_id,
            employee_no=slip.employee_no,
            what=slip.levy_period,
            key=slip.key,
            before=_standing(known.get(slip.key)),
            after=state_of(slip),
        )
        for slip in slips
    ]
    people = await people_store.people(conn, upload.employer_id)
    employed = departments_in(people, {slip.levy_period for slip in slips})
    named = {(slip.employee_id, slip.levy_period) for slip in slips}
    numbers = {person.employee_id: person.employee_no for person in people}
    missing = [missing_person(one[0], numbers[one[0]]) for one in sorted(employed.keys() - named)]
    return [*effects, *missing]


def _standing(slip: ImportedPayslip | None) -> dict[str, object] | None:
    return state_of(slip) if slip is not None and not slip.is_withdrawn else None


async def _states(conn: Connection, effects: Sequence[Effect]) -> States:
    known = await slips_store.newest(
        conn, {effect.employee_id for effect in effects}, {effect.what for effect in effects}
    )
    return {key: _standing(slip) for key, slip in known.items()}


async def _write(
    conn: Connection, upload: Upload, effects: Sequence[Effect], reason: str, at: datetime
) -> None:
    """Each as a new version; what an undone import had brought is told with 0 and the reason."""
    known = await slips_store.newest(
        conn, {effect.employee_id for effect in effects}, {effect.what for effect in effects}
    )
    changed = [_next(upload, effect, known.get(effect.key), reason, at) for effect in effects]
    await slips_store.add(conn, changed)
    for start in range(0, len(changed), _TOLD_AT_ONCE):
        told = changed[start : start + _TOLD_AT_ONCE]
        await outbox.add(conn, [_issued(slip) for slip in told], at)


def _next(
    upload: Upload, effect: Effect, known: ImportedPayslip | None, reason: str, at: datetime
) -> ImportedPayslip:
    before = effect.before or {}
    state = {"payday": before.get("payday"), **WITHDRAWN} if effect.after is None else effect.after
    if known is not None and not reason:
        reason = f"以“{upload.file_name}”更正"
    return ImportedPayslip(
        employee_id=effect.employee_id,
        levy_period=effect.what,
        version=known.version + 1 if known else 1,
        employer_id=upload.employer_id,
        payday=date.fromisoformat(state["payday"]),
        gross_fen=state["gross_fen"],
        contributions_fen=state["contributions_fen"],
        tax_fen=state["tax_fen"],
        other_fen=state["other_fen"],
        net_fen=state["net_fen"],
        withheld=tuple(SaidLine(*line) for line in state["withheld"]),
        reason=reason,
        import_id=upload.import_id,
        issued_at=at,
        **{name: state.get(name, unsaid) for name, unsaid in TAX_BASIS.items()},
    )


def _issued(slip: ImportedPayslip) -> PayslipIssued:
    """What the company's own payroll withheld, as its file said it."""
    return PayslipIssued(
        version=slip.version,
        employee_id=slip.employee_id,
        employer_id=slip.employer_id,
        levy_period=slip.levy_period,
        run_id="",
        payday=slip.payday.isoformat(),
        gross_fen=slip.gross_fen,
        tax_fen=slip.tax_fen,
        net_fen=slip.net_fen,
        withheld=tuple(
            WithheldFact(
                insurance=Insurance(line.insurance),
                base_fen=line.base_fen,
                employee_fen=line.employee_fen,
                employer_fen=line.employer_fen,
            )
            for line in slip.withheld
        ),
        origin="imported",
        other_fen=slip.other_fen,
        reason=slip.reason,
        income_fen=slip.income_fen,
        special_additional_fen=slip.special_additional_fen,
        bonus_apart_fen=slip.bonus_apart_fen,
        bonus_tax_fen=slip.bonus_tax_fen,
    )


async def _fixed(conn: Connection, done: Import, effects: Sequence[Effect]) -> list[str]:
    closed = await slips_store.closed_periods(conn, done.upload.employer_id)
    assert done.applied_at is not None
    ids = {effect.employee_id for effect in effects}
    approved = await approvals_store.approved_with(conn, ids, done.applied_at)
    # Of the same tax year only: the cumulation begins anew in January.
    years = {effect.before["payday"][:4] for effect in effects if effect.before}
    taxed = [period for period in approved if period[:4] in years]
    return [
        *(f"{period} 已关账" for period in sorted(closed & {effect.what for effect in effects})),
        *(f"{period} 的工资核算已按这些工资条累计预扣并审批" for period in taxed),
    ]


KIND = Kind(
    staged=staged_store.staged_payslips,
    contents=staged_store.payslip_contents,
    row_of=lambda slip: int(slip.row),
    faults=_faults,
    effects=_effects,
    states=_states,
    write=_write,
    fixed=_fixed,
)
