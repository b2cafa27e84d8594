"""Gross to net of a run's members: their year so far, what they declared, the terms in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from payroll_svc.domain.deductions import (
    ROSTERS_SUM,
    TaxDeclaration,
    rosters_to_month,
    year_to_month,
)
from payroll_svc.domain.imported_payslips import ImportedPayslip, said_year, year_doubts
from payroll_svc.domain.income_tax import (
    TaxPayer,
    TaxTerms,
    TaxTermsUnknown,
    YearToDate,
    tax_months,
    terms_on,
)
from payroll_svc.domain.pay import Assessment, DueLine, Pay, pay_of
from payroll_svc.domain.pay_items import Step
from payroll_svc.domain.payroll_run import CORRECTION, Member, PayrollRun
from payroll_svc.domain.people import Person
from payroll_svc.errors import TaxNotKnown
from payroll_svc.policy import Rules
from payroll_svc.store import entered as entered_store
from payroll_svc.store import imported_payslips as imported_store
from payroll_svc.store import payslips as payslips_store
from payroll_svc.store import people as people_store
from payroll_svc.store import runs as runs_store
from shared.db import Connection
from shared.values import LevyPeriod

_NOT_ASSESSED = Assessment(0, ())
_NOTHING_PAID = YearToDate()


async def pays_of(
    conn: Connection,
    rules: Rules,
    run: PayrollRun,
    members: Sequence[Member],
    assessed: Mapping[str, Assessment],
    lines: Mapping[str, Sequence[DueLine]],
) -> list[Pay]:
    """The pay of each member, in their order; TaxNotKnown where no terms cover the payday."""
    terms = tax_terms_on(rules, run.payday)
    ids = [member.employee_id for member in members]
    people = await people_store.people_by_id(conn, ids)
    years = await years_to_date(conn, ids, run.payday)
    declared = await entered_store.declarations_of(conn, ids)
    first = await runs_store.first_payday(conn, run.employer_id) or run.payday
    last = LevyPeriod.parse(run.levy_period).shifted(-1)
    before = list(LevyPeriod(run.payday.year, 1).through(last))
    pays = []
    for member in members:
        year = years.get(member.employee_id, Year())
        person = people[member.employee_id]
        theirs = declared.get(member.employee_id, TaxDeclaration())
        pay = pay_of(
            member.employee_id,
            member.items,
            lines[member.employee_id],
            assessed.get(member.employee_id, _NOT_ASSESSED),
            year.before,
            _payer(terms, run, person, theirs, year, first),
            terms,
        )
        doubts = year_doubts(
            _employed_in(person, before), year.before, year.imported, bool(theirs.deductions)
        )
        pays.append(replace(pay, warnings=(*pay.warnings, *doubts)))
    return pays


@dataclass(frozen=True, slots=True)
class Year:
    """One person's tax year before a payday: what runs here paid, and the payslips of the
    company's own payroll.
    """

    paid: YearToDate = _NOTHING_PAID
    imported: Sequence[ImportedPayslip] = ()

    @property
    def before(self) -> YearToDate:
        return self.paid.plus(said_year(self.imported))


async def years_to_date(
    conn: Connection, employee_ids: Sequence[str], payday: date
) -> dict[str, Year]:
    """By employee id, of everyone who was paid anything in the payday's tax year up to it."""
    paid = await payslips_store.year_to_date(conn, employee_ids, payday)
    imported = await imported_store.of_tax_year(conn, employee_ids, payday)
    return {
        employee_id: Year(paid.get(employee_id, _NOTHING_PAID), imported.get(employee_id, ()))
        for employee_id in paid.keys() | imported.keys()
    }


def tax_terms_on(rules: Rules, payday: date) -> TaxTerms:
    """The terms that a payday is taxed by; TaxNotKnown where none covers it."""
    try:
        return terms_on(rules.tax, payday)
    except TaxTermsUnknown as unknown:
        raise TaxNotKnown(f"Nothing can be paid on {payday}: {unknown}.") from None


def _payer(
    terms: TaxTerms,
    run: PayrollRun,
    person: Person,
    declared: TaxDeclaration,
    year: Year,
    first_payday: date,
) -> TaxPayer:
    first = min([first_payday, *(slip.first_day for slip in year.imported)])
    months = tax_months(run.payday, person.spells, first)
    if declared.deductions or year.paid.by_declaration:
        # What the company's own payroll deducted in a month stands; what is declared is of others.
        said = {
            str(LevyPeriod.of(slip.payday))
            for slip in year.imported
            if slip.special_additional_fen is not None
        }
        kinds = terms.deductions
        special = (
            year_to_month(declared.deductions, kinds, run.payday, months, said)
            if declared.deductions
            else rosters_to_month(person.special_additional_fen, months, said)
        )
        to_date = sum(step.value for step in special)
        special_fen = to_date - year.paid.special_additional_fen
    else:
        # The roster's one sum a month of employment; the month's regular run takes it, a correction
        # does not.
        takes_it = run.kind != CORRECTION and _is_employed(
            person, LevyPeriod.parse(run.levy_period)
        )
        special_fen = person.special_additional_fen if takes_it else 0
        special = (Step(ROSTERS_SUM, special_fen),) if special_fen else ()
    elected = declared.elected(run.payday.year)
    return TaxPayer(run.payday, len(months), special_fen, elected, special)


def _employed_in(person: Person, months: Sequence[LevyPeriod]) -> list[str]:
    return [str(month) for month in months if _is_employed(person, month)]


def _is_employed(person: Person, month: LevyPeriod) -> bool:
    return any(spell.touches(month.first_day(), month.last_day()) for spell in person.spells)
