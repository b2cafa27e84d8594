"""缴费基数: the wage that each insurance's base rests on, within its bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache

from contribution_svc.domain.policy import AfterRaise, Terms
from contribution_svc.domain.rounding import held_fen, highest_fen, lowest_fen
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
