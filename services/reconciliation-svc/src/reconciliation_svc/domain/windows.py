"""Windows: until when each step of a cell may still happen, and how closures of an authority
stretch them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from reconciliation_svc.domain.sides import AssessedSide, CellSides, PostedLine
from shared.values import LevyPeriod

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of a window that nothing known closes: an authority is shut and has not said until when.
"""

LONGEST_STRETCH_DAYS = 120
"""A bound on the search for the stretched end; the longest closure on record was of some weeks."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the rules need of the calendar, passed in by the doors.

    `is_working_day` is None for a year whose holidays are not announced; `day_ends_at` the first
    moment after an Asia/Shanghai day.
    """

    is_working_day: Callable[[date], bool | None]
    day_ends_at: Callable[[date], datetime]


@dataclass(frozen=True, slots=True)
class Closure:
    """When an authority does not answer; `until` None: it has not said."""

    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority's state as it is known now, with every closure known of it.

    `closed_until` is when it opens again, None while it is not closed or has not said.
    """

    name: str
    state: str = "open"
    closures: tuple[Closure, ...] = ()
    closed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """A city's days: the last day of filing and the bank's day, `months_after` the levy period's
    own month, before rolling.
    """

    filing_day: int
    debit_day: int
    months_after: int = 0


@dataclass(frozen=True, slots=True)
class Windows:
    """When each of a cell's windows ends, as the first moment after it; `month_ends_at` is that of
    the month in which the levy period is paid. `history`: before the employer's cut-over.
    `supplement_ends_at` is that of debiting what supplementary declarations
    add.
    """

    assess_ends_at: datetime
    file_ends_at: datetime
    debit_ends_at: datetime
    record_ends_at: datetime
    month_ends_at: datetime
    history: bool = False
    supplement_ends_at: datetime = NEVER


def windows_of(
    cell: CellSides,
    period: LevyPeriod,
    assessed: AssessedSide | None,
    days: Days | None,
    authority: Authority,
    calendar: Calendar,
    cut_over: LevyPeriod | None,
) -> Windows:
    """The windows of one cell.

    An assessment must exist by the city's filing day, filing and debit happen by the account's
    days, and the record follows within the line's window. Where none of these is known the month
    is the bound in which the city has the levy period paid.
    """
    paid_in = period.shifted(days.months_after) if days is not None else period
    month_ends_at = calendar.day_ends_at(paid_in.last_day())
    assess_ends_at = debit_ends_at = month_ends_at
    if days is not None:
        assess_ends_at = calendar.day_ends_at(rolled(paid_in, days.filing_day, calendar))
        debit_ends_at = calendar.day_ends_at(rolled(paid_in, days.debit_day, calendar))
    file_ends_at = assess_ends_at
    if assessed is not None:
        file_ends_at = calendar.day_ends_at(assessed.file_by)
        debit_by = assessed.deferred.get(cell.insurance, assessed.debit_by)
        debit_ends_at = calendar.day_ends_at(debit_by)
    return Windows(
        assess_ends_at=assess_ends_at,
        file_ends_at=file_ends_at,
        debit_ends_at=debit_ends_at,
        record_ends_at=_record_ends_at(cell.posted, authority, calendar) or month_ends_at,
        month_ends_at=month_ends_at,
        history=cut_over is not None and period < cut_over,
        supplement_ends_at=_supplement_ends_at(cell, calendar),
    )


def _supplement_ends_at(cell: CellSides, calendar: Calendar) -> datetime:
    days = [one.debit_by for one in cell.owed() if one.debit_by is not None]
    return calendar.day_ends_at(max(days)) if days else NEVER


@lru_cache(maxsize=4_096)
def rolled(month: LevyPeriod, day_of_month: int, calendar: Calendar) -> date:
    """That day of the month, or the next working day; the month's last day if the year is
    not announced.

    The extension of tax periods is not applied: it moves the filing, not the day by which it must
    have been prepared. Kept, since every cell of a period asks for the same few days.
    """
    last = month.last_day()
    day = min(month.first_day() + timedelta(days=day_of_month - 1), last)
    for _ in range(LONGEST_STRETCH_DAYS):
        working = calendar.is_working_day(day)
        if working is None:
            return last
        if working:
            return day
        day += timedelta(days=1)
    return last


def _record_ends_at(
    posted: PostedLine | None, authority: Authority, calendar: Calendar
) -> datetime | None:
    if posted is None or posted.record_by is None:
        return None
    since = posted.debited_on or posted.record_by
    if not any(_touches(closure, since, calendar) for closure in authority.closures):
        return calendar.day_ends_at(posted.record_by)
    end = stretched(since, posted.record_by, authority.closures, calendar)
    return NEVER if end is None else calendar.day_ends_at(end)


def _touches(closure: Closure, since: date, calendar: Calendar) -> bool:
    return closure.until is None or closure.until > calendar.day_ends_at(since)


def stretched(
    since: date, record_by: date, closures: Sequence[Closure], calendar: Calendar
) -> date | None:
    """The last day of the window of working days after `since` up to `record_by`, made longer by
    closures.

    Each working day that a closure touches does not count: as many whole working days follow, of
    which those that are touched do not count either. None: a closure without an announced end
    reaches into the window. A day of a year that is not announced counts as a rest day, so that a
    window is never too short.
    """
    day, owed = since, 0
    for _ in range((record_by - since).days + LONGEST_STRETCH_DAYS):
        if day >= record_by and owed == 0:
            return day
        day += timedelta(days=1)
        if calendar.is_working_day(day) is not True:
            continue
        touching = [closure for closure in closures if _on_day(closure, day, calendar)]
        if any(closure.until is None for closure in touching):
            return None
        if touching and day <= record_by:
            owed += 1
        elif not touching and day > record_by:
            owed -= 1
    return day


def _on_day(closure: Closure, day: date, calendar: Calendar) -> bool:
    ends_at = calendar.day_ends_at(day)
    begins_at = calendar.day_ends_at(day - timedelta(days=1))
    return closure.since < ends_at and (closure.until is None or closure.until > begins_at)
