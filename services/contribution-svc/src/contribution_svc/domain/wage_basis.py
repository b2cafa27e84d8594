"""The wage that bases rest on: last year's average, or what stands in its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from contribution_svc.domain.employment import (
    Spell,
    employed_since,
    is_part_month,
    months_employed,
    paid_days,
)
from contribution_svc.domain.policy import AfterRaise
from shared.values import LevyPeriod, fen_text

WAGE_HISTORY_MISSING = "wage_history_missing"
FIRST_WAGE_UNKNOWN = "first_wage_unknown"
NO_EMPLOYMENT = "no_employment"
FUND_FROM_SECOND_MONTH = "fund_from_second_month"
"""Why the housing fund takes nothing of a first-ever member in the month in which they joined."""


class BaseRule(StrEnum):
    """What a base rests on."""

    LAST_YEAR_AVERAGE = "last_year_average"
    FIRST_MONTH_WAGE = "first_month_wage"
    SECOND_MONTH_WAGE = "second_month_wage"
    RAISED_WAGE = "raised_wage"


_WHAT = {
    BaseRule.LAST_YEAR_AVERAGE: "上年度月均工资",
    BaseRule.FIRST_MONTH_WAGE: "新入职首月工资",
    BaseRule.SECOND_MONTH_WAGE: "入职次月工资",
    BaseRule.RAISED_WAGE: "调薪后月工资",
}


class WageFacts(msgspec.Struct, frozen=True):
    """What is known of one employee's wages, the part that counts, in fen.

    `by_year_fen` by calendar year and month (0: told that there was none); `runs_fen` those of
    payroll runs, by levy period (YYYY-MM); `agreed_fen` the wage that was agreed for a whole
    first month (0: not told). `spells` in the order of their days.
    """

    spells: Sequence[Spell]
    by_year_fen: Mapping[int, Mapping[int, int]] = msgspec.field(default_factory=dict)
    runs_fen: Mapping[str, int] = msgspec.field(default_factory=dict)
    agreed_fen: int = 0
    first_fund_member: bool = False


class WageBasis(msgspec.Struct, frozen=True):
    """The monthly wage that bases rest on, in fen, over how many months, and by which rule.

    `missing` are the months of last year with employment of which no wage was told; `period` is the
    month of a wage that is no average (empty: as agreed), `paid_days` how many days of a part month
    were brought to a whole one (0: none).
    """

    wage_fen: int
    months: int
    rule: BaseRule
    missing: tuple[int, ...] = ()
    period: str = ""
    paid_days: int = 0

    def said(self) -> str:
        """As people read it: 上年度月均工资9,500.00元."""
        if self.missing:
            months = "、".join(f"{month}月" for month in self.missing)
            note = f"（缺{months}工资，按有工资的{self.months}个月平均）"
        elif self.paid_days:
            note = f"（首月计薪{self.paid_days}天，按21.75天折算为整月）"
        else:
            note = ""
        return f"{_WHAT[self.rule]}{fen_text(self.wage_fen)}元{note}"


@dataclass(frozen=True, slots=True)
class WageUnknown:
    """No wage to rest a base on; `reason` is `first_wage_unknown`, `wage_history_missing` or
    `no_employment`.
    """

    reason: str


def average_fen(wages_fen: Sequence[int]) -> int:
    """The average of monthly wages, half a fen up; the months in which there was a wage count, and
    no others.
    """
    total, months = sum(wages_fen), len(wages_fen)
    assert months > 0
    return (2 * total + months) // (2 * months)


def whole_month_fen(wage_fen: int, days: int) -> int:
    """The wage of a whole month of 21.75 paid days, from that of `days`; half a fen up."""
    assert days > 0
    return (wage_fen * 2_175 * 2 + 100 * days) // (2 * 100 * days)


def wage_basis(
    facts: WageFacts, base_year: int, period: LevyPeriod, after_raise: AfterRaise
) -> WageBasis | WageUnknown:
    """The wage that the bases of `period` rest on; `base_year` is the calendar year before its
    contribution year.

    劳办发〔1997〕116号: last year's average over the months in which there was a wage; newly hired,
    the wage of the first month. Who comes back after a gap is newly hired.
    """
    since = employed_since(facts.spells, period.last_day())
    if since is None:
        return WageUnknown(NO_EMPLOYMENT)
    is_new = since.year > base_year
    found = _first_month(facts, since) if is_new else _last_year(facts, base_year)
    if after_raise is AfterRaise.AT_ONCE and isinstance(found, WageBasis):
        return _raised(
            facts, found, max(LevyPeriod(base_year + 1, 1), LevyPeriod.of(since)), period
        )
    return found


def _last_year(facts: WageFacts, base_year: int) -> WageBasis | WageUnknown:
    told = facts.by_year_fen.get(base_year, {})
    wages = [fen for fen in told.values() if fen > 0]
    if not wages:
        return WageUnknown(WAGE_HISTORY_MISSING)
    missing: tuple[int, ...] = ()
    if len(told) < 12:
        missing = tuple(sorted(months_employed(facts.spells, base_year) - told.keys()))
    return WageBasis(average_fen(wages), len(wages), BaseRule.LAST_YEAR_AVERAGE, missing)


def _first_month(facts: WageFacts, since: date) -> WageBasis | WageUnknown:
    """What was agreed for a whole month, else the first that was paid, by a run or as HR imported
    it from the time before, brought to a whole month.
    """
    if facts.agreed_fen:
        return WageBasis(facts.agreed_fen, 1, BaseRule.FIRST_MONTH_WAGE)
    joined = str(LevyPeriod.of(since))
    paid = {month: fen for month, fen in facts.runs_fen.items() if month >= joined}
    for year, months in facts.by_year_fen.items():
        told = {f"{year}-{month:02d}": fen for month, fen in months.items() if fen > 0}
        paid |= {month: fen for month, fen in told.items() if month >= joined}
    if not paid:
        return WageUnknown(FIRST_WAGE_UNKNOWN)
    first = min(paid)
    wage = WageBasis(paid[first], 1, BaseRule.FIRST_MONTH_WAGE, period=first)
    if first == joined and is_part_month(since) and (days := paid_days(since)):
        return replace(wage, wage_fen=whole_month_fen(wage.wage_fen, days), paid_days=days)
    return wage


def _raised(facts: WageFacts, basis: WageBasis, first: LevyPeriod, period: LevyPeriod) -> WageBasis:
    """The newest run from `first` on where it is higher; a wage that falls moves nothing."""
    newest = max((one for one in facts.runs_fen if str(first) <= one <= str(period)), default=None)
    if newest is None or facts.runs_fen[newest] <= basis.wage_fen:
        return basis
    return WageBasis(facts.runs_fen[newest], 1, BaseRule.RAISED_WAGE, period=newest)


def fund_basis(
    facts: WageFacts, basis: WageBasis, base_year: int, period: LevyPeriod
) -> WageBasis | str:
    """What the housing fund rests on, or why it takes nothing yet; `basis` is that of the others.

    住房公积金管理条例 art. 17: somebody who never was a member pays from the second month on, on
    that month's wage; until it is told, on what was agreed. A member who changes employer pays from
    the first month on, as for the other insurances.
    """
    since = employed_since(facts.spells, period.last_day())
    if not facts.first_fund_member or since is None or since.year <= base_year:
        return basis
    joined = LevyPeriod.of(since)
    if period <= joined:
        return FUND_FROM_SECOND_MONTH
    second = str(joined.shifted(1))
    if second not in facts.runs_fen:
        return basis
    return WageBasis(facts.runs_fen[second], 1, BaseRule.SECOND_MONTH_WAGE, period=second)
