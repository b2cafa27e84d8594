"""Builders for tests of reconciliation: one due, debited and recorded cell of October 2024, and how
it may differ.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from reconciliation_svc.domain.sides import (
    AssessedLine,
    AssessedSide,
    BureauLine,
    CellSides,
    PostedLine,
    WithheldLine,
)
from reconciliation_svc.domain.windows import Authority, Days, Windows, windows_of
from reconciliation_svc.usecases.calendar import china_calendar
from shared.clock import WorkCalendar, china_time
from shared.values import Insurance, LevyPeriod

CALENDAR = china_calendar(WorkCalendar())
OCTOBER = LevyPeriod(2024, 10)
DAYS = Days(filing_day=15, debit_day=10)
MEDICAL_AUTHORITY = "medical-990100"

DUE = AssessedLine("due", MEDICAL_AUTHORITY, "", 950_000, 76_000, 19_000)
EXEMPT = AssessedLine("exempt", MEDICAL_AUTHORITY, "retired_rehired")
BLOCKED = AssessedLine("blocked", MEDICAL_AUTHORITY, "documents_missing:work_permit")
POSTED = PostedLine("posted", 1, 76_000, 19_000, date(2024, 10, 10), date(2024, 10, 16))
RECORDED = BureauLine(
    stage="recorded",
    filed_fen=(76_000, 19_000),
    verified_fen=(76_000, 19_000),
    record_base_fen=950_000,
    record_fen=(76_000, 19_000),
    records=1,
    looked_up_at=datetime(2024, 10, 12, tzinfo=UTC),
    authority=MEDICAL_AUTHORITY,
)
VERIFIED = replace(
    RECORDED, stage="verified", record_base_fen=None, record_fen=None, records=0, looked_up_at=None
)
ABSENT = replace(VERIFIED, stage="absent", looked_up_at=datetime(2024, 10, 11, 0, tzinfo=UTC))
WITHHELD = WithheldLine(76_000, 19_000)
ASSESSED_SIDE = AssessedSide(
    city="990100",
    account_id="account-1",
    department_id="operations",
    file_by=date(2024, 10, 9),
    debit_by=date(2024, 10, 10),
    lines={},
)


def at(day: int, clock: str = "12:00", month: int = 10) -> datetime:
    """That day of 2024 in China."""
    return china_time(date(2024, month, day), clock)


def cell(**changes: Any) -> CellSides:
    """A cell on the roster with nothing said yet, and what `changes` say."""
    bare = CellSides(Insurance.MEDICAL, False, True, MEDICAL_AUTHORITY, None, None, None, None)
    return replace(bare, **changes)


def extra(**changes: Any) -> CellSides:
    """A cell that the roster does not imply."""
    return cell(extra=True, **changes)


def due(**changes: Any) -> CellSides:
    """A due cell."""
    return cell(assessed=DUE, **changes)


def windows(sides: CellSides, authority: Authority | None = None) -> Windows:
    """October's windows for an employer that is reconciled since then."""
    return windows_of(
        sides,
        OCTOBER,
        ASSESSED_SIDE if sides.assessed else None,
        DAYS,
        authority or Authority(MEDICAL_AUTHORITY),
        CALENDAR,
        OCTOBER,
    )
