"""Every way in which a pay item is reckoned, exact to the fen, and what must hold for all."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.differences import PaidMonth, differences
from payroll_svc.domain.income_tax import TaxPayer
from payroll_svc.domain.pay import Assessment, pay_of, still_due
from payroll_svc.domain.pay_items import (
    Entry,
    Reckoned,
    Standing,
    after_tax_fen_of,
    gross_fen_of,
    wage_fen_of,
)
from payroll_svc.domain.payroll_run import Entered, differences_of, month_of
from payroll_svc.domain.people import Spell
from payroll_svc.domain.reckoning import Month, reckoned
from shared.values import LevyPeriod
from tests.support.pay import CATALOGUE, TERMS, items_of, line, month, paid, person, spell, standing

WAGE = 870_000
"""8,700 a month is 400 a day and 50 an hour."""


@pytest.mark.parametrize(
    ("entry", "fen", "words"),
    [
        (
            Entry("piece_pay", 0, 1_200_500, 1_250),
            15_006,
            "计件工资：1200.5 件 × 0.125 = 150.06",
        ),  # 150.0625
        (Entry("overtime_150", 0, 2_000), 15_000, "8,700.00 ÷ 21.75 ÷ 8 × 2 小时 × 150%"),
        (Entry("overtime_200", 0, 8_000), 80_000, "8 小时 × 200% = 800.00"),
        (Entry("overtime_300", 0, 500), 7_500, "0.5 小时 × 300% = 75.00"),
        (Entry("absence", 0, 1_500), -60_000, "8,700.00 ÷ 21.75 × 1.5 天 × 100% = 600.00（扣减）"),
        (Entry("personal_leave", 0, 1_000), -40_000, "事假扣款"),
        (Entry("bonus", 123_456), 123_456, "奖金：录入 1,234.56"),
        (Entry("after_tax_deduction", 5_000), -5_000, "税后扣款：录入 50.00（扣减）"),
    ],
)
def test_an_entry_becomes_an_item_with_its_reckoning(entry: Entry, fen: int, words: str) -> None:
    [item] = [
        one for one in reckoned(month("2026-03", WAGE, entry), CATALOGUE) if one.code == entry.code
    ]
    assert item.amount_fen == fen
    assert words in item.reckoning
    assert item.steps


def test_what_counts_as_wage_and_what_is_beside_the_gross() -> None:
    entries = (
        Entry("bonus", 10_000),
        Entry("travel_allowance", 20_000),
        Entry("after_tax_addition", 4_000),
        Entry("after_tax_deduction", 5_000),
    )
    items = reckoned(month("2026-03", WAGE, *entries), CATALOGUE)
    assert gross_fen_of(items) == WAGE + 30_000
    assert wage_fen_of(items) == WAGE + 10_000
    assert after_tax_fen_of(items) == -1_000


def test_an_entry_of_nothing_was_taken_back() -> None:
    assert items_of(month("2026-03", WAGE, Entry("bonus"))) == {"base_salary": WAGE}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([("allowance", "2026-01-01", 44_000, "")], 44_000),
        ([("allowance", "2026-03-16", 44_000, "")], 24_000),  # 12 of 22 days
        ([("allowance", "2026-01-01", 44_000, "2026-03-13")], 20_000),  # 10 of 22 days
        ([("allowance", "2026-01-01", 44_000, ""), ("allowance", "2026-03-01", 0, "")], 0),
        ([("allowance", "2026-04-01", 44_000, "")], 0),
        ([("welfare", "2026-03-16", 44_000, "")], 44_000),  # not by days
    ],
)
def test_a_standing_item_is_paid_by_its_days(
    items: list[tuple[str, str, int, str]], expected: int
) -> None:
    rises = [standing(*one) for one in items]
    assert items_of(month("2026-03", WAGE, rises=rises)).get(items[0][0], 0) == expected


def test_a_raise_in_a_part_month_is_paid_by_2175() -> None:
    """Hired on the 9th, raised on the 16th: 5 days at 21,750 and 12 at 43,500."""
    rise = standing("base_salary", "2026-03-16", 4_350_000)
    part = month("2026-03", 2_175_000, spells=[spell("2026-03-09")], rises=[rise])
    assert items_of(part) == {"base_salary": 5 * 100_000 + 12 * 200_000}


def test_who_works_on_a_rest_day_only_has_no_paid_day() -> None:
    part = month("2026-03", WAGE, spells=[spell("2026-03-28", "2026-03-29")])
    [item] = reckoned(part, CATALOGUE)
    assert item.amount_fen == 0
    assert "没有计薪日" in item.reckoning


days = st.integers(1, 31)
entries = st.lists(
    st.one_of(
        st.builds(
            Entry, st.sampled_from(["bonus", "commission", "welfare"]), st.integers(0, 10**7)
        ),
        st.builds(
            Entry,
            st.sampled_from(["overtime_150", "overtime_300", "absence", "personal_leave"]),
            st.just(0),
            st.integers(0, 100_000),
        ),
        st.builds(
            Entry, st.just("piece_pay"), st.just(0), st.integers(0, 10**7), st.integers(0, 10**6)
        ),
    ),
    max_size=6,
    unique_by=lambda entry: entry.code,
)
standing_items = st.lists(
    st.builds(
        Standing,
        st.sampled_from(["base_salary", "allowance", "post_salary"]),
        st.dates(date(2026, 1, 1), date(2026, 3, 31)),
        st.integers(0, 10**7),
    ),
    max_size=5,
    unique_by=lambda one: (one.code, one.since),
)


@st.composite
def months(draw: st.DrawFn) -> Month:
    low, high = sorted((draw(days), draw(days)))
    spells = (Spell(date(2026, 3, low), "d", "c", "a", date(2026, 3, high)),)
    if draw(st.booleans()):
        spells = (spell("2020-01-01"),)
    wage = draw(st.integers(1, 10**7))
    return Month(
        LevyPeriod(2026, 3), spells, wage, tuple(draw(standing_items)), tuple(draw(entries))
    )


@given(months())
def test_the_parts_add_up_to_the_gross(one: Month) -> None:
    items = reckoned(one, CATALOGUE)
    assert gross_fen_of(items) + after_tax_fen_of(items) == sum(i.amount_fen for i in items)
    assert all(isinstance(item.amount_fen, int) and item.reckoning for item in items)


@given(months(), st.randoms(use_true_random=False))
def test_the_order_of_what_was_entered_is_nothing(one: Month, order: random.Random) -> None:
    rises, given_entries = list(one.standing), list(one.entries)
    order.shuffle(rises)
    order.shuffle(given_entries)
    other = Month(one.period, one.spells, one.agreed_wage_fen, tuple(rises), tuple(given_entries))
    assert reckoned(other, CATALOGUE) == reckoned(one, CATALOGUE)


@given(months())
def test_a_part_month_is_never_more_than_the_highest_wage_of_it(one: Month) -> None:
    bare = Month(one.period, one.spells, one.agreed_wage_fen, one.standing)
    highest = max(
        one.agreed_wage_fen,
        *(s.amount_fen for s in one.standing if s.code == "base_salary"),
        0,
    )
    assert 0 <= items_of(bare)["base_salary"] <= highest


@given(months(), st.integers(0, 10**6), st.integers(1, 12))
def test_gross_less_what_is_taken_is_net(one: Month, own_fen: int, number: int) -> None:
    done = paid(one, [line("pension", 1, own_fen, 2 * own_fen)], date(2026, number, 5), number)
    pay = done.pay
    gross, after = gross_fen_of(done.items), after_tax_fen_of(done.items)
    assert gross - pay.contributions_fen - pay.tax_fen + after == pay.net_fen


def by_code(items: tuple[Reckoned, ...]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for item in items:
        sums[item.code] = sums.get(item.code, 0) + item.amount_fen
    return {code: fen for code, fen in sums.items() if fen}


@given(months(), months())
def test_what_was_paid_and_its_difference_are_what_a_right_run_would_have_been(
    wrong: Month, right: Month
) -> None:
    paid_items, right_items = (reckoned(one, CATALOGUE) for one in (wrong, right))
    late = differences("2026-03", right_items, paid_items)
    assert by_code((*paid_items, *late)) == by_code(right_items)
    assert differences("2026-03", right_items, (*paid_items, *late)) == ()
    assert gross_fen_of((*paid_items, *late)) == gross_fen_of(right_items)


@given(months(), months(), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 12))
def test_a_run_and_its_correction_pay_what_a_right_run_would_have_paid(
    wrong: Month, right: Month, taken_fen: int, due_fen: int, number: int
) -> None:
    """Paid in one month: gross, contributions, tax and net add up, unless too much tax was taken,
    which waits for the year's later payments.
    """
    payday = date(2026, number, 5)
    was, due = line("pension", 1, taken_fen, taken_fen), line("pension", 1, due_fen, due_fen)
    first = paid(wrong, [was], payday, number)
    once = paid(right, [due], payday, number)
    late = differences("2026-03", once.items, first.items)
    lines = still_due("2026-03", [due], [was])
    payer = TaxPayer(payday, number)
    then = pay_of("employee", late, lines, Assessment(1, ()), first.after, payer, TERMS)
    assert gross_fen_of(first.items) + gross_fen_of(late) == gross_fen_of(once.items)
    assert first.pay.contributions_fen + then.contributions_fen == once.pay.contributions_fen
    assert first.pay.employer_fen + then.employer_fen == once.pay.employer_fen
    tax_fen = first.pay.tax_fen + then.tax_fen
    assert tax_fen == max(first.pay.tax_fen, once.pay.tax_fen)
    surplus_fen = tax_fen - once.pay.tax_fen
    assert first.pay.net_fen + then.net_fen == once.pay.net_fen - surplus_fen


@given(standing_items, entries, standing_items, entries)
def test_a_second_correction_finds_nothing_more(
    first: list[Standing], given_first: list[Entry], then: list[Standing], given_then: list[Entry]
) -> None:
    who = person("a", spell("2020-01-01"))
    before = Entered(tuple(first), {"2026-03": tuple(given_first)})
    now = Entered(tuple(then), {"2026-03": tuple(given_then)})
    items = reckoned(month_of(who, LevyPeriod(2026, 3), before), CATALOGUE)
    known = PaidMonth("2026-03", who.agreed_wage_fen, items)
    late = differences_of(who, known, CATALOGUE, now)
    corrected = PaidMonth("2026-03", who.agreed_wage_fen, (*items, *late))
    assert differences_of(who, corrected, CATALOGUE, now) == ()
