"""Declarations and submissions on our side; the journals of bank, collectors and authorities on
theirs.
"""

from datetime import date, datetime
from typing import NamedTuple


class Declaration(NamedTuple):
    """申报 of contribution-svc; `sums` maps insurance to [employer, employee] fen. `declared` are
    the employees whom it froze; `number` 0 is the regular one of its month.
    """

    store: str
    declaration_id: str
    employer_id: str
    account_id: str
    levy_period: str
    state: str
    people: int
    total_fen: int
    sums: dict[str, list[int]]
    declared: list[str]
    number: int = 0

    @property
    def carrier(self) -> str:
        """What its lines name as their declaration."""
        return self.declaration_id if self.number else ""


class Entry(NamedTuple):
    """A statement entry as contribution-svc took it in and allocated it."""

    store: str
    entry_id: str
    account_ref: str
    amount_fen: int
    is_debit: bool
    is_return: bool
    voucher: str
    state: str
    reason: str
    declaration_id: str
    scope: str
    insurance: str
    employee_id: str


class OwnAccount(NamedTuple):
    """A social insurance account (单位社保账户) that bureau-sync-svc files for."""

    store: str
    account_no: str


class Submission(NamedTuple):
    """A filing (申报) or paid detail (缴费明细) of bureau-sync-svc: the intent and its state."""

    store: str
    serial: str
    kind: str
    declaration_id: str
    account_no: str
    levy_period: str
    party: str
    state: str
    since: datetime
    next_at: datetime | None


class SubmittedLine(NamedTuple):
    """A line frozen with the intent. `line_no` is its place in the request, from 1."""

    store: str
    serial: str
    line_no: int
    employee_id: str
    insurance: str
    base_fen: int
    employer_fen: int
    employee_fen: int


class Received(NamedTuple):
    """A submission in the journal of the party that received it; `kind` filing or detail."""

    store: str
    kind: str
    party: str
    serial: str
    account_no: str
    levy_period: str
    state: str


class ReceivedLine(NamedTuple):
    """A line in that journal, as the party sees it. `is_kept`: the party did not lose it."""

    store: str
    kind: str
    party: str
    serial: str
    line_no: int
    id_no: str
    insurance: str
    levy_period: str
    base_fen: int
    employer_fen: int
    employee_fen: int
    is_kept: bool


class AuthorityRecord(NamedTuple):
    """缴费记录 in an authority's own books. `kind` is AAA115, `flag` AAE078; `booked_at` is None
    where no paid detail led to it. A range of months is booked as one row.
    """

    store: str
    party: str
    account_no: str
    id_no: str
    insurance: str
    levy_period: str
    is_range: bool
    kind: str
    base_fen: int
    employer_fen: int
    employee_fen: int
    flag: str
    booked_at: datetime | None


class BankEntry(NamedTuple):
    """An entry in the bank's own books; `end_to_end` is the serial of the filing that it pays."""

    store: str
    account_ref: str
    day: date
    amount_fen: int
    direction: str
    status: str
    voucher: str
    end_to_end: str
    is_published: bool
