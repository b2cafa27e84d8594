"""Asia/Shanghai days for the rules, which may not read a calendar themselves."""

from datetime import date
from functools import lru_cache

from reconciliation_svc.domain.windows import Calendar
from shared.clock import CalendarYearUnknown, WorkCalendar, end_of_china_day

_DAYS_KEPT = 4_000
"""Ten years of days: a batch asks for the same few again and again."""


def china_calendar(work: WorkCalendar) -> Calendar:
    """The calendar that the doors pass in; None for a day of a year that is not announced."""

    def is_working_day(day: date) -> bool | None:
        try:
            return work.is_working_day(day)
        except CalendarYearUnknown:
            return None

    return Calendar(
        is_working_day=is_working_day,
        day_ends_at=lru_cache(_DAYS_KEPT)(end_of_china_day),
    )
