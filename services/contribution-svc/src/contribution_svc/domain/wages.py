"""A month's wage as payroll told it: the pay items that count as wage, and those that do not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

PAY_ITEM_WORDS: Mapping[str, str] = {
    "monthly_wage": "月工资",
    "base_salary": "基本工资",
    "post_salary": "岗位工资",
    "performance_pay": "绩效工资",
    "piece_pay": "计件工资",
    "commission": "提成",
    "bonus": "奖金",
    "annual_bonus": "全年一次性奖金",
    "allowance": "津贴",
    "subsidy": "补贴",
    "overtime_150": "工作日加班工资",
    "overtime_200": "休息日加班工资",
    "overtime_300": "法定节假日加班工资",
    "overtime_pay": "加班工资",
    "absence": "缺勤扣款",
    "personal_leave": "事假扣款",
    "other_pay": "其他应发",
    "travel_allowance": "差旅费",
    "missed_meal_subsidy": "误餐补助",
    "welfare": "福利费",
    "labour_protection": "劳动保护",
    "one_child_subsidy": "独生子女补贴",
    "severance": "经济补偿金",
}
"""Payroll's codes as people read them; an employer's own item is shown by its code."""


@dataclass(frozen=True, slots=True)
class PayItem:
    """One pay item, in fen; `counts_as_wage` by 关于工资总额组成的规定 (1990) art. 4 and 11, as
    payroll's catalogue has it.
    """

    code: str
    amount_fen: int
    counts_as_wage: bool = True

    def name(self) -> str:
        return PAY_ITEM_WORDS.get(self.code, self.code)


@dataclass(frozen=True, slots=True)
class WageMonth:
    """One employee's month as told: the part that counts, in fen, and the items of its gross (none
    where payroll told the sum only). `purpose` is run or history.
    """

    month: str
    purpose: str
    wage_fen: int
    items: Sequence[PayItem] = ()


@dataclass(frozen=True, slots=True)
class ItemSum:
    """One pay item over several months, in fen."""

    item: str
    amount_fen: int
    counts_as_wage: bool


UNNAMED = "未列明项目的工资"


def item_sums(months: Iterable[WageMonth]) -> tuple[ItemSum, ...]:
    """Every item over these months, those that count first; what a month's items do not add up to
    is an item of its own, so that the ones that count are the wages.
    """
    sums: dict[tuple[bool, str], int] = {}
    for month in months:
        for one in month.items:
            key = (one.counts_as_wage, one.name())
            sums[key] = sums.get(key, 0) + one.amount_fen
        rest = month.wage_fen - sum(one.amount_fen for one in month.items if one.counts_as_wage)
        if rest:
            sums[True, UNNAMED] = sums.get((True, UNNAMED), 0) + rest
    ordered = sorted(sums.items(), key=lambda pair: (not pair[0][0], -pair[1], pair[0][1]))
    return tuple(ItemSum(name, fen, counts) for (counts, name), fen in ordered if fen)
