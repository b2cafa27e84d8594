"""专项附加扣除: what a person declares, within the limits of the law, and what counts when."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from payroll_svc.domain.income_tax import DeductionKind
from payroll_svc.domain.pay_items import Step
from shared.refusal import FieldFault
from shared.values import LevyPeriod, fen_text

ROSTERS_SUM = "花名册登记的每月合计"
"""What is deducted of who declares nothing in particular."""


@dataclass(frozen=True, slots=True)
class Deduction:
    """One declared deduction: `amount_fen` a month (of a kind per year: once, in `since`), from
    month to month (None: until further notice). `subject` tells children apart.
    """

    kind: str
    since: str
    amount_fen: int
    until: str | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class TaxDeclaration:
    """What a person declared for their income tax; `elections` are (tax year, election)."""

    deductions: tuple[Deduction, ...] = ()
    elections: tuple[tuple[int, str], ...] = ()

    def elected(self, tax_year: int) -> frozenset[str]:
        return frozenset(election for year, election in self.elections if year == tax_year)


def deduction_faults(
    declared: Sequence[Deduction], kinds: Mapping[str, DeductionKind]
) -> list[FieldFault]:
    """Everything that the law does not allow of what one person declares."""
    faults = [
        FieldFault(f"deductions/{place}", one.kind, reason, todo)
        for place, one in enumerate(declared)
        for reason, todo in _own_faults(one, kinds.get(one.kind))
    ]
    numbered = [(place, one) for place, one in enumerate(declared) if one.kind in kinds]
    for (_, first), (place, second) in combinations(numbered, 2):
        if _overlap(first, second) and _exclude(first, second, kinds):
            reason = f"与{kinds[first.kind].name}在同一月份不能同时享受"
            faults.append(
                FieldFault(f"deductions/{place}", second.kind, reason, "只保留一项，或错开起止月份")
            )
    return faults


def _own_faults(one: Deduction, kind: DeductionKind | None) -> Iterable[tuple[str, str]]:
    if kind is None:
        yield "没有这种专项附加扣除", "从目录里选择种类"
        return
    if kind.per == "settlement":
        yield f"{kind.name}不能在预扣时扣除", "由本人在年度汇算时申报"
        return
    allowed = one.amount_fen in kind.choices_fen or 0 < one.amount_fen <= kind.up_to_fen
    if not allowed:
        choices = (
            "、".join(fen_text(fen) for fen in kind.choices_fen)
            or f"不超过 {fen_text(kind.up_to_fen)}"
        )
        yield f"{kind.name}的金额应为 {choices}，现为 {fen_text(one.amount_fen)}", "按标准填写"
    if one.until is not None and one.until < one.since:
        yield "截止月份早于起始月份", "核对起止月份"
    if kind.longest_months and _months(one.since, one.until or "9999-12") > kind.longest_months:
        yield f"{kind.name}最长 {kind.longest_months} 个月", "填写截止月份"


def _months(since: str, until: str) -> int:
    """Both ends included; months as YYYY-MM."""
    first, last = (int(text[:4]) * 12 + int(text[5:]) for text in (since, until))
    return last - first + 1


def _overlap(first: Deduction, second: Deduction) -> bool:
    return first.since <= (second.until or "9999-12") and second.since <= (first.until or "9999-12")


def _exclude(first: Deduction, second: Deduction, kinds: Mapping[str, DeductionKind]) -> bool:
    kind, other = kinds[first.kind], kinds[second.kind]
    if kind is other:
        return not kind.repeats or first.subject == second.subject
    return bool(kind.exclusive) and kind.exclusive == other.exclusive


def year_to_month(
    declared: Iterable[Deduction],
    kinds: Mapping[str, DeductionKind],
    payday: date,
    employed: Iterable[LevyPeriod],
    said: Collection[str] = (),
) -> tuple[Step, ...]:
    """What may be deducted in the payday's tax year up to its month, of the months `employed` here
    in it, as declared now: what is declared late is caught up. Each with its name and months.

    Months that are `said` are left out: the company's own payroll has deducted for them.
    """
    last = LevyPeriod.of(payday)
    year = LevyPeriod(last.year, 1)
    months = [str(month) for month in employed if str(month) not in said]
    once = [str(month) for month in year.through(last) if str(month) not in said]
    steps = (_counted(one, kinds[one.kind], months, once) for one in declared)
    return tuple(step for step in steps if step.value)


def rosters_to_month(
    month_fen: int, employed: Iterable[LevyPeriod], said: Collection[str] = ()
) -> tuple[Step, ...]:
    """As `year_to_month` of who has withdrawn what they had declared: the roster's sum of each
    month, in place of all that was counted.
    """
    count = sum(str(month) not in said for month in employed)
    words = f"{ROSTERS_SUM} {fen_text(month_fen)} × {count} 个月"
    return (Step(words, month_fen * count),) if month_fen * count else ()


def _counted(
    one: Deduction, kind: DeductionKind, months: Sequence[str], once: Sequence[str]
) -> Step:
    if kind.per == "year":
        return Step(kind.name, one.amount_fen if one.since in once else 0)
    count = sum(one.since <= month <= (one.until or month) for month in months)
    words = f"{kind.name} {fen_text(one.amount_fen)} × {count} 个月"
    return Step(words, one.amount_fen * count)
