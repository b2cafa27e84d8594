"""From gross to net of one member, figure by figure, and what is still owed of a paid month."""

from datetime import date

from payroll_svc.domain.income_tax import TaxPayer, YearToDate, withhold
from payroll_svc.domain.pay import Assessment, DueLine, Pay, late_owed, pay_of, still_due
from payroll_svc.domain.pay_items import ANNUAL_BONUS, Entry
from payroll_svc.domain.reckoning import reckoned
from tests.support.pay import CATALOGUE, TERMS, month

PENSION = DueLine("pension", "due", "", 1_000_000, 160_000, 80_000, 160_000, 80_000)
INJURY = DueLine("work_injury", "due", "", 1_000_000, 2_000, 0, 2_000, 0)


def test_every_figure_of_a_pay_with_a_bonus_taxed_apart_and_sums_after_tax() -> None:
    items = reckoned(
        month(
            "2026-01",
            1_000_000,
            Entry(ANNUAL_BONUS, 3_600_000),
            Entry("after_tax_addition", 4_000),
            Entry("after_tax_deduction", 5_000),
        ),
        CATALOGUE,
    )
    payer = TaxPayer(date(2026, 1, 5), 1, 100_000, frozenset({"bonus_taxed_apart"}))
    before = YearToDate()
    found = pay_of(
        "xiaowang", items, [PENSION, INJURY], Assessment(7, (), ("估算",)), before, payer, TERMS
    )
    # (10,000 - 5,000 - 800 - 1,000) x 3 % = 96, and the bonus 36,000 x 3 % = 1,080.
    assert found == Pay(
        employee_id="xiaowang",
        assessment_version=7,
        withheld=(PENSION, INJURY),
        contributions_fen=80_000,
        tax=withhold(TERMS, before, payer, 4_600_000, 80_000, 3_600_000),
        net_fen=4_600_000 - 80_000 - 117_600 - 1_000,
        employer_fen=162_000,
        income_fen=1_000_000,
        special_additional_fen=100_000,
        warnings=("估算",),
    )
    assert found.tax_fen == 117_600


def test_only_the_annual_bonus_is_taxed_apart() -> None:
    items = reckoned(month("2026-01", 1_000_000, Entry("bonus", 3_600_000)), CATALOGUE)
    payer = TaxPayer(date(2026, 1, 5), 1, 0, frozenset({"bonus_taxed_apart"}))
    found = pay_of("xiaowang", items, [], Assessment(1, ()), YearToDate(), payer, TERMS)
    assert (found.tax.bonus_fen, found.income_fen) == (0, 4_600_000)


def test_a_corrections_line_is_a_difference_of_its_month() -> None:
    """With base and rates of what is due now; why, and in which month it was taken, is over."""
    now = DueLine(
        "pension", "due", "why", 1_100_000, 176_000, 88_000, 160_000, 80_000, withhold_in="2026-09"
    )
    assert still_due("2026-01", [now], [PENSION]) == (
        DueLine(
            *("pension", "due", "", 1_100_000, 16_000, 8_000, 160_000, 80_000),
            kind="difference",
            levy_period="2026-01",
        ),
    )


def test_a_line_of_one_side_alone_is_still_due() -> None:
    [found] = still_due("2026-01", [PENSION, INJURY], [PENSION])
    assert (found.insurance, found.employer_fen, found.employee_fen) == ("work_injury", 2_000, 0)


def test_lines_of_which_nothing_was_taken_are_owed_as_they_are() -> None:
    assert late_owed("2026-01", [PENSION], []) == (PENSION,)
    [rest] = late_owed("2026-01", [PENSION, INJURY], [PENSION])
    assert (rest.insurance, rest.kind, rest.levy_period) == ("work_injury", "difference", "2026-01")
