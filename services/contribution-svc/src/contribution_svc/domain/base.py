"""缴费基数: last year's average monthly wage, or what stands in its place, within each insurance's
bounds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache

from contribution_svc.domain.employment import (
    Spell,
    employed_since,
    is_part_month,
    months_employed,
    paid_days,
)
from contribution_svc.domain.policy import AfterRaise, Terms
from contribution_svc.domain.rounding import held_fen, highest_fen, lowest_fen
from shared.values import INSURANCE_WORDS, Insurance, LevyPeriod, fen_text

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


class Bound(StrEnum):
    """Where a wage lies: within the bounds, or held at the floor or the ceiling."""

    WITHIN = "within"
    FLOOR = "floor"
    CEILING = "ceiling"


_WHAT = {
    BaseRule.LAST_YEAR_AVERAGE: "上年度月均工资",
    BaseRule.FIRST_MONTH_WAGE: "新入职首月工资",
    BaseRule.SECOND_MONTH_WAGE: "入职次月工资",
    BaseRule.RAISED_WAGE: "调薪后月工资",
}


@dataclass(frozen=True, slots=True)
class WageFacts:
    """What is known of one employee's wages, the part that counts, in fen.

    `by_year_fen` by calendar year and month (0: told that there was none); `runs_fen` those of
    payroll runs, by levy period (YYYY-MM); `agreed_fen` the wage that was agreed for a whole
    first month (0: not told). `spells` in the order of their days.
    """

    spells: Sequence[Spell]
    by_year_fen: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    runs_fen: Mapping[str, int] = field(default_factory=dict)
    agreed_fen: int = 0
    first_fund_member: bool = False


@dataclass(frozen=True, slots=True)
class WageBasis:
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
class Bases:
    """The base per insurance in fen, the wage that it rests on, where it was held, and one sentence
    for people that says why.

    `not_yet` names insurances that are not due in this period, `unknown` those without a wage to
    rest on, each with its reason.
    """

    rests_on: Mapping[Insurance, WageBasis]
    bases_fen: Mapping[Insurance, int]
    bounds: Mapping[Insurance, Bound]
    explanation: str
    not_yet: Mapping[Insurance, str] = field(default_factory=dict)
    unknown: Mapping[Insurance, str] = field(default_factory=dict)

    def basis(self) -> WageBasis:
        """What the first of them rests on."""
        return next(iter(self.rests_on.values()))

    def of(self, terms: Sequence[Terms]) -> "Bases":
        """What it says of these insurances."""
        named = [t.insurance for t in terms if t.insurance in self.rests_on]
        rests_on = {insurance: self.rests_on[insurance] for insurance in named}
        return replace(
            self,
            rests_on=rests_on,
            bases_fen={insurance: self.bases_fen[insurance] for insurance in named},
            bounds={insurance: self.bounds[insurance] for insurance in named},
            explanation=_explanation(rests_on, self.bounds, terms),
        )


@dataclass(frozen=True, slots=True)
class BaseWages:
    """The wage that each insurance's base rests on; `not_yet` and `unknown` as `Bases` has them."""

    rests_on: Mapping[Insurance, WageBasis]
    not_yet: Mapping[Insurance, str]
    unknown: Mapping[Insurance, str]


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
        return _raised(facts, found, base_year, period)
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
    """What was agreed for a whole month, else the first run, brought to a whole month."""
    if facts.agreed_fen:
        return WageBasis(facts.agreed_fen, 1, BaseRule.FIRST_MONTH_WAGE)
    joined = str(LevyPeriod.of(since))
    first = min((period for period in facts.runs_fen if period >= joined), default=None)
    if first is None:
        return WageUnknown(FIRST_WAGE_UNKNOWN)
    wage = WageBasis(facts.runs_fen[first], 1, BaseRule.FIRST_MONTH_WAGE, period=first)
    if first == joined and is_part_month(since) and (days := paid_days(since)):
        return replace(wage, wage_fen=whole_month_fen(wage.wage_fen, days), paid_days=days)
    return wage


def _raised(facts: WageFacts, basis: WageBasis, base_year: int, period: LevyPeriod) -> WageBasis:
    """The newest run since last year where it is higher; a wage that falls moves nothing."""
    first, last = f"{base_year + 1}-01", str(period)
    newest = max((one for one in facts.runs_fen if first <= one <= last), default=None)
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


def base_within(wage_fen: int, floor_fen: int | None, ceiling_fen: int | None) -> tuple[int, Bound]:
    """The wage clamped to floor and ceiling (None: none was published), and which of them held
    it.
    """
    base_fen = held_fen(wage_fen, lowest_fen(floor_fen), highest_fen(ceiling_fen))
    if base_fen == wage_fen:
        return base_fen, Bound.WITHIN
    return base_fen, Bound.FLOOR if base_fen > wage_fen else Bound.CEILING


def bases(basis: WageBasis, terms: Sequence[Terms], fund: WageBasis | str | None = None) -> Bases:
    """The base of every insurance of `terms`, each within its own bounds; `fund` as `fund_basis`
    gives it, None: as the others.
    """
    rests_on, not_yet = _rests_on(basis, terms, fund)
    bases_fen: dict[Insurance, int] = {}
    bounds: dict[Insurance, Bound] = {}
    for t in terms:
        if t.insurance in rests_on:
            bases_fen[t.insurance], bounds[t.insurance] = base_within(
                rests_on[t.insurance].wage_fen, t.floor_fen, t.ceiling_fen
            )
    explanation = _explanation(rests_on, bounds, terms)
    return Bases(rests_on, bases_fen, bounds, explanation, not_yet)


def _rests_on(
    basis: WageBasis, terms: Sequence[Terms], fund: WageBasis | str | None
) -> tuple[dict[Insurance, WageBasis], dict[Insurance, str]]:
    """The wage of each insurance of `terms`, and which of them are not due yet, and why."""
    not_yet = {Insurance.HOUSING_FUND: fund} if isinstance(fund, str) else {}
    other = fund if isinstance(fund, WageBasis) else None
    rests_on = {
        t.insurance: other if other and t.insurance is Insurance.HOUSING_FUND else basis
        for t in terms
        if t.insurance not in not_yet
    }
    return rests_on, not_yet


def base_wages(
    facts: WageFacts,
    terms_of: Mapping[int, Sequence[Terms]],
    period: LevyPeriod,
    after_raise: AfterRaise,
) -> BaseWages:
    """What `bases_of` holds within bounds and explains, before it does."""
    found = BaseWages({}, {}, {})
    for base_year, terms in terms_of.items():
        basis = wage_basis(facts, base_year, period, after_raise)
        if isinstance(basis, WageUnknown):
            unknown = dict.fromkeys((t.insurance for t in terms), basis.reason)
            found = replace(found, unknown={**found.unknown, **unknown})
        else:
            fund = _fund_basis(facts, basis, base_year, period)
            rests_on, not_yet = _rests_on(basis, terms, fund)
            found = BaseWages(
                {**found.rests_on, **rests_on}, {**found.not_yet, **not_yet}, found.unknown
            )
    return found


def _fund_basis(
    facts: WageFacts, basis: WageBasis, base_year: int, period: LevyPeriod
) -> WageBasis | str | None:
    return fund_basis(facts, basis, base_year, period) if facts.first_fund_member else None


def bases_of(
    facts: WageFacts,
    terms_of: Mapping[int, Sequence[Terms]],
    period: LevyPeriod,
    after_raise: AfterRaise,
) -> Bases | str:
    """The bases of one employee's levy period, or the reason why there are none; `terms_of` by the
    year whose wages they rest on (`Pack.by_base_year`).
    """
    return together(
        [
            (
                f"{base_year + 1}缴费年度",
                terms,
                _bases_of_year(facts, base_year, terms, period, after_raise),
            )
            for base_year, terms in terms_of.items()
        ]
    )


def together(parts: Sequence[tuple[str, Sequence[Terms], Bases | str]]) -> Bases | str:
    """Bases of several insurances that were found apart as one, or the reason why there are none;
    each part with how people call it, which the sentence says where there is more than one.
    """
    if len(parts) == 1:
        return parts[0][2]
    known = [(name, terms, one) for name, terms, one in parts if isinstance(one, Bases)]
    if not known:
        return next(reason for *_, reason in parts if isinstance(reason, str))
    every = [one for *_, one in known]
    said = (
        f"{name}：{_explanation(one.rests_on, one.bounds, terms, named=True)}"
        for name, terms, one in known
        if one.rests_on
    )
    return Bases(
        rests_on={i: basis for one in every for i, basis in one.rests_on.items()},
        bases_fen={i: fen for one in every for i, fen in one.bases_fen.items()},
        bounds={i: bound for one in every for i, bound in one.bounds.items()},
        explanation="；".join(said),
        not_yet={i: why for one in every for i, why in one.not_yet.items()},
        unknown={
            t.insurance: why for _, terms, why in parts if isinstance(why, str) for t in terms
        },
    )


def _bases_of_year(
    facts: WageFacts,
    base_year: int,
    terms: Sequence[Terms],
    period: LevyPeriod,
    after_raise: AfterRaise,
) -> Bases | str:
    basis = wage_basis(facts, base_year, period, after_raise)
    if isinstance(basis, WageUnknown):
        return basis.reason
    return bases(basis, terms, _fund_basis(facts, basis, base_year, period))


def _explanation(
    rests_on: Mapping[Insurance, WageBasis],
    bounds: Mapping[Insurance, Bound],
    terms: Sequence[Terms],
    *,
    named: bool = False,
) -> str:
    """One sentence: the wage, then for each pair of bounds where it lies; insurances are named when
    wages or bounds differ, or where they are not all.
    """
    bases: list[WageBasis] = []
    groups: dict[tuple[int, int | None, int | None], list[Insurance]] = {}
    for t in terms:
        basis = rests_on.get(t.insurance)
        if basis is not None:
            if basis not in bases:
                bases.append(basis)
            group = (bases.index(basis), t.floor_fen, t.ceiling_fen)
            groups.setdefault(group, []).append(t.insurance)
    is_named = named or len(groups) > 1
    said: list[str] = []
    before = None
    for (place, floor_fen, ceiling_fen), insurances in groups.items():
        names = "、".join(INSURANCE_WORDS[i] for i in insurances) if is_named else ""
        lead = "" if place == before else f"{bases[place].said()}，"
        said.append(lead + names + _bound_said(bounds[insurances[0]], floor_fen, ceiling_fen))
        before = place
    return "；".join(said)


def place_said(wage_fen: int, floor_fen: int | None, ceiling_fen: int | None) -> str:
    """Where a wage lies, as people read it: 低于下限5,000.00元，按下限核定."""
    bound = base_within(wage_fen, floor_fen, ceiling_fen)[1]
    return _bound_said(bound, floor_fen, ceiling_fen)


@lru_cache(maxsize=1_000)
def _bound_said(bound: Bound, floor_fen: int | None, ceiling_fen: int | None) -> str:
    floor = f"下限{fen_text(floor_fen)}元" if floor_fen is not None else ""
    ceiling = f"上限{fen_text(ceiling_fen)}元" if ceiling_fen is not None else ""
    if bound is Bound.FLOOR:
        return f"低于{floor}，按下限核定"
    if bound is Bound.CEILING:
        return f"高于{ceiling}，按上限核定"
    if floor and ceiling:
        return f"在{floor}与{ceiling}之间"
    if floor or ceiling:
        return f"不低于{floor}，未公布上限" if floor else f"不高于{ceiling}，未公布下限"
    return "未公布上下限"
