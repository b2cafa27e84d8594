"""Record windows in working days, and what a closure does to them; 12 October 2024 is a worked
Saturday.
"""

from dataclasses import replace
from datetime import date, datetime

import pytest

from contribution_svc.usecases.told import policy_changed
from reconciliation_svc.consumers.references import policy_of
from reconciliation_svc.domain.sides import PostedLine
from reconciliation_svc.domain.verdict import judge
from reconciliation_svc.domain.windows import (
    NEVER,
    Authority,
    Calendar,
    Closure,
    Days,
    rolled,
    stretched,
    windows_of,
)
from shared.values import Insurance, LevyPeriod, Outcome
from tests.support.reconciling import (
    ASSESSED_SIDE,
    CALENDAR,
    OCTOBER,
    POSTED,
    at,
    cell,
    due,
    windows,
)
from tests.support.shipped_policies import POLICIES

TENTH, SIXTEENTH = date(2024, 10, 10), date(2024, 10, 16)


def closed(since: datetime, until: datetime | None) -> Closure:
    return Closure(since, until)


CLOSURES = {
    "none": ((), SIXTEENTH),
    "two whole working days": (
        (closed(at(14, "00:00"), at(16, "00:00")),),
        date(2024, 10, 18),
    ),
    "one hour touches one working day": (
        (closed(at(14, "10:00"), at(14, "11:00")),),
        date(2024, 10, 17),
    ),
    "a rest day does not count": ((closed(at(13, "00:00"), at(14, "00:00")),), SIXTEENTH),
    "a worked Saturday does": (
        (closed(at(12, "00:00"), at(13, "00:00")),),
        date(2024, 10, 17),
    ),
    "the day of the debit itself does not": (
        (closed(at(10, "00:00"), at(11, "00:00")),),
        SIXTEENTH,
    ),
    "overlapping closures count once": (
        (closed(at(14, "00:00"), at(15, "00:00")), closed(at(14, "09:00"), at(15, "00:00"))),
        date(2024, 10, 17),
    ),
    "days that are owed may be lost again": (
        (closed(at(16, "00:00"), at(17, "00:00")), closed(at(17, "00:00"), at(18, "00:00"))),
        date(2024, 10, 18),
    ),
    "after the window nothing is lost": (
        (closed(at(17, "00:00"), at(30, "00:00")),),
        SIXTEENTH,
    ),
    "a closure without an end": ((closed(at(15, "00:00"), None),), None),
    "a closure without an end, after the window": (
        (closed(at(17, "00:00"), None),),
        SIXTEENTH,
    ),
}


@pytest.mark.parametrize(("closures", "end"), CLOSURES.values(), ids=CLOSURES.keys())
def test_the_end_of_the_window(closures: tuple[Closure, ...], end: date | None) -> None:
    assert stretched(TENTH, SIXTEENTH, closures, CALENDAR) == end


def test_a_closure_without_an_end_leaves_no_known_end() -> None:
    shut = Authority("medical-990100", "closed", (closed(at(11), None),))
    assert windows(due(posted=POSTED), shut).record_ends_at == NEVER
    past = Authority("medical-990100", "open", (closed(at(1), at(2)),))
    assert windows(due(posted=POSTED), past).record_ends_at == at(17, "00:00")


def test_a_deferred_debit_is_waited_for_until_its_own_day() -> None:
    until = replace(ASSESSED_SIDE, deferred={Insurance.MEDICAL: date(2024, 12, 31)})
    authority = Authority("medical-990100")

    def found(insurance: Insurance) -> datetime:
        sides = replace(due(), insurance=insurance)
        ends = windows_of(sides, OCTOBER, until, None, authority, CALENDAR, OCTOBER)
        return ends.debit_ends_at

    assert found(Insurance.MEDICAL) == CALENDAR.day_ends_at(date(2024, 12, 31))
    assert found(Insurance.PENSION) == CALENDAR.day_ends_at(TENTH)


def test_days_of_a_year_that_is_not_announced_count_as_rest_days() -> None:
    blind = Calendar(
        lambda day: CALENDAR.is_working_day(day) if day.year < 2025 else None, CALENDAR.day_ends_at
    )
    shut = (closed(at(31, "00:00", month=12), datetime(2025, 1, 1, tzinfo=at(1).tzinfo)),)
    last = stretched(date(2024, 12, 30), date(2024, 12, 31), shut, blind)
    assert last is not None
    assert last > date(2025, 3, 1)
    assert rolled(LevyPeriod(2025, 1), 15, blind) == date(2025, 1, 31)


def test_a_city_day_on_a_rest_day_rolls_to_the_next_working_day() -> None:
    assert rolled(OCTOBER, 15, CALENDAR) == date(2024, 10, 15)
    assert rolled(OCTOBER, 1, CALENDAR) == date(2024, 10, 8)
    assert rolled(LevyPeriod(2024, 2), 31, CALENDAR) == date(2024, 2, 29)


def test_a_debit_without_a_window_is_bound_by_its_month() -> None:
    bare = PostedLine("posted", 1, 1, 1, None, None)
    assert windows(due(posted=bare)).record_ends_at == at(1, "00:00", month=11)


def test_a_city_that_is_paid_in_the_next_month_is_waited_for_until_then() -> None:
    """As contribution-svc tells Shanghai's days: those of October are days of November."""
    told = policy_of(policy_changed(POLICIES.packs["310000"], 1, date(2026, 11, 22)))
    shanghai = Days(told.filing_day, told.debit_day, told.months_after)
    found = windows_of(cell(), OCTOBER, None, shanghai, Authority(""), CALENDAR, OCTOBER)
    assert found.assess_ends_at == at(16, "00:00", month=11)
    assert found.debit_ends_at >= at(11, "00:00", month=11)
    assert found.month_ends_at == at(1, "00:00", month=12)
    assert judge(cell(), found, Authority(""), at(15, "23:59", month=11)).outcome is (
        Outcome.NOT_ASSESSED
    )
    assert judge(cell(), found, Authority(""), at(16, "00:00", month=11)).outcome is (
        Outcome.NOT_ASSESSED_LATE
    )
