"""The clocks of a ticket: working days and office hours in, due times out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_LONGEST_SPAN_DAYS = 400
"""Bound of every walk over days: far beyond any span of working days that a setting allows."""


@dataclass(frozen=True, slots=True)
class Office:
    """When people work, and how long they have.

    `is_working_day` is None for a day whose year has not been announced (a year is unknown, never
    free of holidays). `day_of` is the Asia/Shanghai day of a moment; `opens_at` and `closes_at` the
    office hours of a day.
    """

    is_working_day: Callable[[date], bool | None]
    day_of: Callable[[datetime], date]
    opens_at: Callable[[date], datetime]
    closes_at: Callable[[date], datetime]
    reply_days: int = 2
    resolve_days: int = 10

    def due(self, at: datetime, working_days: int) -> datetime | None:
        """The close of the n-th working day after the day of `at`; None where the year is not
        announced.
        """
        day = self._nth_working_day(self.day_of(at), working_days)
        return None if day is None else self.closes_at(day)

    def next_opening(self, at: datetime) -> datetime:
        """When the office opens on the next working day; on the next day where the year is not
        announced.
        """
        day = self._nth_working_day(self.day_of(at), 1)
        return self.opens_at(day or self.day_of(at) + timedelta(days=1))

    def days_left(self, at: datetime, due_at: datetime) -> int:
        """Working days after the day of `at`, up to and with the day of `due_at`; 0 when it has
        passed.
        """
        first, last = self.day_of(at), self.day_of(due_at)
        span = min((last - first).days, _LONGEST_SPAN_DAYS)
        days = (first + timedelta(days=n) for n in range(1, span + 1))
        return sum(1 for day in days if self.is_working_day(day))

    def _nth_working_day(self, day: date, working_days: int) -> date | None:
        left = working_days
        for _ in range(_LONGEST_SPAN_DAYS):
            if left == 0:
                return day
            day += timedelta(days=1)
            worked = self.is_working_day(day)
            if worked is None:
                return None
            left -= worked
        return None
