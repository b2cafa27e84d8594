"""I7: each declaration has at most one standing debit and one live submission; nothing stays
unknown.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta

from tests.support.invariants.facts import (
    BankEntry,
    Cell,
    Declaration,
    Facts,
    OwnAccount,
    Received,
    Submission,
)
from tests.support.invariants.rules.cells import LIVE, RECONCILIATION
from tests.support.invariants.violation import states

UNKNOWN_LIMIT = timedelta(days=2)
"""Of business time. Filing is due the working day before the debit, and a question is asked at
least once an hour: what nobody could answer for two days needs a person.
"""


@states("I7")
def debited_twice(facts: Facts) -> Iterator[str]:
    """A declaration has at most one debit at the bank that was not taken back; where the bank
    itself took a second one, its cells say DuplicateDebit.
    """
    declarations = {
        one.serial: one.declaration_id for one in facts.of(Submission) if one.kind == "filing"
    }
    standing: Counter[str] = Counter()
    for entry in facts.of(BankEntry):
        if entry.status == "BOOK":
            name = declarations.get(entry.end_to_end, entry.end_to_end)
            standing[name] += 1 if entry.direction == "DBIT" else -1
    doubled = {
        (cell.employee_id, cell.levy_period)
        for cell in facts.of(Cell, RECONCILIATION)
        if cell.outcome == "DuplicateDebit"
    }
    noticed = {
        one.declaration_id
        for one in facts.of(Declaration)
        if any((employee, one.levy_period) in doubled for employee in one.declared)
    }
    for declaration_id, count in sorted(standing.items()):
        if count > 1 and declaration_id not in noticed:
            yield f"declaration {declaration_id} was debited {count} times, expected once at most"


@states("I7")
def two_live_submissions(facts: Facts) -> Iterator[str]:
    """Of a declaration one filing, and one paid detail for each authority, may be alive."""
    live: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in facts.of(Submission):
        if one.state in LIVE:
            live[one.declaration_id, one.kind, one.party].append(one.serial)
    for (declaration_id, kind, party), serials in sorted(live.items()):
        if len(serials) > 1:
            yield (
                f"declaration {declaration_id} has {len(serials)} live submissions ({kind}) to"
                f" {party}: {', '.join(sorted(serials))}"
            )


@states("I7")
def two_live_at_party(facts: Facts) -> Iterator[str]:
    """A collector or authority holds of an account and month one submission of each kind for each
    of its declarations, the regular and supplementary ones, that it has not refused.
    """
    declared: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in facts.of(Submission):
        declared[one.account_no, one.levy_period].add(one.declaration_id)
    live: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for received in facts.of(Received):
        if received.state != "refused":
            month = (received.account_no, received.levy_period)
            live[received.party, *month, received.kind].append(received.serial)
    for (party, account_no, period, kind), serials in sorted(live.items()):
        expected = max(1, len(declared[account_no, period]))
        if len(serials) > expected:
            yield (
                f"{party} holds {len(serials)} submissions ({kind}) of account {account_no} for"
                f" {period}, expected {expected} at most: {', '.join(sorted(serials))}"
            )


@states("I7")
def submission_not_at_party(facts: Facts) -> Iterator[str]:
    """What a party is said to have taken is in its journal."""
    journal = {(one.party, one.serial) for one in facts.of(Received)}
    for one in facts.of(Submission):
        if one.state in ("taken", "verified") and (one.party, one.serial) not in journal:
            yield f"{one.kind} {one.serial} is {one.state}; {one.party} never received it"


@states("I7")
def filing_of_nobody(facts: Facts) -> Iterator[str]:
    """A collector holds only filings whose intent we stored before we sent them."""
    intents = {one.serial for one in facts.of(Submission)}
    ours = {one.account_no for one in facts.of(OwnAccount)}
    for one in facts.of(Received):
        if one.kind == "filing" and one.account_no in ours and one.serial not in intents:
            yield (
                f"{one.party} holds filing {one.serial} of account {one.account_no} for"
                f" {one.levy_period}; bureau-sync-svc has no intent of it"
            )


@states("I7")
def outcome_stays_unknown(facts: Facts) -> Iterator[str]:
    """A submission whose outcome is not known is asked about, and not for longer than its limit."""
    for one in facts.of(Submission):
        if one.state not in ("sending", "unknown"):
            continue
        waited = facts.now - one.since
        if one.next_at is None or waited > UNKNOWN_LIMIT:
            asked = f"asked about at {one.next_at}" if one.next_at else "asked about by nobody"
            yield f"{one.kind} {one.serial} to {one.party} is {one.state} for {waited}, {asked}"
