"""Our own words to the words on the wire."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from payroll_svc.domain.employers import Employer
from payroll_svc.domain.pay import DueLine
from payroll_svc.domain.pay_items import (
    GROSS,
    Entry,
    Noted,
    PayItem,
    Reckoned,
    Standing,
    wage_fen_of,
)
from payroll_svc.domain.payroll_run import Member, PayrollRun, run_id_of
from payroll_svc.domain.payslip import MonthPaid
from payroll_svc.domain.people import Person, SealedIdentity
from payroll_svc.domain.wages import MonthWage
from shared.contracts import (
    AccountFact,
    DepartmentFact,
    EmployeeChanged,
    EmployeeSealed,
    EmployerChanged,
    EntriesChanged,
    EntryFact,
    HrStaffFact,
    OwnPayItemFact,
    PayItemFact,
    PayItemsChanged,
    PayslipIssued,
    SalaryComputed,
    SpellFact,
    StandingFact,
    StandingItemsChanged,
    WithheldFact,
)
from shared.values import Insurance


def employer_changed(employer: Employer) -> EmployerChanged:
    """The employer's full state; the city's name stays here, since policies name cities."""
    return EmployerChanged(
        version=employer.version,
        employer_id=employer.employer_id,
        group_id=employer.group_id,
        name=employer.name,
        uscc=employer.uscc,
        cut_over=employer.cut_over,
        payday=employer.payday,
        accounts=tuple(
            AccountFact(
                account_id=account.account_id,
                account_no=account.account_no,
                city=account.city,
                collector=account.collector,
                bank_account_ref=account.bank_account_ref,
                auto_debit=account.auto_debit,
                own_rates=dict(account.own_rates),
                injury_class=account.injury_class,
                injury_float_percent=account.injury_float_percent,
            )
            for account in employer.accounts
        ),
        departments=tuple(
            DepartmentFact(department_id=item.department_id, code=item.code, name=item.name)
            for item in employer.departments
        ),
        hr_staff=tuple(
            HrStaffFact(sub=person.sub, department_ids=person.department_ids)
            for person in employer.hr_staff
        ),
    )


def employee_changed(employer_id: str, person: Person) -> EmployeeChanged:
    """The employee's full state, without name or any other personal data."""
    return EmployeeChanged(
        version=person.version,
        employee_id=person.employee_id,
        employer_id=employer_id,
        employee_no=person.employee_no,
        person_kind=person.person_kind,
        spells=tuple(
            SpellFact(
                since=spell.since.isoformat(),
                until=spell.until.isoformat() if spell.until else "",
                department_id=spell.department_id,
                city=spell.city,
                account_id=spell.account_id,
            )
            for spell in person.spells
        ),
        documents_missing=person.documents_missing,
        first_month_wage_fen=person.first_month_wage_fen,
        first_fund_member=person.first_fund_member,
        sub=person.sub,
        cost_centre=person.cost_centre,
        agreed_wage_fen=person.agreed_wage_fen,
        special_additional_fen=person.special_additional_fen,
    )


def employee_sealed(
    employer_id: str, employee_id: str, identity: SealedIdentity, version: int
) -> EmployeeSealed:
    return EmployeeSealed(
        version=version,
        employee_id=employee_id,
        employer_id=employer_id,
        sealed=identity.sealed,
        wrapped_key=identity.wrapped_key,
        root_key_id=identity.root_key_id,
    )


def past_salary(employer_id: str, wage: MonthWage) -> SalaryComputed:
    """One past wage month: `purpose` history, which makes no cells."""
    return SalaryComputed(
        version=wage.version,
        employee_id=wage.employee_id,
        employer_id=employer_id,
        levy_period=wage.wage_month,
        purpose="history",
        run_id="",
        gross_fen=wage.gross_fen,
        wage_fen=wage.wage_fen,
        items=tuple(
            PayItemFact(
                code=item.code, amount_fen=item.amount_fen, counts_as_wage=item.counts_as_wage
            )
            for item in wage.items
        ),
    )


def run_salary(run: PayrollRun, member: Member) -> SalaryComputed:
    """A member's gross of a payroll run; 0 without items for one who is left out after all."""
    return SalaryComputed(
        version=member.version,
        employee_id=member.employee_id,
        employer_id=run.employer_id,
        levy_period=run.levy_period,
        purpose="run",
        run_id=run.run_id,
        gross_fen=member.gross_fen,
        wage_fen=member.wage_fen,
        payday=run.payday.isoformat(),
        items=_item_facts(member.items, run.levy_period),
    )


def corrected_salary(month: MonthPaid, version: int) -> SalaryComputed:
    """A month's gross with what corrections paid beside it, told as its regular run's."""
    slip = month.last
    return SalaryComputed(
        version=version,
        employee_id=slip.employee_id,
        employer_id=slip.employer_id,
        levy_period=slip.levy_period,
        purpose="run",
        run_id=run_id_of(slip.employer_id, slip.levy_period),
        gross_fen=month.gross_fen,
        wage_fen=wage_fen_of(month.items),
        payday=slip.payday.isoformat(),
        items=_item_facts(month.items, slip.levy_period),
    )


def _item_facts(items: Iterable[Reckoned], levy_period: str) -> tuple[PayItemFact, ...]:
    """What is part of the gross; the month that an item makes good, where that is another."""
    return tuple(
        PayItemFact(
            code=item.code,
            amount_fen=item.amount_fen,
            counts_as_wage=item.counts_as_wage,
            belongs_to="" if item.belongs_to == levy_period else item.belongs_to,
        )
        for item in items
        if item.part == GROSS
    )


def payslip_issued(month: MonthPaid, version: int) -> PayslipIssued:
    """All that payslips paid and withheld for a month, told as its regular run's; a payslip is
    never edited, so that only another one makes a new version.
    """
    slip = month.last
    return PayslipIssued(
        version=version,
        employee_id=slip.employee_id,
        employer_id=slip.employer_id,
        levy_period=slip.levy_period,
        run_id=run_id_of(slip.employer_id, slip.levy_period),
        payday=slip.payday.isoformat(),
        gross_fen=month.gross_fen,
        tax_fen=month.tax_fen,
        net_fen=month.net_fen,
        withheld=tuple(_withheld_fact(line) for line in month.withheld),
        items=_item_facts(month.items, slip.levy_period),
        earlier=tuple(_withheld_fact(line, line.levy_period) for line in month.earlier),
        income_fen=month.income_fen,
        special_additional_fen=month.special_additional_fen,
        bonus_apart_fen=month.bonus_apart_fen,
        bonus_tax_fen=month.bonus_tax_fen,
    )


def _withheld_fact(line: DueLine, levy_period: str = "") -> WithheldFact:
    return WithheldFact(
        insurance=Insurance(line.insurance),
        base_fen=line.base_fen,
        employee_fen=line.employee_fen,
        employer_fen=line.employer_fen,
        employee_ppm=line.employee_ppm,
        employer_ppm=line.employer_ppm,
        levy_period=levy_period,
    )


def pay_items_changed(employer_id: str, items: Sequence[PayItem]) -> PayItemsChanged:
    """All of an employer's own."""
    facts = tuple(OwnPayItemFact(**asdict(item)) for item in items)
    return PayItemsChanged(version=len(items), employer_id=employer_id, items=facts)


def standing_changed(
    employer_id: str, employee_id: str, version: int, items: Sequence[Noted[Standing]]
) -> StandingItemsChanged:
    """All of a person's."""
    return StandingItemsChanged(
        version=version,
        employee_id=employee_id,
        employer_id=employer_id,
        items=tuple(
            StandingFact(
                code=item.what.code,
                since=item.what.since.isoformat(),
                until=item.what.until.isoformat() if item.what.until else "",
                amount_fen=item.what.amount_fen,
                entered_at=item.entered_at.isoformat(),
                entered_by=item.entered_by,
            )
            for item in items
        ),
    )


def entries_changed(
    employer_id: str,
    employee_id: str,
    levy_period: str,
    version: int,
    entries: Sequence[Noted[Entry]],
) -> EntriesChanged:
    """All of a person's month."""
    return EntriesChanged(
        version=version,
        employee_id=employee_id,
        employer_id=employer_id,
        levy_period=levy_period,
        entries=tuple(
            EntryFact(
                **asdict(entry.what),
                entered_at=entry.entered_at.isoformat(),
                entered_by=entry.entered_by,
            )
            for entry in entries
        ),
    )
