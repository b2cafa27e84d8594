"""Dated values on small series of their own: which figure holds, until when it is carried over,
and which own rates a range allows.
"""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.figures import Figure, Range, changes, figure_at

LAST = date(2025, 12, 31)
OLD = Figure(431_100, date(2025, 1, 1), LAST, date(2025, 9, 19), "old")
NEWER = Figure(435_400, date(2026, 1, 1), None, date(2026, 9, 7), "newer")
KNOWN = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("day", "months", "found"),
    [
        pytest.param(LAST, 0, OLD, id="on its last day it holds of itself"),
        pytest.param(LAST, 12, OLD, id="and is not provisional"),
        pytest.param(date(2026, 1, 1), 0, None, id="the day after nothing holds"),
        pytest.param(date(2026, 1, 31), 1, date(2026, 1, 31), id="carried over for one month"),
        pytest.param(date(2026, 2, 1), 1, None, id="and not a day longer"),
        pytest.param(date(2026, 12, 31), 12, date(2026, 12, 31), id="for a year"),
        pytest.param(date(2024, 12, 31), 12, None, id="never back in time"),
    ],
)
def test_a_figure_that_ended_is_carried_over_as_a_provisional_one(
    day: date, months: int, found: Figure | date | None
) -> None:
    if isinstance(found, date):
        found = replace(OLD, effective_to=found, provisional=True)
    assert figure_at((OLD, NEWER), day, KNOWN, months) == found


def test_nothing_is_carried_over_unless_it_is_said_for_how_long() -> None:
    assert figure_at((OLD,), date(2026, 1, 15), KNOWN) is None


def test_a_notice_holds_from_the_day_on_which_it_is_known_and_not_a_day_earlier() -> None:
    day = date(2026, 1, 15)
    before = figure_at((OLD, NEWER), day, date(2026, 9, 6), 12)
    assert before is not None
    assert (before.value, before.provisional) == (431_100, True)
    assert figure_at((OLD, NEWER), day, date(2026, 9, 7), 12) == NEWER


def test_a_notice_is_said_with_the_day_of_its_publication_where_one_is_known() -> None:
    assert NEWER.notice_said() == "newer，2026-09-07公布"
    assert replace(NEWER, dated=False).notice_said() == "newer，公布日不详"


def test_of_those_that_ended_the_last_one_is_carried_over() -> None:
    """By its end, not by the day of its notice; of two with one end, by the younger notice."""
    late_notice_of_old = replace(
        OLD,
        value=1,
        effective_from=date(2024, 1, 1),
        effective_to=date(2024, 12, 31),
        known_since=date(2026, 3, 1),
    )
    corrected = replace(OLD, value=2, known_since=date(2026, 2, 1))
    for series in ((OLD, late_notice_of_old), (late_notice_of_old, OLD)):
        found = figure_at(series, date(2026, 1, 15), KNOWN, 12)
        assert found is not None
        assert found.value == OLD.value
    for series in ((OLD, corrected), (corrected, OLD)):
        found = figure_at(series, date(2026, 1, 15), KNOWN, 12)
        assert found is not None
        assert found.value == 2


def test_what_is_provisional_ends_where_a_notice_begins_and_does_not_come_back() -> None:
    """Nanjing's way: levied on last year's standard, open, until the notice of the year comes."""
    january, known = date(2026, 1, 1), date(2026, 12, 25)
    waiting = replace(
        OLD, effective_from=january, effective_to=None, known_since=january, provisional=True
    )
    year = replace(NEWER, effective_to=date(2026, 12, 31))
    assert figure_at((OLD, waiting, year), date(2026, 6, 1), date(2026, 9, 6), 12) == waiting
    assert figure_at((OLD, waiting, year), date(2026, 6, 1), known, 12) == year
    found = figure_at((OLD, waiting, year), date(2027, 1, 1), known, 12)
    assert found is not None
    assert (found.value, found.provisional) == (435_400, True)
    half = replace(year, effective_from=date(2026, 7, 1))
    assert figure_at((OLD, waiting, half), date(2026, 6, 1), known, 12) == waiting
    cut = replace(waiting, provisional=False)
    assert figure_at((OLD, cut, year), date(2027, 1, 1), known, 12) == cut


def test_every_day_on_which_another_figure_may_hold() -> None:
    series = (OLD, NEWER)
    assert changes(series, date(2026, 9, 6), 0) == {date(2025, 1, 1), date(2026, 1, 1)}
    assert changes(series, date(2026, 9, 6), 12) == {
        date(2025, 1, 1),
        date(2026, 1, 1),
        date(2027, 1, 1),
    }
    assert changes((NEWER,), date(2026, 9, 6), 12) == set()
    assert changes((NEWER,), date(2026, 9, 7), 12) == {date(2026, 1, 1)}


FUND = Range(50_000, 120_000, 10_000)


@pytest.mark.parametrize(
    ("allowed", "rate_ppm", "is_allowed"),
    [
        pytest.param(FUND, 50_000, True, id="the least"),
        pytest.param(FUND, 49_999, False, id="under it"),
        pytest.param(FUND, 120_000, True, id="the most"),
        pytest.param(FUND, 130_000, False, id="over it"),
        pytest.param(FUND, 75_000, False, id="between two steps"),
        pytest.param(FUND, 50_001, False, id="a millionth beside a step"),
        pytest.param(Range(5_000, 9_000, 3_000), 8_000, True, id="steps count from the least"),
        pytest.param(replace(FUND, step=0), 75_001, True, id="any rate where no step is said"),
        pytest.param(Range(1_400, None), 19_000, True, id="no end was published"),
        pytest.param(Range(1_400, None), 1_399, False, id="but a least"),
    ],
)
def test_an_own_rate_is_within_its_range_and_on_its_steps(
    allowed: Range, rate_ppm: int, is_allowed: bool
) -> None:
    assert allowed.has(rate_ppm) is is_allowed


@pytest.mark.parametrize(
    ("percents", "floated"),
    [
        pytest.param((), FUND, id="no float: as it is"),
        pytest.param((50, 80, 100, 120, 150), Range(25_000, 180_000), id="half to half more"),
        pytest.param((120,), Range(60_000, 144_000), id="one float"),
    ],
)
def test_a_class_is_floated_at_both_ends_and_loses_its_steps(
    percents: tuple[int, ...], floated: Range
) -> None:
    assert FUND.floated(percents) == floated


def test_a_float_of_a_range_without_an_end_has_none() -> None:
    assert Range(1_400, None).floated((50, 150)) == Range(700, None)


@given(st.integers(1, 20_000), st.integers(0, 20_000), st.sampled_from([50, 80, 120, 150]))
def test_a_floated_rate_of_the_range_is_in_the_floated_range(
    least: int, more: int, percent: int
) -> None:
    floated = Range(least, least + more).floated((50, 80, 100, 120, 150))
    for rate_ppm in (least, least + more):
        assert floated.has(rate_ppm * percent // 100)
        assert {type(floated.least), type(floated.most)} == {int}
