"""滞纳金 by 社会保险法 art. 86."""

from datetime import date

from contribution_svc.domain.late_fee import late_fee_fen

DAILY_PPM = 500


def test_forty_five_days_on_25_000_yuan() -> None:
    fee = late_fee_fen(2_500_000, date(2026, 3, 16), date(2026, 4, 30), DAILY_PPM)
    assert fee == 56_250


def test_paid_on_the_last_day_costs_nothing() -> None:
    assert late_fee_fen(2_500_000, date(2026, 3, 16), date(2026, 3, 16), DAILY_PPM) == 0
    assert late_fee_fen(2_500_000, date(2026, 3, 16), date(2026, 3, 10), DAILY_PPM) == 0


def test_half_a_fen_of_the_whole_sum_goes_up() -> None:
    assert late_fee_fen(1_000, date(2026, 3, 16), date(2026, 3, 17), DAILY_PPM) == 1
