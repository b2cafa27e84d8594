"""Where any figure of payroll's own on a payslip comes from: one sentence, and its steps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from payroll_svc.domain.income_tax import (
    FIRST_WAGE_OF_YEAR,
    SIXTY_THOUSAND_AT_ONCE,
    Withholding,
)
from payroll_svc.domain.pay import DueLine
from payroll_svc.domain.pay_items import AFTER_TAX, GROSS, Reckoned, Step, half_up, percent
from payroll_svc.domain.payslip import Payslip
from shared.values import INSURANCE_WORDS, fen_text

ITEM = "item:"
_LINE = "line:"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One figure: its amount in fen, a sentence for people, and the steps that it is made of."""

    figure: str
    amount_fen: int
    sentence: str
    steps: tuple[Step, ...]


def figures_of(slip: Payslip) -> list[str]:
    """Every figure of the payslip that can be explained, in the order that it is read."""
    codes = dict.fromkeys(ITEM + item.code for item in slip.items)
    lines = dict.fromkeys(_LINE + line.insurance for line in slip.withheld)
    return [*codes, *lines, *_FIGURES]


def explained(slip: Payslip, figure: str) -> Explanation | None:
    """None where the payslip has no such figure."""
    if figure.startswith(ITEM):
        items = [item for item in slip.items if item.code == figure.removeprefix(ITEM)]
        return _items(figure, items) if items else None
    if figure.startswith(_LINE):
        lines = [one for one in slip.withheld if one.insurance == figure.removeprefix(_LINE)]
        return _lines(slip, figure, lines) if lines else None
    made = _FIGURES.get(figure)
    return made(slip) if made else None


def with_words(found: Explanation, origins: Sequence[str]) -> Explanation:
    """The same with where what was entered comes from, still in one sentence."""
    if not origins:
        return found
    sentence = f"{found.sentence.removesuffix('。')}（来源：{'；'.join(origins)}）。"
    return replace(found, sentence=sentence)


def _items(figure: str, items: list[Reckoned]) -> Explanation:
    """One code's items, the month's own and any differences, in one sentence."""
    words = "；".join(
        item.reckoning or f"{item.name} {fen_text(item.amount_fen)}" for item in items
    )
    amount_fen = sum(item.amount_fen for item in items)
    total = f"；合计 {fen_text(amount_fen)}" if len(items) > 1 else ""
    return Explanation(figure, amount_fen, f"{words}{total}。", _steps(items))


def _steps(items: Iterable[Reckoned]) -> tuple[Step, ...]:
    return tuple(step for item in items for step in (*item.steps, Step(item.name, item.amount_fen)))


def _lines(slip: Payslip, figure: str, lines: list[DueLine]) -> Explanation:
    """What this payslip really took for one insurance, of its own month and of others: which month
    was to withhold a line is a rule, and the next run takes what came too late for it.
    """
    own_fen = sum(line.employee_fen for line in lines)
    month = slip.levy_period
    words = "；".join(
        f"{line.levy_period or month} {_base(line)}"
        f"个人 {_side(line, line.employee_ppm, line.employee_fen)}、"
        f"单位 {_side(line, line.employer_ppm, line.employer_fen)}"
        for line in lines
    )
    sentence = (
        f"{INSURANCE_WORDS[lines[0].insurance]}在 {month} 的工资条里代扣个人 {fen_text(own_fen)}："
        f"{words}。"
    )
    steps = tuple(
        step
        for line in lines
        for step in (
            Step(f"{line.levy_period or month} 基数", line.base_fen),
            Step("个人费率", line.employee_ppm, "ppm"),
            Step("个人", line.employee_fen),
            Step("单位", line.employer_fen),
        )
    )
    return Explanation(figure, own_fen, sentence, steps)


def _base(line: DueLine) -> str:
    if line.kind == "difference":
        return "补差，"
    if not (line.employee_ppm or line.employer_ppm):
        return f"基数 {fen_text(line.base_fen)}，"
    rates = f"{percent(line.employee_ppm)}、{percent(line.employer_ppm)}"
    return f"基数 {fen_text(line.base_fen)}，费率个人、单位 {rates}，"


def _side(line: DueLine, rate_ppm: int, fen: int) -> str:
    """One side's amount; where base and rate alone do not give it, what they give and the rest: the
    policy's fixed sum and rounding, which the line's own explanation names.
    """
    by_rate_fen = half_up(line.base_fen * rate_ppm, 1_000_000)
    if line.kind == "difference" or not rate_ppm or fen == by_rate_fen:
        return fen_text(fen)
    rest = f"{'+' if fen > by_rate_fen else ''}{fen_text(fen - by_rate_fen)}"
    return f"{fen_text(fen)}（基数 × 费率 {fen_text(by_rate_fen)}，定额和取整 {rest}）"


def _gross(slip: Payslip) -> Explanation:
    items = [item for item in slip.items if item.part == GROSS]
    words = _sum(items) or fen_text(slip.gross_fen)
    steps = tuple(Step(item.name, item.amount_fen) for item in items)
    sentence = f"应发工资 = {words} = {fen_text(slip.gross_fen)}。"
    return Explanation("gross", slip.gross_fen, sentence, steps)


def _sum(items: Iterable[Reckoned]) -> str:
    return " + ".join(f"{item.name} {fen_text(item.amount_fen)}" for item in items)


def _contributions(slip: Payslip) -> Explanation:
    steps = tuple(Step(_line_words(line), line.employee_fen) for line in slip.withheld)
    words = " + ".join(f"{step.label} {fen_text(step.value)}" for step in steps if step.value)
    total = fen_text(slip.contributions_fen)
    sentence = f"个人社保公积金 = {words} = {total}。" if words else "本次没有代扣社保公积金。"
    return Explanation("contributions", slip.contributions_fen, sentence, steps)


def _line_words(line: DueLine) -> str:
    """With the month that it is for, where that is another than the payslip's."""
    return f"{INSURANCE_WORDS[line.insurance]}{line.levy_period and f'（{line.levy_period}）'}"


def _special(slip: Payslip) -> Explanation:
    """What came new with this payment: of what is declared, the year so far less what was counted;
    of the roster, its sum of the month.
    """
    own_fen = slip.special_additional_fen
    special = slip.tax.special if slip.tax else ()
    is_known = special or own_fen < 0
    before_fen = sum(step.value for step in special) - own_fen if is_known else 0
    nothing = "没有可计入的扣除" if own_fen <= 0 else "由哪些扣除组成没有保存"
    words = " + ".join(step.label for step in special) or nothing
    if before_fen:
        to_date = fen_text(own_fen + before_fen)
        words = f"本年累计 {to_date}（{words}）− 此前已计入 {fen_text(before_fen)}"
    sentence = f"专项附加扣除本次计入 {fen_text(own_fen)}：{words}。"
    steps = (*special, Step("此前已计入", before_fen), Step("本次计入", own_fen))
    return Explanation("special_additional", own_fen, sentence, steps)


def _tax(slip: Payslip) -> Explanation:
    if slip.tax is None:
        return Explanation("tax", slip.tax_fen, "该工资条签发时未保存计税过程。", ())
    tax = slip.tax
    words = f"{_year(tax)}，本次预扣 {fen_text(tax.tax_fen - tax.bonus_tax_fen)}"
    if (surplus_fen := tax.withheld_before_fen - tax.tax_to_date_fen) > 0:
        words += f"（此前多预扣的 {fen_text(surplus_fen)} 留待年度汇算）"
    if tax.bonus_fen:
        words += (
            f"；全年一次性奖金 {fen_text(tax.bonus_fen)} 单独计税 × {percent(tax.bonus_rate_ppm)} −"
            f" {fen_text(tax.bonus_quick_deduction_fen)} = {fen_text(tax.bonus_tax_fen)}"
            f"；合计预扣 {fen_text(tax.tax_fen)}"
        )
    return Explanation("tax", slip.tax_fen, f"{words}（{tax.source}）。", _tax_steps(tax))


def _year(tax: Withholding) -> str:
    base = (
        f"累计收入 {fen_text(tax.income_fen)}{_imported(tax)}"
        f" − 减除费用 {fen_text(tax.allowance_fen)}{_how_long(tax)}"
        f" − 社保公积金 {fen_text(tax.contributions_fen)}"
        f" − 专项附加扣除 {fen_text(tax.special_additional_fen)} = {fen_text(tax.taxable_fen)}"
    )
    if tax.taxable_fen <= 0:
        return f"{base}，没有应纳税所得额"
    return (
        f"{base}，× {percent(tax.rate_ppm)} − 速算扣除数 {fen_text(tax.quick_deduction_fen)} ="
        f" {fen_text(tax.tax_to_date_fen)}，减已预扣 {fen_text(tax.withheld_before_fen)}"
    )


def _imported(tax: Withholding) -> str:
    if not tax.imported:
        return ""
    return f"（含导入的 {'、'.join(tax.imported)} 工资条）"


def _how_long(tax: Withholding) -> str:
    if SIXTY_THOUSAND_AT_ONCE in tax.elections:
        return "（上年收入不超过 6 万元，全年一次减除）"
    months = f"{fen_text(tax.allowance_fen // tax.months)} × {tax.months} 个月"
    return (
        f"（{months}，当年首次取得工资）"
        if FIRST_WAGE_OF_YEAR in tax.elections
        else f"（{months}）"
    )


def _tax_steps(tax: Withholding) -> tuple[Step, ...]:
    steps = [
        Step("累计收入", tax.income_fen),
        Step("累计减除费用", tax.allowance_fen),
        Step("累计专项扣除", tax.contributions_fen),
        Step("累计专项附加扣除", tax.special_additional_fen),
        Step("累计应纳税所得额", tax.taxable_fen),
        Step("预扣率", tax.rate_ppm, "ppm"),
        Step("速算扣除数", tax.quick_deduction_fen),
        Step("累计应预扣税额", tax.tax_to_date_fen),
        Step("累计已预扣税额", tax.withheld_before_fen),
    ]
    if tax.bonus_fen:
        steps += [
            Step("全年一次性奖金", tax.bonus_fen),
            Step("奖金税率", tax.bonus_rate_ppm, "ppm"),
            Step("奖金速算扣除数", tax.bonus_quick_deduction_fen),
            Step("奖金税额", tax.bonus_tax_fen),
        ]
    return (*steps, Step("本次预扣税额", tax.tax_fen))


def _net(slip: Payslip) -> Explanation:
    after = [item for item in slip.items if item.part == AFTER_TAX]
    untold_fen = slip.net_fen - (
        slip.gross_fen
        - slip.contributions_fen
        - slip.tax_fen
        + sum(item.amount_fen for item in after)
    )
    if untold_fen:
        # A restored payslip: what was beside the gross is known as a sum alone.
        after.append(Reckoned("", "税后项目（明细没有保存）", untold_fen, AFTER_TAX))
    after_words = "".join(f" + {item.name} {fen_text(item.amount_fen)}" for item in after)
    sentence = (
        f"实发工资 = 应发 {fen_text(slip.gross_fen)}"
        f" − 个人社保公积金 {fen_text(slip.contributions_fen)}"
        f" − 个人所得税 {fen_text(slip.tax_fen)}{after_words} = {fen_text(slip.net_fen)}。"
    )
    steps = (
        Step("应发工资", slip.gross_fen),
        Step("个人社保公积金", slip.contributions_fen),
        Step("个人所得税", slip.tax_fen),
        *(Step(item.name, item.amount_fen) for item in after),
    )
    return Explanation("net", slip.net_fen, sentence, steps)


def _employer(slip: Payslip) -> Explanation:
    steps = tuple(Step(_line_words(line), line.employer_fen) for line in slip.withheld)
    words = " + ".join(f"{step.label} {fen_text(step.value)}" for step in steps if step.value)
    total = fen_text(slip.employer_fen)
    sentence = f"单位社保公积金 = {words} = {total}。" if words else "本次没有单位社保公积金。"
    return Explanation("employer", slip.employer_fen, sentence, steps)


def _employer_cost(slip: Payslip) -> Explanation:
    sentence = (
        f"用工成本 = 应发 {fen_text(slip.gross_fen)} + 单位社保公积金 {fen_text(slip.employer_fen)}"
        f" = {fen_text(slip.employer_cost_fen)}。"
    )
    steps = (Step("应发工资", slip.gross_fen), Step("单位社保公积金", slip.employer_fen))
    return Explanation("employer_cost", slip.employer_cost_fen, sentence, steps)


_FIGURES: Mapping[str, Callable[[Payslip], Explanation]] = {
    "gross": _gross,
    "contributions": _contributions,
    "special_additional": _special,
    "tax": _tax,
    "net": _net,
    "employer": _employer,
    "employer_cost": _employer_cost,
}
