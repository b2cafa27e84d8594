"""The base salary of a month that somebody works in part, or misses no paid day of."""

import pytest

from payroll_svc.domain.reckoning import reckoned
from tests.support.pay import CATALOGUE, items_of, month, spell, standing

WAGE = 870_000


def test_a_raise_in_a_part_month_is_paid_by_2175() -> None:
    """Hired on the 9th, raised on the 16th: 5 days at 21,750 and 12 at 43,500."""
    rise = standing("base_salary", "2026-03-16", 4_350_000)
    part = month("2026-03", 2_175_000, spells=[spell("2026-03-09")], rises=[rise])
    assert items_of(part) == {"base_salary": 5 * 100_000 + 12 * 200_000}


@pytest.mark.parametrize(
    ("since", "until", "fen", "words"),
    [
        ("2026-02-02", "", 870_000, "当月 20 个计薪日均在职，8,700.00"),
        ("2020-01-01", "2026-02-27", 870_000, "当月 20 个计薪日均在职，8,700.00"),
        ("2020-01-01", "", 870_000, "全月在职，8,700.00"),
        ("2026-02-03", "", 760_000, "8,700.00 × 19 天 ÷ 21.75 = 7,600.00"),
    ],
)
def test_who_misses_no_paid_day_is_paid_the_whole_month(
    since: str, until: str, fen: int, words: str
) -> None:
    """February 2026 begins on a Sunday and has twenty paid days, up to Friday the 27th."""
    [item] = reckoned(month("2026-02", WAGE, spells=[spell(since, until)]), CATALOGUE)
    assert (item.amount_fen, item.reckoning) == (fen, f"基本工资：{words}")


def test_a_raise_inside_a_month_worked_in_full_is_paid_by_its_share() -> None:
    rise = standing("base_salary", "2026-02-16", 2 * WAGE)
    joined = month("2026-02", WAGE, spells=[spell("2026-02-02")], rises=[rise])
    assert items_of(joined) == {"base_salary": WAGE * 3 // 2}


def test_who_works_on_a_rest_day_only_has_no_paid_day() -> None:
    part = month("2026-03", WAGE, spells=[spell("2026-03-28", "2026-03-29")])
    [item] = reckoned(part, CATALOGUE)
    assert item.amount_fen == 0
    assert item.reckoning == "基本工资：任职期间没有计薪日 = 0.00"
