"""I2, fen: what we hold as verified, debited and recorded is in the books of collectors, bank and
authorities, to the fen.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from tests.support.invariants.facts import (
    AuthorityRecord,
    BankEntry,
    Declaration,
    Entry,
    Facts,
    Line,
    LookedUp,
    Received,
    ReceivedLine,
    Resource,
    SubmittedLine,
)
from tests.support.invariants.rules.amounts import Fen, added, fen_of
from tests.support.invariants.rules.cells import CONTRIBUTION, CellKey
from tests.support.invariants.violation import states

RECORDED_FLAGS = frozenset({"0", "1"})
"""AAE078: arrived in part or in full; 2 is interrupted and 3 in transit."""


class Journals:
    """The books of collectors and authorities, by our cells. Whose an identity number is under an
    account, the parties' own journals say: line n of a request is line n of what was received.
    """

    def __init__(self, facts: Facts) -> None:
        ours = {(one.serial, one.line_no): one for one in facts.of(SubmittedLine)}
        self.people: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._received = {(one.party, one.serial): one for one in facts.of(Received)}
        self._lines = facts.of(ReceivedLine)
        for line in self._lines:
            submitted = ours.get((line.serial, line.line_no))
            if submitted is not None and submitted.insurance == line.insurance:
                self.people[self._account(line), line.id_no].add(submitted.employee_id)
        self._records = facts.of(AuthorityRecord)

    def _account(self, line: ReceivedLine) -> str:
        received = self._received.get((line.party, line.serial))
        return received.account_no if received else ""

    def _employee(self, account_no: str, id_no: str) -> str:
        """Our employee's id; empty for a stranger, or where it is not certain."""
        found = self.people.get((account_no, id_no), set())
        return next(iter(found)) if len(found) == 1 else ""

    def verified(self) -> dict[CellKey, Fen]:
        """What collectors have verified."""
        return added(
            ((employee, line.levy_period, line.insurance), fen_of(line))
            for line in self._lines
            if self._is_verified(line)
            and (employee := self._employee(self._account(line), line.id_no))
        )

    def _is_verified(self, line: ReceivedLine) -> bool:
        filing = self._received.get((line.party, line.serial))
        return line.is_kept and filing is not None and filing.state == "verified"

    def recorded(self) -> dict[CellKey, list[AuthorityRecord]]:
        """What authorities have recorded."""
        found: dict[CellKey, list[AuthorityRecord]] = defaultdict(list)
        for record in self._records:
            employee = self._employee(record.account_no, record.id_no)
            if employee:
                found[employee, record.levy_period, record.insurance].append(record)
        return found


@states("I2")
def identity_stands_for_two(facts: Facts) -> Iterator[str]:
    """An identity number under an account at a collector or authority is one of our employees."""
    for (account_no, id_no), employees in sorted(Journals(facts).people.items()):
        if len(employees) > 1:
            yield (
                f"the identity number that ends with {id_no[-4:]} was sent under account"
                f" {account_no} for employees {', '.join(sorted(employees))}"
            )


@states("I2")
def verified_not_as_collector(facts: Facts) -> Iterator[str]:
    """What we hold as verified is what the collector's own journal has."""
    theirs = Journals(facts).verified()
    for line in facts.of(Line, "bureau_sync_svc"):
        if line.side == "verified" and theirs.get(line.cell) not in (None, fen_of(line)):
            yield (
                f"{line.insurance} of employee {line.employee_id}, {line.levy_period}: the"
                f" collector verified {tuple(theirs[line.cell])}, we hold {tuple(fen_of(line))} fen"
            )


def sum_of(records: list[AuthorityRecord]) -> tuple[int, int, int]:
    """Base and both amounts, one of each kind added up."""
    kinds = {record.kind: record for record in records}
    return (
        max(record.base_fen for record in records),
        sum(record.employer_fen for record in kinds.values()),
        sum(record.employee_fen for record in kinds.values()),
    )


@states("I2")
def recorded_not_as_authority(facts: Facts) -> Iterator[str]:
    """What we hold as recorded is in the authority's own books, with that base and amounts."""
    theirs = Journals(facts).recorded()
    for line in facts.of(Line, "bureau_sync_svc"):
        if line.side != "recorded" or line.state != "recorded":
            continue
        records = theirs.get(line.cell, [])
        if any(record.is_range for record in records):
            continue
        found = (line.base_fen, *fen_of(line))
        booked = sum_of(records) if records else None
        if booked != found:
            yield (
                f"{line.insurance} of employee {line.employee_id}, {line.levy_period}: the"
                f" authority booked {booked}, we hold {found} (base, employer and employee fen)"
            )


@states("I2")
def record_not_noticed(facts: Facts) -> Iterator[str]:
    """A record that was in the authority's books when we last looked is shown as recorded."""
    theirs = Journals(facts).recorded()
    for look in facts.of(LookedUp):
        for record in theirs.get((look.employee_id, look.levy_period, look.insurance), []):
            if look.stage != "recorded" and _was_there(record, look.at):
                yield (
                    f"{look.insurance} of employee {look.employee_id}, {look.levy_period}: in the"
                    f" authority's books since {record.booked_at}, looked up at {look.at} and still"
                    f" {look.stage}"
                )


def _was_there(record: AuthorityRecord, at: datetime | None) -> bool:
    if at is None or record.booked_at is None:
        return False
    return record.booked_at < at and record.flag in RECORDED_FLAGS


@states("I2")
def bank_entry_not_taken(facts: Facts) -> Iterator[str]:
    """Every entry of a published statement of an account that we pay from is taken in once, with
    its amount.
    """
    ours: dict[str, list[Entry]] = defaultdict(list)
    for entry in facts.of(Entry):
        ours[entry.voucher].append(entry)
    paid_from = {one.id for one in facts.of(Resource) if one.name == "account_ref"}
    for booked in facts.of(BankEntry):
        taken = [one for one in ours[booked.voucher] if one.account_ref == booked.account_ref]
        if not booked.is_published or booked.account_ref not in paid_from:
            continue
        amounts = [one.amount_fen for one in taken]
        if amounts != [booked.amount_fen]:
            yield (
                f"voucher {booked.voucher} on {booked.day}: the bank booked {booked.amount_fen} fen"
                f" on {booked.account_ref}, contribution-svc holds {amounts}"
            )


@states("I2")
def entry_not_at_bank(facts: Facts) -> Iterator[str]:
    """Every statement entry that we hold is in the bank's own books."""
    books = {(one.account_ref, one.voucher) for one in facts.of(BankEntry)}
    for entry in facts.of(Entry):
        if (entry.account_ref, entry.voucher) not in books:
            yield (
                f"entry {entry.entry_id} of {entry.amount_fen} fen (voucher {entry.voucher}) is not"
                f" in the bank's books of {entry.account_ref}"
            )


@states("I2")
def posted_not_as_debited(facts: Facts) -> Iterator[str]:
    """What is posted to a declaration's lines is, to the fen, what the bank debited for it and did
    not take back.
    """
    debited = _debited_for(facts)
    posted: dict[str, int] = defaultdict(int)
    of_month = {
        (employee, one.levy_period): one.declaration_id
        for one in facts.of(Declaration)
        if not one.number
        for employee in one.declared
    }
    for line in facts.of(Line, CONTRIBUTION):
        if line.side == "posted" and line.state == "posted":
            month = (line.employee_id, line.levy_period)
            declaration_id = line.declaration_id or of_month.get(month, "")
            posted[declaration_id] += sum(fen_of(line))
    for declaration_id in sorted(debited.keys() | posted.keys()):
        if debited[declaration_id] != posted[declaration_id]:
            yield (
                f"declaration {declaration_id or '(none)'}: the bank debited"
                f" {debited[declaration_id]} fen for it, {posted[declaration_id]} are posted"
            )


def _debited_for(facts: Facts) -> dict[str, int]:
    """By declaration, what the bank debited for its lines and did not take back; fen."""
    taken: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for entry in facts.of(Entry):
        is_refusal = entry.is_return and entry.is_debit  # for information: it moved nothing
        if entry.state == "allocated" and not is_refusal:
            target = (entry.declaration_id, entry.scope, entry.insurance, entry.employee_id)
            taken[target] += -entry.amount_fen if entry.is_return else entry.amount_fen
    debited: dict[str, int] = defaultdict(int)
    settling: dict[str, int] = defaultdict(int)
    for (declaration_id, scope, *_), fen in taken.items():
        sums = settling if scope in ("provisional", "rest") else debited
        sums[declaration_id] += max(fen, 0)
    # 暂定数额: pays what was declared once it has come to all of it, and nothing before.
    declared = {one.declaration_id: one.total_fen for one in facts.of(Declaration)}
    for declaration_id, fen in settling.items():
        total_fen = declared.get(declaration_id, 0)
        debited[declaration_id] += total_fen if fen >= total_fen else 0
    return debited
