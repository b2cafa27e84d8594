"""The sides of an employee's month: what roster, assessment, bank, bureaus and payslip each say of
its cells.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from shared.values import Insurance, LevyPeriod


@dataclass(frozen=True, slots=True)
class RosterSide:
    """What the roster and the scheme imply: each insurance with the authority that records it.

    Empty `authorities`: known, and not on the roster in this levy period.
    """

    city: str
    account_id: str
    department_id: str
    authorities: dict[Insurance, str]


@dataclass(frozen=True, slots=True)
class Supplement:
    """What one supplementary declaration (补充申报) adds to a cell, in fen, and its last day of
    debiting. `withhold_in`: the levy period whose payslip withholds it (empty: its own).
    """

    declaration_id: str
    employer_fen: int
    employee_fen: int
    debit_by: date | None = None
    withhold_in: str = ""


@dataclass(frozen=True, slots=True)
class AssessedLine:
    """应缴 of one insurance, its kinds added up: `state` is due, exempt or blocked; in fen.

    `supplements` are in the amounts, in the order of their declarations.
    """

    state: str
    authority: str
    reason: str = ""
    base_fen: int = 0
    employer_fen: int = 0
    employee_fen: int = 0
    supplements: tuple[Supplement, ...] = ()

    def less(self, left_out: Iterable[Supplement]) -> tuple[int, int]:
        """What is due without these: [employer, employee] fen."""
        found = list(left_out)
        return (
            self.employer_fen - sum(one.employer_fen for one in found),
            self.employee_fen - sum(one.employee_fen for one in found),
        )

    def stations(self) -> set[tuple[int, int]]:
        """What may have come through so far: everything, or all but the last supplements."""
        count = len(self.supplements)
        return {self.less(self.supplements[known:]) for known in range(count + 1)}


@dataclass(frozen=True, slots=True)
class AssessedSide:
    """What is due. `file_by` and `debit_by` are the account's last days, after rolling; `deferred`
    has the last days of what may be debited later (缓缴).
    """

    city: str
    account_id: str
    department_id: str
    file_by: date
    debit_by: date
    lines: dict[Insurance, AssessedLine]
    deferred: dict[Insurance, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PostedLine:
    """What the bank took: `debit_state` posted, refused, unknown or reversed; `debits` counts
    posted sums; fen. `supplements` are the supplementary declarations that were paid.

    `record_by` is the last day of the record window before any closure stretches it.
    """

    debit_state: str
    debits: int
    employer_fen: int
    employee_fen: int
    debited_on: date | None
    record_by: date | None
    due_on: date | None = None
    late_fee_fen: int = 0
    reason: str = ""
    voucher: str = ""
    supplements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PostedSide:
    """What the bank's statements show."""

    city: str
    account_id: str
    lines: dict[Insurance, PostedLine]


@dataclass(frozen=True, slots=True)
class BureauLine:
    """What collector and authority show of one insurance; amounts are [employer, employee] fen,
    None: not known.

    `stage` is one of the contract's BureauRow; `records` counts entries, kinds added up and ranges
    expanded.
    """

    stage: str
    filed_fen: tuple[int, int] | None = None
    verified_fen: tuple[int, int] | None = None
    record_base_fen: int | None = None
    record_fen: tuple[int, int] | None = None
    records: int = 0
    fully_arrived: bool = True
    recorded_on: str = ""
    looked_up_at: datetime | None = None
    authority: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BureauSide:
    """What the bureaus show."""

    account_id: str
    lines: dict[Insurance, BureauLine]


@dataclass(frozen=True, slots=True)
class WithheldLine:
    """代扣: what the payslip took from the employee, beside what the employer pays; fen."""

    employer_fen: int
    employee_fen: int


@dataclass(frozen=True, slots=True)
class WithheldSide:
    """What the payslip withheld."""

    lines: dict[Insurance, WithheldLine]


@dataclass(frozen=True, slots=True)
class CellSides:
    """All that is known of one cell.

    `extra`: the roster does not imply it. `roster_known` tells whether the roster was looked at
    yet: until it was, an assessment speaks for it, so that a fact that overtakes the roster is not
    judged as a stranger. `waiting` names the sides of which something newer has come that could
    not be taken in.
    """

    insurance: Insurance
    extra: bool
    roster_known: bool
    authority: str
    assessed: AssessedLine | None
    posted: PostedLine | None
    bureau: BureauLine | None
    withheld: WithheldLine | None
    waiting: frozenset[str] = frozenset()

    def owed(self) -> tuple[Supplement, ...]:
        """Supplements of a debited cell that the bank has not taken yet."""
        if self.assessed is None or self.posted is None or self.posted.debit_state != "posted":
            return ()
        paid = self.posted.supplements
        return tuple(one for one in self.assessed.supplements if one.declaration_id not in paid)


@dataclass(frozen=True, slots=True)
class Month:
    """One employee and levy period with its sides; None: nothing was said yet."""

    employer_id: str
    employee_id: str
    levy_period: LevyPeriod
    roster: RosterSide | None = None
    assessed: AssessedSide | None = None
    posted: PostedSide | None = None
    bureau: BureauSide | None = None
    withheld: WithheldSide | None = None

    @property
    def city(self) -> str:
        return next((side.city for side in self._placed() if side.city), "")

    @property
    def account_id(self) -> str:
        sides = (*self._placed(), *((self.bureau,) if self.bureau else ()))
        return next((side.account_id for side in sides if side.account_id), "")

    @property
    def department_id(self) -> str:
        sides = (self.roster, self.assessed)
        return next((side.department_id for side in sides if side and side.department_id), "")

    def _placed(self) -> Iterator[RosterSide | AssessedSide | PostedSide]:
        for side in (self.roster, self.assessed, self.posted):
            if side is not None:
                yield side

    def cells(self, waiting: frozenset[str] = frozenset()) -> list[CellSides]:
        """Every cell that the roster implies and every one that anything was said of, in the
        insurances' order; `waiting` as in CellSides, the same for all of them.
        """
        rostered = self.roster.authorities if self.roster else {}
        sides = (self.assessed, self.posted, self.bureau, self.withheld)
        named = set(rostered).union(*(side.lines for side in sides if side is not None))
        return [
            self._cell(insurance, rostered, waiting)
            for insurance in Insurance
            if insurance in named
        ]

    def _cell(
        self, insurance: Insurance, rostered: Mapping[Insurance, str], waiting: frozenset[str]
    ) -> CellSides:
        assessed = self.assessed.lines.get(insurance) if self.assessed else None
        bureau = self.bureau.lines.get(insurance) if self.bureau else None
        return CellSides(
            insurance=insurance,
            extra=insurance not in rostered,
            roster_known=self.roster is not None,
            authority=(
                rostered.get(insurance)
                or (assessed.authority if assessed else "")
                or (bureau.authority if bureau else "")
            ),
            assessed=assessed,
            posted=self.posted.lines.get(insurance) if self.posted else None,
            bureau=bureau,
            withheld=self.withheld.lines.get(insurance) if self.withheld else None,
            waiting=waiting,
        )
