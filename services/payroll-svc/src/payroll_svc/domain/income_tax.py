"""个人所得税 on wages: cumulative withholding within one tax year."""

from dataclasses import dataclass

MONTHLY_ALLOWANCE_FEN = 500_000
"""减除费用, 5,000 yuan a month (个人所得税法 art. 6, from 2019-01-01)."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """One row of the annual table: taxable income up to `up_to_fen` (None: no end), rate and quick
    deduction.
    """

    up_to_fen: int | None
    rate_ppm: int
    quick_deduction_fen: int


ANNUAL_TABLE: tuple[Bracket, ...] = (
    Bracket(3_600_000, 30_000, 0),
    Bracket(14_400_000, 100_000, 252_000),
    Bracket(30_000_000, 200_000, 1_692_000),
    Bracket(42_000_000, 250_000, 3_192_000),
    Bracket(66_000_000, 300_000, 5_292_000),
    Bracket(96_000_000, 350_000, 8_592_000),
    Bracket(None, 450_000, 18_192_000),
)
"""个人所得税预扣率表一, 国家税务总局公告 2018 年第 61 号, in force from 2019-01-01."""


@dataclass(frozen=True, slots=True)
class YearToDate:
    """What one employer has paid and withheld in this tax year before this payday, in fen."""

    gross_fen: int = 0
    contributions_fen: int = 0
    special_additional_fen: int = 0
    tax_fen: int = 0


def tax_of(taxable_fen: int) -> int:
    """The annual table applied to cumulative taxable income; fen, a half fen rounds up."""
    if taxable_fen <= 0:
        return 0
    bracket = next(
        row for row in ANNUAL_TABLE if row.up_to_fen is None or taxable_fen <= row.up_to_fen
    )
    return (taxable_fen * bracket.rate_ppm + 500_000) // 1_000_000 - bracket.quick_deduction_fen


def withheld_now(
    before: YearToDate,
    months: int,
    gross_fen: int,
    contributions_fen: int,
    special_additional_fen: int = 0,
) -> int:
    """Tax to withhold from this payment, in fen; never negative (a surplus waits for the yearly
    settlement).

    `months` counts the months of employment here in this tax year up to this payday's, both ends
    included; `contributions_fen` is the employee's own part that is actually due (公告 2018 年第 61
    号 art. 6).
    """
    taxable_fen = (
        before.gross_fen
        + gross_fen
        - MONTHLY_ALLOWANCE_FEN * months
        - before.contributions_fen
        - contributions_fen
        - before.special_additional_fen
        - special_additional_fen
    )
    return max(0, tax_of(taxable_fen) - before.tax_fen)
