"""Allocating statement entries to declarations, and telling per employee what was posted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from contribution_svc.domain.allocation import (
    DebitState,
    DueLine,
    Posting,
    Remark,
    Suspense,
    parse_remark,
    postings,
    target_of,
)
from contribution_svc.domain.calendar import WorkDays, record_by
from contribution_svc.domain.figures import Series
from contribution_svc.domain.late_fee import late_fee
from contribution_svc.policy import Policies
from contribution_svc.store import declarations, roster
from contribution_svc.store import postings as posting_store
from contribution_svc.store.declarations import Declaration, NamedPerson
from contribution_svc.store.postings import Allocated, Posted, PostedRow, WaitingEntry
from contribution_svc.usecases.told import contribution_posted
from shared import outbox
from shared.db import Connection
from shared.values import Insurance, LevyPeriod


@dataclass(frozen=True, slots=True)
class Rules:
    """What posting needs beside the rows: the policies, and the days on which offices work."""

    policies: Policies
    work_days: WorkDays


@dataclass(frozen=True, slots=True)
class _Claim:
    """An entry with what it says of itself: a declaration by its id, and a remark in our
    grammar.
    """

    entry: WaitingEntry
    declaration_id: str
    remark: Remark | None
    account_id: str


@dataclass(slots=True)
class _Known:
    """The declarations and people that claims may mean, and the lines of each as they are
    needed.
    """

    declarations: Sequence[Declaration]
    people: Mapping[tuple[str, str], NamedPerson]
    due: dict[str, list[DueLine]]

    def by_id(self, declaration_id: str) -> Declaration | None:
        found = (d for d in self.declarations if d.declaration_id == declaration_id)
        return next(found, None)

    def by_account(self, account_id: str, period: LevyPeriod) -> Declaration | None:
        key = (account_id, str(period))
        return next((d for d in self.declarations if (d.account_id, d.levy_period) == key), None)


async def allocate_waiting(
    conn: Connection, rules: Rules, refs: Collection[str], now: datetime
) -> int:
    """Tries every entry in suspense of these bank accounts; returns how many now pay something.

    Locks the declarations that it may touch, so that two imports of one declaration queue.
    """
    entries = await posting_store.waiting(conn, refs)
    if not entries:
        return 0
    accounts = {
        (a.bank_account_ref, a.account_no): a.account_id
        for a in await roster.accounts_by_ref(conn, refs)
    }
    claims = [_claim(entry, accounts) for entry in entries]
    known = await _known(conn, claims)
    allocated = [await _allocated(conn, claim, known, set(accounts.values())) for claim in claims]
    await posting_store.allocate(conn, allocated)
    paid = [one for one in allocated if one.target is not None]
    for declaration_id in sorted({one.declaration_id for one in paid}):
        declaration = known.by_id(declaration_id)
        assert declaration is not None
        await _post(conn, rules, declaration, known.due[declaration_id], now)
    return len(paid)


def _claim(entry: WaitingEntry, accounts: Mapping[tuple[str, str], str]) -> _Claim:
    remark = parse_remark(entry.remark)
    account_no = remark.account_no if remark is not None else ""
    account_id = accounts.get((entry.account_ref, account_no), "")
    return _Claim(entry, _uuid_text(entry.reference), remark, account_id)


def _uuid_text(reference: str) -> str:
    """An end-to-end id has at most 35 characters: a UUID comes without its hyphens."""
    try:
        return str(UUID(reference))
    except ValueError:
        return ""


async def _known(conn: Connection, claims: Sequence[_Claim]) -> _Known:
    ids = {claim.declaration_id for claim in claims if claim.declaration_id}
    pairs = {
        (claim.account_id, str(claim.remark.levy_period))
        for claim in claims
        if claim.remark is not None and claim.account_id
    }
    numbers = {c.remark.employee_no for c in claims if c.remark and c.remark.employee_no}
    employers = {claim.entry.employer_id for claim in claims}
    return _Known(
        declarations=await declarations.locked_many(conn, ids, pairs),
        people=await declarations.people_by_no(conn, employers, numbers),
        due={},
    )


async def _allocated(
    conn: Connection, claim: _Claim, known: _Known, account_ids: set[str]
) -> Allocated:
    found = _declaration(claim, known, account_ids)
    if isinstance(found, Suspense):
        return Allocated(claim.entry.entry_id, reason=found.reason)
    if found.declaration_id not in known.due:
        due = await declarations.due_lines(conn, found.declaration_id)
        known.due[found.declaration_id] = due
    employee_id = _employee(claim, known, found)
    if isinstance(employee_id, Suspense):
        return Allocated(claim.entry.entry_id, reason=employee_id.reason)
    target = target_of(
        claim.entry.amount_fen,
        known.due[found.declaration_id],
        claim.remark.insurance if claim.remark is not None else None,
        employee_id,
    )
    if isinstance(target, Suspense):
        return Allocated(claim.entry.entry_id, reason=target.reason)
    return Allocated(claim.entry.entry_id, found.declaration_id, target)


def _declaration(claim: _Claim, known: _Known, account_ids: set[str]) -> Declaration | Suspense:
    """The declaration that the entry's reference or remark names, and that this bank account
    pays.
    """
    named = known.by_id(claim.declaration_id) if claim.declaration_id else None
    if named is not None and named.account_id not in account_ids:
        named = None
    told = None
    if claim.remark is not None and claim.account_id:
        told = known.by_account(claim.account_id, claim.remark.levy_period)
    if named is not None and told is not None and named != told:
        return Suspense("reference_and_remark_disagree")
    found = named or told
    if found is None:
        return Suspense(_unidentified(claim))
    return found if found.is_approved() else Suspense("declaration_not_approved")


def _unidentified(claim: _Claim) -> str:
    if claim.remark is None:
        return "unidentified"
    return "declaration_unknown" if claim.account_id else "account_unknown"


def _employee(claim: _Claim, known: _Known, declaration: Declaration) -> str | Suspense:
    if claim.remark is None or not claim.remark.employee_no:
        return ""
    person = known.people.get((claim.entry.employer_id, claim.remark.employee_no))
    if person is None:
        return Suspense("employee_unknown")
    declared_in = person.declared_in.get(declaration.levy_period, declaration.declaration_id)
    if declared_in != declaration.declaration_id:
        return Suspense("declared_in_another_declaration")
    return person.employee_id


async def _post(
    conn: Connection,
    rules: Rules,
    declaration: Declaration,
    due: Sequence[DueLine],
    now: datetime,
) -> None:
    """Folds all entries of the declaration into each employee's postings; what changed is told."""
    moves = await posting_store.moves(conn, declaration.declaration_id)
    by_employee: dict[str, dict[Insurance, DueLine]] = {}
    for line in due:
        by_employee.setdefault(line.employee_id, {})[line.insurance] = line
    for move in moves:
        if move.target.employee_id:
            by_employee.setdefault(move.target.employee_id, {})
    days = {one.booked_on: _debit_day(rules, declaration, one.booked_on) for one in moves}
    posted = []
    for employee_id, lines in by_employee.items():
        found = postings(employee_id, lines, moves)
        rows = tuple(_row(declaration, one, days[one.debited_on]) for one in found)
        if rows:
            posted.append(_posted(declaration, employee_id, rows))
    changed = await posting_store.put(conn, posted)
    await outbox.add(conn, [contribution_posted(one) for one in changed], now)


def _posted(declaration: Declaration, employee_id: str, rows: tuple[PostedRow, ...]) -> Posted:
    return Posted(
        employee_id=employee_id,
        levy_period=declaration.levy_period,
        employer_id=declaration.employer_id,
        account_id=declaration.account_id,
        declaration_id=declaration.declaration_id,
        city=declaration.city,
        lines=rows,
    )


@dataclass(frozen=True, slots=True)
class _DebitDay:
    """What follows from a day on which money moved: the record window's end, and the late fee's
    rates.
    """

    record_by: date
    late_fee_rates: Series


def _debit_day(rules: Rules, declaration: Declaration, day: date) -> _DebitDay:
    period = LevyPeriod.parse(declaration.levy_period)
    pack = rules.policies.of(declaration.city)
    days = pack.days_at(period)
    assert days is not None
    return _DebitDay(record_by(day, days, rules.work_days), pack.late_fee)


def _row(declaration: Declaration, posting: Posting, day: _DebitDay) -> PostedRow:
    """The posting with its record window and, if it was late, its fee."""
    is_posted = posting.debit_state is DebitState.POSTED
    sum_fen = posting.employer_fen + posting.employee_fen
    return PostedRow(
        insurance=posting.insurance,
        debit_state=posting.debit_state,
        debits=posting.debits,
        employer_fen=posting.employer_fen,
        employee_fen=posting.employee_fen,
        debited_on=str(posting.debited_on),
        record_by=str(day.record_by) if is_posted else "",
        statement_id=posting.statement_id,
        voucher=posting.voucher,
        reason=posting.reason,
        late_fee_fen=late_fee(
            sum_fen, declaration.due_on, posting.debited_on, day.late_fee_rates
        ).fen,
        due_on=str(declaration.due_on),
    )
