"""What contribution-svc says of sums that are not paid by their day, or were paid too much:
deferrals, what is assessed for the time being, and refunds.
"""

from typing import ClassVar

from shared.contracts.contribution import AssessedLine
from shared.contracts.event import CONTRIBUTION, EmployeeMonthEvent, Event
from shared.values import Insurance


class DeferralChanged(Event, frozen=True, kw_only=True):
    """缓缴 that the collector granted to one account: `state` proposed (recorded by one person,
    without effect), approved (by another) or refused (for this `reason`).

    It covers these insurances and levy periods (both ends in): nothing of them is late before
    `until` (YYYY-MM-DD, the last day of paying) has passed. `ground` is force_majeure or guarantee;
    `document_no` and `granted_by` are those of the collector's document.
    """

    TOPIC: ClassVar[str] = CONTRIBUTION

    deferral_id: str
    employer_id: str
    account_id: str
    insurances: tuple[Insurance, ...]
    first_period: str
    last_period: str
    until: str
    ground: str
    document_no: str
    granted_by: str
    state: str
    recorded_by: str
    recorded_at: str
    approved_by: str = ""
    approved_at: str = ""
    refused_by: str = ""
    refused_at: str = ""
    reason: str = ""

    def key(self) -> str:
        return self.account_id

    def aggregate(self) -> str:
        return self.deferral_id


class ProvisionallyAssessed(Event, frozen=True, kw_only=True):
    """未按时申报: what the collector assesses for the time being of a declaration that missed its
    day, and how its late filing settled that (社会保险法 art. 62).

    `assessed_fen` is the pack's part (110 %) of `last_fen`, what the month before came to; both are
    None where nothing was declared for it. `settled_fen` is what the late filing left to pay, below
    0 to be given back; None and `settled_at` empty until it comes. `explanation` and `settlement`
    are one sentence each, for people.
    """

    TOPIC: ClassVar[str] = CONTRIBUTION

    declaration_id: str
    employer_id: str
    account_id: str
    levy_period: str
    assessed_on: str
    last_fen: int | None
    assessed_fen: int | None
    explanation: str
    settled_fen: int | None = None
    settled_at: str = ""
    settlement: str = ""

    def key(self) -> str:
        return self.account_id

    def aggregate(self) -> str:
        return self.declaration_id


class RefundChanged(EmployeeMonthEvent, frozen=True, kw_only=True):
    """退费 of one employee's levy period, applied for at the collector: `state` requested, refunded
    (the sum applied for), differs (another sum) or refused.

    `lines` are below zero, and in no assessment: a cell stays as it was declared. `number` 1, 2,
    ... counts the applications of the month; `refunded_fen` came on `refunded_on`.
    """

    TOPIC: ClassVar[str] = CONTRIBUTION

    refund_id: str
    account_id: str
    number: int
    state: str
    lines: tuple[AssessedLine, ...]
    document_no: str
    requested_by: str
    requested_at: str
    answered_by: str = ""
    answered_at: str = ""
    refunded_fen: int | None = None
    refunded_on: str = ""

    def aggregate(self) -> str:
        return self.refund_id
