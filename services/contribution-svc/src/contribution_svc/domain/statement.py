"""银行对账单: a bank statement as its file states it, and the check that it is whole before
anything is applied.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from shared.refusal import FieldFault
from shared.values import fen_text

CURRENCY = "CNY"
BOOKED = "BOOK"
_PENDING = ("PDNG", "FUTR")


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement, or one part of a batch. `amount_fen` is never negative: `is_debit` gives its
    direction.

    `status` is the bank's own (BOOK, PDNG, INFO, FUTR); `reference` the payer's end-to-end id;
    `voucher` the bank's serial (银行流水号); `remark` the free text (摘要); `return_code` why a
    debit came back (AC04, AM04, ...). `line` is the line of the file.
    """

    line: int
    amount_fen: int
    is_debit: bool
    status: str
    booked_on: date
    currency: str = CURRENCY
    reference: str = ""
    voucher: str = ""
    remark: str = ""
    is_reversal: bool = False
    return_code: str = ""
    return_text: str = ""

    def signed_fen(self) -> int:
        return -self.amount_fen if self.is_debit else self.amount_fen

    def is_pending(self) -> bool:
        return self.status in _PENDING

    def is_return(self) -> bool:
        """Money of a debit coming back, or word that a debit was refused; never a new payment.

        Whether the bank tells a refusal as a reversal of its own debit or for information only.
        """
        came_back = self.is_reversal or bool(self.return_code)
        booked_debit = self.is_debit and self.status == BOOKED
        return came_back and not booked_debit and not self.is_pending()


@dataclass(frozen=True, slots=True)
class Effect:
    """What an entry is to begin with: `suspense` until it is allocated, or `no_effect`; and why."""

    state: str
    reason: str


def effect_of(entry: Entry) -> Effect:
    """Pending entries, information and money that comes in pay nothing.

    A booked debit that says it came back contradicts itself: a person must look at it.
    """
    if entry.is_pending():
        return Effect("no_effect", "pending")
    if entry.is_return():
        return Effect("suspense", "new")
    if entry.status != BOOKED:
        return Effect("no_effect", "for_information")
    if not entry.is_debit:
        return Effect("no_effect", "credit")
    if entry.is_reversal or entry.return_code:
        return Effect("suspense", "contradictory")
    return Effect("suspense", "new")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one bank account. Balances are signed fen; `bank_id` is the bank's own name
    for it.
    """

    bank_id: str
    account_ref: str
    currency: str
    day: date
    opening_fen: int
    closing_fen: int
    entries: tuple[Entry, ...]
    line: int
    closing_currency: str = CURRENCY
    page: int = 1
    is_last_page: bool = True
    sequence: int | None = None

    def content_sha256(self) -> str:
        """Names what the statement says, so that the same id with other content is noticed in
        whatever file it comes.
        """
        facts = (
            self.account_ref,
            self.currency,
            self.day,
            self.opening_fen,
            self.closing_fen,
            *((*_said(entry),) for entry in self.entries),
        )
        return hashlib.sha256(repr(facts).encode()).hexdigest()


def _said(entry: Entry) -> Iterator[object]:
    yield from (entry.amount_fen, entry.is_debit, entry.status, entry.booked_on, entry.reference)
    yield from (entry.voucher, entry.remark, entry.is_reversal, entry.return_code)


def faults(statements: Sequence[Statement], file: str) -> list[FieldFault]:
    """Everything that keeps the statements of one file from being applied, with file, line and
    element.
    """
    found: list[FieldFault] = []
    if not statements:
        found.append(FieldFault(f"{file}:1:Stmt", "", "expected at least one statement"))
    seen: set[tuple[str, str]] = set()
    for statement in statements:
        key = (statement.account_ref, statement.bank_id)
        if key in seen:
            where = f"{file}:{statement.line}:Stmt/Id"
            found.append(FieldFault(where, statement.bank_id, "stands twice in this file"))
        seen.add(key)
        found.extend(_statement_faults(statement, file))
    return found


def _statement_faults(statement: Statement, file: str) -> Iterator[FieldFault]:
    where = f"{file}:{statement.line}"
    yield from _currency_faults(statement, file)
    if statement.page != 1 or not statement.is_last_page:
        yield FieldFault(
            f"{where}:Stmt/StmtPgntn",
            f"page {statement.page}, last {str(statement.is_last_page).lower()}",
            "expected the whole statement in one page",
            "ask the bank for the statement in one message",
        )
    yield from _balance_faults(statement, where)
    yield from _voucher_faults(statement, file)


def _currency_faults(statement: Statement, file: str) -> Iterator[FieldFault]:
    amounts = [
        (statement.line, "Stmt/Bal", statement.currency),
        (statement.line, "Stmt/Bal", statement.closing_currency),
        *((entry.line, "Ntry", entry.currency) for entry in statement.entries),
    ]
    for line, element, currency in dict.fromkeys(amounts):
        if currency != CURRENCY:
            yield FieldFault(f"{file}:{line}:{element}/Amt/@Ccy", currency, f"expected {CURRENCY}")


def _balance_faults(statement: Statement, where: str) -> Iterator[FieldFault]:
    moved_fen = sum(e.signed_fen() for e in statement.entries if e.status == BOOKED)
    expected_fen = statement.opening_fen + moved_fen
    if expected_fen != statement.closing_fen:
        yield FieldFault(
            f"{where}:Stmt/Bal",
            fen_text(statement.closing_fen),
            f"opening {fen_text(statement.opening_fen)} and booked entries {fen_text(moved_fen)} "
            f"make a closing balance of {fen_text(expected_fen)}",
            "the file is not whole, or was changed: fetch it again from the bank",
        )


def _voucher_faults(statement: Statement, file: str) -> Iterator[FieldFault]:
    """The same bank serial twice for the same movement is one movement told twice."""
    seen: dict[tuple[object, ...], int] = {}
    for entry in statement.entries:
        if not entry.voucher:
            continue
        key = (entry.voucher, entry.is_debit, entry.amount_fen, entry.reference, entry.remark)
        if key in seen:
            yield FieldFault(
                f"{file}:{entry.line}:Ntry/AcctSvcrRef",
                entry.voucher,
                f"the same entry stands in line {seen[key]} already",
            )
        seen[key] = entry.line
