"""Payslips 已发工资条 that a company computed itself: read as they are said, held to their own
sums.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from payroll_svc.domain.faults import Fault
from payroll_svc.domain.income_tax import YearToDate
from shared.values import Insurance, LevyPeriod, fen_text

INSURANCE_NAMES: dict[str, tuple[str, ...]] = {
    Insurance.PENSION: ("养老保险", "养老", "基本养老保险", "养老险", "基本养老"),
    Insurance.MEDICAL: ("医疗保险", "医疗", "基本医疗保险", "医疗险", "医保", "基本医疗"),
    Insurance.UNEMPLOYMENT: ("失业保险", "失业", "失业险"),
    Insurance.WORK_INJURY: ("工伤保险", "工伤", "工伤险"),
    Insurance.MATERNITY: ("生育保险", "生育", "生育险"),
    Insurance.HOUSING_FUND: ("住房公积金", "公积金"),
    "supplementary_pension": ("地方补充养老保险", "地方补充养老", "补充养老", "地方补充养老险"),
}
"""What payroll people call an insurance, the first being how we write it."""

EMPLOYER_ONLY = frozenset((Insurance.WORK_INJURY, Insurance.MATERNITY, "supplementary_pension"))
"""Insurances to which employees pay nothing (社会保险法 art. 33, 53): that column may be absent."""


@dataclass(frozen=True, slots=True)
class SaidLine:
    """One insurance as a payslip has it, in fen."""

    insurance: str
    base_fen: int
    employee_fen: int
    employer_fen: int


@dataclass(frozen=True, slots=True)
class SaidPayslip:
    """One finished payslip of a file; `payday` None means the employer's usual one.

    The year's income tax goes on from `income_fen` 本期收入, which is what of it is taxed by
    cumulation (None: not said, all but the bonus), and `special_additional_fen`, the month's
    专项附加扣除 (None: not said); `bonus_apart_fen` is a bonus taxed apart with `bonus_tax_fen`.
    `other_fen` is what is taken after tax, negative where more is added.
    """

    row: int
    employee_id: str
    employee_no: str
    levy_period: str
    payday: date | None
    gross_fen: int
    tax_fen: int
    other_fen: int
    net_fen: int
    withheld: tuple[SaidLine, ...]
    said_contributions_fen: int | None = None
    income_fen: int | None = None
    special_additional_fen: int | None = None
    bonus_apart_fen: int = 0
    bonus_tax_fen: int = 0

    @property
    def contributions_fen(self) -> int:
        """The employee's part of all insurances."""
        return sum(line.employee_fen for line in self.withheld)

    @property
    def key(self) -> str:
        return f"{self.employee_id}/{self.levy_period}"


@dataclass(frozen=True, slots=True)
class ImportedPayslip:
    """A payslip of the company's own payroll as it stands; `reason` says why this version follows
    an earlier one. One that was withdrawn has 0 and nothing withheld. The tax year's figures are
    those of SaidPayslip.
    """

    employee_id: str
    levy_period: str
    version: int
    employer_id: str
    payday: date
    gross_fen: int
    contributions_fen: int
    tax_fen: int
    other_fen: int
    net_fen: int
    withheld: tuple[SaidLine, ...]
    reason: str
    import_id: str
    issued_at: datetime
    income_fen: int | None = None
    special_additional_fen: int | None = None
    bonus_apart_fen: int = 0
    bonus_tax_fen: int = 0

    @property
    def is_withdrawn(self) -> bool:
        return not (self.gross_fen or self.withheld)

    @property
    def first_day(self) -> date:
        """From when on the tax year knows of it: of the month that it pays, or that it is paid
        in.
        """
        return min(self.payday, LevyPeriod.parse(self.levy_period).first_day())

    @property
    def taxed_fen(self) -> int:
        """What of it the year's cumulation has."""
        if self.income_fen is not None:
            return self.income_fen
        return self.gross_fen - self.bonus_apart_fen


def source_of(slip: ImportedPayslip, brought: str) -> str:
    """Where every figure of the payslip comes from, in one sentence: `brought` says which row of
    which file has them, empty for whom that does not concern.
    """
    if slip.is_withdrawn:
        return f"{slip.levy_period} 的工资条已撤回：{slip.reason}。"
    parts = (
        ("应发", slip.gross_fen),
        ("个人社保公积金", slip.contributions_fen),
        ("个人所得税", slip.tax_fen),
        ("其他扣款", slip.other_fen),
    )
    sums = " − ".join(f"{words} {fen_text(fen)}" for words, fen in parts)
    place = f"（{brought}{f'；{slip.reason}' if slip.reason else ''}）" if brought else ""
    return (
        f"{slip.levy_period} 各项金额均为本单位自行核算的工资条所列{place}，"
        f"实发 = {sums} = {fen_text(slip.net_fen)}。"
    )


State = dict[str, Any]

TAX_BASIS: dict[str, int | None] = {
    "income_fen": None,
    "special_additional_fen": None,
    "bonus_apart_fen": 0,
    "bonus_tax_fen": 0,
}
"""What a payslip adds to the tax year, with what stands for not said."""


def state_of(slip: SaidPayslip | ImportedPayslip) -> State:
    """What of a payslip may be corrected, as JSON; `payday` is known by then."""
    assert slip.payday is not None
    return {
        "payday": slip.payday.isoformat(),
        "gross_fen": slip.gross_fen,
        "contributions_fen": slip.contributions_fen,
        "tax_fen": slip.tax_fen,
        "other_fen": slip.other_fen,
        "net_fen": slip.net_fen,
        "withheld": [
            [line.insurance, line.base_fen, line.employee_fen, line.employer_fen]
            for line in slip.withheld
        ],
        # Not said is not there: states that were kept before they could be said stay the same.
        **{
            name: said
            for name, unsaid in TAX_BASIS.items()
            if (said := getattr(slip, name)) != unsaid
        },
    }


WITHDRAWN: State = {
    "gross_fen": 0,
    "contributions_fen": 0,
    "tax_fen": 0,
    "other_fen": 0,
    "net_fen": 0,
    "withheld": [],
}
"""What is told of a payslip that an undone import had brought."""


def sum_fault(slip: SaidPayslip) -> tuple[str, str] | None:
    """(column, reason) where a payslip's own figures do not add up to the fen."""
    taken = slip.contributions_fen
    if slip.said_contributions_fen is not None and slip.said_contributions_fen != taken:
        said = fen_text(slip.said_contributions_fen)
        return "contributions", f"各险种个人合计 {fen_text(taken)}，文件写的是 {said}"
    if slip.bonus_tax_fen > (slip.tax_fen if slip.bonus_apart_fen else 0):
        bonus, tax = fen_text(slip.bonus_apart_fen), fen_text(slip.tax_fen)
        return "bonus_tax", f"单独计税奖金 {bonus}，个人所得税合计 {tax}，奖金个税不能比它大"
    net_fen = slip.gross_fen - taken - slip.tax_fen - slip.other_fen
    if net_fen != slip.net_fen:
        parts = [slip.gross_fen, taken, slip.tax_fen, slip.other_fen]
        sums = " - ".join(fen_text(part) for part in parts)
        return "net", f"应发 - 社保公积金个人 - 个税 - 其他扣款 = {sums} = {fen_text(net_fen)}"
    return None


def said_year(slips: Iterable[ImportedPayslip]) -> YearToDate:
    """What the company's own payroll has paid and withheld by these payslips of one person and tax
    year; 专项附加扣除 that is not said counts as nothing.
    """
    paid = list(slips)
    months = frozenset(slip.levy_period for slip in paid)
    return YearToDate(
        income_fen=sum(slip.taxed_fen for slip in paid),
        contributions_fen=sum(slip.contributions_fen for slip in paid),
        special_additional_fen=sum(slip.special_additional_fen or 0 for slip in paid),
        tax_fen=sum(slip.tax_fen - slip.bonus_tax_fen for slip in paid),
        bonus_apart_fen=sum(slip.bonus_apart_fen for slip in paid),
        months=months,
        imported=months,
    )


def year_doubts(
    employed: Sequence[str],
    before: YearToDate,
    imported: Sequence[ImportedPayslip],
    declares_deductions: bool,
) -> tuple[str, ...]:
    """What the year's cumulation does not know of one person, each in a sentence for HR: nothing is
    taken for 0 in silence.

    `employed` are the months of employment before the run's own; who has declared 专项附加扣除 here
    catches up what no payslip says.
    """
    lacking = [month for month in employed if month not in before.months]
    no_income = [slip.levy_period for slip in imported if slip.income_fen is None]
    no_special = [
        slip.levy_period
        for slip in imported
        if slip.special_additional_fen is None and not declares_deductions
    ]
    doubts = (
        (
            lacking,
            "在职，却没有可计入本年累计预扣的工资条：补导这些月份的工资条，税款在下次发薪时补齐",
        ),
        (no_income, "导入的工资条没有“本期收入”，累计预扣按应发合计计入"),
        (no_special, "导入的工资条没有“专项附加扣除”，累计预扣按 0 计入：补上该列后更正导入"),
    )
    return tuple(f"{'、'.join(sorted(months))} {words}。" for months, words in doubts if months)


def payslip_faults(
    slips: Sequence[SaidPayslip],
    departments: Mapping[tuple[str, str], str],
    known: Mapping[str, ImportedPayslip],
    paid_by_runs: Collection[str],
    closed: Collection[str],
    corrects: bool,
) -> list[Fault]:
    """What of a file does not fit the roster, or contradicts payslips that were issued.

    `departments` maps (employee id, levy period) to where they are employed in it, `known` keys to
    imported payslips; `paid_by_runs` are periods with a payroll run here, `closed` closed ones.
    """
    faults: list[Fault] = []
    for slip in slips:
        wrong = _misplaced(slip, departments, paid_by_runs)
        if wrong is None and _differs(slip, known.get(slip.key)):
            is_new = slip.key not in known or known[slip.key].is_withdrawn
            wrong = _untimely(slip, closed, is_new or corrects)
        if wrong is not None:
            faults.append(Fault(slip.row, *wrong))
    return faults


_Wrong = tuple[str, str, str, str]
"""Column, value, reason, what to do."""


def _misplaced(
    slip: SaidPayslip, departments: Mapping[tuple[str, str], str], paid_by_runs: Collection[str]
) -> _Wrong | None:
    period, number = slip.levy_period, slip.employee_no
    if (slip.employee_id, period) not in departments:
        todo = "核对工号和月份，或先在花名册里登记任职"
        return "工号", number, f"{period} 不在职", todo
    if slip.payday is None:
        reason = "该年的放假安排还未公布，不能推算发薪日"
        return "发薪日期", "", reason, "填写发薪日期"
    if period in paid_by_runs:
        reason = f"{period} 已在本系统核算工资"
        return "工号", number, reason, "工资条由核算发放，不必导入"
    return None


def _differs(slip: SaidPayslip, known: ImportedPayslip | None) -> bool:
    return known is None or known.is_withdrawn or state_of(known) != state_of(slip)


def _untimely(slip: SaidPayslip, closed: Collection[str], may_come: bool) -> _Wrong | None:
    period = slip.levy_period
    if period in closed:
        return "所属月份", period, f"{period} 已关账", "关账后的更正请在开放的月份做补差"
    if not may_come:
        reason = f"{period} 的工资条已导入过，金额不同"
        return "工号", slip.employee_no, reason, "确需更正时选择“更正已导入的数据”"
    return None
