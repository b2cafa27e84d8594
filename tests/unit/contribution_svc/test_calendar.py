"""The days of an account's month, on the State Council's own calendar."""

from dataclasses import replace
from datetime import date

import pytest

from contribution_svc.domain.calendar import account_days, day_of, record_by, risk_day, rolled
from shared.clock import CalendarYearUnknown, WorkCalendar
from shared.values import LevyPeriod
from tests.support.shipped_policies import POLICIES

DAYS = POLICIES.packs["990100"].days[0]
CALENDAR = WorkCalendar()


def test_october_2024_with_automatic_debit() -> None:
    days = account_days(DAYS, LevyPeriod(2024, 10), True, CALENDAR)
    assert days.debit_by == date(2024, 10, 10)
    assert days.file_by == date(2024, 10, 9)
    assert days.due_on == date(2024, 10, 15)
    assert risk_day(days.file_by, CALENDAR) == date(2024, 9, 30)


def test_without_automatic_debit_the_filing_day_counts() -> None:
    days = account_days(DAYS, LevyPeriod(2024, 10), False, CALENDAR)
    assert (days.file_by, days.debit_by) == (date(2024, 10, 15), date(2024, 10, 15))


def test_shanghai_pays_in_the_month_after_the_levy_period() -> None:
    """In month M the premiums of M-1 are paid, by the 15th."""
    days = account_days(POLICIES.packs["310000"].days[0], LevyPeriod(2025, 12), False, CALENDAR)
    assert (days.file_by, days.due_on) == (date(2026, 1, 15), date(2026, 1, 15))


def test_a_debit_day_on_a_weekend_rolls_and_takes_the_filing_with_it() -> None:
    days = account_days(DAYS, LevyPeriod(2024, 11), True, CALENDAR)
    assert (days.file_by, days.debit_by) == (date(2024, 11, 8), date(2024, 11, 11))


def test_a_debit_day_after_the_filing_day_does_not_move_the_deadline() -> None:
    late = replace(DAYS, debit_day=25)
    days = account_days(late, LevyPeriod(2024, 10), True, CALENDAR)
    assert (days.file_by, days.debit_by) == (date(2024, 10, 15), date(2024, 10, 25))


def test_the_record_window_counts_the_worked_saturday() -> None:
    assert record_by(date(2024, 10, 10), DAYS, CALENDAR) == date(2024, 10, 16)


def test_a_short_month_ends_with_its_last_day() -> None:
    assert day_of(LevyPeriod(2025, 2), 31) == date(2025, 2, 28)


def test_a_year_that_was_not_announced_is_unknown() -> None:
    with pytest.raises(CalendarYearUnknown):
        account_days(DAYS, LevyPeriod(2099, 1), True, CALENDAR)


@pytest.mark.parametrize(
    ("month", "end"),
    [
        (1, "01-20"),
        (2, "02-24"),
        (3, "03-16"),
        (4, "04-20"),
        (5, "05-22"),
        (6, "06-15"),
        (7, "07-15"),
        (8, "08-17"),
        (9, "09-15"),
        (10, "10-26"),
        (11, "11-16"),
        (12, "12-15"),
    ],
)
def test_example_15_the_official_ends_of_15_day_periods_of_2026(month: int, end: str) -> None:
    """税总办征科函〔2025〕64号."""
    last = rolled(date(2026, month, 15), "tax_extension", CALENDAR)
    assert last == date.fromisoformat(f"2026-{end}")


def test_next_working_day_knows_no_extension() -> None:
    assert rolled(date(2026, 10, 15), "next_working_day", CALENDAR) == date(2026, 10, 15)
    assert rolled(date(2026, 2, 15), "next_working_day", CALENDAR) == date(2026, 2, 24)
