"""Which cells a roster and a scheme imply, and which levy periods are opened for whom."""

from datetime import date

import pytest

from reconciliation_svc.domain.roster import (
    NOWHERE,
    Employee,
    Policy,
    Scheme,
    Spell,
    next_to_open,
    periods_to_open,
    roster_side,
    spell_of,
)
from reconciliation_svc.usecases.rosters import newest_opened, opens_at
from shared.values import Insurance, LevyPeriod
from tests.support.reconciling import OCTOBER, at

SEPTEMBER, NOVEMBER = LevyPeriod(2024, 9), LevyPeriod(2024, 11)


def spell(since: date, until: date | None = None, city: str = "990100") -> Spell:
    return Spell(since, until, city, f"account-{city}", "operations")


def scheme(
    insurance: Insurance, since: date, until: date | None = None, authority: str = "hrss"
) -> Scheme:
    return Scheme(insurance, authority, since, until)


PLACES = {
    "nowhere before the first day": ([spell(date(2024, 11, 1))], None),
    "nowhere after the last day": ([spell(date(2024, 1, 1), date(2024, 9, 30))], None),
    "a joiner in the middle of the month": ([spell(date(2024, 10, 31))], "990100"),
    "a leaver on the first day": ([spell(date(2024, 1, 1), date(2024, 10, 1))], "990100"),
    "who moves stays where the month was opened": (
        [spell(date(2024, 1, 1), date(2024, 10, 14)), spell(date(2024, 10, 15), city="990200")],
        "990100",
    ),
    "who moves on the first is in the new place": (
        [spell(date(2024, 1, 1), date(2024, 9, 30)), spell(date(2024, 10, 1), city="990200")],
        "990200",
    ),
}


@pytest.mark.parametrize(("spells", "city"), PLACES.values(), ids=PLACES.keys())
def test_a_month_has_one_place(spells: list[Spell], city: str | None) -> None:
    found = spell_of(spells, OCTOBER)
    assert (found.city if found else None) == city


def test_the_scheme_in_force_on_the_first_day_counts() -> None:
    policy = Policy(
        "990100",
        15,
        10,
        (
            scheme(Insurance.MEDICAL, date(2024, 10, 1), authority="new"),
            scheme(Insurance.MEDICAL, date(2023, 1, 1), authority="old"),
            scheme(Insurance.PENSION, date(2023, 1, 1), date(2024, 9, 30)),
            scheme(Insurance.MATERNITY, date(2024, 10, 2)),
        ),
    )
    person = Employee("wang", "employer-1", (spell(date(2023, 1, 1)),))
    october = roster_side(person, OCTOBER, {"990100": policy})
    assert october is not None
    assert october.authorities == {Insurance.MEDICAL: "new"}
    september = roster_side(person, SEPTEMBER, {"990100": policy})
    assert september is not None
    assert september.authorities == {Insurance.MEDICAL: "old", Insurance.PENSION: "hrss"}


def test_an_unknown_city_is_not_an_empty_scheme() -> None:
    person = Employee("wang", "employer-1", (spell(date(2024, 10, 1)),))
    assert roster_side(person, OCTOBER, {}) is None
    assert roster_side(person, SEPTEMBER, {}) == NOWHERE


def test_periods_open_from_cut_over_or_first_day_and_where_facts_named_one() -> None:
    person = Employee("wang", "employer-1", (spell(date(2024, 9, 23)),))
    assert periods_to_open(person, LevyPeriod(2024, 8), OCTOBER, []) == [SEPTEMBER, OCTOBER]
    assert periods_to_open(person, OCTOBER, OCTOBER, []) == [OCTOBER]
    assert periods_to_open(person, OCTOBER, OCTOBER, [LevyPeriod(2024, 7)]) == [
        LevyPeriod(2024, 7),
        OCTOBER,
    ]
    assert periods_to_open(person, NOVEMBER, OCTOBER, []) == []


def test_the_next_period_is_awaited_only_while_a_spell_runs_on() -> None:
    running = Employee("wang", "employer-1", (spell(date(2024, 1, 1)),))
    leaving = Employee("wang", "employer-1", (spell(date(2024, 1, 1), date(2024, 10, 31)),))
    coming = Employee("wang", "employer-1", (spell(date(2025, 2, 10)),))
    assert next_to_open(running, OCTOBER, OCTOBER) == NOVEMBER
    assert next_to_open(leaving, OCTOBER, OCTOBER) is None
    assert next_to_open(coming, OCTOBER, OCTOBER) == LevyPeriod(2025, 2)
    assert next_to_open(running, LevyPeriod(2025, 1), OCTOBER) == LevyPeriod(2025, 1)


def test_a_period_opens_on_the_25th_of_the_month_before_at_six() -> None:
    assert opens_at(OCTOBER) == at(25, "06:00", month=9)
    assert newest_opened(at(25, "05:59", month=9)) == SEPTEMBER
    assert newest_opened(at(25, "06:00", month=9)) == OCTOBER
