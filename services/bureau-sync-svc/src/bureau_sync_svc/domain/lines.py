"""What is known of each line of an employee's month at the bureaus, and the stage that follows from
it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

UNKNOWN = "unknown"
TAKEN = "taken"
VERIFIED = "verified"
REJECTED = "rejected"

RECORDED = "recorded"
IN_TRANSIT = "in_transit"
INTERRUPTED = "interrupted"
ABSENT = "absent"

ACCEPTED_WITHOUT_RECORD = "受理但无记录"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROGRESS = {UNKNOWN: 0, TAKEN: 1, VERIFIED: 2, REJECTED: 3}
_FOUND = {UNKNOWN: 0, ABSENT: 1, IN_TRANSIT: 2, INTERRUPTED: 3, RECORDED: 4}


@dataclass(frozen=True, slots=True)
class Sums:
    """Base, employer's and employee's amount of one line, in fen."""

    base_fen: int
    employer_fen: int
    employee_fen: int

    def plus(self, other: "Sums") -> "Sums":
        """Another kind of the same line added up; the base is that of the first (regular) kind."""
        return Sums(
            self.base_fen,
            self.employer_fen + other.employer_fen,
            self.employee_fen + other.employee_fen,
        )


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of the filing (申报) or the paid detail (缴费明细) that holds the line.

    `state` is unknown (sent, no answer), taken, verified or rejected. `round` numbers the
    submissions of one declaration: a second one exists only after the first was refused. `verified`
    holds the collector's figures (核定).
    """

    at: datetime
    state: str
    sums: Sums
    round: int = 1
    verified: Sums | None = None
    reason: str = ""
    evidence_id: str = ""


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What one look-up showed for the line.

    `state` is recorded, in_transit, interrupted, absent, or unknown where the row could not be
    read. `sums` has the kinds (AAA115) added up; `records` counts how often the authority shows the
    same kind.
    """

    at: datetime
    state: str
    sums: Sums | None = None
    records: int = 0
    fully_arrived: bool = True
    recorded_on: str = ""
    reason: str = ""
    evidence_id: str = ""


Fact = Submitted | LookedUp


@dataclass(frozen=True, slots=True)
class Line:
    """One insurance of one employee's month: the newest fact of each kind. `supplements` are the
    filings of supplementary declarations, by their ids.
    """

    insurance: str
    authority: str = ""
    filing: Submitted | None = None
    detail: Submitted | None = None
    look_up: LookedUp | None = None
    supplements: Mapping[str, Submitted] = field(default_factory=dict)

    def filed(self) -> Submitted | None:
        """The regular filing with every supplementary one that was verified, added up; without a
        regular one the supplementary one that got furthest.
        """
        others = [self.supplements[key] for key in sorted(self.supplements)]
        whole = self.filing
        if whole is None and others:
            whole = max(others, key=_standing)
            others.remove(whole)
        for other in others:
            if whole is not None and other.state == VERIFIED:
                whole = _added(whole, other)
        return whole


@dataclass(frozen=True, slots=True)
class Observation:
    """A fact about one line: `part` is filing, detail or look_up; `carrier` the supplementary
    declaration that it is about.
    """

    insurance: str
    authority: str
    part: str
    fact: Fact
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One insurance as it is told; the fields are those of the contract's BureauRow."""

    insurance: str
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


Lines = dict[str, Line]
Rows = dict[str, Row]


def observed(lines: Mapping[str, Line], observations: Iterable[Observation]) -> Lines:
    """The lines with these facts merged in. The result is the same for every order and repetition
    of the facts.
    """
    merged = dict(lines)
    for seen in observations:
        line = merged.get(seen.insurance) or Line(seen.insurance)
        # A recorded line names who recorded it; who merely collects it never replaces that.
        authority = max(line.authority, seen.authority)
        if isinstance(seen.fact, LookedUp):
            line = replace(line, look_up=_newer_look_up(line.look_up, seen.fact))
        elif seen.part == "detail":
            line = replace(line, detail=_further(line.detail, seen.fact))
        elif seen.carrier:
            known = line.supplements.get(seen.carrier)
            furthest = {seen.carrier: _further(known, seen.fact)}
            line = replace(line, supplements={**line.supplements, **furthest})
        else:
            line = replace(line, filing=_further(line.filing, seen.fact))
        merged[seen.insurance] = replace(line, authority=authority)
    return merged


def _further(known: Submitted | None, fact: Submitted) -> Submitted:
    """The later round wins, then the one that got further, then the first that said so.

    Not the last that said so: a submission that is asked about daily would else look newer than the
    look-up that found nothing, and the stage would swing between the two for ever.
    """
    if known is None:
        return fact
    return max(known, fact, key=_standing)


def _standing(fact: Submitted) -> tuple[int, int, timedelta, str]:
    return (fact.round, _PROGRESS[fact.state], _EPOCH - fact.at, fact.evidence_id)


def _added(whole: Submitted, other: Submitted) -> Submitted:
    """A filing with a supplementary one, and what was verified of both."""
    verified = whole.verified
    if verified is not None and other.verified is not None:
        verified = verified.plus(other.verified)
    return replace(whole, sums=whole.sums.plus(other.sums), verified=verified)


def _newer_look_up(known: LookedUp | None, fact: LookedUp) -> LookedUp:
    if known is None:
        return fact
    return max(known, fact, key=lambda look_up: (look_up.at, _FOUND[look_up.state], repr(look_up)))


def stage_of(line: Line) -> tuple[str, str]:
    """The line's stage (see the contract's BureauRow) and the bureau's own words for it.

    A record wins over every reply about a submission, a refusal over an acceptance, and *absent*
    only over replies that are older than the look-up: a detail accepted since then has not been
    looked for yet.
    """
    filing = line.filed()
    look_up, sent = line.look_up, line.detail or filing
    if look_up is not None and look_up.state != ABSENT:
        return look_up.state, look_up.reason
    for submitted in (line.detail, filing):
        if submitted is not None and submitted.state == REJECTED:
            return REJECTED, submitted.reason
    if look_up is not None and (sent is None or look_up.at >= sent.at):
        accepted = line.detail is not None and line.detail.state == TAKEN
        return ABSENT, ACCEPTED_WITHOUT_RECORD if accepted else look_up.reason
    assert sent is not None
    if sent.state == UNKNOWN:
        return UNKNOWN, sent.reason
    if line.detail is not None:
        return "accepted", sent.reason
    return ("verified" if sent.state == VERIFIED else "filed"), sent.reason


def row_of(line: Line) -> Row:
    """The line as it is told. Filed amounts are those of a filing that the collector is known to
    hold.
    """
    stage, reason = stage_of(line)
    row = Row(insurance=line.insurance, stage=stage, reason=reason, authority=line.authority)
    filing, look_up = line.filed(), line.look_up
    if filing is not None and filing.state in (TAKEN, VERIFIED):
        row = replace(
            row,
            filed_employer_fen=filing.sums.employer_fen,
            filed_employee_fen=filing.sums.employee_fen,
        )
    if filing is not None and filing.verified is not None:
        row = replace(
            row,
            verified_base_fen=filing.verified.base_fen,
            verified_employer_fen=filing.verified.employer_fen,
            verified_employee_fen=filing.verified.employee_fen,
            verified_at=_text(filing.at),
        )
    if line.detail is not None and line.detail.state in (TAKEN, VERIFIED):
        row = replace(row, passed_on_at=_text(line.detail.at))
    if look_up is not None:
        row = _with_record(row, look_up)
    return replace(row, evidence_id=_evidence(line))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _with_record(row: Row, look_up: LookedUp) -> Row:
    if look_up.state == UNKNOWN:
        # A row that could not be read proves nothing, least of all that someone looked and found
        # none.
        return row
    row = replace(row, looked_up_at=_text(look_up.at))
    if look_up.sums is None:
        return row
    return replace(
        row,
        record_base_fen=look_up.sums.base_fen,
        record_employer_fen=look_up.sums.employer_fen,
        record_employee_fen=look_up.sums.employee_fen,
        records=look_up.records,
        fully_arrived=look_up.fully_arrived,
        recorded_on=look_up.recorded_on,
    )


def _evidence(line: Line) -> str:
    facts = [fact for fact in (line.look_up, line.detail, line.filed()) if fact is not None]
    return max(facts, key=lambda fact: fact.at).evidence_id if facts else ""


def rows_of(lines: Mapping[str, Line]) -> Rows:
    """Every line as it is told, by insurance."""
    return {insurance: row_of(line) for insurance, line in sorted(lines.items())}


def must_tell(
    told: Mapping[str, Row], rows: Mapping[str, Row], window_ends: Mapping[str, Iterable[datetime]]
) -> bool:
    """Whether `rows` are news to those who heard `told`.

    They are when anything but the time and the evidence of a look-up changed, and once when a line
    that is not recorded was looked up for the first time after its record window ended
    (`window_ends`: per insurance the moments that count as the end): without that nobody could tell
    *missing* from *not looked up*.
    """
    if {key: _content(row) for key, row in told.items()} != {
        key: _content(row) for key, row in rows.items()
    }:
        return True
    return any(
        row.stage != RECORDED and _crossed(told[key], row, window_ends.get(key, ()))
        for key, row in rows.items()
    )


def _content(row: Row) -> Row:
    return replace(row, looked_up_at="", evidence_id="")


def _crossed(told: Row, row: Row, ends: Iterable[datetime]) -> bool:
    if not row.looked_up_at:
        return False
    now = datetime.fromisoformat(row.looked_up_at)
    before = datetime.fromisoformat(told.looked_up_at) if told.looked_up_at else None
    return any(end <= now and (before is None or before < end) for end in ends)
