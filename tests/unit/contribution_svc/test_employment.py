"""在职期间: what spells say, day by day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.employment import (
    Spell,
    employed_since,
    is_part_month,
    months_employed,
    paid_days,
)

DAY = timedelta(days=1)
FIRST = date(2022, 11, 15)
DAYS = st.dates(date(2022, 10, 1), date(2025, 3, 31))


@st.composite
def careers(draw: st.DrawFn) -> list[Spell]:
    """Spells in the order of their days, with and without days between; the last may still run."""
    spells: list[Spell] = []
    begins = FIRST
    for gap, length in draw(
        st.lists(st.tuples(st.sampled_from([0, 0, 1, 40]), st.integers(0, 300)), max_size=5)
    ):
        since = begins + gap * DAY
        spells.append((since, since + length * DAY))
        begins = since + (length + 1) * DAY
    is_running = draw(st.booleans())
    if spells and is_running:
        spells[-1] = (spells[-1][0], None)
    return spells


def is_employed(spells: list[Spell], day: date) -> bool:
    return any(since <= day and (until is None or day <= until) for since, until in spells)


@given(careers(), DAYS)
def test_an_employment_goes_back_to_the_day_before_which_there_was_none(
    spells: list[Spell], through: date
) -> None:
    begun = [since for since, _ in spells if since <= through]
    since = max(begun) if begun else (spells[0][0] if spells else None)
    while since is not None and is_employed(spells, since - DAY):
        since -= DAY
    assert employed_since(spells, through) == since


@pytest.mark.parametrize(
    ("came_back", "since"),
    [
        pytest.param(date(2024, 7, 1), date(2020, 3, 1), id="on the next day: never away"),
        pytest.param(date(2024, 7, 2), date(2024, 7, 2), id="after a day: newly hired"),
        pytest.param(date(2024, 7, 31), date(2024, 7, 31), id="on the last day of the month"),
        pytest.param(date(2024, 8, 1), date(2020, 3, 1), id="after the month: not yet"),
    ],
)
def test_who_comes_back_after_a_gap_is_newly_hired(came_back: date, since: date) -> None:
    spells = [(date(2020, 3, 1), date(2024, 6, 30)), (came_back, None)]
    assert employed_since(spells, date(2024, 7, 31)) == since


@given(careers(), st.integers(2022, 2025))
def test_a_month_with_a_day_of_employment_is_one(spells: list[Spell], year: int) -> None:
    days = (date(year, 1, 1) + n * DAY for n in range(365 if year % 4 else 366))
    assert months_employed(spells, year) == {d.month for d in days if is_employed(spells, d)}


@pytest.mark.parametrize(
    ("spell", "months"),
    [
        pytest.param((date(2020, 1, 1), date(2023, 1, 1)), {1}, id="left on New Year's Day"),
        pytest.param((date(2023, 12, 31), None), {12}, id="joined on its last day"),
        pytest.param((date(2020, 1, 1), date(2022, 12, 31)), set(), id="left before"),
        pytest.param((date(2024, 1, 1), None), set(), id="joined after"),
    ],
)
def test_a_day_at_the_edge_of_the_year_counts(spell: Spell, months: set[int]) -> None:
    assert months_employed([spell], 2023) == months


@given(DAYS)
def test_a_month_is_in_part_when_a_paid_day_of_it_came_before(since: date) -> None:
    assert is_part_month(since) is (paid_days(since) < paid_days(since.replace(day=1)))


def test_the_paid_days_of_december_2025() -> None:
    """Mondays to Fridays: 23 in all, 13 from Monday the 15th, 3 from Monday the 29th on."""
    assert [paid_days(date(2025, 12, day)) for day in (1, 15, 27, 29, 31)] == [23, 13, 3, 3, 1]
    assert not is_part_month(date(2024, 6, 3)), "the 1st and 2nd were a weekend"
    assert is_part_month(date(2024, 10, 2)), "the 1st was a holiday, and paid"
