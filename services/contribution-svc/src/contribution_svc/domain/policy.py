"""A city's policy as dated values: what was in force for an insurance and a levy period, as known
on a day, and by which source.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from contribution_svc.domain.doubts import of_days, warnings
from contribution_svc.domain.figures import Confidence, Figure, Range, Series, changes, figure_at
from contribution_svc.domain.rounding import Rounding
from shared.values import Insurance, LevyPeriod

OwnRates = Mapping[str, tuple[int, int]]
"""An account's own rates by insurance, employer's and employee's, in millionths."""


class AfterRaise(StrEnum):
    """How a base follows a raise: not before the next contribution year, or at once."""

    FIXED_FOR_THE_YEAR = "fixed_for_the_year"
    AT_ONCE = "at_once"


@dataclass(frozen=True, slots=True)
class InsuranceRules:
    """One insurance of a city: who records it, and its series (bounds and fixed sums in fen, rates
    in millionths).

    `equal_sides`: both sides pay one own rate. `carried_over_months`: for how long a figure that
    has ended holds on while no newer one is known. `year_starts`: the month in which its own
    contribution year begins, where that is another than the city's. `floats_percent`: what the
    authority may make of the rate of an employer's class.
    """

    insurance: Insurance
    authority: str
    floor: Series
    ceiling: Series
    employer_rate: Series
    employee_rate: Series
    employer_rounding: Rounding
    employee_rounding: Rounding
    employer_fixed: Series = ()
    employee_fixed: Series = ()
    equal_sides: bool = False
    carried_over_months: int = 0
    year_starts: int | None = None
    has_late_fee: bool = True
    floats_percent: tuple[int, ...] = ()

    def series(self) -> Mapping[str, Series]:
        """By key; those of fixed sums only where there are any."""
        found = {
            "floor": self.floor,
            "ceiling": self.ceiling,
            "employer_rate": self.employer_rate,
            "employee_rate": self.employee_rate,
            "employer_fixed": self.employer_fixed,
            "employee_fixed": self.employee_fixed,
        }
        return {key: series for key, series in found.items() if series}

    def figures(self) -> Iterator[Figure]:
        for series in self.series().values():
            yield from series

    def figures_at(self, day: date, known_on: date) -> Mapping[str, Figure]:
        """The figure of every key on a day; empty unless each has one."""
        found = {}
        for key, series in self.series().items():
            figure = figure_at(series, day, known_on, self.carried_over_months)
            if figure is None:
                return {}
            found[key] = figure
        return found

    def stretches(self, known_on: date) -> Iterator["Terms"]:
        """As known on a day: the terms of each longest run of days with the same figures."""
        starts = sorted(changes(self.figures(), known_on, self.carried_over_months))
        runs: list[tuple[date, date | None, Mapping[str, Figure]]] = []
        for place, start in enumerate(starts, 1):
            figures = self.figures_at(start, known_on)
            ends = starts[place] - timedelta(days=1) if place < len(starts) else None
            if runs and runs[-1][2] == figures:
                runs[-1] = (runs[-1][0], ends, figures)
            else:
                runs.append((start, ends, figures))
        for start, ends, figures in runs:
            if figures:
                yield _terms(self, figures, start, ends)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one insurance from and through its days, as known on some day.

    Fen and millionths. A bound is None where none was published, a rate None where each employer
    has its own. Fixed sums are added after the multiplication. `known_since` is the youngest of its
    figures; `warnings` are for people, and go with every line that is made from these terms.
    """

    insurance: Insurance
    authority: str
    floor_fen: int | None
    ceiling_fen: int | None
    employer_ppm: int | None
    employee_ppm: int | None
    employer_rounding: Rounding
    employee_rounding: Rounding
    effective_from: date
    effective_to: date | None
    known_since: date
    source: str
    invented: bool
    employer_fixed_fen: int = 0
    employee_fixed_fen: int = 0
    warnings: tuple[str, ...] = ()
    employer_own: Range | None = None
    employee_own: Range | None = None
    equal_sides: bool = False

    def with_own(self, rates: OwnRates) -> "Terms | str":
        """These terms for an account with rates of its own; or `own_rate_unknown` where it has
        none and needs one, `own_rate_outside_policy` where the city allows no such rate, or has
        another for everybody.
        """
        own = rates.get(self.insurance)
        if own is None:
            is_fixed = self.employer_ppm is not None and self.employee_ppm is not None
            return self if is_fixed else "own_rate_unknown"
        employer_ppm, employee_ppm = own
        allowed = (
            self.employer_ppm in (None, employer_ppm)
            and self.employee_ppm in (None, employee_ppm)
            and (self.employer_own is None or self.employer_own.has(employer_ppm))
            and (self.employee_own is None or self.employee_own.has(employee_ppm))
            and (not self.equal_sides or employer_ppm == employee_ppm)
        )
        if not allowed:
            return "own_rate_outside_policy"
        return replace(self, employer_ppm=employer_ppm, employee_ppm=employee_ppm)


def _terms(
    rules: InsuranceRules, figures: Mapping[str, Figure], starts: date, ends: date | None
) -> Terms:
    def value(key: str) -> int | None:
        return figures[key].value if key in figures else None

    parts, own = figures.values(), figures["employer_rate"].own
    return Terms(
        insurance=rules.insurance,
        authority=rules.authority,
        floor_fen=value("floor"),
        ceiling_fen=value("ceiling"),
        employer_ppm=value("employer_rate"),
        employee_ppm=value("employee_rate"),
        employer_rounding=rules.employer_rounding,
        employee_rounding=rules.employee_rounding,
        effective_from=starts,
        effective_to=ends,
        known_since=max(figure.known_since for figure in parts),
        source="; ".join(sorted({figure.source for figure in parts})),
        invented=any(figure.invented for figure in parts),
        employer_fixed_fen=value("employer_fixed") or 0,
        employee_fixed_fen=value("employee_fixed") or 0,
        warnings=warnings(rules.insurance, figures),
        employer_own=own.floated(rules.floats_percent) if own is not None else None,
        employee_own=figures["employee_rate"].own,
        equal_sides=rules.equal_sides,
    )


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a city from `effective_from` on.

    `open_day` is in the month before the levy period, the other days `months_after` the levy
    period's own month, unrolled. `open_at` and `look_up_at` are times of day in China. The cut-offs
    are the last days for adding and removing people.
    """

    effective_from: date
    known_since: date
    source: str
    open_day: int
    open_at: str
    filing_day: int
    debit_day: int
    record_working_days: int
    roll: str
    look_up_at: str
    invented: bool = False
    months_after: int = 0
    add_cutoff_day: int | None = None
    remove_cutoff_day: int | None = None
    confidence: Confidence | None = None
    note: str = ""

    def warnings(self) -> tuple[str, ...]:
        """What people have to be told of these days."""
        return of_days(self.confidence, self.note)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an insurance is exempt or blocked: its code, its words for people, the law that it rests
    on.
    """

    code: str
    words: str
    source: str


@dataclass(frozen=True, slots=True)
class PersonKind:
    """人员类别: a kind of employee, and why it is exempt from which insurances (empty: from none),
    or blocked in which until a question is settled.
    """

    code: str
    name: str
    exempt: Mapping[Insurance, str]
    blocked: Mapping[Insurance, str]
    source: str = ""


@dataclass(frozen=True, slots=True)
class National:
    """全国目录: what holds in every city, as a pack is read with it; `sha256` names its text, empty
    where the pack's file does not carry it.

    `injury_classes_ppm` are the rates of the eight classes of industries, in their order;
    `injury_floats_percent` what an authority may make of an employer's, in percent of it.
    """

    sha256: str
    reasons: Mapping[str, Reason]
    person_kinds: Mapping[str, PersonKind]
    injury_classes_ppm: tuple[int, ...]
    injury_floats_percent: tuple[int, ...]
    injury_confidence: Confidence
    injury_source: str


@dataclass(frozen=True, slots=True)
class Pack:
    """One city's policy pack as read from its file; `sha256` names that content.

    `merged` are insurances that are collected within another and have no line of their own.
    `not_filed` is the part of last month's amount, in millionths, that an account which did not
    file is assessed at for the time being (社会保险法 art. 62), `back_payment` how many months back
    a missing one can be made good online (补缴); empty: the pack does not say.
    """

    city: str
    name: str
    collector: str
    passes_detail_on: bool
    contribution_year_starts: int
    after_raise: AfterRaise
    days: tuple[Days, ...]
    late_fee: Series
    insurances: Mapping[Insurance, InsuranceRules]
    person_kinds: Mapping[str, PersonKind]
    sources: Mapping[str, str]
    sha256: str
    national: National
    merged: Mapping[Insurance, Insurance] = field(default_factory=dict)
    average_wage: Series = ()
    remarks: tuple[str, ...] = ()
    not_filed: Series = ()
    back_payment: Series = ()

    def terms(self, period: LevyPeriod, known_on: date) -> tuple[Terms, ...]:
        """What holds per insurance on the first day of the levy period, in the order of the
        file.
        """
        return self.terms_on(period.first_day(), known_on)

    def terms_on(self, day: date, known_on: date) -> tuple[Terms, ...]:
        return tuple(
            terms
            for rules in self.insurances.values()
            for terms in rules.stretches(known_on)
            if terms.effective_from <= day
            and (terms.effective_to is None or day <= terms.effective_to)
        )

    def days_at(self, period: LevyPeriod) -> Days | None:
        day = period.first_day()
        return max(
            (days for days in self.days if days.effective_from <= day),
            key=lambda days: days.effective_from,
            default=None,
        )

    def first_day(self) -> date:
        """The first day about which the pack says something of each of its insurances."""
        return max(
            min(figure.effective_from for figure in rules.figures())
            for rules in self.insurances.values()
        )

    def known_since(self, known_on: date) -> date:
        """The youngest publication day, up to `known_on`, of anything in the pack; the oldest where
        none had come yet.
        """
        published = [figure.known_since for figure in self._figures()]
        published += [days.known_since for days in self.days]
        return max((day for day in published if day <= known_on), default=min(published))

    def contribution_year(self, period: LevyPeriod, insurance: Insurance | None = None) -> int:
        """缴费年度: the year in which the contribution year of this levy period began; an insurance
        may have its own.

        Its bases rest on the wages of the calendar year before it.
        """
        rules = self.insurances.get(insurance) if insurance is not None else None
        own = rules.year_starts if rules is not None else None
        starts = self.contribution_year_starts if own is None else own
        return period.year if period.month >= starts else period.year - 1

    def year_starts(self, year: int) -> dict[Insurance, LevyPeriod]:
        """The first levy period of that contribution year, of each insurance."""
        city = self.contribution_year_starts
        return {
            insurance: LevyPeriod(year, city if rules.year_starts is None else rules.year_starts)
            for insurance, rules in self.insurances.items()
        }

    def by_base_year(self, terms: Sequence[Terms], period: LevyPeriod) -> dict[int, list[Terms]]:
        """These terms by the calendar year whose wages they rest on in this levy period."""
        return _grouped(terms, lambda one: self.contribution_year(period, one.insurance) - 1)

    def by_contribution_year(
        self, terms: Sequence[Terms], period: LevyPeriod
    ) -> dict[str, list[Terms]]:
        """These terms by the contribution year that their bases hold for: 2025 is the city's, where
        an insurance has its own 2025-07 the one that began in that month.
        """

        def year(terms: Terms) -> str:
            began = self.contribution_year(period, terms.insurance)
            own = self.insurances[terms.insurance].year_starts
            is_own = own is not None and own != self.contribution_year_starts
            return f"{began}-{own:02d}" if is_own else str(began)

        return _grouped(terms, year)

    def late_fee_of(self, insurance: Insurance) -> Series:
        """The daily rates, in millionths; empty where the law knows no late fee of an insurance
        (住房公积金管理条例 art. 38).
        """
        rules = self.insurances.get(insurance)
        return () if rules is not None and not rules.has_late_fee else self.late_fee

    def stretches(self, known_on: date) -> Iterator[Terms]:
        """Every insurance's terms as known on a day, one for each run of days in which no figure
        changes.
        """
        for rules in self.insurances.values():
            yield from rules.stretches(known_on)

    def _figures(self) -> Iterator[Figure]:
        for rules in self.insurances.values():
            yield from rules.figures()


KeyT = TypeVar("KeyT", int, str)


def _grouped(terms: Sequence[Terms], key: Callable[[Terms], KeyT]) -> dict[KeyT, list[Terms]]:
    groups: dict[KeyT, list[Terms]] = {}
    for one in terms:
        groups.setdefault(key(one), []).append(one)
    return groups
