"""`judge`: the only place where a cell's outcome is decided, row by row of the table in design.md
section 4.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from reconciliation_svc.domain.reasons import reason_of
from reconciliation_svc.domain.sides import AssessedLine, BureauLine, CellSides, PostedLine
from reconciliation_svc.domain.windows import NEVER, Authority, Windows
from shared.values import ANOMALIES, Insurance, Outcome


class Assessed(StrEnum):
    """The table's column *assessed*."""

    EXTRA = "extra"
    EXEMPT = "exempt"
    NOT_YET = "not yet"
    BLOCKED = "blocked"
    DUE = "due"


class Debit(StrEnum):
    """The table's column *debit*."""

    NO = "no"
    POSTED = "posted"
    TWICE = "posted twice"
    REFUSED = "refused"
    REVERSED = "reversed"
    UNKNOWN = "unknown"


class Record(StrEnum):
    """The table's column *record*."""

    NO = "no"
    RECORDED = "recorded"
    TWICE = "recorded twice"
    REJECTED = "rejected"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Standing:
    """A cell as the table's columns see it: what its sides amount to, whatever the time is."""

    history: bool
    assessed: Assessed
    debit: Debit
    record: Record
    filed: bool
    verified_differs: bool
    debit_differs: bool
    base_differs: bool
    amount_differs: bool
    in_part: bool
    looked_since: bool
    owes_supplement: bool = False
    record_lags: bool = False

    @property
    def is_not_due(self) -> bool:
        return self.assessed in (Assessed.EXTRA, Assessed.EXEMPT)

    @property
    def is_debited(self) -> bool:
        return self.debit in (Debit.POSTED, Debit.TWICE)

    @property
    def is_recorded(self) -> bool:
        return self.record in (Record.RECORDED, Record.TWICE)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: when it matches, and the outcome before and after its window closes.

    `window` is None where time changes nothing; `matches` never looks at the time.
    """

    name: str
    matches: Callable[[Standing], bool]
    before: Outcome
    after: Outcome
    window: Callable[[Windows], datetime] | None = None


def _always(name: str, matches: Callable[[Standing], bool], outcome: Outcome) -> Row:
    return Row(name, matches, outcome, outcome)


_O = Outcome

TABLE: tuple[Row, ...] = (
    _always("before the employer's cut-over", lambda s: s.history, _O.HISTORY),
    Row(
        "extra or exempt, and debited",
        lambda s: s.is_not_due and s.is_debited,
        _O.AWAITING_RECORD,
        _O.UNDECLARED_DEBIT,
        lambda w: w.record_ends_at,
    ),
    Row(
        "extra or exempt, not debited, and recorded",
        lambda s: s.is_not_due and s.is_recorded,
        _O.AWAITING_DEBIT,
        _O.UNEXPECTED_RECORD,
        lambda w: w.debit_ends_at,
    ),
    _always("extra or exempt, and nothing moved", lambda s: s.is_not_due, _O.NOT_REQUIRED),
    Row(
        "not assessed yet",
        lambda s: s.assessed is Assessed.NOT_YET,
        _O.NOT_ASSESSED,
        _O.NOT_ASSESSED_LATE,
        lambda w: w.assess_ends_at,
    ),
    _always("blocked", lambda s: s.assessed is Assessed.BLOCKED, _O.ASSESSMENT_BLOCKED),
    _always("debited twice", lambda s: s.debit is Debit.TWICE, _O.DUPLICATE_DEBIT),
    _always("recorded twice", lambda s: s.record is Record.TWICE, _O.DUPLICATE_RECORD),
    _always("rejected", lambda s: s.record is Record.REJECTED, _O.RECORD_REJECTED),
    _always("interrupted", lambda s: s.record is Record.INTERRUPTED, _O.ENROLMENT_INTERRUPTED),
    _always(
        "debit refused, not recorded",
        lambda s: s.debit is Debit.REFUSED and not s.is_recorded,
        _O.DEBIT_REFUSED,
    ),
    _always(
        "debit reversed, not recorded",
        lambda s: s.debit is Debit.REVERSED and not s.is_recorded,
        _O.DEBIT_REVERSED,
    ),
    Row(
        "debit unknown, not recorded",
        lambda s: s.debit is Debit.UNKNOWN and not s.is_recorded,
        _O.OUTCOME_UNKNOWN,
        _O.OUTCOME_UNKNOWN_LATE,
        lambda w: w.debit_ends_at,
    ),
    _always(
        "not debited, verified amounts differ",
        lambda s: not s.is_debited and s.verified_differs,
        _O.VERIFIED_DIFFERS,
    ),
    Row(
        "not debited, not recorded, not filed",
        lambda s: not s.is_debited and not s.is_recorded and not s.filed,
        _O.AWAITING_FILING,
        _O.NOT_FILED,
        lambda w: w.file_ends_at,
    ),
    Row(
        "not debited, not recorded, filed",
        lambda s: not s.is_debited and not s.is_recorded,
        _O.AWAITING_DEBIT,
        _O.DEBIT_MISSING,
        lambda w: w.debit_ends_at,
    ),
    Row(
        "not debited, recorded",
        lambda s: not s.is_debited,
        _O.AWAITING_DEBIT,
        _O.RECORD_WITHOUT_DEBIT,
        lambda w: w.debit_ends_at,
    ),
    _always("debited, another sum", lambda s: s.debit_differs, _O.DEBIT_DIFFERS),
    _always("recorded, another base", lambda s: s.base_differs, _O.BASE_DIFFERS),
    Row(
        "recorded, but for a supplementary declaration that was debited since",
        lambda s: s.record_lags,
        _O.AWAITING_RECORD,
        _O.AMOUNT_DIFFERS,
        lambda w: w.record_ends_at,
    ),
    _always("recorded, another amount", lambda s: s.amount_differs, _O.AMOUNT_DIFFERS),
    _always("recorded in part", lambda s: s.in_part, _O.ARRIVED_IN_PART),
    Row(
        "recorded, equal, and a supplementary declaration is not debited",
        lambda s: s.is_recorded and s.owes_supplement,
        _O.AWAITING_DEBIT,
        _O.DEBIT_DIFFERS,
        lambda w: w.supplement_ends_at,
    ),
    _always("recorded, equal", lambda s: s.is_recorded, _O.ARRIVED),
    Row(
        "not recorded, and looked for since the window closed",
        lambda s: s.looked_since,
        _O.AWAITING_RECORD,
        _O.RECORD_MISSING,
        lambda w: w.record_ends_at,
    ),
    Row(
        "not recorded, and not looked for since the window closed",
        lambda _: True,
        _O.AWAITING_RECORD,
        _O.NOT_LOOKED_UP,
        lambda w: w.record_ends_at,
    ),
)
"""The rows in the order of design.md section 4; the first that matches wins, and the last one
always does.
"""

TERMINAL = frozenset({_O.ARRIVED, _O.NOT_REQUIRED, _O.HISTORY})
"""Outcomes that ask nothing more of anybody: a period of these alone closes without a reason."""

LATE_PAYMENT = "LatePayment"
WITHHELD_DIFFERS = "WithheldDiffers"
COVERAGE_GAP = "CoverageGap"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one cell: outcome, one sentence why, its window's end, and annotations beside
    it.

    `window_ends_at` is None where no window matters or none is known to end; `next_due_at` is when
    time alone can change the verdict, None if it cannot.
    """

    insurance: Insurance
    outcome: Outcome
    reason: str
    window_ends_at: datetime | None = None
    next_due_at: datetime | None = None
    annotations: tuple[str, ...] = ()
    extra: bool = False
    authority: str = ""

    def told(self) -> tuple[object, ...]:
        """What readers see: a verdict that differs in nothing else is no news."""
        return (
            self.insurance,
            self.outcome,
            self.reason,
            self.window_ends_at,
            self.annotations,
            self.extra,
        )


def judge(sides: CellSides, windows: Windows, authority: Authority, now: datetime) -> Verdict:
    """The verdict on one cell at business time `now`. Total: some row matches whatever the sides
    say.
    """
    standing = standing_of(sides, windows)
    row = row_of(standing)
    ends_at = row.window(windows) if row.window else None
    is_open = ends_at is not None and now < ends_at
    outcome = row.before if is_open else row.after
    gap_at = _gap_at(standing, outcome, windows)
    annotations = _annotations(sides, standing, gap=gap_at is not None and now >= gap_at)
    return Verdict(
        insurance=sides.insurance,
        outcome=outcome,
        reason=reason_of(outcome, sides, authority, late=LATE_PAYMENT in annotations),
        window_ends_at=None if ends_at == NEVER else ends_at,
        next_due_at=_next_due_at(ends_at if is_open else gap_at, now),
        annotations=annotations,
        extra=sides.extra,
        authority=sides.authority,
    )


@lru_cache(maxsize=8_192)
def row_of(standing: Standing) -> Row:
    """The first row that matches. Kept: most cells of a city and period stand alike."""
    return next(row for row in TABLE if row.matches(standing))


def _next_due_at(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and now < at < NEVER else None


def _gap_at(standing: Standing, outcome: Outcome, windows: Windows) -> datetime | None:
    """断缴: from the end of the month on in which the levy period is paid, a cell that must be
    covered and is an anomaly without a record.
    """
    missing = outcome in ANOMALIES and not standing.is_not_due and not standing.is_recorded
    return windows.month_ends_at if missing else None


def _annotations(sides: CellSides, standing: Standing, *, gap: bool) -> tuple[str, ...]:
    posted, found = sides.posted, []
    if standing.is_debited and posted and posted.debited_on and posted.due_on:
        found += [LATE_PAYMENT] if posted.debited_on > posted.due_on else []
    if standing.assessed is Assessed.DUE and _withheld_differs(sides):
        found.append(WITHHELD_DIFFERS)
    if gap:
        found.append(COVERAGE_GAP)
    return tuple(found)


def _withheld_differs(sides: CellSides) -> bool:
    withheld, assessed = sides.withheld, sides.assessed
    if withheld is None or assessed is None:
        return False
    elsewhere = [one for one in assessed.supplements if one.withhold_in]
    taken = (withheld.employer_fen, withheld.employee_fen)
    return taken not in (assessed.less(()), assessed.less(elsewhere))


def standing_of(sides: CellSides, windows: Windows) -> Standing:
    """The table's columns of one cell; the time plays no part."""
    assessed, posted, bureau = sides.assessed, sides.posted, sides.bureau
    # What a supplementary declaration adds counts once the bank has taken it, or should have.
    owed = sides.owed()
    due = assessed.less(owed) if assessed else (0, 0)
    stations = assessed.stations() if assessed else {due}
    record = _record(bureau)
    recorded = record in (Record.RECORDED, Record.TWICE)
    whole = recorded and bureau is not None and bureau.fully_arrived
    return Standing(
        history=windows.history,
        assessed=_assessed(sides),
        debit=_debit(posted, waiting="posted" in sides.waiting),
        record=record,
        filed=_filed(bureau),
        verified_differs=bureau is not None and bureau.verified_fen not in (None, *stations),
        debit_differs=posted is not None and (posted.employer_fen, posted.employee_fen) != due,
        base_differs=recorded and _base_differs(bureau, assessed),
        amount_differs=whole and bureau is not None and _differs(bureau.record_fen, due),
        in_part=recorded and not whole,
        looked_since=(
            bureau is not None
            and bureau.looked_up_at is not None
            and bureau.looked_up_at >= windows.record_ends_at
        ),
        owes_supplement=bool(owed),
        record_lags=(
            whole
            and bureau is not None
            and _differs(bureau.record_fen, due)
            and bureau.record_fen in stations
        ),
    )


def _assessed(sides: CellSides) -> Assessed:
    line = sides.assessed
    if sides.extra and (sides.roster_known or line is None):
        return Assessed.EXTRA
    if "assessed" in sides.waiting:
        # What is due now has come, and is not what we hold: only an operator can take it in.
        return Assessed.BLOCKED
    if line is None:
        return Assessed.NOT_YET
    return {"due": Assessed.DUE, "exempt": Assessed.EXEMPT}.get(line.state, Assessed.BLOCKED)


_DEBITS = {"refused": Debit.REFUSED, "reversed": Debit.REVERSED, "unknown": Debit.UNKNOWN}


def _debit(posted: PostedLine | None, *, waiting: bool) -> Debit:
    if posted is None:
        # A posting that could not be taken in says that the bank has spoken, and not what it said.
        return Debit.UNKNOWN if waiting else Debit.NO
    if posted.debit_state == "posted":
        return Debit.TWICE if posted.debits > 1 else Debit.POSTED
    # A state that this release does not know is not known to be anything else.
    return _DEBITS.get(posted.debit_state, Debit.UNKNOWN)


def _record(bureau: BureauLine | None) -> Record:
    if bureau is None:
        return Record.NO
    if bureau.stage == "recorded":
        return Record.TWICE if bureau.records > 1 else Record.RECORDED
    stages = {"rejected": Record.REJECTED, "interrupted": Record.INTERRUPTED}
    return stages.get(bureau.stage, Record.NO)


_FILED_STAGES = frozenset({"filed", "verified", "accepted", "in_transit", "recorded"})


def _filed(bureau: BureauLine | None) -> bool:
    return bureau is not None and (
        bureau.stage in _FILED_STAGES
        or bureau.filed_fen is not None
        or bureau.verified_fen is not None
    )


def _differs(amounts: tuple[int, int] | None, due: tuple[int, int]) -> bool:
    return amounts is not None and amounts != due


def _base_differs(bureau: BureauLine | None, assessed: AssessedLine | None) -> bool:
    if bureau is None or bureau.record_base_fen is None or assessed is None:
        return False
    return bureau.record_base_fen != assessed.base_fen
