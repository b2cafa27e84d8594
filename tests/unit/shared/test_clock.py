"""Business time and the days on which offices work, on the calendar of October 2024."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import (
    CHINA,
    CalendarYearUnknown,
    FixedClock,
    SystemClock,
    WorkCalendar,
    china_day,
    china_time,
    end_of_china_day,
    system_now,
)

CALENDAR = WorkCalendar()
days = st.dates(date(2023, 2, 1), date(2024, 11, 30))


def october(day: int) -> date:
    return date(2024, 10, day)


def test_the_saturday_after_the_holiday_is_worked() -> None:
    assert CALENDAR.is_working_day(october(12))


def test_the_national_holiday_and_an_ordinary_sunday_are_not_worked() -> None:
    assert not any(CALENDAR.is_working_day(october(day)) for day in (1, 4, 7, 13))


def test_payday_on_the_5th_rolls_back_before_the_holiday() -> None:
    """工资支付暂行规定 art. 7: paid on the last working day before."""
    assert CALENDAR.on_or_before(october(5)) == date(2024, 9, 30)


def test_a_day_in_the_holiday_rolls_on_to_the_8th() -> None:
    assert CALENDAR.on_or_after(october(5)) == october(8)


def test_five_working_days_after_the_debit_of_the_10th_end_on_the_16th() -> None:
    assert CALENDAR.plus(october(10), 5) == october(16)


def test_two_working_days_after_the_17th_are_the_21st() -> None:
    assert CALENDAR.plus(october(17), 2) == october(21)


def test_no_working_days_later_is_the_day_itself_worked_or_not() -> None:
    assert CALENDAR.plus(october(5), 0) == october(5)


def test_a_year_that_nobody_announced_is_unknown_and_not_free_of_holidays() -> None:
    with pytest.raises(CalendarYearUnknown, match="2099") as unknown:
        CALENDAR.is_working_day(date(2099, 5, 1))
    assert unknown.value.year == 2099


def test_what_hr_loaded_wins_over_the_library() -> None:
    loaded = WorkCalendar({october(8): False, date(2099, 5, 1): False})
    assert loaded.on_or_after(october(1)) == october(9)
    assert not loaded.is_working_day(date(2099, 5, 1))


@given(days, st.integers(1, 10))
def test_so_many_working_days_on_lie_so_many_working_days_between(day: date, count: int) -> None:
    end = CALENDAR.plus(day, count)
    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(map(CALENDAR.is_working_day, between)) == count
    assert CALENDAR.is_working_day(end)


@given(days)
def test_rolling_ends_on_the_nearest_working_day(day: date) -> None:
    before, after = CALENDAR.on_or_before(day), CALENDAR.on_or_after(day)
    assert before <= day <= after
    assert (before == after) == CALENDAR.is_working_day(day)


def test_a_day_begins_in_shanghai() -> None:
    assert china_day(datetime(2024, 10, 9, 16, 0, tzinfo=UTC)) == october(10)
    assert china_day(datetime(2024, 10, 9, 15, 59, tzinfo=UTC)) == october(9)
    assert china_time(october(10), "10:00") == datetime(2024, 10, 10, 2, 0, tzinfo=UTC)


@given(days)
def test_a_day_ends_where_the_next_begins(day: date) -> None:
    end = end_of_china_day(day)
    assert end.astimezone(CHINA).date() == day + timedelta(days=1)
    assert china_day(end - timedelta(microseconds=1)) == day


def test_a_fixed_clock_stands_until_it_is_set() -> None:
    first, second = (china_time(october(day), "08:00") for day in (16, 17))
    clock = FixedClock(first)
    assert (clock.now(), clock.now()) == (first, first)
    clock.set(second)
    assert clock.now() == second


def test_the_system_clock_tells_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(system_now() - now) < timedelta(minutes=1)
