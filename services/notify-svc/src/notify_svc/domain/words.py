"""Months and insurances in words for people."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from shared.values import INSURANCE_WORDS, Insurance, LevyPeriod, fen_text

Cell = tuple[str, str]
"""(levy period, insurance)."""

_ORDER = {insurance.value: place for place, insurance in enumerate(Insurance)}


def months_text(periods: Iterable[str]) -> str:
    """Levy periods in runs: October is 10月, October to December 10-12月, the two alone 10月、12月.

    Years are named only when there are several: 2024年11-12月、2025年1月.
    """
    months = sorted({LevyPeriod.parse(period) for period in periods})
    with_year = len({month.year for month in months}) > 1
    return "、".join(_run_text(run, with_year) for run in _runs(months))


def _runs(months: Sequence[LevyPeriod]) -> list[list[LevyPeriod]]:
    """Months that follow each other within a year."""
    runs: list[list[LevyPeriod]] = []
    for month in months:
        if runs and runs[-1][-1].shifted(1) == month and runs[-1][-1].year == month.year:
            runs[-1].append(month)
        else:
            runs.append([month])
    return runs


def _run_text(run: Sequence[LevyPeriod], with_year: bool) -> str:
    year = f"{run[0].year}年" if with_year else ""
    first, last = run[0].month, run[-1].month
    return f"{year}{first}月" if first == last else f"{year}{first}-{last}月"


def insurances_text(insurances: Iterable[str]) -> str:
    """Insurances in the order of the scheme: 医疗险、生育险."""
    ordered = sorted(set(insurances), key=_ORDER.__getitem__)
    return "、".join(INSURANCE_WORDS[name] for name in ordered)


def sentences_text(cells: Iterable[Cell], sentence: str) -> str:
    """One sentence per group of months with the same insurances, in order of their first month.

    `sentence` is a template with {months} and {insurances}; sentences are joined by ；.
    """
    of_month: dict[str, set[str]] = defaultdict(set)
    for period, insurance in cells:
        of_month[period].add(insurance)
    groups: dict[frozenset[str], list[str]] = defaultdict(list)
    for period in sorted(of_month):
        groups[frozenset(of_month[period])].append(period)
    return "；".join(
        sentence.format(months=months_text(months), insurances=insurances_text(insurances))
        for insurances, months in groups.items()
    )


def release_text(people: int, employer_fen: int, employee_fen: int, levy_period: str) -> str:
    """What a change of policy is for an employer: whom it affects, from which levy period, and fen
    more or less a month for each side.
    """
    if not people:
        return "不影响本单位的缴费金额"
    since = LevyPeriod.parse(levy_period)
    sides = f"单位每月{more_or_less(employer_fen)}，个人每月{more_or_less(employee_fen)}"
    return f"涉及 {people:,} 人，自{since.year}年{since.month}月起{sides}"


def more_or_less(fen: int) -> str:
    """增加 1.50 元, 减少 1.50 元 or 不变."""
    return f"{'增加' if fen > 0 else '减少'} {fen_text(abs(fen))} 元" if fen else "不变"
