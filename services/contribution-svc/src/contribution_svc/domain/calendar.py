"""The days of an account's month: when it is filed, debited, and until when a record may take.

Rolling needs a work calendar; it is passed in as `WorkDays`, so that these rules stay pure.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from contribution_svc.domain.policy import Days
from shared.values import LevyPeriod


class WorkDays(Protocol):
    """Holidays and worked weekends (调休); a year that was not announced yet is refused, not
    guessed.
    """

    def is_working_day(self, day: date) -> bool: ...

    def on_or_after(self, day: date) -> date: ...

    def plus(self, day: date, working_days: int) -> date: ...


NEXT_WORKING_DAY = "next_working_day"
TAX_EXTENSION = "tax_extension"
ROLLS = (NEXT_WORKING_DAY, TAX_EXTENSION)

# 税收征收管理法实施细则 art. 109: three or more holidays in a row extend the period.
_LONG_HOLIDAY = 3
RISK_WORKING_DAYS = 2
"""Deadlines are told to be at risk this many working days before the last day of filing."""


@dataclass(frozen=True, slots=True)
class AccountDays:
    """An account's days for one levy period, after rolling.

    `due_on` is the last day of paying without a late fee; `file_by` and `debit_by` are the days
    after which a cell that was not filed or debited is an anomaly.
    """

    file_by: date
    debit_by: date
    due_on: date


def account_days(
    days: Days, period: LevyPeriod, auto_debit: bool, work_days: WorkDays
) -> AccountDays:
    """The rolled days; accounts with automatic debit file by the working day before the debit."""
    month = period.shifted(days.months_after)
    due_on = rolled(day_of(month, days.filing_day), days.roll, work_days)
    if not auto_debit:
        return AccountDays(file_by=due_on, debit_by=due_on, due_on=due_on)
    debit_on = work_days.on_or_after(day_of(month, days.debit_day))
    before = work_days.plus(debit_on, -1)
    return AccountDays(file_by=min(due_on, before), debit_by=debit_on, due_on=due_on)


def day_of(period: LevyPeriod, day: int) -> date:
    """That day of the month, or its last day where the month is shorter."""
    return min(period.first_day() + timedelta(days=day - 1), period.last_day())


def rolled(day: date, roll: str, work_days: WorkDays) -> date:
    """The last day of a period that nominally ends on `day`, by the pack's rule.

    `next_working_day` rolls forward. `tax_extension` (税收征收管理法实施细则 art. 109) first
    extends the period by the days of every holiday of three days or more inside it: to the H-th
    working day after `day`, which is the reading that reproduces all twelve official dates of 2026.
    """
    if roll == TAX_EXTENSION:
        extended_by = _holiday_days(day, work_days)
        if extended_by:
            return work_days.plus(day, extended_by)
    return work_days.on_or_after(day)


def _holiday_days(last: date, work_days: WorkDays) -> int:
    """Days of rest in runs of three or more between the first of the month and `last`; weekends
    have two.
    """
    total = run = 0
    for day in range(1, last.day + 1):
        run = 0 if work_days.is_working_day(last.replace(day=day)) else run + 1
        if run == _LONG_HOLIDAY:
            total += _LONG_HOLIDAY
        elif run > _LONG_HOLIDAY:
            total += 1
    return total


def record_by(debited_on: date, days: Days, work_days: WorkDays) -> date:
    """The last day of the record window: debited on 10 October 2024, five working days end on the
    16th.
    """
    return work_days.plus(debited_on, days.record_working_days)


def risk_day(file_by: date, work_days: WorkDays) -> date:
    """The day on which a declaration that is not approved is told to be at risk."""
    return work_days.plus(file_by, -RISK_WORKING_DAYS)
