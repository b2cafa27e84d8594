"""What bureau-sync-svc says: what collectors and authorities show, with no opinion."""

from typing import ClassVar

from shared.contracts.event import BUREAU_SYNC, EmployeeMonthEvent, Event, Fact
from shared.values import Insurance


class BureauRow(Fact, frozen=True):
    """One insurance as the bureau has it.

    `stage`: filed, verified, accepted, in_transit, recorded, rejected, interrupted, absent or
    unknown. `verified_*` are the collector's figures (核定), `record_*` the authority's own entry;
    all fen. `records` counts entries for the cell, kinds added up and ranges expanded;
    `looked_up_at` is the last look-up whose answer this row rests on (RFC 3339, empty: never),
    `reason` the bureau's own words; `verified_at` and `passed_on_at` (when the paid detail was
    taken) are RFC 3339, empty: not yet.
    """

    insurance: Insurance
    stage: str
    filed_employer_fen: int | None = None
    filed_employee_fen: int | None = None
    verified_base_fen: int | None = None
    verified_employer_fen: int | None = None
    verified_employee_fen: int | None = None
    record_base_fen: int | None = None
    record_employer_fen: int | None = None
    record_employee_fen: int | None = None
    records: int = 0
    fully_arrived: bool = True
    recorded_on: str = ""
    looked_up_at: str = ""
    authority: str = ""
    reason: str = ""
    evidence_id: str = ""
    verified_at: str = ""
    passed_on_at: str = ""


class BureauAck(EmployeeMonthEvent, frozen=True, kw_only=True):
    """The employee's full row at the bureaus.

    Told when something changed, and once when a look-up is the first after a line's record window
    has closed: without that last one nobody could tell *missing* from *not looked up*.
    """

    TOPIC: ClassVar[str] = BUREAU_SYNC

    account_id: str
    rows: tuple[BureauRow, ...]


class AuthorityStateChanged(Event, frozen=True, kw_only=True):
    """Whether a collector or authority can be talked to.

    `state`: open, degraded (it answers, with an announced or observed fault) or closed (it does not
    answer). `since` and `until` are RFC 3339 (`until` empty: not announced). Only a closure
    stretches windows. `closures` lists all closures known of the levy year as [since, until] pairs,
    so that a late reader stretches alike.
    """

    TOPIC: ClassVar[str] = BUREAU_SYNC

    authority: str
    city: str
    state: str
    since: str
    until: str = ""
    reason: str = ""
    announced: bool = False
    closures: tuple[tuple[str, str], ...] = ()

    def key(self) -> str:
        return self.authority

    def aggregate(self) -> str:
        return self.authority
