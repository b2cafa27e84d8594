"""缴费基数: the wage that each insurance's base rests on, within its bounds."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from contribution_svc.domain.policy import AfterRaise, Terms
from contribution_svc.domain.rounding import countable_fen, held_fen, highest_fen, lowest_fen
from contribution_svc.domain.wage_basis import (
    WageBasis,
    WageFacts,
    WageUnknown,
    fund_basis,
    wage_basis,
)
from shared.values import INSURANCE_WORDS, Insurance, LevyPeriod, fen_text


class Bound(StrEnum):
    """Where a wage lies: within the bounds, or held at the floor or the ceiling."""

    WITHIN = "within"
    FLOOR = "floor"
    CEILING = "ceiling"


class Bases(msgspec.Struct, frozen=True):
    """The base per insurance in fen, the wage that it rests on, where it was held, and one sentence
    for people that says why.

    `not_yet` names insurances that are not due in this period, `unknown` those without a wage to
    rest on, each with its reason.
    """

    rests_on: Mapping[Insurance, WageBasis]
    bases_fen: Mapping[Insurance, int]
    bounds: Mapping[Insurance, Bound]
    explanation: str
    not_yet: Mapping[Insurance, str] = msgspec.field(default_factory=dict)
    unknown: Mapping[Insurance, str] = msgspec.field(default_factory=dict)

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


class BaseWages(msgspec.Struct, frozen=True):
    """The wage that each insurance's base rests on; `not_yet` and `unknown` as `Bases` has them."""

    rests_on: Mapping[Insurance, WageBasis]
    not_yet: Mapping[Insurance, str]
    unknown: Mapping[Insurance, str]


def base_within(wage_fen: int, floor_fen: int | None, ceiling_fen: int | None) -> tuple[int, Bound]:
    """The wage clamped to floor and ceiling (None: none was published), and which of them held
    it.
    """
    base_fen = held_fen(wage_fen, lowest_fen(floor_fen), highest_fen(ceiling_fen))
    if base_fen == wage_fen:
        return base_fen, Bound.WITHIN
    return base_fen, Bound.FLOOR if base_fen > wage_fen else Bound.CEILING


def _rests_on(
    basis: WageBasis, terms: Sequence[Terms], fund: WageBasis | str | None
) -> tuple[dict[Insurance, WageBasis], dict[Insurance, str]]:
    """The wage of each insurance of `terms`, and which of them are not due yet, and why."""
    rests_on = {t.insurance: basis for t in terms}
    if fund is None or Insurance.HOUSING_FUND not in rests_on:
        return rests_on, {}
    if isinstance(fund, str):
        del rests_on[Insurance.HOUSING_FUND]
        return rests_on, {Insurance.HOUSING_FUND: fund}
    rests_on[Insurance.HOUSING_FUND] = fund
    return rests_on, {}


def base_wages(
    facts: WageFacts,
    terms_of: Mapping[int, Sequence[Terms]],
    period: LevyPeriod,
    after_raise: AfterRaise,
) -> BaseWages:
    """The wages of one employee's levy period; `terms_of` by the year whose wages bases rest on
    (`Pack.by_base_year`).
    """
    rests_on: dict[Insurance, WageBasis] = {}
    not_yet: dict[Insurance, str] = {}
    unknown: dict[Insurance, str] = {}
    for base_year, terms in terms_of.items():
        basis = wage_basis(facts, base_year, period, after_raise)
        if isinstance(basis, WageUnknown):
            unknown.update(dict.fromkeys((t.insurance for t in terms), basis.reason))
        else:
            is_first = facts.first_fund_member
            fund = fund_basis(facts, basis, base_year, period) if is_first else None
            found, later = _rests_on(basis, terms, fund)
            rests_on.update(found)
            not_yet.update(later)
    return BaseWages(rests_on, not_yet, unknown)


def held(wages: BaseWages, terms_of: Mapping[int, Sequence[Terms]]) -> Bases:
    """The wages held within the bounds of each insurance, and explained."""
    bases_fen: dict[Insurance, int] = {}
    bounds: dict[Insurance, Bound] = {}
    for terms in terms_of.values():
        for t in terms:
            if t.insurance in wages.rests_on:
                wage_fen = countable_fen(wages.rests_on[t.insurance].wage_fen)
                bases_fen[t.insurance], bounds[t.insurance] = base_within(
                    wage_fen, t.floor_fen, t.ceiling_fen
                )
    said = explained(wages.rests_on, bounds, terms_of)
    return Bases(wages.rests_on, bases_fen, bounds, said, wages.not_yet, wages.unknown)


def bases_of(
    facts: WageFacts,
    terms_of: Mapping[int, Sequence[Terms]],
    period: LevyPeriod,
    after_raise: AfterRaise,
) -> Bases | str:
    """The bases of one employee's levy period, or the reason why there are none; `terms_of` as
    `base_wages` takes it.
    """
    wages = base_wages(facts, terms_of, period, after_raise)
    reasons = set(wages.unknown.values())
    if len(reasons) == 1 and not wages.rests_on and not wages.not_yet:
        return reasons.pop()
    return held(wages, terms_of)


def together(parts: Sequence[tuple[str, Sequence[Terms], Bases | str]]) -> Bases | str:
    """Bases of several insurances that were found apart as one, or the one reason why none is;
    each part with how people call it, which the sentence says where there is more than one.
    """
    if len(parts) == 1:
        return parts[0][2]
    known = [(name, terms, one) for name, terms, one in parts if isinstance(one, Bases)]
    reasons = {reason for *_, reason in parts if isinstance(reason, str)}
    if not known and len(reasons) == 1:
        return reasons.pop()
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


def explained(
    rests_on: Mapping[Insurance, WageBasis],
    bounds: Mapping[Insurance, Bound],
    terms_of: Mapping[int, Sequence[Terms]],
) -> str:
    """One sentence; its parts are called by their years where there is more than one year."""
    if len(terms_of) == 1:
        [terms] = terms_of.values()
        return _explanation(rests_on, bounds, terms)
    return "；".join(
        f"{base_year + 1}缴费年度：{_explanation(rests_on, bounds, terms, named=True)}"
        for base_year, terms in terms_of.items()
        if any(t.insurance in rests_on for t in terms)
    )


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
        said.append(lead + names + place_said(bounds[insurances[0]], floor_fen, ceiling_fen))
        before = place
    return "；".join(said)


@lru_cache(maxsize=1_000)
def place_said(bound: Bound, floor_fen: int | None, ceiling_fen: int | None) -> str:
    """Where a wage lies, as people read it: 低于下限5,000.00元，按下限核定."""
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
