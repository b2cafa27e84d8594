"""Paydays, who is in a run, part months, and what a run waits for."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.income_tax import YearToDate
from payroll_svc.domain.payroll_run import (
    Assessment,
    DueLine,
    Member,
    members_of,
    part_month_fen,
    pay_of,
    payday_of,
    recomputed,
    tax_months,
    waiting_for,
)
from payroll_svc.domain.people import Person, Spell
from shared.clock import WorkCalendar
from shared.values import LevyPeriod

OCTOBER = LevyPeriod(2024, 10)


@pytest.mark.parametrize(
    ("period", "day_of_month", "payday"),
    [
        ("2024-10", 5, date(2024, 9, 30)),  # the week of the National Day goes before it
        ("2024-11", 5, date(2024, 11, 5)),  # a working day stays
        ("2024-12", 15, date(2024, 12, 13)),  # a Sunday goes to Friday
        ("2024-10", 12, date(2024, 10, 12)),  # a worked Saturday stays
        ("2025-02", 31, date(2025, 2, 28)),  # a month without that day pays on its last
        ("2025-01", 1, date(2024, 12, 31)),  # into the year before
    ],
)
def test_the_payday_rolls_back_to_a_working_day(
    period: str, day_of_month: int, payday: date
) -> None:
    calendar = WorkCalendar()
    assert payday_of(LevyPeriod.parse(period), day_of_month, calendar.on_or_before) == payday


def spell(since: str, until: str = "") -> Spell:
    end = date.fromisoformat(until) if until else None
    return Spell(date.fromisoformat(since), "department", "990100", "account", end)


def person(name: str, *spells: Spell, wage_fen: int = 1_000_000) -> Person:
    return Person(name, name, "regular", (), wage_fen, 0, 0, "", "", spells)


def test_everyone_of_the_roster_is_in_it_or_named_with_why_not() -> None:
    people = [
        person("works", spell("2020-01-01")),
        person("joins within", spell("2024-10-08")),
        person("left last month", spell("2020-01-01", "2024-09-30")),
        person("joins later", spell("2024-11-01")),
        person("came back", spell("2020-01-01", "2021-01-01"), spell("2024-10-01")),
        person("no wage", spell("2020-01-01"), wage_fen=0),
        person("left long ago", spell("2020-01-01", "2024-08-31")),
    ]
    assert {m.employee_id: m.left_out for m in members_of(people, OCTOBER)} == {
        "works": "",
        "joins within": "",
        "left last month": "left_before_period",
        "joins later": "joins_after_period",
        "came back": "",
        "no wage": "agreed_wage_unknown",
    }


def test_a_part_month_is_paid_by_its_weekdays() -> None:
    """Hired on 15 December 2025 on 21,750: 13 paid days of 1,000."""
    first, last = date(2025, 12, 1), date(2025, 12, 31)
    assert part_month_fen(2_175_000, [spell("2025-12-15")], first, last) == 1_300_000


@given(st.integers(1, 10**9), st.integers(1, 31), st.integers(1, 31))
def test_a_part_month_is_never_more_than_the_month(wage_fen: int, begin: int, end: int) -> None:
    first, last = OCTOBER.first_day(), OCTOBER.last_day()
    low, high = sorted((begin, end))
    part = [spell(f"2024-10-{low:02d}", f"2024-10-{high:02d}")]
    assert 0 <= part_month_fen(wage_fen, part, first, last) <= wage_fen


def test_a_salary_gets_a_new_version_only_when_it_changed() -> None:
    known = [Member("same", 5, "", 1), Member("more", 5, "", 1), Member("gone", 5, "", 2)]
    known += [Member("now paid", 0, "agreed_wage_unknown"), Member("off the roster", 5, "", 1)]
    fresh = [Member("same", 5), Member("more", 6), Member("gone", 0, "left_before_period")]
    fresh += [Member("now paid", 7), Member("new", 8), Member("never", 0, "joins_after_period")]
    assert {m.employee_id: (m.gross_fen, m.version) for m in recomputed(known, fresh)} == {
        "same": (5, 1),
        "more": (6, 2),
        "gone": (0, 3),
        "now paid": (7, 1),
        "new": (8, 1),
        "never": (0, 0),
        "off the roster": (0, 2),
    }


def due(employee_fen: int = 0, state: str = "due", reason: str = "") -> DueLine:
    return DueLine("pension", state, reason, 950_000, 152_000, employee_fen)


def test_a_run_waits_for_assessments_and_first_wages_but_not_for_papers() -> None:
    assessments = {
        "due": Assessment(1, (due(76_000),)),
        "papers": Assessment(1, (due(state="blocked", reason="work_permit"),)),
        "retired": Assessment(1, (due(state="exempt", reason="retired_rehired"),)),
        "hire": Assessment(1, (due(state="blocked", reason="first_wage_unknown"),)),
        "parked": Assessment(1, (due(state="blocked", reason="facts_parked:first_wage_unknown"),)),
    }
    assert waiting_for([*assessments, "nobody heard of"], assessments) == [
        ("hire", "first_wage_unknown"),
        ("parked", "first_wage_unknown"),
        ("nobody heard of", "not_assessed"),
    ]


def test_only_what_is_due_is_taken() -> None:
    lines = (due(76_000), due(19_000, "blocked", "work_permit"), due(19_000, "exempt"))
    pay = pay_of(Member("a", 1_000_000), Assessment(3, lines), YearToDate(), 1, 0)
    assert (pay.contributions_fen, pay.assessment_version) == (76_000, 3)
    assert pay.withheld == (due(76_000),)
    assert pay.net_fen == 1_000_000 - 76_000 - pay.tax_fen


@given(st.integers(0, 10**8), st.integers(0, 10**7), st.integers(1, 12))
def test_gross_is_contributions_and_tax_and_net(gross: int, own_fen: int, months: int) -> None:
    pay = pay_of(Member("a", gross), Assessment(1, (due(own_fen),)), YearToDate(), months, 200_000)
    assert pay.contributions_fen + pay.tax_fen + pay.net_fen == gross


@pytest.mark.parametrize(
    ("payday", "joined", "first_payday", "months"),
    [
        ("2024-09-30", "2020-01-01", "2024-09-30", 1),  # the employer's first run here
        ("2024-11-05", "2020-01-01", "2024-09-30", 3),
        ("2024-11-05", "2024-10-08", "2024-09-30", 2),  # joined after the first run
        ("2025-01-03", "2020-01-01", "2024-09-30", 1),  # a new tax year
        ("2025-03-05", "2020-01-01", "2024-09-30", 3),
        ("2024-09-30", "2024-10-08", "2024-09-30", 1),  # paid before the first day of work
    ],
)
def test_months_of_employment_in_the_tax_year(
    payday: str, joined: str, first_payday: str, months: int
) -> None:
    days = (date.fromisoformat(day) for day in (payday, joined, first_payday))
    assert tax_months(*days) == months
