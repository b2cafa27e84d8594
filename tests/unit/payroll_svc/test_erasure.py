"""Until when the law has an identity kept."""

from datetime import date

import pytest

from payroll_svc.domain.erasure import kept_until
from payroll_svc.domain.people import Person, Spell


def person(*ends: date | None) -> Person:
    spells = tuple(
        Spell(date(2015 + number, 1, 1), "department", "990100", "account", end)
        for number, end in enumerate(ends)
    )
    return Person("id", "E1", "regular", (), 0, 0, 0, "", "", spells)


@pytest.mark.parametrize(
    ("left", "months", "until"),
    [
        (date(2022, 9, 20), 24, date(2024, 9, 20)),
        (date(2024, 2, 29), 24, date(2026, 2, 28)),
        (date(2024, 12, 31), 24, date(2026, 12, 31)),
        (date(2024, 8, 31), 1, date(2024, 9, 30)),
        (date(2024, 8, 31), 0, date(2024, 8, 31)),
    ],
)
def test_the_period_counts_from_the_last_day_and_ends_on_a_day_that_exists(
    left: date, months: int, until: date
) -> None:
    assert kept_until(person(left), months) == until


def test_the_last_spell_counts_and_one_that_runs_keeps_everything() -> None:
    assert kept_until(person(date(2020, 1, 31), date(2022, 1, 31)), 24) == date(2024, 1, 31)
    assert kept_until(person(date(2020, 1, 31), None), 0) is None
