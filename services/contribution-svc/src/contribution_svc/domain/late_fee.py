"""滞纳金: 0.05 % a day from the day of arrears, the employer's alone (社会保险法 art. 86; the rate
is the pack's).
"""

from datetime import date

from contribution_svc.domain.rounding import Rounding, rounded_fen


def late_fee_fen(arrears_fen: int, due_on: date, paid_on: date, daily_ppm: int) -> int:
    """Fen for the days from the day after `due_on` through `paid_on`, half a fen up; 0 when paid in
    time.

    The law counts from the day of arrears; that the day after the due date is day one is our
    reading.
    """
    days = (paid_on - due_on).days
    if days <= 0:
        return 0
    return rounded_fen(arrears_fen * days, daily_ppm, Rounding.FEN_HALF_UP)
