"""缴费基数: last year's average monthly wage, or a new hire's first month, within each insurance's
bounds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contribution_svc.domain.policy import Terms
from contribution_svc.domain.rounding import held_fen, highest_fen, lowest_fen
from shared.values import INSURANCE_WORDS, Insurance, fen_text


class BaseRule(StrEnum):
    """What a base rests on."""

    LAST_YEAR_AVERAGE = "last_year_average"
    FIRST_MONTH_WAGE = "first_month_wage"


class Bound(StrEnum):
    """Where a wage lies: within the bounds, or held at the floor or the ceiling."""

    WITHIN = "within"
    FLOOR = "floor"
    CEILING = "ceiling"


_WHAT = {
    BaseRule.LAST_YEAR_AVERAGE: "上年度月均工资",
    BaseRule.FIRST_MONTH_WAGE: "新入职首月工资",
}


@dataclass(frozen=True, slots=True)
class WageBasis:
    """The monthly wage that bases rest on, in fen, over how many months, and by which rule."""

    wage_fen: int
    months: int
    rule: BaseRule


@dataclass(frozen=True, slots=True)
class Bases:
    """The base per insurance in fen, where it was held, and one sentence for people that says
    why.
    """

    basis: WageBasis
    bases_fen: Mapping[Insurance, int]
    bounds: Mapping[Insurance, Bound]
    explanation: str


@dataclass(frozen=True, slots=True)
class WageUnknown:
    """No wage to rest a base on; `reason` is `first_wage_unknown` or `wage_history_missing`."""

    reason: str


def average_fen(wages_fen: Sequence[int]) -> int:
    """The average of monthly wages, half a fen up; the months in which there was a wage count, and
    no others.
    """
    total, months = sum(wages_fen), len(wages_fen)
    assert months > 0
    return (2 * total + months) // (2 * months)


def wage_basis(
    last_year_fen: Sequence[int], first_month_fen: int | None, joined_on: date, base_year: int
) -> WageBasis | WageUnknown:
    """The wage that bases of a contribution year rest on.

    `last_year_fen` are the wages of calendar year `base_year`, one a month. Whoever joined after
    that year has none, and is insured on the wage of the first month instead.
    """
    if last_year_fen:
        return WageBasis(average_fen(last_year_fen), len(last_year_fen), BaseRule.LAST_YEAR_AVERAGE)
    if joined_on.year <= base_year:
        return WageUnknown("wage_history_missing")
    if first_month_fen is None:
        return WageUnknown("first_wage_unknown")
    return WageBasis(first_month_fen, 1, BaseRule.FIRST_MONTH_WAGE)


def base_within(wage_fen: int, floor_fen: int | None, ceiling_fen: int | None) -> tuple[int, Bound]:
    """The wage clamped to floor and ceiling (None: none was published), and which of them held
    it.
    """
    base_fen = held_fen(wage_fen, lowest_fen(floor_fen), highest_fen(ceiling_fen))
    if base_fen == wage_fen:
        return base_fen, Bound.WITHIN
    return base_fen, Bound.FLOOR if base_fen > wage_fen else Bound.CEILING


def bases(basis: WageBasis, terms: Sequence[Terms]) -> Bases:
    """The base of every insurance of `terms`, each within its own bounds."""
    held = {t.insurance: base_within(basis.wage_fen, t.floor_fen, t.ceiling_fen) for t in terms}
    return Bases(
        basis=basis,
        bases_fen={insurance: base for insurance, (base, _) in held.items()},
        bounds={insurance: bound for insurance, (_, bound) in held.items()},
        explanation=_explanation(basis, terms),
    )


def _explanation(basis: WageBasis, terms: Sequence[Terms]) -> str:
    """One sentence: the wage, then for each pair of bounds where it lies; insurances are named when
    bounds differ.
    """
    by_bounds: dict[tuple[int | None, int | None], list[Insurance]] = {}
    for t in terms:
        by_bounds.setdefault((t.floor_fen, t.ceiling_fen), []).append(t.insurance)
    said = []
    for (floor_fen, ceiling_fen), insurances in by_bounds.items():
        names = "、".join(INSURANCE_WORDS[i] for i in insurances) if len(by_bounds) > 1 else ""
        said.append(names + _place(basis.wage_fen, floor_fen, ceiling_fen))
    return f"{_WHAT[basis.rule]}{fen_text(basis.wage_fen)}元，{'；'.join(said)}"


def _place(wage_fen: int, floor_fen: int | None, ceiling_fen: int | None) -> str:
    if floor_fen is not None and wage_fen < floor_fen:
        return f"低于下限{fen_text(floor_fen)}元，按下限核定"
    if ceiling_fen is not None and wage_fen > ceiling_fen:
        return f"高于上限{fen_text(ceiling_fen)}元，按上限核定"
    if floor_fen is None or ceiling_fen is None:
        return "未公布上下限"
    return f"在下限{fen_text(floor_fen)}元与上限{fen_text(ceiling_fen)}元之间"
