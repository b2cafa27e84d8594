"""A company that switches to this payroll inside a tax year: the year goes on where its own payroll
left it.
"""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.imported_payslips import ImportedPayslip, said_year, year_doubts
from payroll_svc.domain.income_tax import YearToDate
from payroll_svc.domain.pay_items import Entry
from tests.support.pay import Paid, imported, line, month, paid


def months_on(
    wages: list[int], own_fen: int, before: YearToDate, first: int, special_fen: int = 0
) -> list[Paid]:
    """The months from `first` of 2026 on, each paid on what came before it."""
    found = []
    for number, wage_fen in enumerate(wages, first):
        of = month(f"2026-{number:02d}", wage_fen)
        lines = [line("pension", wage_fen, own_fen, 0)]
        found.append(paid(of, lines, date(2026, number, 5), number, before, special_fen))
        before = found[-1].after
    return found


def as_imported(done: list[Paid], own_fen: int, special_fen: int) -> list[ImportedPayslip]:
    """What was paid here, as the company's own payroll would have handed it over."""
    return [
        imported(
            f"2026-{number:02d}",
            one.pay.income_fen,
            own_fen,
            one.pay.tax_fen,
            income_fen=one.pay.income_fen,
            special_additional_fen=special_fen,
        )
        for number, one in enumerate(done, 1)
    ]


@given(
    st.lists(st.integers(300_000, 6_000_000), min_size=2, max_size=12),
    st.integers(0, 200_000),
    st.integers(0, 500_000),
    st.data(),
)
def test_a_year_that_changes_hands_is_taxed_as_one_that_does_not(
    wages: list[int], own_fen: int, special_fen: int, data: st.DataObject
) -> None:
    whole = months_on(wages, own_fen, YearToDate(), 1, special_fen)
    switch = data.draw(st.integers(1, len(wages) - 1))
    before = said_year(as_imported(whole[:switch], own_fen, special_fen))
    rest = months_on(wages[switch:], own_fen, before, switch + 1, special_fen)
    assert [one.pay.tax_fen for one in rest] == [one.pay.tax_fen for one in whole[switch:]]


def test_example_8_goes_on_in_july() -> None:
    """30,000 a month, 4,500 own contributions, 2,000 special: 18,500 taxable a month, 10 % since
    March. July from nothing would be 555.00; without the special additional deductions of the six
    months it would be 3,050.00.
    """
    taxes = [55_500, 62_500, *[185_000] * 4]
    half = [
        imported(f"2026-{number:02d}", 3_000_000, 450_000, tax, special_additional_fen=200_000)
        for number, tax in enumerate(taxes, 1)
    ]
    [july] = months_on([3_000_000], 450_000, said_year(half), 7, 200_000)
    assert july.pay.tax_fen == 185_000
    assert july.pay.tax.withheld_before_fen == sum(taxes)
    unsaid = [imported(one.levy_period, 3_000_000, 450_000, one.tax_fen) for one in half]
    [july] = months_on([3_000_000], 450_000, said_year(unsaid), 7, 200_000)
    assert july.pay.tax_fen == 305_000


def test_a_bonus_that_the_company_taxed_apart_stays_out_of_the_year() -> None:
    slip = imported(
        "2026-01", 5_600_000, 350_000, 142_500, bonus_apart_fen=3_600_000, bonus_tax_fen=108_000
    )
    before = said_year([slip])
    assert (before.income_fen, before.tax_fen, before.bonus_apart_fen) == (
        2_000_000,
        34_500,
        3_600_000,
    )
    of = month("2026-02", 2_000_000, Entry("annual_bonus", 3_600_000))
    elected = frozenset({"bonus_taxed_apart"})
    again = paid(of, [], date(2026, 2, 5), 2, before, elections=elected).pay
    assert again.tax.bonus_fen == 0, "once a year"


def test_what_the_year_does_not_know_is_said_and_not_taken_for_nothing() -> None:
    half = [f"2026-{number:02d}" for number in range(1, 7)]
    whole = [
        imported(name, 100, 0, 0, income_fen=100, special_additional_fen=0) for name in half[:5]
    ]
    bare = imported("2026-06", 100, 0, 0)
    assert year_doubts(half[:5], said_year(whole), whole, False) == ()
    known = [*whole[1:], bare]
    lacking, income, special = year_doubts(half, said_year(known), known, False)
    assert lacking.startswith("2026-01 在职，却没有")
    assert income.startswith("2026-06 导入的工资条没有“本期收入”")
    assert special.startswith("2026-06 导入的工资条没有“专项附加扣除”")
    assert len(year_doubts(half, said_year(known), known, True)) == 2
    nothing = year_doubts(half, YearToDate(), (), False)
    assert nothing == (
        "2026-01、2026-02、2026-03、2026-04、2026-05、2026-06 在职，"
        "却没有可计入本年累计预扣的工资条：补导这些月份的工资条，税款在下次发薪时补齐。",
    )
