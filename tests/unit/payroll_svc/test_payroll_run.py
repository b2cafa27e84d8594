"""Paydays, who is in a run, what a run waits for, and what it makes good."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import pytest

from payroll_svc.domain.differences import PaidMonth, unpaid_notes
from payroll_svc.domain.pay import Assessment, DueLine, waiting_for
from payroll_svc.domain.pay_items import Entry, Reckoned
from payroll_svc.domain.payroll_run import (
    Entered,
    Member,
    correction_id_of,
    members_of,
    outdated,
    payday_of,
    recomputed,
    run_id_of,
)
from payroll_svc.domain.people import Person, Spell
from payroll_svc.domain.reckoning import reckoned
from shared.clock import WorkCalendar
from shared.values import LevyPeriod, derived_id
from tests.support.pay import CATALOGUE, month, person, spell, standing

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


def members(
    people: Sequence[Person],
    entered: Mapping[str, Entered] | None = None,
    paid: Mapping[str, Sequence[PaidMonth]] | None = None,
) -> dict[str, Member]:
    found = members_of(people, OCTOBER, CATALOGUE, entered or {}, paid or {})
    return {member.employee_id: member for member in found}


def test_everyone_of_the_roster_is_in_it_or_named_with_why_not() -> None:
    people = [
        person("works", spell("2020-01-01")),
        person("joins within", spell("2024-10-08")),
        person("left last month", spell("2020-01-01", "2024-09-30")),
        person("joins later", spell("2024-11-01")),
        person("came back", spell("2020-01-01", "2021-01-01"), spell("2024-10-01")),
        person("no wage", spell("2020-01-01"), wage_fen=0),
        person("wage by a standing item", spell("2020-01-01"), wage_fen=0),
        person("left on the first", spell("2020-01-01", "2024-09-01")),
        person("joins on the last", spell("2024-10-31")),
        person("left long ago", spell("2020-01-01", "2024-08-31")),
    ]
    wage = Entered((standing("base_salary", "2024-01-01", 700_000),))
    found = members(people, {"wage by a standing item": wage})
    assert {name: member.left_out for name, member in found.items()} == {
        "works": "",
        "joins within": "",
        "left last month": "left_before_period",
        "joins later": "joins_after_period",
        "came back": "",
        "no wage": "agreed_wage_unknown",
        "wage by a standing item": "",
        "left on the first": "left_before_period",
        "joins on the last": "",
    }
    assert found["wage by a standing item"].gross_fen == 700_000


def test_a_member_has_their_wage_version_and_last_department() -> None:
    def in_department(name: str, since: str, until: str = "") -> Spell:
        return replace(spell(since, until), department_id=name)

    moved = person(
        "moved",
        in_department("sales", "2020-01-01", "2024-10-30"),
        in_department("accounts", "2024-10-31", "2024-10-31"),
        in_department("board", "2024-11-01"),
        version=4,
    )
    [found] = members_of([moved], OCTOBER, CATALOGUE, {}, {})
    assert (found.department_id, found.person_version) == ("accounts", 4)
    assert found.agreed_wage_fen == 1_000_000
    [later] = members_of([person("later", spell("2024-11-01"))], OCTOBER, CATALOGUE, {}, {})
    assert (later.department_id, later.left_out) == ("", "joins_after_period")


def test_what_adds_up_to_nothing_is_paid_out_and_owes_nothing_back() -> None:
    gone = person("gone", spell("2020-01-01", "2024-08-31"), wage_fen=2_175_000)
    both = (Entry("commission", 100_000), Entry("absence", 0, 1_000))
    found = members([gone], {"gone": Entered((), {"2024-10": both})})["gone"]
    assert (found.gross_fen, found.left_out) == (0, "")


def test_who_has_left_is_still_paid_what_comes_after() -> None:
    """A commission of September, entered in October: paid without waiting for contributions."""
    gone = person("gone", spell("2020-01-01", "2024-08-31"))
    late = Entered((), {"2024-10": (Entry("commission", 50_000),)})
    found = members([gone], {"gone": late})["gone"]
    assert (found.gross_fen, found.left_out, found.awaits_assessment) == (50_000, "", False)


def paid_september(wage_fen: int) -> PaidMonth:
    items = reckoned(month("2024-09", wage_fen), CATALOGUE)
    return PaidMonth("2024-09", wage_fen, items)


def test_a_raise_dated_back_is_made_good_in_the_next_run_with_its_month() -> None:
    raised = Entered((standing("base_salary", "2024-09-01", 1_200_000),))
    found = members(
        [person("raised", spell("2020-01-01"))],
        {"raised": raised},
        {"raised": [paid_september(1_000_000)]},
    )["raised"]
    assert [(item.belongs_to, item.code, item.amount_fen) for item in found.items] == [
        ("", "base_salary", 1_200_000),
        ("2024-09", "base_salary", 200_000),
    ]
    assert found.items[1].reckoning == (
        "基本工资差额：2024-09 应为 12,000.00，已发 10,000.00，补发 2,000.00"
    )


def test_an_undated_wage_makes_no_difference_of_the_past() -> None:
    """A roster that says 12,000 now says nothing of September: only a first day does."""
    now = person("raised", spell("2020-01-01"), wage_fen=1_200_000)
    found = members([now], {}, {"raised": [paid_september(1_000_000)]})["raised"]
    assert [(item.belongs_to, item.amount_fen) for item in found.items] == [("", 1_200_000)]


def test_who_left_before_they_were_paid_is_named_as_owing_it_back() -> None:
    for left_on in ("2024-07-31", "2024-09-13"):
        gone = person("gone", spell("2020-01-01", left_on))
        found = members([gone], {}, {"gone": [paid_september(1_000_000)]})
        assert found["gone"].left_out == "owes_back"


def test_a_salary_gets_a_new_version_only_when_it_changed() -> None:
    def of(name: str, fen: int, version: int = 0) -> Member:
        return Member(name, (Reckoned("base_salary", "基本工资", fen),), version=version)

    known = [of("same", 5, 1), of("more", 5, 1), of("gone", 5, 2)]
    known += [Member("now paid", left_out="agreed_wage_unknown"), of("off the roster", 5, 1)]
    fresh = [of("same", 5), of("more", 6), Member("gone", left_out="left_before_period")]
    fresh += [of("now paid", 7), of("new", 8), Member("never", left_out="joins_after_period")]
    assert {m.employee_id: (m.gross_fen, m.version) for m in recomputed(known, fresh)} == {
        "same": (5, 1),
        "more": (6, 2),
        "gone": (0, 3),
        "now paid": (7, 1),
        "new": (8, 1),
        "never": (0, 0),
        "off the roster": (0, 2),
    }


def test_who_is_off_the_roster_stays_in_the_run_named() -> None:
    [found] = recomputed([Member("gone", version=3)], [])
    assert (found.employee_id, found.left_out, found.version) == ("gone", "left_before_period", 3)


def test_a_run_is_outdated_by_what_it_would_pay_now_and_by_whom_it_would_name() -> None:
    def of(name: str, fen: int, belongs_to: str = "", left_out: str = "") -> Member:
        item = Reckoned("base_salary", "基本工资", fen, belongs_to=belongs_to)
        return Member(name, (item,) if fen else (), left_out)

    known = [of("same", 5), of("more", 5), of("late", 5, "2024-09"), of("undone", 5)]
    known += [of("still out", 0, left_out="left_before_period"), of("in now", 0, left_out="x")]
    known += [of("no more", 0, left_out="left_before_period")]
    fresh = [of("same", 5), of("more", 6), of("late", 6, "2024-09"), of("in now", 7)]
    fresh += [of("still out", 0, left_out="left_before_period"), of("hired", 8)]
    fresh += [of("hired without wage", 0, left_out="agreed_wage_unknown")]
    fresh += [of("joins later", 0, left_out="joins_after_period")]
    fresh += [of("left long ago", 0, left_out="left_before_period")]
    assert dict(outdated(known, fresh)) == {
        "more": "changed_since_computed",
        "late": "differences_changed",
        "undone": "changed_since_computed",
        "in now": "changed_since_computed",
        "hired": "not_in_run",
        "hired without wage": "not_in_run",
    }
    assert outdated(fresh, fresh) == []


def test_a_salary_of_nothing_is_told_once_and_who_is_left_out_is_not_told() -> None:
    assert recomputed([], [Member("nothing yet")])[0].version == 1
    assert recomputed([], [Member("left", left_out="left_before_period")])[0].version == 0


def test_runs_and_corrections_have_ids_of_their_own_that_never_change() -> None:
    """Every release derives the same, so that what is told again is recognised."""
    first = run_id_of("employer", "2024-10")
    assert first == str(derived_id("payroll-run", "employer", "2024-10"))
    assert correction_id_of(first, 1) == str(derived_id("payroll-run", first, "correction", "1"))
    others = {run_id_of("employer", "2024-11"), run_id_of("other", "2024-10")}
    corrections = {correction_id_of(run, n) for run in (first, *others) for n in (1, 2)}
    assert len({first, *others, *corrections}) == 9


def test_the_same_gross_of_other_items_is_news() -> None:
    known = [Member("a", (Reckoned("base_salary", "", 5),), version=1)]
    fresh = [Member("a", (Reckoned("base_salary", "", 4), Reckoned("bonus", "", 1)))]
    assert recomputed(known, fresh)[0].version == 2


def due(employee_fen: int = 0, state: str = "due", reason: str = "", to: str = "") -> DueLine:
    return DueLine("pension", state, reason, 950_000, 152_000, employee_fen, withhold_in=to)


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


def test_only_what_is_due_in_its_own_month_is_taken() -> None:
    lines = (
        due(76_000),
        due(1, "blocked", "work_permit"),
        due(2, "exempt"),
        due(344, to="2024-12"),
    )
    assert Assessment(3, lines).due("2024-10") == (due(76_000),)


def test_hr_is_told_of_paid_months_that_no_run_makes_good() -> None:
    first = LevyPeriod(2025, 11)
    early = {("a", "2025-08"): True, ("b", "2025-10"): True, ("a", "2025-11"): True}
    lost = {("a", "2025-09"): False, ("a", "2025-12"): False}
    assert unpaid_notes(early, LevyPeriod(2025, 8)) == ()
    assert unpaid_notes({**early, **lost}, first) == (
        "2025-08 至 2025-10 的 2 个月（2 人）已发薪，早于下一次工资核算会补差的 "
        "2025-11 及以后月份：其中的差额不会自动补发或扣回，请对这些月份逐月做更正发薪",
        "2025-09 至 2025-12 的 2 个月（1 人）已发薪，核算过程没有保存："
        "其中的差额不会自动补发或扣回，请把差额录入下一次工资核算",
    )
