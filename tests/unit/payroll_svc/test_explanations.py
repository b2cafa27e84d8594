"""Whoever has a sentence of a payslip reckons its figure again from the numbers in it."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.explanations import explained
from payroll_svc.domain.income_tax import BONUS_TAXED_APART, TaxPayer, YearToDate, withhold
from payroll_svc.domain.pay import DueLine
from payroll_svc.domain.pay_items import Reckoned
from payroll_svc.domain.payslip import Payslip
from payroll_svc.domain.reckoning import reckoned
from tests.support.pay import CATALOGUE, TERMS, month, spell
from tests.support.payslips import GOLDEN

PAID = Payslip(
    employee_id="employee",
    levy_period="2026-03",
    employer_id="employer",
    run_id="run",
    payday=date(2026, 3, 31),
    gross_fen=1_000_000,
    contributions_fen=0,
    special_additional_fen=0,
    tax_fen=0,
    net_fen=1_000_000,
    withheld=(),
    issued_at=datetime(2026, 3, 31, tzinfo=UTC),
)


def sentence(slip: Payslip, figure: str) -> str:
    found = explained(slip, figure)
    assert found is not None
    return found.sentence


def taxed(before: YearToDate, income_fen: int, bonus_fen: int = 0) -> str:
    payer = TaxPayer(PAID.payday, 3, elections=frozenset({BONUS_TAXED_APART}))
    tax = withhold(TERMS, before, payer, income_fen, 0, bonus_fen)
    return sentence(replace(PAID, tax=tax, tax_fen=tax.tax_fen), "tax")


_N = r"(-?[\d,]+\.\d\d)"
_TAX = re.compile(
    rf"累计收入 {_N} − 减除费用 {_N}（5,000.00 × 3 个月） − 社保公积金 {_N} − 专项附加扣除 {_N}"
    rf" = {_N}，(?:没有应纳税所得额|× ([\d.]+)% − 速算扣除数 {_N} = {_N}，减已预扣 {_N})"
    rf"，本次预扣 {_N}(?:（此前多预扣的 {_N} 留待年度汇算）)?"
    rf"(?:；全年一次性奖金 {_N} 单独计税 × ([\d.]+)% − {_N} = {_N}；合计预扣 {_N})?（"
)


@given(
    st.integers(0, 200_000_000),
    st.integers(0, 30_000_000),
    st.integers(-1_000_000, 100_000_000),
    st.integers(0, 80_000_000),
)
def test_any_tax_is_reckoned_again_from_its_sentence(
    before_fen: int, withheld_fen: int, income_fen: int, bonus_fen: int
) -> None:
    before = YearToDate(income_fen=before_fen, tax_fen=withheld_fen)
    said = taxed(before, income_fen + bonus_fen, bonus_fen)
    found = _TAX.match(said)
    assert found, said
    income, allowance, own, special, taxable, rate, quick, due, withheld, now, surplus, *apart = (
        Decimal((text or "0").replace(",", "")) for text in found.groups()
    )
    assert income - allowance - own - special == taxable
    assert due == max(0, _cut(taxable * rate / 100) - quick)
    assert now == max(0, due - withheld)
    assert surplus == (max(0, withheld - due) if rate else Decimal(withheld_fen) / 100)
    bonus, bonus_rate, bonus_quick, bonus_tax, total = apart
    assert bonus_tax == _cut(bonus * bonus_rate / 100) - bonus_quick
    assert total == (now + bonus_tax if bonus else 0)


@pytest.mark.parametrize("name", GOLDEN)
def test_every_sum_of_a_payslip_adds_up_in_its_sentence(name: str) -> None:
    slip = GOLDEN[name]()
    for figure in ("gross", "contributions", "net", "employer", "employer_cost"):
        _, terms, total = sentence(slip, figure).removesuffix("。").split(" = ")
        signed = re.findall(rf"(−)?[^−+]*?{_N}", terms)
        amounts = [Decimal(text.replace(",", "")) * (-1 if minus else 1) for minus, text in signed]
        assert sum(amounts) == Decimal(total.replace(",", "")), figure


def _cut(yuan: Decimal) -> Decimal:
    return yuan.quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_what_was_withheld_too_much_is_named_where_nothing_is_withheld() -> None:
    # 3 x 5,000 off 18,000: 90.00 at 3 %, of 120.00 that are withheld already.
    said = taxed(YearToDate(income_fen=1_200_000, tax_fen=12_000), 600_000)
    assert " = 90.00，减已预扣 120.00，本次预扣 0.00（此前多预扣的 30.00 留待年度汇算）" in said
    said = taxed(YearToDate(income_fen=1_200_000, tax_fen=12_000), 0)
    assert " = -3,000.00，没有应纳税所得额，本次预扣 0.00（此前多预扣的 120.00 留待" in said
    assert "留待" not in taxed(YearToDate(income_fen=1_200_000, tax_fen=9_000), 600_000)


def test_a_bonus_taxed_apart_is_in_the_sum() -> None:
    said = taxed(YearToDate(), 4_600_000, 3_000_000)
    assert "本次预扣 30.00；全年一次性奖金 30,000.00 单独计税 × 3% − 0.00 = 900.00" in said
    assert "；合计预扣 930.00（" in said


def test_a_part_month_of_more_days_than_are_paid_says_its_limit() -> None:
    """July 2026 has 23 paid days: without its first one, 22 / 21.75 would be more than all."""
    [base] = reckoned(month("2026-07", 870_000, spells=[spell("2026-07-02")]), CATALOGUE)
    assert base.reckoning == "基本工资：8,700.00 × 22 天 ÷ 21.75，以月标准为限 = 8,700.00"
    [base] = reckoned(month("2026-07", 870_000, spells=[spell("2026-07-03")]), CATALOGUE)
    assert base.reckoning == "基本工资：8,700.00 × 21 天 ÷ 21.75 = 8,400.00"


def test_an_item_with_a_difference_is_in_one_sum() -> None:
    own = Reckoned("base_salary", "基本工资", 1_200_000, reckoning="基本工资：全月在职，12,000.00")
    late = Reckoned("base_salary", "基本工资差额", 200_000, belongs_to="2026-02", reckoning="差额")
    assert sentence(replace(PAID, items=(own, late)), "item:base_salary") == (
        "基本工资：全月在职，12,000.00；差额；合计 14,000.00。"
    )
    assert "合计" not in sentence(replace(PAID, items=(own,)), "item:base_salary")


def test_what_a_restored_payslip_no_longer_knows_is_said() -> None:
    restored = replace(PAID, net_fen=998_000, special_additional_fen=200_000)
    assert sentence(restored, "net").endswith(" + 税后项目（明细没有保存） -20.00 = 9,980.00。")
    assert "税后" not in sentence(PAID, "net")
    assert sentence(restored, "special_additional") == (
        "专项附加扣除本次计入 2,000.00：由哪些扣除组成没有保存。"
    )


@pytest.mark.parametrize(
    ("own_fen", "words"),
    [
        (19_000, "个人 190.00、"),
        (19_300, "个人 193.00（基数 × 费率 190.00，定额和取整 +3.00）、"),
        (18_990, "个人 189.90（基数 × 费率 190.00，定额和取整 -0.10）、"),
    ],
)
def test_a_line_says_what_comes_beside_its_rate(own_fen: int, words: str) -> None:
    line = DueLine("medical", "due", "", 950_000, 66_500, own_fen, 70_000, 20_000)
    said = sentence(replace(PAID, withheld=(line,)), "line:medical")
    assert f"费率个人、单位 2%、7%，{words}单位 665.00。" in said
