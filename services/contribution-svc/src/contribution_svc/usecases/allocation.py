"""Allocating statement entries to declarations, and telling per employee what was posted."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from contribution_svc.domain.allocation import (
    DebitState,
    DueLine,
    DueLines,
    Instalment,
    Moves,
    Posting,
    Remark,
    Scope,
    Suspense,
    Target,
    parse_remark,
    postings,
    target_of,
)
from contribution_svc.domain.calendar import WorkDays, record_by
from contribution_svc.domain.late_fee import Deferral, due_after_deferral, late_fee_fen
from contribution_svc.domain.not_filed import settled_moves
from contribution_svc.policy import Policies
from contribution_svc.store import declarations, declared, deferrals, not_filed, roster
from contribution_svc.store import postings as posting_store
from contribution_svc.store.declarations import Declaration
from contribution_svc.store.declared import NamedPerson
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
    needed. `by_reference`: declarations by their id and the serial under which they are filed;
    `by_month`: the regular one and its supplementary ones by account and levy period.
    """

    by_reference: Mapping[str, Declaration]
    by_month: Mapping[tuple[str, str], Sequence[Declaration]]
    people: Mapping[tuple[str, str], NamedPerson]
    due: dict[str, DueLines]
    provisional_fen: Mapping[str, int]

    def may_be_paid(self, declaration: Declaration) -> bool:
        """Approved, or not filed by its day and assessed for the time being."""
        return declaration.is_approved() or declaration.declaration_id in self.provisional_fen


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
    known, account_ids = await _known(conn, claims), set(accounts.values())
    allocated = [await _allocated(conn, claim, known, account_ids) for claim in claims]
    await posting_store.allocate(conn, allocated)
    paid = [one for one in allocated if one.target is not None]
    for declaration_id in sorted({one.declaration_id for one in paid}):
        declaration = known.by_reference[declaration_id]
        siblings = known.by_month[declaration.account_id, declaration.levy_period]
        if declaration.is_approved():
            await _post(conn, rules, declaration, siblings, known.due, now)
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
    found = await declarations.locked_many(conn, ids, pairs)
    by_month: dict[tuple[str, str], list[Declaration]] = {}
    for one in found:
        by_month.setdefault((one.account_id, one.levy_period), []).append(one)
    return _Known(
        by_reference={
            **{one.filing_serial: one for one in found},
            **{one.declaration_id: one for one in found},
        },
        by_month=by_month,
        people=await declared.people_by_no(conn, employers, numbers),
        due={},
        provisional_fen=await not_filed.assessed_fen(conn, [one.declaration_id for one in found]),
    )


async def _allocated(
    conn: Connection, claim: _Claim, known: _Known, account_ids: set[str]
) -> Allocated:
    found = _candidates(claim, known, account_ids)
    if isinstance(found, Suspense):
        return Allocated(claim.entry.entry_id, reason=found.reason)
    targets = [(one, await _target(conn, claim, known, one)) for one in found]
    fitting = [(d, target) for d, target in targets if isinstance(target, Target)]
    if len(fitting) == 1:
        [(declaration, target)] = fitting
        return Allocated(claim.entry.entry_id, declaration.declaration_id, target)
    reasons = [target.reason for _, target in targets if isinstance(target, Suspense)]
    reason = "fits_several_declarations" if fitting else reasons[0]
    return Allocated(claim.entry.entry_id, reason=reason)


async def _target(
    conn: Connection, claim: _Claim, known: _Known, declaration: Declaration
) -> Target | Suspense:
    if declaration.declaration_id not in known.due:
        due = await declared.due_lines(conn, declaration)
        known.due[declaration.declaration_id] = DueLines(due)
    employee_id = _employee(claim, known, declaration)
    if isinstance(employee_id, Suspense):
        return employee_id
    found = target_of(
        claim.entry.amount_fen,
        known.due[declaration.declaration_id],
        claim.remark.insurance if claim.remark is not None else None,
        employee_id,
        known.provisional_fen.get(declaration.declaration_id),
    )
    pays = declaration.is_approved() or found == Target(Scope.PROVISIONAL)
    return found if pays else Suspense("declaration_not_approved")


def _candidates(
    claim: _Claim, known: _Known, account_ids: set[str]
) -> Sequence[Declaration] | Suspense:
    """The declarations that the entry's reference or remark names, and that this bank account pays:
    a remark names no number.
    """
    named = known.by_reference.get(claim.declaration_id) if claim.declaration_id else None
    if named is not None and named.account_id not in account_ids:
        named = None
    told: Sequence[Declaration] = ()
    if claim.remark is not None and claim.account_id:
        told = known.by_month.get((claim.account_id, str(claim.remark.levy_period)), ())
    if named is not None and told and named not in told:
        return Suspense("reference_and_remark_disagree")
    found = [named] if named is not None else told
    if not found:
        return Suspense(_unidentified(claim))
    return [one for one in found if known.may_be_paid(one)] or Suspense("declaration_not_approved")


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
    carried = known.due[declaration.declaration_id].employee_ids
    if declared_in != declaration.declaration_id and person.employee_id not in carried:
        return Suspense("declared_in_another_declaration")
    return person.employee_id


async def post_again(
    conn: Connection, rules: Rules, account_id: str, periods: Collection[str], now: datetime
) -> None:
    """What was posted of these levy periods is told again where its late fee has changed."""
    pairs = {(account_id, period) for period in periods}
    found = await declarations.locked_many(conn, (), pairs)
    for declaration in found:
        if declaration.is_approved():
            same = [one for one in found if one.levy_period == declaration.levy_period]
            await _post(conn, rules, declaration, same, {}, now)


@dataclass(frozen=True, slots=True)
class _Fold:
    """One declaration of an account month: what it declared of whom, and what moved for it;
    `employee_ids` are those of both.
    """

    declaration: Declaration
    due: Mapping[str, Mapping[Insurance, DueLine]]
    moves: Moves
    employee_ids: Collection[str]


async def _post(
    conn: Connection,
    rules: Rules,
    declaration: Declaration,
    siblings: Sequence[Declaration],
    known_due: Mapping[str, Sequence[DueLine]],
    now: datetime,
) -> None:
    """Folds all entries of the account month into the postings of everyone in the declaration; what
    changed is told.
    """
    folds = [
        await _fold(conn, one, known_due.get(one.declaration_id))
        for one in siblings
        if one.is_approved()
    ]
    found = await deferrals.approved(conn, declaration.account_id, declaration.levy_period)
    posting = _Posting(rules, declaration, found)
    ours = next(fold for fold in folds if fold.declaration == declaration)
    posted = []
    for employee_id in sorted(ours.employee_ids):
        rows = [row for fold in folds for row in posting.rows(fold, employee_id)]
        holder = next(one.declaration for one in folds if employee_id in one.employee_ids)
        if rows:
            posted.append(_posted(holder, employee_id, tuple(rows)))
    changed = await posting_store.put(conn, posted)
    await outbox.add(conn, [contribution_posted(one) for one in changed], now)


async def _fold(
    conn: Connection, declaration: Declaration, lines: Sequence[DueLine] | None
) -> _Fold:
    found = await posting_store.moves(conn, declaration.declaration_id)
    moves = Moves(settled_moves(found, declaration.total_fen))
    due: dict[str, dict[Insurance, DueLine]] = {}
    for line in await declared.due_lines(conn, declaration) if lines is None else lines:
        due.setdefault(line.employee_id, {})[line.insurance] = line
    return _Fold(declaration, due, moves, {*due, *moves.employee_ids()})


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


class _Posting:
    """How the rows of an account month are made: record windows and late fees by the policy and the
    deferrals of its levy period.
    """

    def __init__(
        self, rules: Rules, declaration: Declaration, deferred: Sequence[Deferral]
    ) -> None:
        self._period = LevyPeriod.parse(declaration.levy_period)
        pack = rules.policies.of(declaration.city)
        days = pack.days_at(self._period)
        assert days is not None
        self._days, self._work_days = days, rules.work_days
        self._pack, self._deferred = pack, deferred
        self._closes: dict[date, date] = {}

    def rows(self, fold: _Fold, employee_id: str) -> Iterator[PostedRow]:
        """One for each insurance of which the declaration moved money."""
        lines = fold.due.get(employee_id, {})
        for posting in postings(employee_id, lines, fold.moves.of(employee_id)):
            yield self._row(fold.declaration, lines.get(posting.insurance), posting)

    def _row(self, declaration: Declaration, line: DueLine | None, posting: Posting) -> PostedRow:
        """The posting with its record window and, if it was late, its fee."""
        is_posted = posting.debit_state is DebitState.POSTED
        own_day = (line.due_on if line is not None else None) or declaration.due_on
        due_on = due_after_deferral(own_day, posting.insurance, self._period, self._deferred)
        sum_fen = posting.employer_fen + posting.employee_fen
        # What was taken twice was not owed twice.
        arrears_fen = min(sum_fen, line.total_fen()) if line is not None else sum_fen
        day, rates = posting.debited_on, self._pack.late_fee_of(posting.insurance)
        paid = posting.instalments or (Instalment(arrears_fen, day),)
        if day not in self._closes:
            self._closes[day] = record_by(day, self._days, self._work_days)
        return PostedRow(
            insurance=posting.insurance,
            debit_state=posting.debit_state,
            debits=posting.debits,
            employer_fen=posting.employer_fen,
            employee_fen=posting.employee_fen,
            debited_on=str(day),
            record_by=str(self._closes[day]) if is_posted else "",
            statement_id=posting.statement_id,
            voucher=posting.voucher,
            reason=posting.reason,
            late_fee_fen=late_fee_fen(arrears_fen, due_on, paid, rates),
            due_on=str(due_on),
            kind=line.kind if line is not None else "regular",
            declaration_id=declaration.declaration_id if declaration.number else "",
        )
