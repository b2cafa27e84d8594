"""Worked examples of the domain facts, by their numbers: from the wage to tax, net and cost.

The contribution lines are given as the examples say; that they are those of the policy packs is
contribution-svc's to prove.
"""

from datetime import date

import pytest

from payroll_svc.domain.income_tax import YearToDate
from payroll_svc.domain.pay import DueLine
from payroll_svc.domain.pay_items import gross_fen_of
from payroll_svc.domain.reckoning import Month
from tests.support.pay import line, month, paid, spell, standing, yuan_lines


def test_example_1_shanghai_hired_in_december_2025_on_20000() -> None:
    lines = yuan_lines(
        "20000",
        pension="1600.00 / 3200.00",
        medical="400.00 / 1800.00",
        unemployment="100.00 / 100.00",
        work_injury="0 / 40.00",
        housing_fund="1400 / 1400",
    )
    hired = month("2025-12", 2_000_000, spells=[spell("2025-12-01")])
    found = paid(hired, lines, date(2025, 12, 31), 1).pay
    assert found.tax_fen == 34_500
    assert found.net_fen == 1_615_500
    assert found.employer_fen == 654_000


def test_example_2_shanghai_at_the_ceiling_in_december_2025() -> None:
    lines = yuan_lines(
        "37302",
        pension="2984.16 / 5968.32",
        medical="746.04 / 3357.18",
        unemployment="186.51 / 186.51",
        work_injury="0 / 74.60",
        housing_fund="2611 / 2611",
    )
    found = paid(month("2025-12", 5_000_000), lines, date(2025, 12, 31), 1).pay
    assert found.contributions_fen == 652_771
    assert (found.tax_fen, found.net_fen) == (132_723, 4_214_506)
    assert found.employer_fen == 1_219_761


def test_example_3_shanghai_declared_at_the_floors_in_january_2026() -> None:
    lines = yuan_lines(
        "7460",
        pension="596.80 / 1193.60",
        medical="149.20 / 671.40",
        unemployment="37.30 / 37.30",
        housing_fund="188 / 188",
    )
    found = paid(month("2026-01", 3_000_000), lines, date(2026, 1, 31), 1).pay
    assert found.contributions_fen == 97_130
    assert (found.tax_fen, found.net_fen) == (72_086, 2_830_784)


def test_example_4_beijing_2026_with_a_fixed_sum() -> None:
    lines = yuan_lines(
        "30000",
        pension="2400.00 / 4800.00",
        medical="603.00 / 2940.00",
        unemployment="150.00 / 150.00",
        housing_fund="3600 / 3600",
    )
    found = paid(month("2026-01", 3_000_000), lines, date(2026, 1, 31), 1).pay
    assert found.contributions_fen == 675_300
    assert (found.tax_fen, found.net_fen) == (54_741, 2_269_959)


def test_example_5_kunming_with_bounds_that_differ_per_insurance() -> None:
    lines = (
        *yuan_lines(
            "4403",
            pension="352.24 / 704.48",
            unemployment="13.21 / 30.82",
            work_injury="0 / 8.81",
        ),
        *yuan_lines("4357", medical="87.14 / 304.99", maternity="0 / 39.21"),
        *yuan_lines("4000", housing_fund="480 / 480"),
    )
    found = paid(month("2026-01", 400_000), lines, date(2026, 1, 31), 1).pay
    assert found.contributions_fen == 93_259
    assert (found.tax_fen, found.net_fen) == (0, 306_741)
    assert found.employer_fen == 156_831


def months_of(wage_fen: int, own_fen: int, special_fen: int, count: int) -> list[int]:
    """The tax of each month of a year in which every month is alike."""
    before, taxes = YearToDate(), []
    for number in range(1, count + 1):
        of_month = month(f"2026-{number:02d}", wage_fen)
        lines = [line("pension", wage_fen, own_fen, 0)]
        done = paid(of_month, lines, date(2026, number, 5), number, before, special_fen)
        taxes.append(done.pay.tax_fen)
        before = done.after
    return taxes


def test_example_8_the_official_example_of_cumulative_withholding() -> None:
    assert months_of(3_000_000, 450_000, 200_000, 3) == [55_500, 62_500, 185_000]


def test_example_9_a_year_in_shanghai_on_20000() -> None:
    assert months_of(2_000_000, 350_000, 0, 12) == [34_500] * 3 + [104_500] + [115_000] * 8


def shanghai_on_22000() -> tuple[DueLine, ...]:
    """The base stays 22,000, whatever March brings."""
    return yuan_lines(
        "22000",
        pension="1760.00 / 3520.00",
        medical="440.00 / 1980.00",
        unemployment="110.00 / 110.00",
        housing_fund="1540 / 1540",
    )


def test_example_10_a_raise_inside_the_month() -> None:
    """From Monday 16 March 2026: 10 paid days at 22,000 and 12 at 26,400 make 24,400."""
    rise = standing("base_salary", "2026-03-16", 2_640_000)
    before, taxes = YearToDate(), []
    for number, period in enumerate(("2026-01", "2026-02", "2026-03"), 1):
        of_month: Month = month(period, 2_200_000, rises=[rise])
        done = paid(of_month, shanghai_on_22000(), date(2026, number, 28), number, before)
        taxes.append(done.pay.tax_fen)
        before = done.after
    assert taxes == [39_450, 39_450, 87_600]
    assert gross_fen_of(done.items) == 2_440_000
    assert done.pay.net_fen == 1_967_400
    assert done.items[0].reckoning == (
        "基本工资：22,000.00 × 10 天 ÷ 22 天 + 26,400.00 × 12 天 ÷ 22 天 = 24,400.00"
    )


def test_example_11_thirteen_days_of_a_first_month() -> None:
    hired = month("2025-12", 2_175_000, spells=[spell("2025-12-15")])
    lines = yuan_lines(
        "21750",
        pension="1740.00 / 3480.00",
        medical="435.00 / 1957.50",
        unemployment="108.75 / 108.75",
        work_injury="0 / 43.50",
    )
    done = paid(hired, lines, date(2025, 12, 31), 1)
    assert gross_fen_of(done.items) == 1_300_000
    assert (done.pay.tax_fen, done.pay.net_fen) == (17_149, 1_054_476)
    assert done.items[0].reckoning == "基本工资：21,750.00 × 13 天 ÷ 21.75 = 13,000.00"


@pytest.mark.parametrize(("kind", "fen"), [("regular", 62_771), ("difference", 344)])
def test_a_line_of_any_kind_reduces_the_income_of_the_month_it_is_withheld_in(
    kind: str, fen: int
) -> None:
    late = DueLine("pension", "due", "", 0, 0, fen, kind=kind, levy_period="2026-01")
    with_it = paid(month("2026-09", 3_000_000), [late], date(2026, 9, 5), 1).pay
    without = paid(month("2026-09", 3_000_000), [], date(2026, 9, 5), 1).pay
    assert without.tax.taxable_fen - with_it.tax.taxable_fen == fen
