"""Wages of past months as files tell them: pay items, and what of them counts as wage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from payroll_svc.domain.faults import Fault

MONTHLY_WAGE = "monthly_wage"
BASE_SALARY = "base_salary"

PAY_ITEMS: dict[str, tuple[str, bool]] = {
    "": (MONTHLY_WAGE, True),
    "月工资": (MONTHLY_WAGE, True),
    "工资": (MONTHLY_WAGE, True),
    "基本工资": (BASE_SALARY, True),
    "岗位工资": ("post_salary", True),
    "绩效工资": ("performance_pay", True),
    "计件工资": ("piece_pay", True),
    "提成": ("commission", True),
    "奖金": ("bonus", True),
    "津贴": ("allowance", True),
    "补贴": ("subsidy", True),
    "加班费": ("overtime_pay", True),
    "加班工资": ("overtime_pay", True),
    "差旅费": ("travel_allowance", False),
    "误餐补助": ("missed_meal_subsidy", False),
    "福利费": ("welfare", False),
    "劳动保护": ("labour_protection", False),
    "独生子女补贴": ("one_child_subsidy", False),
    "经济补偿金": ("severance", False),
}
"""项目 as people write it, to our code and whether it counts as wage.

关于工资总额组成的规定 (国家统计局令第 1 号, 1990): art. 4 names what counts, art. 11 what does not.
"""


@dataclass(frozen=True, slots=True)
class WageRow:
    """One amount of one past wage month, as a file names it; `row` is where."""

    row: int
    employee_id: str
    employee_no: str
    wage_month: str
    code: str
    amount_fen: int
    counts_as_wage: bool = True


@dataclass(frozen=True, slots=True)
class WageItem:
    code: str
    amount_fen: int
    counts_as_wage: bool = True


@dataclass(frozen=True, slots=True)
class MonthWage:
    """One employee's wage of one past month: its items in the order of their codes."""

    employee_id: str
    wage_month: str
    items: tuple[WageItem, ...]
    version: int = 0

    @property
    def gross_fen(self) -> int:
        return sum(item.amount_fen for item in self.items)

    @property
    def wage_fen(self) -> int:
        """The part that counts as wage and so into the contribution base."""
        return sum(item.amount_fen for item in self.items if item.counts_as_wage)


def by_month(rows: Iterable[WageRow]) -> list[MonthWage]:
    """The rows gathered per employee and wage month."""
    gathered: dict[tuple[str, str], list[WageItem]] = {}
    for row in rows:
        item = WageItem(row.code, row.amount_fen, row.counts_as_wage)
        gathered.setdefault((row.employee_id, row.wage_month), []).append(item)
    return [
        MonthWage(employee_id, wage_month, tuple(sorted(items, key=lambda item: item.code)))
        for (employee_id, wage_month), items in gathered.items()
    ]


def wage_faults(rows: Sequence[WageRow], known: Mapping[tuple[str, str], MonthWage]) -> list[Fault]:
    """What of a wages file contradicts the months taken in before; the same amounts again are none.

    `known` maps (employee id, wage month) to what is stored.
    """
    changed = {
        (month.employee_id, month.wage_month)
        for month in by_month(rows)
        if (before := known.get((month.employee_id, month.wage_month))) is not None
        and before.items != month.items
    }
    todo = "如确需更正，上传时选择“更正已导入的工资”"
    faults: dict[tuple[int, str], Fault] = {}
    for row in rows:
        if (row.employee_id, row.wage_month) in changed:
            reason = f"{row.wage_month} 已导入过，金额不同"
            fault = Fault(row.row, "工资月份", row.wage_month, reason, todo)
            faults.setdefault((row.row, row.wage_month), fault)
    return list(faults.values())
