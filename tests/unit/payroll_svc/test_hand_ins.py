"""Wage data are due on a working day, move on day by day, and tell how punctual a department is."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.hand_ins import (
    AWAITED,
    Brought,
    Deadline,
    HandIn,
    due_again,
    effective,
    handed_in,
    on,
    on_time_rates,
    taken_back,
)
from payroll_svc.usecases.hand_ins import rolled_by
from shared.clock import WorkCalendar, china_time
from shared.values import LevyPeriod

ROLL = rolled_by(WorkCalendar())
OCTOBER = LevyPeriod(2024, 10)
DUE = date(2024, 9, 27)


def awaited(due_on: date = DUE, remind_days: int = 3, month: str = "2024-10") -> HandIn:
    return HandIn("sales", month, "employer", due_on, True, remind_days)


def test_a_deadline_is_rolled_back_to_a_working_day() -> None:
    # Saturday 28 September 2024 is free, Sunday the 29th is worked for the October holiday.
    assert Deadline("", 28, -1, 3).due_on(OCTOBER, ROLL) == (date(2024, 9, 27), True)
    assert Deadline("", 29, -1, 3).due_on(OCTOBER, ROLL) == (date(2024, 9, 29), True)
    assert Deadline("", 31, 0, 3).due_on(LevyPeriod(2024, 2), ROLL) == (date(2024, 2, 29), True)
    # The holidays of 2027 are not announced: the day stands as it is, and says so.
    assert Deadline("", 2, 0, 3).due_on(LevyPeriod(2027, 1), ROLL) == (date(2027, 1, 2), False)


@given(st.integers(1, 31), st.integers(-1, 1))
def test_what_a_month_opens_is_due_in_it(day: int, shift: int) -> None:
    deadline = Deadline("", day, shift, 3)
    month = LevyPeriod(2024, 7)
    period = deadline.levy_period_due_in(month)
    due_on, _ = deadline.due_on(period, lambda day: day)
    assert LevyPeriod.of(due_on) == month


def test_a_department_has_its_own_deadline_or_the_general_one() -> None:
    general, own = Deadline("", 25, 0, 3), Deadline("sales", 20, 0, 5)
    assert effective([general, own], ["sales", "operations"]) == {
        "sales": own,
        "operations": general,
    }
    assert effective([own], ["sales", "operations"]) == {"sales": own}


def test_it_moves_on_day_by_day_until_it_is_missed() -> None:
    hand_in = awaited()
    told: list[tuple[int, str, bool]] = []
    for days in range(-10, 3):
        today = DUE + timedelta(days=days)
        due = hand_in.next_on is None or hand_in.next_on <= today
        hand_in = on(hand_in, today) if due or not hand_in.version else hand_in
        if not told or told[-1][1] != hand_in.stage:
            told.append((days, hand_in.stage, hand_in.late))
    assert told == [
        (-10, "ahead", False),
        (-3, "due_soon", False),
        (0, "due_today", False),
        (1, "missed", True),
    ]
    assert (hand_in.version, hand_in.next_on) == (4, None)


@given(st.integers(0, 15), st.integers(-30, 5), st.integers(-30, 5))
def test_the_same_day_twice_is_no_news(remind_days: int, first: int, second: int) -> None:
    """Whatever was asked before, the stage of a day is that day's, and it moves on later than it.

    In what order days are asked does not matter to where it ends.
    """
    days = sorted((DUE + timedelta(days=first), DUE + timedelta(days=second)))
    early = on(awaited(remind_days=remind_days), days[0])
    late = on(early, days[1])
    assert on(late, days[1]) == late
    direct = on(awaited(remind_days=remind_days), days[1])
    assert (late.stage, late.late) == (direct.stage, direct.late)
    assert late.next_on is None or late.next_on > days[1]


def test_data_in_time_are_in_time_also_when_more_come_later() -> None:
    at, later = china_time(DUE, "17:00"), china_time(DUE + timedelta(days=4), "09:00")
    first = handed_in(awaited(), 30, "import-1", "hr-li", at, DUE)
    more = handed_in(first, 2, "import-2", "hr-li", later, DUE + timedelta(days=4))
    assert (first.late, more.late, more.rows, more.handed_in_at) == (False, False, 32, at)
    assert more.import_id == "import-1"
    left = [
        Brought("import-3", 1, "hr-zhou", later + timedelta(hours=1), DUE + timedelta(days=4)),
        Brought("import-2", 2, "hr-wang", later, DUE + timedelta(days=4)),
    ]
    rest = taken_back(more, left, DUE + timedelta(days=5))
    assert (rest.state, rest.rows, rest.import_id) == ("handed_in", 3, "import-2")
    assert (rest.late, rest.handed_in_at, rest.handed_in_by) == (True, later, "hr-wang")
    back = taken_back(more, (), DUE + timedelta(days=4))
    assert (back.state, back.stage, back.late, back.rows) == (AWAITED, "missed", True, 0)
    again = handed_in(back, 32, "import-3", "hr-li", later, DUE + timedelta(days=4))
    assert again.late


def test_a_new_deadline_moves_what_is_awaited_and_nothing_else() -> None:
    moved = due_again(on(awaited(), DUE), DUE + timedelta(days=1), True, 3, DUE)
    assert (moved.stage, moved.version) == ("due_soon", 2)
    done = handed_in(awaited(), 1, "import-1", "hr-li", china_time(DUE, "09:00"), DUE)
    assert due_again(done, DUE + timedelta(days=1), True, 3, DUE) == done


def test_sales_goes_from_nine_in_ten_to_ten() -> None:
    """90 % of its months in time at first; what is not due yet counts on neither side."""
    months = [awaited(date(2024, n, 25), month=f"2024-{n:02d}") for n in range(1, 12)]
    done = [
        replace(
            handed_in(one, 30, f"import-{n}", "hr-li", china_time(one.due_on, "09:00"), one.due_on),
            late=n == 4,
        )
        for n, one in enumerate(months[:10])
    ]
    [sales] = on_time_rates([*done, months[10]], date(2024, 10, 31))
    assert (sales.due, sales.on_time, sales.late, sales.rate_ppm) == (10, 9, 1, 900_000)
    [later] = on_time_rates([*done[5:], months[10]], date(2024, 11, 26))
    assert (later.due, later.on_time, later.missing, later.rate_ppm) == (6, 5, 1, 833_333)
