"""The tables that exports hold, page by page, under the headers that our own readers know."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby

from payroll_svc.domain.employers import Account, Employer
from payroll_svc.domain.exports import PAYSLIPS, ROSTER, Export
from payroll_svc.domain.identity import ID_TYPES
from payroll_svc.domain.imported_payslips import ImportedPayslip
from payroll_svc.domain.payslip import Payslip
from payroll_svc.domain.people import DOCUMENTS, PERSON_KINDS, Person
from payroll_svc.domain.wage_inputs import PIECE, UNIT_WORDS, WageInput
from payroll_svc.files import payslips as slip_file
from payroll_svc.files import person_rows
from payroll_svc.files import roster as roster_file
from payroll_svc.files import wage_data as data_file
from payroll_svc.files.written import WrittenCell
from payroll_svc.store import exports as exports_store
from payroll_svc.store import imported_payslips as imported_store
from payroll_svc.store import payslips as payslips_store
from payroll_svc.store import people as people_store
from payroll_svc.usecases.identities import identities_of
from payroll_svc.usecases.people import departments_in
from shared.db import Connection
from shared.sealed import Sealer

_PAGE = 2_000

Rows = list[list[WrittenCell]]


def _words(known: Mapping[str, str]) -> dict[str, str]:
    """The first word that people write for each code."""
    return {code: words for words, code in reversed(list(known.items())) if words}


_KIND_WORDS, _DOCUMENT_WORDS = _words(PERSON_KINDS), _words(DOCUMENTS)
_ID_TYPE_WORDS = _words(ID_TYPES)

_PERSONAL = (
    roster_file.ID_TYPE,
    roster_file.ID_NO,
    roster_file.PHONE,
    roster_file.EMAIL,
    roster_file.BANK_ACCOUNT,
)
"""Columns that only an export with identities has."""


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


async def table_of(
    conn: Connection, sealer: Sealer, employer: Employer, export: Export
) -> AsyncIterator[Rows]:
    """The header, then the rows, a page at a time."""
    if export.kind == ROSTER:
        pages = _roster(conn, sealer, employer, export.with_identity)
    elif export.kind == PAYSLIPS:
        pages = _payslips(conn, sealer, employer, export.levy_period)
    elif export.wide:
        pages = _wide_wage_data(conn, sealer, employer, export.levy_period)
    else:
        pages = _wage_data(conn, sealer, employer, export.levy_period)
    async for page in pages:
        yield page


async def _roster(
    conn: Connection, sealer: Sealer, employer: Employer, with_identity: bool
) -> AsyncIterator[Rows]:
    columns = [c for c in roster_file.COLUMNS if with_identity or c not in _PERSONAL]
    yield [[column.header for column in columns]]
    departments = {one.department_id: one.name for one in employer.departments}
    accounts = {one.account_id: one for one in employer.accounts}
    after: str | None = None
    while people := await people_store.people_page(conn, employer.employer_id, after, _PAGE):
        opened = await identities_of(conn, sealer, employer.employer_id, people)
        cells = [_person(one, opened[one.employee_id], departments, accounts) for one in people]
        yield [[row[column.name] for column in columns] for row in cells if row]
        after = people[-1].employee_no


def _person(
    person: Person,
    identity: Mapping[str, str],
    departments: Mapping[str, str],
    accounts: Mapping[str, Account],
) -> dict[str, WrittenCell]:
    """By column name; nothing for who has no spell."""
    if not person.spells:
        return {}
    spell = max(person.spells, key=lambda one: one.since)
    account = accounts.get(spell.account_id)
    return {
        "employee_no": person.employee_no,
        "name": identity.get("name", ""),
        "id_type": _ID_TYPE_WORDS.get(identity.get("id_type", ""), ""),
        "id_no": identity.get("id_no", ""),
        "department": departments.get(spell.department_id, ""),
        "city": spell.city,
        "account_no": account.account_no if account else "",
        "person_kind": _KIND_WORDS.get(person.person_kind, person.person_kind),
        "joined": spell.since.isoformat(),
        "left": spell.until.isoformat() if spell.until else "",
        "first_month_wage": _yuan(person.first_month_wage_fen),
        "agreed_wage": _yuan(person.agreed_wage_fen),
        "special_additional": _yuan(person.special_additional_fen),
        "first_fund_member": "是" if person.first_fund_member else "否",
        "documents_missing": "、".join(
            _DOCUMENT_WORDS.get(code, code) for code in person.documents_missing
        ),
        "phone": identity.get("phone", ""),
        "email": identity.get("email", ""),
        "bank_account": identity.get("bank_account", ""),
        "sub": person.sub,
        "cost_centre": person.cost_centre,
    }


async def _who(
    conn: Connection,
    sealer: Sealer,
    employer: Employer,
    employee_ids: Iterable[str],
    levy_period: str,
) -> dict[str, list[WrittenCell]]:
    """Number, name, month and department of each employee, as all monthly tables begin."""
    people = list((await people_store.people_by_id(conn, employee_ids)).values())
    opened = await identities_of(conn, sealer, employer.employer_id, people)
    places = departments_in(people, {levy_period})
    names = {one.department_id: one.name for one in employer.departments}
    return {
        one.employee_id: [
            one.employee_no,
            opened[one.employee_id].get("name", ""),
            levy_period,
            names.get(places.get((one.employee_id, levy_period), ""), ""),
        ]
        for one in people
    }


_WHO = (person_rows.EMPLOYEE_NO, person_rows.NAME, person_rows.PERIOD, person_rows.DEPARTMENT)


async def _wage_data(
    conn: Connection, sealer: Sealer, employer: Employer, levy_period: str
) -> AsyncIterator[Rows]:
    columns = (
        *_WHO,
        *(data_file.ITEM, data_file.AMOUNT, data_file.QUANTITY, data_file.UNIT, data_file.PRICE),
    )
    yield [[column.header for column in columns]]
    async for people in _inputs(conn, employer, levy_period):
        who = await _who(
            conn, sealer, employer, [one[0].employee_id for one in people], levy_period
        )
        yield [[*who[one.employee_id], *_input(one)] for theirs in people for one in theirs]


async def _wide_wage_data(
    conn: Connection, sealer: Sealer, employer: Employer, levy_period: str
) -> AsyncIterator[Rows]:
    """A row a person, a column for every item that anyone has in the month."""
    columns: dict[str, None] = {}
    async for people in _inputs(conn, employer, levy_period):
        columns |= {words: None for theirs in people for one in theirs for words in _cells(one)}
    yield [[*(column.header for column in _WHO), *columns]]
    async for people in _inputs(conn, employer, levy_period):
        who = await _who(
            conn, sealer, employer, [one[0].employee_id for one in people], levy_period
        )
        cells = [
            (theirs[0].employee_id, {k: v for one in theirs for k, v in _cells(one).items()})
            for theirs in people
        ]
        yield [[*who[name], *(row.get(words, "") for words in columns)] for name, row in cells]


async def _inputs(
    conn: Connection, employer: Employer, levy_period: str
) -> AsyncIterator[list[list[WageInput]]]:
    """The month's wage data by person, a page at a time; nobody's are cut by a page."""
    after, last = ("", ""), list[WageInput]()
    while page := await exports_store.inputs_page(
        conn, employer.employer_id, levy_period, after, _PAGE
    ):
        after = (page[-1].employee_no, page[-1].code)
        *whole, last = _by_person([*last, *page])
        yield whole
    yield [last] if last else []


def _by_person(inputs: Iterable[WageInput]) -> list[list[WageInput]]:
    return [list(group) for _, group in groupby(inputs, key=lambda one: one.employee_id)]


def _cells(one: WageInput) -> dict[str, WrittenCell]:
    """What a wide row says of an item, by column: its value, and the price of pieces."""
    _, amount, quantity, _, price = _input(one)
    return {one.words: quantity if amount == "" else amount} | (
        {one.price_words: price} if price != "" else {}
    )


def _input(one: WageInput) -> list[WrittenCell]:
    price = Decimal(one.unit_price_fen_hundredths).scaleb(-4) if one.unit == PIECE else ""
    if one.amount_fen is not None:
        return [one.words, _yuan(one.amount_fen), "", UNIT_WORDS[one.unit], price]
    assert one.quantity_thousandths is not None
    quantity = Decimal(one.quantity_thousandths).scaleb(-3)
    return [one.words, "", quantity, UNIT_WORDS[one.unit], price]


async def _payslips(
    conn: Connection, sealer: Sealer, employer: Employer, levy_period: str
) -> AsyncIterator[Rows]:
    """Those that hold, of payroll runs here or of the company's own payroll."""
    columns = (
        *(*_WHO, slip_file.PAYDAY, slip_file.GROSS),
        *slip_file.INSURANCE_COLUMNS.values(),
        *(slip_file.CONTRIBUTIONS, slip_file.INCOME, slip_file.SPECIAL),
        *(slip_file.BONUS, slip_file.BONUS_TAX, slip_file.TAX),
        *(slip_file.OTHER, slip_file.ADDITION, slip_file.NET),
    )
    yield [[column.header for column in columns]]
    before: tuple[str, ...] | None = None
    while slips := await payslips_store.payslips_page(
        conn, employer.employer_id, levy_period, before, _PAGE
    ):
        yield await _slip_rows(conn, sealer, employer, levy_period, slips)
        before = (slips[-1].levy_period, slips[-1].employee_id, slips[-1].run_id)
    everyone = await people_store.employee_ids_by_number(conn, employer.employer_id)
    ids = [everyone[number] for number in sorted(everyone)]
    for start in range(0, len(ids), _PAGE):
        held = await imported_store.newest(conn, ids[start : start + _PAGE], [levy_period])
        imported = [one for one in held.values() if not one.is_withdrawn]
        yield await _slip_rows(conn, sealer, employer, levy_period, imported)


async def _slip_rows(
    conn: Connection,
    sealer: Sealer,
    employer: Employer,
    levy_period: str,
    slips: Sequence[Payslip | ImportedPayslip],
) -> Rows:
    ids = {slip.employee_id for slip in slips}
    who = await _who(conn, sealer, employer, ids, levy_period)
    return await asyncio.to_thread(
        lambda: [[*who[slip.employee_id], *_slip(slip)] for slip in slips]
    )


def _slip(slip: Payslip | ImportedPayslip) -> list[WrittenCell]:
    """What it withheld for earlier months counts with its own month's line of that insurance."""
    sides: dict[tuple[str, str], int] = defaultdict(int)
    for line in slip.withheld:
        base_fen = sides[line.insurance, "base"]
        sides[line.insurance, "base"] = max(base_fen, line.base_fen)
        sides[line.insurance, "employee"] += line.employee_fen
        sides[line.insurance, "employer"] += line.employer_fen
    other_fen = slip.gross_fen - slip.contributions_fen - slip.tax_fen - slip.net_fen
    special_fen = slip.special_additional_fen
    return [
        slip.payday.isoformat(),
        _yuan(slip.gross_fen),
        *(_yuan(sides[at]) if at in sides else "" for at in slip_file.INSURANCE_COLUMNS),
        _yuan(slip.contributions_fen),
        *("" if fen is None else _yuan(fen) for fen in (slip.income_fen, special_fen)),
        *map(_yuan, (slip.bonus_apart_fen, slip.bonus_tax_fen)),
        *map(_yuan, (slip.tax_fen, max(0, other_fen), max(0, -other_fen), slip.net_fen)),
    ]
