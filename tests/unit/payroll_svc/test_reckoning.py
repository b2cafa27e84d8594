"""Every way in which a pay item is reckoned, exact to the fen, and what must hold for all."""

import random
from dataclasses import replace
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
    Step,
    after_tax_fen_of,
    gross_fen_of,
    wage_fen_of,
)
from payroll_svc.domain.payroll_run import Entered, differences_of, month_of
from payroll_svc.domain.people import Spell
from payroll_svc.domain.reckoning import Month, reckoned
from shared.values import LevyPeriod, fen_text
from tests.support.pay import CATALOGUE, TERMS, items_of, line, month, paid, person, spell, standing

WAGE = 870_000
"""8,700 a month is 400 a day and 50 an hour."""


def of_wage(quantity: str, thousandths: int, rate_ppm: int) -> tuple[Step, ...]:
    return (
        Step("月工资", WAGE),
        Step(quantity, thousandths, "thousandths"),
        Step("倍率", rate_ppm, "ppm"),
    )


@pytest.mark.parametrize(
    ("entry", "fen", "words", "steps"),
    [
        pytest.param(
            Entry("piece_pay", 0, 1_200_500, 1_250),
            15_006,
            "计件工资：1200.5 件 × 0.125 = 150.06",
            (Step("数量", 1_200_500, "thousandths"), Step("单价", 1_250, "fen_hundredths")),
            id="150.0625",
        ),
        pytest.param(
            Entry("piece_pay", 123_456, 7_000, 0),
            123_456,
            "计件工资：录入 1,234.56",
            (Step("录入金额", 123_456),),
            id="pieces that a department has reckoned itself",
        ),
        pytest.param(
            Entry("overtime_150", 0, 2_000),
            15_000,
            "工作日加班工资：8,700.00 ÷ 21.75 ÷ 8 × 2 小时 × 150% = 150.00",
            of_wage("小时数", 2_000, 1_500_000),
            id="two hours",
        ),
        pytest.param(
            Entry("overtime_200", 0, 8_000),
            80_000,
            "休息日加班工资：8,700.00 ÷ 21.75 ÷ 8 × 8 小时 × 200% = 800.00",
            of_wage("小时数", 8_000, 2_000_000),
            id="a rest day",
        ),
        pytest.param(
            Entry("overtime_300", 0, 500),
            7_500,
            "法定节假日加班工资：8,700.00 ÷ 21.75 ÷ 8 × 0.5 小时 × 300% = 75.00",
            of_wage("小时数", 500, 3_000_000),
            id="half an hour",
        ),
        pytest.param(
            Entry("absence", 0, 1_500),
            -60_000,
            "缺勤扣款：8,700.00 ÷ 21.75 × 1.5 天 × 100% = 600.00（扣减）",
            of_wage("天数", 1_500, 1_000_000),
            id="a day and a half",
        ),
        pytest.param(
            Entry("absence", 0, 22_000),
            -WAGE,
            "缺勤扣款：8,700.00 ÷ 21.75 × 22 天 × 100%，以月工资为限 = 8,700.00（扣减）",
            of_wage("天数", 22_000, 1_000_000),
            id="every day of the month",
        ),
        pytest.param(
            Entry("bonus", 123_456),
            123_456,
            "奖金：录入 1,234.56",
            (Step("录入金额", 123_456),),
            id="an amount",
        ),
        pytest.param(
            Entry("after_tax_deduction", 5_000),
            -5_000,
            "税后扣款：录入 50.00（扣减）",
            (Step("录入金额", 5_000),),
            id="a deduction",
        ),
    ],
)
def test_an_entry_becomes_an_item_with_its_reckoning(
    entry: Entry, fen: int, words: str, steps: tuple[Step, ...]
) -> None:
    [item] = [
        one for one in reckoned(month("2026-03", WAGE, entry), CATALOGUE) if one.code == entry.code
    ]
    assert (item.amount_fen, item.reckoning, item.steps) == (fen, words, steps)
    assert (item.taxed, item.part) == (CATALOGUE[entry.code].taxed, CATALOGUE[entry.code].part)


@pytest.mark.parametrize(
    ("entry", "fen"),
    [
        pytest.param(Entry("overtime_150", 0, 1_000), 21_750_000, id="an hour of 145,000.00"),
        pytest.param(Entry("absence", 0, 1_000), -116_000_000, id="a day of 1,160,000.00"),
    ],
)
def test_a_large_wage_is_exact_as_well(entry: Entry, fen: int) -> None:
    assert items_of(month("2026-03", 2_523_000_000, entry))[entry.code] == fen


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


@pytest.mark.parametrize(
    ("code", "since", "words", "steps"),
    [
        pytest.param(
            "allowance",
            "2026-01-01",
            "津贴：全月在职，440.00",
            (Step("月标准", 44_000),),
            id="the whole month",
        ),
        pytest.param(
            "allowance",
            "2026-03-16",
            "津贴：0.00 × 10 天 ÷ 22 天 + 440.00 × 12 天 ÷ 22 天 = 240.00",
            (
                Step("月标准", 0),
                Step("计薪日", 10_000, "thousandths"),
                Step("月标准", 44_000),
                Step("计薪日", 12_000, "thousandths"),
                Step("除数", 2_200, "hundredths"),
            ),
            id="from a day of it on",
        ),
        pytest.param(
            "welfare",
            "2026-03-16",
            "福利费：每月 440.00",
            (Step("每月金额", 44_000),),
            id="not by days",
        ),
    ],
)
def test_a_standing_item_says_how_it_was_reckoned(
    code: str, since: str, words: str, steps: tuple[Step, ...]
) -> None:
    items = reckoned(month("2026-03", WAGE, rises=[standing(code, since, 44_000)]), CATALOGUE)
    # The base salary comes first, whatever the code of the other.
    assert [item.code for item in items] == ["base_salary", code]
    assert (items[1].reckoning, items[1].steps) == (words, steps)


def test_a_standing_item_that_ended_is_no_item() -> None:
    for code in ("allowance", "welfare"):
        ended = [standing(code, "2026-01-01", 44_000), standing(code, "2026-03-01", 0)]
        assert items_of(month("2026-03", WAGE, rises=ended)) == {"base_salary": WAGE}


def test_what_is_not_by_days_is_that_of_the_last_day_employed() -> None:
    rises = [standing("welfare", "2026-01-01", 10_000), standing("welfare", "2026-03-31", 20_000)]
    assert items_of(month("2026-03", WAGE, rises=rises))["welfare"] == 20_000
    left = month("2026-03", WAGE, spells=[spell("2020-01-01", "2026-03-30")], rises=rises)
    assert items_of(left)["welfare"] == 10_000


def test_overtime_is_paid_by_the_wage_of_the_last_day_employed() -> None:
    rise = standing("base_salary", "2026-03-31", 2 * WAGE)
    hour = Entry("overtime_200", 0, 1_000)
    assert items_of(month("2026-03", WAGE, hour, rises=[rise]))["overtime_200"] == 20_000
    left = month("2026-03", WAGE, hour, spells=[spell("2020-01-01", "2026-03-30")], rises=[rise])
    assert items_of(left)["overtime_200"] == 10_000
    joined = month("2026-03", WAGE, hour, spells=[spell("2026-03-31")], rises=[rise])
    assert items_of(joined)["overtime_200"] == 20_000
    back = [spell("2020-01-01", "2026-03-10"), spell("2026-03-31")]
    assert (
        items_of(month("2026-03", WAGE, hour, spells=back, rises=[rise]))["overtime_200"] == 20_000
    )
    gone = month("2026-03", WAGE, hour, spells=[], rises=[rise])
    assert items_of(gone)["overtime_200"] == 20_000, "who left before: the month's last day"


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


@pytest.mark.parametrize(
    ("right_fen", "words"),
    [
        pytest.param(1_000_001, "补发 0.01", id="a fen more"),
        pytest.param(999_999, "扣回 0.01", id="a fen less"),
    ],
)
def test_a_difference_names_its_month_and_both_sums(right_fen: int, words: str) -> None:
    kind = Reckoned("allowance", "津贴", 1_000_000, taxed=False)
    [found] = differences("2026-03", [replace(kind, amount_fen=right_fen)], [kind])
    assert found == replace(
        kind,
        name="津贴差额",
        amount_fen=right_fen - 1_000_000,
        belongs_to="2026-03",
        reckoning=f"津贴差额：2026-03 应为 {fen_text(right_fen)}，已发 10,000.00，{words}",
        steps=(Step("应发", right_fen), Step("已发", 1_000_000)),
    )


def test_a_difference_of_a_difference_is_called_one_too() -> None:
    paid_late = Reckoned("allowance", "津贴差额", 200)
    [found] = differences("2026-03", [], [paid_late])
    assert (found.name, found.amount_fen) == ("津贴差额", -200)


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
