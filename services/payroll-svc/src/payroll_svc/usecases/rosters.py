"""What a run's members are reckoned from, gathered from the stores."""

from collections.abc import Iterable, Mapping, Sequence

from payroll_svc.domain.corrections import corrected_members, lines_owed
from payroll_svc.domain.differences import unpaid_notes
from payroll_svc.domain.pay import Assessment, DueLine, late_owed
from payroll_svc.domain.payroll_run import CORRECTION, Member, PayrollRun, members_of
from payroll_svc.domain.payslip import Payslip
from payroll_svc.domain.reckoning import Catalogue
from payroll_svc.policy import Rules
from payroll_svc.store import assessments as assessments_store
from payroll_svc.store import entered as entered_store
from payroll_svc.store import payslips as payslips_store
from payroll_svc.store import people as people_store
from payroll_svc.store import runs as runs_store
from shared.db import Connection
from shared.values import LevyPeriod

_MADE_GOOD_MONTHS = 12
"""How far back a run looks for months to make good; older ones take a correction run each."""


async def catalogue_of(conn: Connection, rules: Rules, employer_id: str) -> Catalogue:
    """The statutory pay items and the employer's own, by code."""
    own = await entered_store.own_items(conn, employer_id)
    return {**rules.items, **{item.code: item for item in own}}


async def fresh_members(conn: Connection, rules: Rules, run: PayrollRun) -> list[Member]:
    """Everyone that the run is for, reckoned from what is known now."""
    if run.kind == CORRECTION:
        return await _corrected(conn, rules, run)
    period = LevyPeriod.parse(run.levy_period)
    since = str(period.shifted(-_MADE_GOOD_MONTHS))
    return members_of(
        await people_store.people(conn, run.employer_id),
        period,
        await catalogue_of(conn, rules, run.employer_id),
        await entered_store.entered_for(conn, run.employer_id, since, run.levy_period),
        await payslips_store.months_to_make_good(conn, run.employer_id, since, run.levy_period),
    )


async def notes_of_unpaid(
    conn: Connection, employer_id: str, changed: Iterable[tuple[str, str, str]]
) -> tuple[str, ...]:
    """What HR should know of changes, each (employee id, first levy period, last one), in paid
    months that no run makes good by itself.
    """
    last = await runs_store.last_paid_period(conn, employer_id)
    if last is None:
        return ()
    spans: dict[str, list[tuple[str, str]]] = {}
    for employee_id, since, until in changed:
        spans.setdefault(employee_id, []).append((since, until))
    paid = await payslips_store.months_reckoned(conn, spans)
    touched = {
        (employee_id, month): is_reckoned
        for (employee_id, month), is_reckoned in paid.items()
        if any(since <= month <= until for since, until in spans[employee_id])
    }
    return unpaid_notes(touched, LevyPeriod.parse(last).shifted(1 - _MADE_GOOD_MONTHS))


async def _corrected(conn: Connection, rules: Rules, run: PayrollRun) -> list[Member]:
    period = LevyPeriod.parse(run.levy_period)
    people = {one.employee_id: one for one in await people_store.people(conn, run.employer_id)}
    catalogue = await catalogue_of(conn, rules, run.employer_id)
    month = run.levy_period
    entered = await entered_store.entered_for(conn, run.employer_id, month, month)
    assessed = await assessments_store.assessments_of(conn, people, month)
    paid = await payslips_store.months_paid(conn, people, month, str(period.shifted(1)))
    return corrected_members(
        members_of(people.values(), period, catalogue, entered, {}),
        people,
        catalogue,
        entered,
        {employee_id: months[0] for employee_id, months in paid.items() if months},
        await lines_of_run(conn, run, list(people), assessed),
    )


async def lines_of_run(
    conn: Connection,
    run: PayrollRun,
    employee_ids: Sequence[str],
    assessed: Mapping[str, Assessment],
) -> dict[str, tuple[DueLine, ...]]:
    """What the run withholds from each, its month `assessed` like this: the month's due lines, and
    those of other months that were to be withheld by now and are not; in a correction, what the
    month's own payslips have not withheld of its due lines.
    """
    month = run.levy_period
    if run.kind == CORRECTION:
        slips = await payslips_store.payslips_for(conn, employee_ids, [month])
        return {
            employee_id: lines_owed(
                month, assessed.get(employee_id), _own(slips.get((employee_id, month), ()), month)
            )
            for employee_id in employee_ids
        }
    late = await _late(conn, run, employee_ids)
    return {
        employee_id: (
            *(assessed[employee_id].due(month) if employee_id in assessed else ()),
            *late.get(employee_id, ()),
        )
        for employee_id in employee_ids
    }


def _own(slips: Iterable[Payslip], month: str) -> list[DueLine]:
    """What the month's own payslips withheld for it; lines withheld in later months are apart."""
    return [line for slip in slips if slip.levy_period == month for line in slip.lines_for(month)]


async def _late(
    conn: Connection, run: PayrollRun, employee_ids: Sequence[str]
) -> dict[str, list[DueLine]]:
    """Whether the run that a line names was paid already makes no difference: the next takes it."""
    due = await assessments_store.late_lines(conn, run.employer_id, employee_ids, run.levy_period)
    if not due:
        return {}
    months = sorted({line.levy_period for lines in due.values() for line in lines})
    slips = await payslips_store.payslips_for(conn, due, months)
    return {
        employee_id: [
            line
            for month in months
            for line in late_owed(
                month,
                [line for line in lines if line.levy_period == month],
                [
                    line
                    for slip in slips.get((employee_id, month), ())
                    if slip.levy_period != month
                    for line in slip.lines_for(month)
                ],
            )
        ]
        for employee_id, lines in due.items()
    }
