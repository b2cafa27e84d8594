"""Gross to net of a run's members: their year so far, what they declared, the terms in force."""

from collections.abc import Mapping, Sequence
from datetime import date

from payroll_svc.domain.deductions import TaxDeclaration, year_to_month_fen
from payroll_svc.domain.income_tax import (
    TaxPayer,
    TaxTerms,
    TaxTermsUnknown,
    YearToDate,
    tax_months,
    terms_on,
)
from payroll_svc.domain.pay import Assessment, DueLine, Pay, pay_of
from payroll_svc.domain.payroll_run import CORRECTION, Member, PayrollRun
from payroll_svc.domain.people import Person
from payroll_svc.errors import TaxNotKnown
from payroll_svc.policy import Rules
from payroll_svc.store import entered as entered_store
from payroll_svc.store import payslips as payslips_store
from payroll_svc.store import people as people_store
from payroll_svc.store import runs as runs_store
from shared.db import Connection
from shared.values import LevyPeriod

_NOT_ASSESSED = Assessment(0, ())


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
    so_far = await payslips_store.year_to_date(conn, ids, run.payday)
    declared = await entered_store.declarations_of(conn, ids)
    first = await runs_store.first_payday(conn, run.employer_id) or run.payday
    pays = []
    for member in members:
        before = so_far.get(member.employee_id, YearToDate())
        person = people[member.employee_id]
        theirs = declared.get(member.employee_id, TaxDeclaration())
        pays.append(
            pay_of(
                member.employee_id,
                member.items,
                lines[member.employee_id],
                assessed.get(member.employee_id, _NOT_ASSESSED),
                before,
                _payer(terms, run, person, theirs, before, first),
                terms,
            )
        )
    return pays


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
    before: YearToDate,
    first_payday: date,
) -> TaxPayer:
    months = tax_months(run.payday, _joined(person, run.payday), first_payday)
    if declared.deductions:
        begins = LevyPeriod.of(run.payday).shifted(1 - months)
        to_date = year_to_month_fen(declared.deductions, terms.deductions, run.payday, begins)
        special_fen = to_date - before.special_additional_fen
    else:
        # The roster's one sum a month; the month's regular run takes it, a correction does not.
        special_fen = 0 if run.kind == CORRECTION else person.special_additional_fen
    return TaxPayer(run.payday, months, special_fen, declared.elected(run.payday.year))


def _joined(person: Person, payday: date) -> date:
    """The first day of employment that counts in the payday's tax year."""
    year_began = date(payday.year, 1, 1)
    counted = [s.since for s in person.spells if s.until is None or s.until >= year_began]
    return min(counted, default=payday)
