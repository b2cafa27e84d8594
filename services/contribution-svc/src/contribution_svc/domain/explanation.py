"""Where a figure comes from: wage months and items, average, bound, base, rate, rounding, amount;
in one sentence, with every number on the way beside it and its source.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from contribution_svc.domain.base import Bound, base_within
from contribution_svc.domain.figures import Figure
from contribution_svc.domain.lines import FACTS_PARKED, Line, percent_text
from contribution_svc.domain.policy import Reason
from contribution_svc.domain.rounding import Rounding, countable_fen
from contribution_svc.domain.wage_basis import BaseRule, WageBasis
from contribution_svc.domain.wages import WageMonth, item_sums
from shared.values import INSURANCE_WORDS, Insurance, LevyPeriod, Payer, fen_text

WAGE_RULE = "《关于工资总额组成的规定》（国家统计局令第1号）第四条、第十一条"
AVERAGE_RULE = "《职工基本养老保险个人账户管理暂行办法》（劳办发〔1997〕116号）"
DAYS_RULE = "《关于职工全年月平均工作时间和工资折算问题的通知》（人社部发〔2025〕2号）"
FUND_RULE = "《住房公积金管理条例》第十七条"
OWN_RATE = "单位社保账户自有费率"
CHANGED_RATE = "核算时的费率，政策库此后已更改"

SIDE_WORDS: Mapping[Payer, str] = {Payer.EMPLOYER: "单位", Payer.EMPLOYEE: "个人"}
ROUNDING_WORDS: Mapping[Rounding, str] = {
    Rounding.FEN_HALF_UP: "四舍五入到分",
    Rounding.JIAO_HALF_UP: "四舍五入到角",
    Rounding.YUAN_HALF_UP: "四舍五入到元",
    Rounding.LI_UP_TO_FEN: "见厘进分",
    Rounding.FEN_UP_TO_JIAO: "见分进角",
    Rounding.JIAO_UP_TO_YUAN: "见角进元",
    Rounding.UP_TO_YUAN: "不足一元进到元",
    Rounding.HALF_EVEN: "四舍六入五成双到分",
    Rounding.CUT_LI: "舍去厘",
    Rounding.CUT_FEN: "舍去分",
    Rounding.CUT_JIAO: "舍去角分",
}

FEN, PPM, MONTHS, DAYS = "fen", "ppm", "months", "days"


@dataclass(frozen=True, slots=True)
class Step:
    """One number on the way: what it is, a whole number of its unit (fen, ppm, months or days), and
    the source that says so; `document` is where to read it, `known_since` the day of publication.
    """

    label: str
    value: int
    unit: str = FEN
    source: str = ""
    document: str = ""
    known_since: date | None = None

    def said(self) -> str:
        if self.unit == FEN:
            return f"{fen_text(self.value)}元"
        if self.unit == PPM:
            return percent_text(self.value).replace(" ", "")
        return f"{self.value}{'个月' if self.unit == MONTHS else '天'}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence, the steps whose numbers it names, and what people have to be told of them."""

    sentence: str
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()


@dataclass
class _Told:
    """What has been said so far."""

    parts: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def step(self, label: str, value: int, unit: str = FEN, source: str = "") -> str:
        """Notes the number, and gives it as it is said."""
        self.steps.append(Step(label, value, unit, source))
        return self.steps[-1].said()

    def figure(self, label: str, figure: Figure, unit: str = FEN) -> str:
        """The number of a dated figure, with the notice that it is from."""
        assert figure.value is not None
        since = figure.known_since if figure.dated else None
        step = Step(label, figure.value, unit, figure.source, figure.document, since)
        self.steps.append(step)
        return f"{step.said()}（{figure.notice_said()}）"


@dataclass(frozen=True, slots=True)
class Withheld:
    """One side's sum of an earlier levy period that this month's payroll is to take as well, in fen
    (negative: given back), and the line's own sentence.
    """

    levy_period: str
    amount_fen: int
    reason: str


def with_withheld(
    explanation: Explanation, amount_fen: int, side: Payer, withheld: Sequence[Withheld]
) -> Explanation:
    """The same with what supplementary declarations add of earlier levy periods, and what that
    comes to. They plan the month: which payslip took it, payroll-svc knows.
    """
    if not withheld:
        return explanation
    steps = [Step(f"{one.levy_period}补差", one.amount_fen, source=one.reason) for one in withheld]
    whole = Step(
        f"预计工资条{SIDE_WORDS[side]}合计", amount_fen + sum(one.amount_fen for one in withheld)
    )
    said = "；".join(f"{step.said()}（{step.source}）" for step in steps)
    own = explanation.sentence.rstrip("。")
    planned = f"按补充申报，应在本月工资另计{said}，{whole.label}{whole.said()}，以工资条为准"
    sentence = f"{own}；{planned}。"
    return Explanation(sentence, (*explanation.steps, *steps, whole), explanation.warnings)


def explain_base(
    basis: WageBasis,
    base_year: int,
    months: Sequence[WageMonth],
    figures_of: Mapping[Insurance, Mapping[str, Figure]],
) -> Explanation:
    """The bases of the insurances of `figures_of`, which all rest on `basis`.

    `months` are those of which anything was told, from January of `base_year` on.
    """
    told = _Told()
    _say_wage(told, basis, base_year, months)
    for insurance, figures in figures_of.items():
        _say_base(told, insurance, basis.wage_fen, figures)
    return Explanation("；".join(told.parts) + "。", tuple(told.steps), basis_warnings(basis))


def explain_line(
    line: Line,
    side: Payer,
    basis: WageBasis,
    base_year: int,
    months: Sequence[WageMonth],
    figures: Mapping[str, Figure],
    rounding: Rounding,
) -> Explanation:
    """One side's amount of a due line."""
    told = _Told()
    _say_wage(told, basis, base_year, months)
    _say_base(told, line.insurance, basis.wage_fen, figures)
    _say_amount(told, line, side, figures, rounding)
    return Explanation("；".join(told.parts) + "。", tuple(told.steps), basis_warnings(basis))


def explain_amount(
    line: Line, side: Payer, base_said: str, figures: Mapping[str, Figure], rounding: Rounding
) -> Explanation:
    """The same where what the base rested on is known by its sentence alone."""
    told = _Told([base_said])
    told.parts.append(f"缴费基数{told.step('缴费基数', line.base_fen)}")
    _say_amount(told, line, side, figures, rounding)
    return Explanation("；".join(told.parts) + "。", tuple(told.steps))


def basis_warnings(basis: WageBasis) -> tuple[str, ...]:
    """What a payroll specialist has to look at before they trust the base."""
    found = []
    if basis.missing:
        months = "、".join(f"{month}月" for month in basis.missing)
        found.append(f"在职但未收到工资的月份：{months}，请补报；当月无工资的按0元报送")
    if basis.paid_days:
        found.append("首月不满整月，由实发工资折算；如有约定的整月工资，请登记首月工资")
    return tuple(found)


def counted(months: Iterable[WageMonth]) -> dict[str, WageMonth]:
    """By month, what counts of it: what HR imported as history, else the run; in their order."""
    found: dict[str, WageMonth] = {}
    for month in sorted(months, key=lambda one: (one.month, one.purpose)):
        found.setdefault(month.month, month)
    return found


def _say_wage(told: _Told, basis: WageBasis, base_year: int, months: Sequence[WageMonth]) -> None:
    if basis.rule is BaseRule.LAST_YEAR_AVERAGE:
        year = f"{base_year:04d}-"
        used = [m for m in counted(months).values() if m.month.startswith(year) and m.wage_fen > 0]
        _say_average(told, basis, base_year, used)
    elif not basis.period:
        wage = told.step("约定的首月整月工资", basis.wage_fen, source=AVERAGE_RULE)
        told.parts.append(f"新入职，按约定的首月整月工资{wage}")
    else:
        # HR may have imported a first month from the time before; any other is a run's.
        is_first = basis.rule is BaseRule.FIRST_MONTH_WAGE
        paid = counted(months).values() if is_first else [m for m in months if m.purpose == "run"]
        _say_month(told, basis, [m for m in paid if m.month == basis.period])


def _say_average(told: _Told, basis: WageBasis, base_year: int, used: Sequence[WageMonth]) -> None:
    span = f"{base_year}年{months_said([int(m.month[5:]) for m in used])}"
    total = told.step(f"{span}工资合计", sum(m.wage_fen for m in used), source=WAGE_RULE)
    items = _say_items(told, used)
    count = told.step("有工资的月数", basis.months, MONTHS, AVERAGE_RULE)
    average = told.step("上年度月均工资", basis.wage_fen, source=AVERAGE_RULE)
    told.parts.append(f"{span}工资合计{total}{items}，除以{count}，上年度月均工资{average}")


_MONTH_WORDS = {
    BaseRule.FIRST_MONTH_WAGE: ("新入职首月工资", AVERAGE_RULE),
    BaseRule.SECOND_MONTH_WAGE: ("首次缴存公积金，入职次月工资", FUND_RULE),
    BaseRule.RAISED_WAGE: ("调薪后月工资", ""),
}


def _say_month(told: _Told, basis: WageBasis, paid: Sequence[WageMonth]) -> None:
    words, source = _MONTH_WORDS[basis.rule]
    paid_fen = sum(m.wage_fen for m in paid)
    said = f"{basis.period}{words}{told.step(words, paid_fen, source=source)}"
    said += _say_items(told, paid)
    if basis.paid_days:
        days = told.step("首月计薪天数", basis.paid_days, DAYS, DAYS_RULE)
        whole = told.step("折算为整月的工资", basis.wage_fen, source=DAYS_RULE)
        said += f"，为{days}工资，按每月21.75天折算为整月{whole}"
    told.parts.append(said)


def _say_items(told: _Told, months: Sequence[WageMonth]) -> str:
    """（基本工资96,000.00元、奖金18,000.00元；不计入：差旅费1,200.00元）"""
    sums = item_sums(months)
    counting = [
        f"{one.item}{told.step(one.item, one.amount_fen, source=WAGE_RULE)}"
        for one in sums
        if one.counts_as_wage
    ]
    others = [
        f"{one.item}{told.step(f'{one.item}（不计入工资）', one.amount_fen, source=WAGE_RULE)}"
        for one in sums
        if not one.counts_as_wage
    ]
    said = "；不计入：".join(filter(None, ("、".join(counting), "、".join(others))))
    return f"（{said}）" if said else ""


def _say_base(
    told: _Told, insurance: Insurance, wage_fen: int, figures: Mapping[str, Figure]
) -> None:
    floor, ceiling = figures["floor"], figures["ceiling"]
    base_fen, bound = base_within(countable_fen(wage_fen), floor.value, ceiling.value)
    name = INSURANCE_WORDS[insurance]
    if bound is Bound.FLOOR:
        place = f"低于{name}基数下限{told.figure('基数下限', floor)}"
    elif bound is Bound.CEILING:
        place = f"高于{name}基数上限{told.figure('基数上限', ceiling)}"
    else:
        place = _within(told, name, floor, ceiling)
    told.parts.append(f"{place}，缴费基数{told.step('缴费基数', base_fen)}")


def _within(told: _Told, name: str, floor: Figure, ceiling: Figure) -> str:
    least = f"下限{told.figure('基数下限', floor)}" if floor.value is not None else ""
    most = f"上限{told.figure('基数上限', ceiling)}" if ceiling.value is not None else ""
    if least and most:
        return f"在{name}基数{least}与{most}之间"
    return f"{name}基数{least or most or '上下限'}{'，另一端' if least or most else ''}未公布"


def _say_amount(
    told: _Told, line: Line, side: Payer, figures: Mapping[str, Figure], rounding: Rounding
) -> None:
    """9,500.00元×单位费率8%（来源）=760.00元，单位应缴760.00元."""
    is_employer = side is Payer.EMPLOYER
    rate_ppm = line.employer_ppm if is_employer else line.employee_ppm
    amount_fen = line.employer_fen if is_employer else line.employee_fen
    who = SIDE_WORDS[side]
    rate = figures[f"{side}_rate"]
    if rate.value == rate_ppm:
        said_rate = told.figure(f"{who}费率", rate, PPM)
    else:
        source = OWN_RATE if rate.value is None else CHANGED_RATE
        said_rate = f"{told.step(f'{who}费率', rate_ppm, PPM, source)}（{source}）"
    fixed = figures.get(f"{side}_fixed")
    plus = ""
    if fixed is not None and fixed.value:
        plus = f"，另加定额{told.figure(f'{who}定额', fixed)}"
    said = f"{fen_text(line.base_fen)}元×{who}费率{said_rate}={_exact(line.base_fen, rate_ppm)}元"
    due = told.step(f"{who}应缴", amount_fen)
    told.parts.append(f"{said}，{ROUNDING_WORDS[rounding]}{plus}，{who}应缴{due}")


def _exact(base_fen: int, rate_ppm: int) -> str:
    """The product in yuan with all its digits: 188.655."""
    whole, rest = divmod(base_fen * rate_ppm, 10**8)
    digits = f"{rest:08d}".rstrip("0")
    return f"{whole:,}.{digits.ljust(2, '0')}"


def months_said(months: Sequence[int]) -> str:
    """[1, 2, 3, 5] -> '1月至3月、5月'."""
    runs: list[list[int]] = [[months[0]]] if months else []
    for before, month in pairwise(months):
        if month == before + 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return "、".join(f"{run[0]}月至{run[-1]}月" if len(run) > 1 else f"{run[0]}月" for run in runs)


_REASONS = {
    "not_on_roster": "该月不在职，不缴",
    "fund_from_second_month": f"首次缴存公积金，自入职次月起缴（{FUND_RULE}），本月不缴",
    "wage_history_missing": "缺少上年度工资，无法确定缴费基数，暂停核算；请导入上年度各月工资",
    "first_wage_unknown": "新入职而首月工资未知，暂停核算；请登记或导入首月工资，或完成其核算",
    "no_employment": "没有在职记录，暂停核算",
    "documents_missing": "缺少资料（{detail}），暂停核算",
    "person_kind_unknown": "人员类别{detail}不在该地政策中，暂停核算",
    "policy_unknown": "该地当月的政策未知，无法计算",
    "own_rate_unknown": "未登记单位自有费率，暂停核算",
    "own_rate_outside_policy": "登记的单位自有费率不在政策允许范围内，暂停核算",
}


def explain_not_yet(insurance: Insurance, reason: str) -> Explanation:
    """An insurance that takes nothing in this period, and why."""
    return Explanation(f"{INSURANCE_WORDS[insurance]}{_REASONS[reason]}。", ())


def reason_said(reason: str, reasons: Mapping[str, Reason]) -> str:
    """Why there is no base or line, for people; `reasons` of person kinds are the catalogue's."""
    if reason in reasons:
        return reasons[reason].words
    return _REASONS.get(reason, reason).format(detail="")


def explain_not_due(
    insurance: Insurance,
    period: LevyPeriod,
    line: Line,
    kind: str,
    reasons: Mapping[str, Reason],
) -> Explanation:
    """Why nothing is due; `kind` is the employee's person kind as people read it, `reasons` are the
    catalogue's.
    """
    head, _, rest = line.reason.partition(":")
    waits = head == FACTS_PARKED
    code, _, detail = (rest if waits else line.reason).partition(":")
    if (known := reasons.get(code)) is not None:
        why = f"人员类别为{kind}，{_STATES[line.state]}（{known.words}，依据{known.source}）"
    else:
        why = _REASONS.get(code, code).format(detail=detail)
    note = "；另有该员工的资料未能接收，等待运维处理" if waits else ""
    return Explanation(f"{period}{INSURANCE_WORDS[insurance]}：{why}{note}。", ())


_STATES = {"exempt": "不缴", "blocked": "暂停核算", "due": "应缴"}
