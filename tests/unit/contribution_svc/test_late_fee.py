"""滞纳金 by 社会保险法 art. 86, 缓缴, and the provisional assessment of art. 62."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.allocation import DueLine, Instalment, Move, Scope, Target
from contribution_svc.domain.figures import Figure, Series
from contribution_svc.domain.late_fee import (
    Deferral,
    debited_of,
    due_after_deferral,
    late_fee,
    late_fee_fen,
    parts_by_sum,
)
from contribution_svc.domain.not_filed import Provisional, provisional, settled
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod

RATES = load_policies().packs["990100"].late_fee
DUE_ON = date(2026, 3, 16)


def rate(value: int, starts: date, ends: date | None) -> Figure:
    return Figure(value, starts, ends, starts, "source")


def test_example_13_forty_five_days_on_25_000_yuan() -> None:
    fee = late_fee(2_500_000, DUE_ON, date(2026, 4, 30), RATES)
    assert (fee.fen, fee.days) == (56_250, 45)
    assert fee.explanation == (
        "欠缴25,000.00元，应于2026-03-16前缴纳，2026-04-30缴纳，"
        "滞纳金25,000.00元×45天×0.05 %=562.50元，全部由单位承担"
    )


def test_paid_on_the_last_day_costs_nothing() -> None:
    for paid_on in (DUE_ON, date(2026, 3, 10)):
        fee = late_fee(2_500_000, DUE_ON, paid_on, RATES)
        assert (fee.fen, fee.days) == (0, 0)
        assert fee.explanation == f"应于2026-03-16前缴纳，{paid_on}缴纳，不产生滞纳金"


def test_half_a_fen_of_the_whole_sum_goes_up() -> None:
    assert late_fee(1_000, DUE_ON, date(2026, 3, 17), RATES).fen == 1


def test_what_is_paid_back_has_no_late_fee() -> None:
    for arrears_fen in (0, -1_000_000):
        fee = late_fee(arrears_fen, DUE_ON, date(2026, 5, 17), RATES)
        assert (fee.fen, fee.days) == (0, 0)


def test_where_the_law_knows_no_late_fee_none_runs() -> None:
    """The housing fund's (住房公积金管理条例 art. 38)."""
    rates = load_policies().packs["310000"].late_fee_of(Insurance.HOUSING_FUND)
    fee = late_fee(2_500_000, DUE_ON, date(2026, 4, 30), rates)
    assert (fee.fen, fee.days) == (0, 0)
    assert fee.explanation.endswith("2026-04-30缴纳，不产生滞纳金")


def test_a_single_fen_is_arrears_as_well() -> None:
    fee = late_fee(1, DUE_ON, DUE_ON + timedelta(days=1_000), RATES)
    assert (fee.fen, fee.days) == (1, 1_000)


def test_each_day_counts_at_the_rate_of_its_date() -> None:
    changed = (
        rate(500, date(2011, 7, 1), date(2026, 3, 31)),
        rate(200, date(2026, 4, 1), None),
    )
    fee = late_fee(1_000_000, DUE_ON, date(2026, 4, 10), changed)
    assert (fee.days, fee.fen) == (25, 15 * 500 + 10 * 200)
    assert "滞纳金10,000.00元×15天×0.05 %＋10,000.00元×10天×0.02 %=95.00元" in fee.explanation


@pytest.mark.parametrize(
    ("starts", "fen"),
    [
        pytest.param(date(2026, 3, 17), 25 * 200, id="from the first day of arrears"),
        pytest.param(date(2026, 4, 10), 24 * 500 + 200, id="on the day of payment"),
        pytest.param(date(2026, 4, 11), 25 * 500, id="the day after it"),
    ],
)
def test_a_rate_holds_from_its_own_day_on(starts: date, fen: int) -> None:
    series = (
        rate(500, date(2011, 7, 1), starts - timedelta(days=1)),
        rate(200, starts, None),
    )
    assert late_fee(1_000_000, DUE_ON, date(2026, 4, 10), series).fen == fen


def test_a_day_that_no_rate_covers_is_free() -> None:
    fee = late_fee(1_000_000, DUE_ON, date(2026, 4, 10), (rate(500, date(2026, 4, 1), None),))
    assert (fee.fen, fee.days) == (10 * 500, 25)
    assert "10,000.00元×15天×0 %＋10,000.00元×10天×0.05 %" in fee.explanation


def test_each_instalment_bears_its_part_until_its_day() -> None:
    """218,400.00 of 240,240.00 ten days late, the rest thirty: a line of 24,024.00."""
    paid = [
        Instalment(21_840_000, date(2026, 3, 26)),
        Instalment(2_184_000, date(2026, 4, 15)),
    ]
    assert late_fee_fen(2_402_400, DUE_ON, paid, RATES) == 10_920 + 3_276


def test_each_of_three_instalments_bears_its_part() -> None:
    paid = [Instalment(100_000, DUE_ON + timedelta(days=n)) for n in (10, 20, 40)]
    assert late_fee_fen(300_000, DUE_ON, paid, RATES) == 500 + 1_000 + 2_000


def test_a_sum_debited_for_the_time_being_bears_the_fee_until_its_day() -> None:
    """25,000.00 as in example 13, of which the bank took 20,000.00 after ten days: 125.00 of all of
    it until then, 87.50 of 5,000.00 for the 35 days after.
    """
    taken = [Instalment(2_000_000, date(2026, 3, 26))]
    fee = late_fee(2_500_000, DUE_ON, date(2026, 4, 30), RATES, taken)
    assert (fee.fen, fee.days) == (12_500 + 8_750, 45)
    assert fee.explanation == (
        "欠缴25,000.00元，应于2026-03-16前缴纳，2026-03-26已扣20,000.00元，其余2026-04-30缴纳，"
        "滞纳金25,000.00元×10天×0.05 %＋5,000.00元×35天×0.05 %=212.50元，全部由单位承担"
    )


def test_nothing_runs_any_more_once_all_was_debited() -> None:
    taken = [Instalment(3_000_000, date(2026, 3, 26))]
    fee = late_fee(2_500_000, DUE_ON, date(2026, 4, 30), RATES, taken)
    assert (fee.fen, fee.days) == (12_500, 10)
    assert fee.explanation == (
        "欠缴25,000.00元，应于2026-03-16前缴纳，2026-03-26缴纳，"
        "滞纳金25,000.00元×10天×0.05 %=125.00元，全部由单位承担"
    )
    in_time = late_fee(2_500_000, DUE_ON, date(2026, 4, 30), RATES, [Instalment(2_500_000, DUE_ON)])
    assert (in_time.fen, in_time.days) == (0, 0)


def test_the_sentence_names_each_sum_that_was_debited_before() -> None:
    """Also a single fen; what is booked on the day itself is part of the rest."""
    paid_on = date(2026, 4, 30)
    taken = [Instalment(fen, DUE_ON + timedelta(days=n)) for fen, n in ((1, 10), (0, 11), (50, 20))]
    fee = late_fee(2_500_000, DUE_ON, paid_on, RATES, [*taken, Instalment(700, paid_on)])
    assert "2026-03-26已扣0.01元，2026-04-05已扣0.50元，其余2026-04-30缴纳，滞" in fee.explanation


def test_a_sum_that_is_booked_after_the_day_asked_about_is_unpaid_on_it() -> None:
    taken = [Instalment(2_000_000, date(2026, 5, 1))]
    asked = late_fee(2_500_000, DUE_ON, date(2026, 4, 30), RATES, taken)
    assert asked == late_fee(2_500_000, DUE_ON, date(2026, 4, 30), RATES)


def test_of_a_line_stands_debited_what_the_bank_took_for_it_and_did_not_give_back() -> None:
    """By the insurance, once; and of a debit in instalments its part of each, to the fen."""
    pension = DueLine("wang", Insurance.PENSION, 152_000, 76_001)

    def move(scope: Scope, day: int, *, is_return: bool = False) -> Move:
        target = Target(scope, None if scope is Scope.DECLARATION else Insurance.PENSION)
        return Move(target, 228_001, is_return, date(2026, 3, day), "V", "S", "", f"{day}")

    insurance, again = move(Scope.INSURANCE, 18), move(Scope.DECLARATION, 20)
    back = move(Scope.INSURANCE, 25, is_return=True)
    assert debited_of(pension, []) == []
    assert debited_of(pension, [insurance]) == [Instalment(228_001, date(2026, 3, 18))]
    assert debited_of(pension, [again, insurance]) == [Instalment(228_001, date(2026, 3, 18))]
    assert debited_of(pension, [insurance, back]) == []
    named = Target(Scope.LINE, Insurance.PENSION, "wang")
    assert debited_of(pension, [replace(insurance, target=named)])
    assert debited_of(pension, [replace(insurance, target=replace(named, employee_id="li"))]) == []
    other = DueLine("wang", Insurance.MEDICAL, 76_000, 19_000)
    assert debited_of(other, [insurance]) == []
    sums = (Instalment(200_000, date(2026, 3, 18)), Instalment(400_000, date(2026, 3, 20)))
    [first, last] = debited_of(pension, [replace(again, instalments=sums)])
    assert (first.fen, last.fen) == (76_000, 152_001)


INSTALMENTS = st.lists(
    st.builds(Instalment, st.integers(0, 10**6), st.dates(DUE_ON, date(2026, 12, 31))), max_size=4
)
CHANGED = (
    rate(500, date(2011, 7, 1), date(2026, 4, 30)),
    rate(200, date(2026, 5, 1), None),
)


@given(st.integers(1, 10**6), st.dates(DUE_ON, date(2026, 12, 31)), INSTALMENTS)
def test_the_fee_runs_on_what_is_unpaid_each_day(
    arrears_fen: int, paid_on: date, debited: list[Instalment]
) -> None:
    exact = 0
    for at in range(1, (paid_on - DUE_ON).days + 1):
        day = DUE_ON + timedelta(days=at)
        taken_fen = sum(one.fen for one in debited if one.taken_on < day)
        daily_ppm = 500 if day < date(2026, 5, 1) else 200
        exact += max(arrears_fen - taken_fen, 0) * daily_ppm
    fee = late_fee(arrears_fen, DUE_ON, paid_on, CHANGED, debited)
    assert fee.fen == (exact + 500_000) // 1_000_000
    without = late_fee(arrears_fen, DUE_ON, paid_on, CHANGED)
    assert fee.fen <= without.fen
    if not any(one.fen for one in debited):
        assert fee == without


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=4), INSTALMENTS)
def test_what_was_debited_of_all_is_shared_out_to_the_fen(
    sums: list[int], debited: list[Instalment]
) -> None:
    left_fen, within = sum(sums), []
    for one in debited:
        within.append(Instalment(min(one.fen, left_fen), one.taken_on))
        left_fen -= within[-1].fen
    parts = parts_by_sum(within, sums)
    for at, one in enumerate(within):
        assert sum(found[at].fen for found in parts) == one.fen
        assert {found[at].taken_on for found in parts} == {one.taken_on}
    for due_fen, found in zip(sums, parts, strict=True):
        assert 0 <= sum(one.fen for one in found) <= due_fen
    if not left_fen:
        assert [sum(one.fen for one in found) for found in parts] == sums


def test_a_sum_is_shared_out_in_proportion() -> None:
    [pension, medical] = parts_by_sum([Instalment(100, DUE_ON), Instalment(50, DUE_ON)], [150, 50])
    assert [one.fen for one in pension] == [75, 37]
    assert [one.fen for one in medical] == [25, 13]


@given(st.integers(1, 10**9), st.integers(0, 800), st.integers(0, 800))
def test_the_fee_grows_with_the_days_and_never_starts_early(
    arrears_fen: int, days: int, more: int
) -> None:
    fees = [
        late_fee(arrears_fen, DUE_ON, DUE_ON + timedelta(days=one), RATES).fen
        for one in (days, days + more)
    ]
    assert 0 <= fees[0] <= fees[1]
    assert (fees[0] == 0) is (arrears_fen * days * 500 < 500_000)


def test_a_deferral_moves_the_day_and_only_for_what_it_covers() -> None:
    january, march = LevyPeriod(2026, 1), LevyPeriod(2026, 3)
    pension = frozenset({Insurance.PENSION})
    deferrals = [Deferral(pension, january, march, date(2026, 9, 30))]

    def due(insurance: Insurance, period: LevyPeriod) -> date:
        return due_after_deferral(DUE_ON, insurance, period, deferrals)

    for period in january.through(march):
        assert due(Insurance.PENSION, period) == date(2026, 9, 30)
    assert due(Insurance.PENSION, LevyPeriod(2025, 12)) == DUE_ON
    assert due(Insurance.MEDICAL, march) == DUE_ON
    assert due(Insurance.PENSION, LevyPeriod(2026, 4)) == DUE_ON
    day_after = late_fee(2_500_000, date(2026, 9, 30), date(2026, 10, 1), RATES)
    assert day_after.days == 1, "the span itself is free"


def not_filed_ppm() -> int:
    series: Series = load_policies().packs["990100"].not_filed
    [figure] = series
    assert figure.value is not None
    return figure.value


def test_example_14_not_filed_is_assessed_at_110_percent_of_last_month() -> None:
    found = provisional(LevyPeriod(2026, 4), 21_843_650, not_filed_ppm())
    assert (found.last_period, found.last_fen) == (LevyPeriod(2026, 3), 21_843_650)
    assert found.assessed_fen == 24_028_015
    assert found.explanation == (
        "2026-04未按时申报，按2026-03缴费218,436.50元的110 %暂定240,280.15元；"
        "补报后按实际应缴数额结算"
    )


def test_the_late_filing_settles_with_the_difference() -> None:
    assert settled(24_028_015, 21_900_000) == (
        -2_128_015,
        "已补报219,000.00元，与暂定的240,280.15元相抵，多退21,280.15元；"
        "暂定数额未扣款的，按补报数额缴纳",
    )
    assert settled(24_028_015, 24_028_016) == (
        1,
        "已补报240,280.16元，与暂定的240,280.15元相抵，少补0.01元；"
        "暂定数额未扣款的，按补报数额缴纳",
    )
    assert settled(24_028_015, 24_028_015)[1].split("；")[0].endswith("少补0.00元")
    assert settled(None, 21_900_000) == (21_900_000, "已补报219,000.00元")


def test_without_a_last_month_the_collector_goes_by_what_we_do_not_know() -> None:
    found = provisional(LevyPeriod(2026, 4), None, not_filed_ppm())
    assert found == Provisional(
        LevyPeriod(2026, 3),
        None,
        None,
        "2026-04未按时申报，2026-03没有缴费数额，由征收机构按经营状况等核定；请尽快补报",
    )
