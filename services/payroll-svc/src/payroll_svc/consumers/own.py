"""Our own events, taken back by a store that was restored."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from msgspec.structs import asdict

from payroll_svc.domain.employers import Account, Department, Employer, HrStaff
from payroll_svc.domain.hand_ins import AWAITED, HANDED_IN, NOTHING, HandIn
from payroll_svc.domain.imported_payslips import ImportedPayslip, SaidLine
from payroll_svc.domain.pay import DueLine
from payroll_svc.domain.pay_items import Entry, Noted, PayItem, Reckoned, Standing
from payroll_svc.domain.payroll_run import Member, PayrollRun
from payroll_svc.domain.payslip import Payslip
from payroll_svc.domain.people import Person, Spell
from payroll_svc.domain.wages import MonthWage, WageItem
from payroll_svc.policy import statutory_items
from payroll_svc.usecases.entered import DECLARED, STANDING
from payroll_svc.usecases.recovering import ToldBefore, ToldEntered, ToldIdentity, ToldReplies
from shared.codec import Received, Tombstone
from shared.contracts import (
    EmployeeChanged,
    EmployeeSealed,
    EmployerChanged,
    EntriesChanged,
    Event,
    PayItemFact,
    PayItemsChanged,
    PayslipIssued,
    PayslipReplied,
    SalaryComputed,
    StandingItemsChanged,
    TaxDeclared,
    WageDataDue,
)
from shared.db import Connection
from shared.sealed import Sealed
from shared.serve import Keeper, newest_of


def keepers(into: ToldBefore) -> Mapping[type[Event], Keeper]:
    """What we say, by its event; gathered in `into`."""

    async def on_told(_: Connection, told: Sequence[Received]) -> None:
        newest = {str(event.event_id()) for event in newest_of(told)}
        for one in told:
            if one.event_id in newest or isinstance(one.event, Tombstone):
                _GATHERED[type(one.event)](into, one.event, one.time)

    return dict.fromkeys(_GATHERED, on_told)


def _gather_person(into: ToldBefore, event: EmployeeChanged) -> None:
    into.people.append((event.employer_id, _person(event)))
    if event.agreed_wage_fen is None:
        into.without_wage.add(event.employee_id)


def _gather_salary(into: ToldBefore, event: SalaryComputed, time: str) -> None:
    if event.purpose == "history":
        into.wages.append((event.employer_id, _wage(event)))
        return
    run = _run(event, datetime.fromisoformat(time))
    into.runs.setdefault(run.run_id, (run, []))[1].append(_member(event))


def _gather_payslip(into: ToldBefore, event: PayslipIssued, time: str) -> None:
    if event.origin == "imported":
        into.imported_payslips.append(_imported_payslip(event, time))
    else:
        into.payslips.append((event.version, _payslip(event, time)))


_GATHERED: Mapping[type[Event], Callable[[ToldBefore, Any, str], None]] = {
    EmployerChanged: lambda into, event, _: into.employers.append(_employer(event)),
    EmployeeChanged: lambda into, event, _: _gather_person(into, event),
    EmployeeSealed: lambda into, event, _: into.identities.append(_identity(event)),
    Tombstone: lambda into, event, _: into.forgotten.append(event.key()),
    SalaryComputed: _gather_salary,
    PayslipIssued: _gather_payslip,
    WageDataDue: lambda into, event, _: into.hand_ins.append(_hand_in(event)),
    PayItemsChanged: lambda into, event, _: into.own_items.append(_own_items(event)),
    StandingItemsChanged: lambda into, event, _: into.standing.append(_standing(event)),
    EntriesChanged: lambda into, event, _: into.entries.append(_entries(event)),
    TaxDeclared: lambda into, event, _: into.declared.append(_declared(event)),
    PayslipReplied: lambda into, event, _: into.replies.append(_replies(event)),
}


def _employer(event: EmployerChanged) -> Employer:
    """What cities are called here is not told: by their codes, until HR says otherwise."""
    return Employer(
        employer_id=event.employer_id,
        group_id=event.group_id,
        name=event.name,
        uscc=event.uscc,
        cut_over=event.cut_over,
        payday=event.payday,
        accounts=tuple(
            Account(
                one.account_id,
                one.account_no,
                one.city,
                one.city,
                one.collector,
                one.bank_account_ref,
                one.auto_debit,
                one.own_rates,
                one.injury_class,
                one.injury_float_percent,
            )
            for one in event.accounts
        ),
        departments=tuple(
            Department(one.department_id, one.code, one.name) for one in event.departments
        ),
        hr_staff=tuple(HrStaff(one.sub, one.department_ids) for one in event.hr_staff),
        version=event.version,
    )


def _person(event: EmployeeChanged) -> Person:
    return Person(
        employee_id=event.employee_id,
        employee_no=event.employee_no,
        person_kind=event.person_kind,
        documents_missing=event.documents_missing,
        agreed_wage_fen=event.agreed_wage_fen or 0,
        first_month_wage_fen=event.first_month_wage_fen,
        first_fund_member=event.first_fund_member,
        special_additional_fen=event.special_additional_fen or 0,
        sub=event.sub,
        cost_centre=event.cost_centre,
        spells=tuple(
            Spell(
                since=date.fromisoformat(one.since),
                until=date.fromisoformat(one.until) if one.until else None,
                department_id=one.department_id,
                city=one.city,
                account_id=one.account_id,
            )
            for one in event.spells
        ),
        version=event.version,
    )


def _identity(event: EmployeeSealed) -> ToldIdentity:
    sealed = Sealed(event.sealed, event.wrapped_key, event.root_key_id)
    return ToldIdentity(event.employer_id, event.employee_id, event.version, sealed)


def _wage(event: SalaryComputed) -> MonthWage:
    items = tuple(WageItem(one.code, one.amount_fen, one.counts_as_wage) for one in event.items)
    return MonthWage(event.employee_id, event.levy_period, items, event.version)


def _run(event: SalaryComputed, at: datetime) -> PayrollRun:
    return PayrollRun(
        run_id=event.run_id,
        employer_id=event.employer_id,
        levy_period=event.levy_period,
        payday=date.fromisoformat(event.payday),
        state="computed",
        computed_at=at,
    )


def _member(event: SalaryComputed) -> Member:
    """Why someone is left out after all is not told; a new computation finds it again."""
    left_out = "" if event.items else "left_out"
    return Member(event.employee_id, _items(event.items), left_out, event.version)


def _items(told: Iterable[PayItemFact]) -> tuple[Reckoned, ...]:
    """How they were reckoned is not told, nor what was beside the gross."""
    names = statutory_items()
    return tuple(
        Reckoned(
            code=one.code,
            name=names[one.code].name if one.code in names else one.code,
            amount_fen=one.amount_fen,
            counts_as_wage=one.counts_as_wage,
            belongs_to=one.belongs_to,
        )
        for one in told
    )


def _payslip(event: Event, time: str) -> Payslip:
    assert isinstance(event, PayslipIssued)
    withheld = tuple(
        DueLine(
            insurance=one.insurance.value,
            state="due",
            base_fen=one.base_fen,
            employer_fen=one.employer_fen,
            employee_fen=one.employee_fen,
            employer_ppm=one.employer_ppm,
            employee_ppm=one.employee_ppm,
            kind="difference" if one.levy_period else "regular",
            levy_period=one.levy_period,
        )
        for one in (*event.withheld, *event.earlier)
    )
    return Payslip(
        employee_id=event.employee_id,
        levy_period=event.levy_period,
        employer_id=event.employer_id,
        run_id=event.run_id,
        payday=date.fromisoformat(event.payday),
        gross_fen=event.gross_fen,
        contributions_fen=sum(line.employee_fen for line in withheld),
        special_additional_fen=event.special_additional_fen or 0,
        tax_fen=event.tax_fen,
        net_fen=event.net_fen,
        withheld=withheld,
        issued_at=datetime.fromisoformat(time),
        items=_items(event.items),
        income_fen=event.income_fen,
        bonus_apart_fen=event.bonus_apart_fen,
        bonus_tax_fen=event.bonus_tax_fen,
        employer_fen=sum(line.employer_fen for line in withheld),
    )


def _imported_payslip(event: PayslipIssued, time: str) -> ImportedPayslip:
    """Which import brought it is not told."""
    lines = [
        SaidLine(one.insurance.value, one.base_fen, one.employee_fen, one.employer_fen)
        for one in event.withheld
    ]
    return ImportedPayslip(
        employee_id=event.employee_id,
        levy_period=event.levy_period,
        version=event.version,
        employer_id=event.employer_id,
        payday=date.fromisoformat(event.payday),
        gross_fen=event.gross_fen,
        contributions_fen=sum(line.employee_fen for line in lines),
        tax_fen=event.tax_fen,
        other_fen=event.other_fen,
        net_fen=event.net_fen,
        withheld=tuple(lines),
        reason=event.reason,
        import_id="",
        issued_at=datetime.fromisoformat(time),
        income_fen=event.income_fen,
        special_additional_fen=event.special_additional_fen,
        bonus_apart_fen=event.bonus_apart_fen,
        bonus_tax_fen=event.bonus_tax_fen,
    )


def _hand_in(event: WageDataDue) -> HandIn:
    """Which import brought the data is not told: it can be corrected, and no longer undone."""
    settled = event.stage in (HANDED_IN, NOTHING)
    return HandIn(
        department_id=event.department_id,
        levy_period=event.levy_period,
        employer_id=event.employer_id,
        due_on=date.fromisoformat(event.due_on),
        rolled=event.rolled,
        remind_days=event.remind_days,
        state=event.stage if settled else AWAITED,
        stage=event.stage,
        late=event.late,
        handed_in_at=datetime.fromisoformat(event.handed_in_at) if event.handed_in_at else None,
        handed_in_by=event.handed_in_by,
        rows=event.rows,
        version=event.version,
    )


def _own_items(event: PayItemsChanged) -> tuple[str, list[PayItem]]:
    return event.employer_id, [PayItem(**asdict(fact)) for fact in event.items]


def _standing(event: StandingItemsChanged) -> ToldEntered[Standing]:
    items = [
        Noted(
            Standing(
                fact.code,
                date.fromisoformat(fact.since),
                fact.amount_fen,
                date.fromisoformat(fact.until) if fact.until else None,
            ),
            datetime.fromisoformat(fact.entered_at),
            fact.entered_by,
        )
        for fact in event.items
    ]
    return ToldEntered(event.employer_id, event.employee_id, STANDING, event.version, items)


def _entries(event: EntriesChanged) -> ToldEntered[Entry]:
    entries = [
        Noted(
            Entry(
                fact.code,
                fact.amount_fen,
                fact.quantity_thousandths,
                fact.unit_price_fen_hundredths,
            ),
            datetime.fromisoformat(fact.entered_at),
            fact.entered_by,
        )
        for fact in event.entries
    ]
    return ToldEntered(
        event.employer_id, event.employee_id, event.levy_period, event.version, entries
    )


def _declared(event: TaxDeclared) -> ToldEntered[str]:
    noted = Noted(event.sealed, datetime.fromisoformat(event.entered_at), event.entered_by)
    return ToldEntered(event.employer_id, event.employee_id, DECLARED, event.version, [noted])


def _replies(event: PayslipReplied) -> ToldReplies:
    return ToldReplies(event.employer_id, event.employee_id, event.sealed)
