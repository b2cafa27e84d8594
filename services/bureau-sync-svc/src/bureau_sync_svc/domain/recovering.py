"""What a row that was told says of its facts, for a store that was restored from a backup."""

from dataclasses import replace
from datetime import datetime

from bureau_sync_svc.domain.lines import (
    ABSENT,
    IN_TRANSIT,
    INTERRUPTED,
    RECORDED,
    REJECTED,
    TAKEN,
    VERIFIED,
    Line,
    Lines,
    LookedUp,
    Row,
    Rows,
    Submitted,
    Sums,
    row_of,
)

_SHOWN = frozenset({RECORDED, IN_TRANSIT, INTERRUPTED})


def lines_of(known: Lines, told: Rows) -> Lines:
    """The lines with the facts that the rows tell, where a line of them says what was told.

    A line that cannot be made so from its row keeps the facts that it has; the next exchange with
    the bureau brings newer ones.
    """
    lines = dict(known)
    for insurance, row in told.items():
        line = _line(lines.get(insurance), row)
        if _as_told(row_of(line)) == _as_told(row):
            lines[insurance] = line
    return lines


def _as_told(row: Row) -> Row:
    """The evidence of facts is lost with them."""
    return replace(row, evidence_id="")


def _line(known: Line | None, row: Row) -> Line:
    """The further of what is known and what was told, fact by fact."""
    line = known or Line(row.insurance)
    filing = _filing(line.filing, row) or line.filing
    return Line(
        insurance=row.insurance,
        authority=row.authority,
        filing=filing,
        detail=_detail(line.detail, filing, row) or line.detail,
        look_up=_look_up(row) or line.look_up,
        supplements=line.supplements,
    )


def _filing(known: Submitted | None, row: Row) -> Submitted | None:
    if row.filed_employer_fen is None or row.filed_employee_fen is None:
        return None
    verified = _sums(row.verified_base_fen, row.verified_employer_fen, row.verified_employee_fen)
    if not row.verified_at or verified is None:
        return None
    base_fen = known.sums.base_fen if known is not None else verified.base_fen
    return Submitted(
        at=datetime.fromisoformat(row.verified_at),
        state=VERIFIED,
        sums=Sums(base_fen, row.filed_employer_fen, row.filed_employee_fen),
        round=known.round if known is not None else 1,
        verified=verified,
        reason=known.reason if known is not None else "",
        evidence_id=row.evidence_id,
    )


def _detail(known: Submitted | None, filing: Submitted | None, row: Row) -> Submitted | None:
    if not row.passed_on_at or filing is None:
        return None
    # Once a record is there the authority has said all that it will say of the detail.
    state = VERIFIED if row.stage == RECORDED else TAKEN
    if known is not None and known.state in (VERIFIED, REJECTED):
        state = known.state
    return Submitted(
        at=datetime.fromisoformat(row.passed_on_at),
        state=state,
        sums=known.sums if known is not None else filing.sums,
        round=known.round if known is not None else filing.round,
        reason=known.reason if known is not None else "",
        evidence_id=row.evidence_id,
    )


def _look_up(row: Row) -> LookedUp | None:
    if not row.looked_up_at:
        return None
    sums = _sums(row.record_base_fen, row.record_employer_fen, row.record_employee_fen)
    return LookedUp(
        at=datetime.fromisoformat(row.looked_up_at),
        state=row.stage if row.stage in _SHOWN else ABSENT,
        sums=sums,
        records=row.records,
        fully_arrived=row.fully_arrived,
        recorded_on=row.recorded_on,
        reason=row.reason if row.stage in _SHOWN else "",
        evidence_id=row.evidence_id,
    )


def _sums(base_fen: int | None, employer_fen: int | None, employee_fen: int | None) -> Sums | None:
    if base_fen is None or employer_fen is None or employee_fen is None:
        return None
    return Sums(base_fen, employer_fen, employee_fen)
