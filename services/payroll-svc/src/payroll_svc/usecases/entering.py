"""What HR enters: own pay items, standing items, entries of a month, tax declarations."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from payroll_svc.domain.deductions import TaxDeclaration, deduction_faults
from payroll_svc.domain.income_tax import (
    FIRST_WAGE_OF_YEAR,
    SIXTY_THOUSAND_AT_ONCE,
    TaxTerms,
)
from payroll_svc.domain.pay_items import BASE_SALARY, Entry, Noted, PayItem, Standing
from payroll_svc.domain.people import Person
from payroll_svc.domain.reckoning import Catalogue
from payroll_svc.domain.wage_inputs import InputItems, excess_of
from payroll_svc.errors import EntriesRefused, PayItemKnown, TaxDeclarationRefused
from payroll_svc.policy import Rules
from payroll_svc.store import employers as employers_store
from payroll_svc.store import entered as entered_store
from payroll_svc.store import people as people_store
from payroll_svc.usecases.entered import (
    keep_declaration,
    keep_entries,
    keep_standing,
    tell_items,
)
from payroll_svc.usecases.identities import Keys
from payroll_svc.usecases.rosters import catalogue_of, notes_of_unpaid
from payroll_svc.usecases.taxing import Year, tax_terms_on, years_to_date
from shared.db import Connection
from shared.refusal import FieldFault
from shared.values import LevyPeriod, fen_text

_CODES = "use a code of GET /pay-items, or add the item first"


async def pay_items_of(conn: Connection, rules: Rules, employer_id: str) -> list[PayItem]:
    """The statutory items and the employer's own, by code."""
    await employers_store.employer(conn, employer_id)
    catalogue = await catalogue_of(conn, rules, employer_id)
    return [catalogue[code] for code in sorted(catalogue)]


async def own_items_of(conn: Connection, employer_id: str) -> tuple[PayItem, ...]:
    """The employer's own, by code."""
    return tuple(await entered_store.own_items(conn, employer_id))


async def add_pay_item(
    conn: Connection, rules: Rules, employer_id: str, item: PayItem, at: datetime
) -> PayItem:
    """Adds an item of the employer's own; PayItemKnown if the code means something else, or files
    could not tell its name from another's.
    """
    await employers_store.employer(conn, employer_id, lock=True)
    catalogue = await catalogue_of(conn, rules, employer_id)
    known = catalogue.get(item.code)
    if known is None:
        names = {one.name: one.code for one in catalogue.values()}
        meant = InputItems(await own_items_of(conn, employer_id)).named(item.name)
        if taken := names.get(item.name, meant.code if meant else ""):
            raise PayItemKnown(f"{item.name} is what the pay item {taken} is called; rename it.")
        await entered_store.add_own_items(conn, employer_id, [item])
        await tell_items(conn, employer_id, at)
    elif known != item:
        raise PayItemKnown(
            f"The pay item {item.code} is {known.name} ({known.way}); use another code."
        )
    return item


async def standing_of(conn: Connection, employee_id: str) -> list[Standing]:
    """One person's standing items; NotFound if there is no such employee that one may see."""
    await people_store.person(conn, employee_id)
    return await entered_store.standing_of(conn, employee_id)


async def enter_standing(
    conn: Connection,
    rules: Rules,
    employee_id: str,
    items: Sequence[Standing],
    by: str,
    at: datetime,
) -> tuple[list[Standing], tuple[str, ...]]:
    """Keeps what the person gets from a day on, all that is kept now; a day in a paid month makes a
    difference in the next run, and notes say where it is too late for that. EntriesRefused for
    codes that are no amount a month, for days that cannot be, and
    for repeats.
    """
    employer_id, _ = await people_store.person(conn, employee_id)
    await employers_store.employer(conn, employer_id, lock=True)
    catalogue = await catalogue_of(conn, rules, employer_id)
    faults = [
        FieldFault(f"items/{place}/code", item.code, "expected a pay item with an amount", _CODES)
        for place, item in enumerate(items)
        if item.code not in catalogue or catalogue[item.code].way != "amount"
    ]
    faults += [
        FieldFault(
            f"items/{place}/until",
            str(item.until),
            f"expected {item.since} or later: it would end before its first day",
            "correct one of the two days",
        )
        for place, item in enumerate(items)
        if item.until is not None and item.until < item.since
    ]
    faults += _repeats("items", [(item.code, item.since.isoformat()) for item in items])
    if faults:
        raise EntriesRefused(f"{len(faults)} standing items cannot be taken in.", tuple(faults))
    known = await entered_store.standing_of(conn, employee_id)
    await keep_standing(conn, employer_id, employee_id, items, by, at)
    spans = [
        (employee_id, str(LevyPeriod.of(one.since)), str(LevyPeriod.of(one.until or date.max)))
        for one in items
        if one not in known
    ]
    notes = await notes_of_unpaid(conn, employer_id, spans)
    return await entered_store.standing_of(conn, employee_id), notes


async def enter_month(
    conn: Connection,
    rules: Rules,
    employer_id: str,
    levy_period: str,
    given: Sequence[tuple[str, Entry]],
    by: str,
    at: datetime,
) -> tuple[int, tuple[str, ...]]:
    """Keeps (employee id, entry) pairs of one month, all or none; how many there were, and notes.

    A run that was computed before takes them when it is computed anew; a paid month gives a
    difference. EntriesRefused names every place that does not fit.
    """
    await employers_store.employer(conn, employer_id, lock=True)
    catalogue = await catalogue_of(conn, rules, employer_id)
    known = set((await people_store.employee_ids_by_number(conn, employer_id)).values())
    faults = [
        fault
        for place, (employee_id, entry) in enumerate(given)
        for fault in _entry_faults(f"entries/{place}", employee_id, entry, known, catalogue)
    ]
    faults += _repeats("entries", [(employee_id, entry.code) for employee_id, entry in given])
    if faults:
        raise EntriesRefused(
            f"{len(faults)} faults; none of the entries is taken in.", tuple(faults)
        )
    await keep_entries(conn, employer_id, levy_period, given, by, at)
    spans = [(employee_id, levy_period, levy_period) for employee_id, _ in given]
    return len(given), await notes_of_unpaid(conn, employer_id, spans)


def _repeats(where: str, keys: Sequence[tuple[str, str]]) -> list[FieldFault]:
    seen: set[tuple[str, str]] = set()
    faults = []
    for place, key in enumerate(keys):
        if key in seen:
            faults.append(
                FieldFault(f"{where}/{place}", " ".join(key), "given twice", "keep one of the two")
            )
        seen.add(key)
    return faults


def _entry_faults(
    where: str, employee_id: str, entry: Entry, known: set[str], catalogue: Catalogue
) -> Iterable[FieldFault]:
    if employee_id not in known:
        todo = "import the roster first, or correct the id"
        yield FieldFault(f"{where}/employee_id", employee_id, "not on the roster", todo)
    item = catalogue.get(entry.code)
    if item is None:
        yield FieldFault(f"{where}/code", entry.code, "no such pay item", _CODES)
    elif entry.code == BASE_SALARY:
        todo = "enter the wage as a standing item with its first day"
        yield FieldFault(
            f"{where}/code", entry.code, "the base salary is no entry of a month", todo
        )
    elif not entry.is_empty and (problem := _misfit(item, entry)):
        yield FieldFault(where, entry.code, problem, "give what the item is reckoned from")


def _misfit(item: PayItem, entry: Entry) -> str:
    """What the item's way of reckoning wants, if the entry is something else."""
    has = (
        bool(entry.amount_fen),
        bool(entry.quantity_thousandths),
        bool(entry.unit_price_fen_hundredths),
    )
    wanted = {
        "amount": ((True, False, False), "expected amount_fen alone"),
        "pieces": ((False, True, True), "expected quantity and unit price, no amount"),
        "hours": ((False, True, False), "expected a quantity of hours alone"),
        "days": ((False, True, False), "expected a quantity of days alone"),
    }
    shape, words = wanted[item.way]
    return words if has != shape else excess_of(entry, item.way)


async def entries_of(
    conn: Connection, employer_id: str, levy_period: str, after: tuple[str, str] | None, limit: int
) -> list[tuple[str, Entry]]:
    """One page of a month's (employee id, entry), by employee and code."""
    return await entered_store.entries_of_month(conn, employer_id, levy_period, after, limit)


async def declaration_of(conn: Connection, employee_id: str) -> TaxDeclaration:
    """What the person declared; NotFound if there is no such employee that one may see."""
    await people_store.person(conn, employee_id)
    found = await entered_store.declarations_of(conn, [employee_id])
    return found.get(employee_id, TaxDeclaration())


async def declare_tax(
    conn: Connection,
    rules: Rules,
    keys: Keys,
    employee_id: str,
    declared: TaxDeclaration,
    by: str,
    at: datetime,
    today: date,
) -> TaxDeclaration:
    """Keeps all that a person declares in place of what they declared before; what is declared late
    is caught up by the next payment. TaxDeclarationRefused with everything that the law forbids.
    """
    employer_id, person = await people_store.person(conn, employee_id)
    terms = tax_terms_on(rules, today)
    faults = deduction_faults(declared.deductions, terms.deductions)
    for place, (year, election) in enumerate(declared.elections):
        paid_fen = await _income_of_year(conn, employee_id, year - 1)
        if problem := _election_problem(terms, person, year, election, paid_fen):
            todo = "leave the election out; the yearly settlement evens it out"
            faults.append(FieldFault(f"elections/{place}", election, problem, todo))
    if faults:
        raise TaxDeclarationRefused(f"{len(faults)} declarations are refused.", tuple(faults))
    noted = Noted(declared, at, by)
    await keep_declaration(conn, keys, employer_id, employee_id, noted, at)
    return declared


async def _income_of_year(conn: Connection, employee_id: str, year: int) -> int:
    """What payslips of a tax year, imported ones too, paid as taxed income, in fen."""
    years = await years_to_date(conn, [employee_id], date(year, 12, 31))
    before = years.get(employee_id, Year()).before
    return before.income_fen + before.bonus_apart_fen


def _election_problem(
    terms: TaxTerms, person: Person, year: int, election: str, paid_last_year_fen: int
) -> str:
    """Why the election is not theirs in that year, as far as we can know."""
    year_begins = date(year, 1, 1)
    was_here = any(
        spell.since < year_begins and (spell.until is None or spell.until >= year_begins)
        for spell in person.spells
    )
    if election == FIRST_WAGE_OF_YEAR and was_here:
        return f"{year} 年 1 月已在本单位任职，不是当年首次取得工资"
    whole_year = LevyPeriod(year - 1, 1).first_day()
    all_of_last_year = any(
        spell.since <= whole_year and (spell.until is None or spell.until >= year_begins)
        for spell in person.spells
    )
    if election == SIXTY_THOUSAND_AT_ONCE and not all_of_last_year:
        return f"{year - 1} 年没有在本单位任职满全年"
    if election == SIXTY_THOUSAND_AT_ONCE and paid_last_year_fen > terms.low_income_ceiling_fen:
        return f"{year - 1} 年已发 {fen_text(paid_last_year_fen)}，超过 6 万元"
    return ""
