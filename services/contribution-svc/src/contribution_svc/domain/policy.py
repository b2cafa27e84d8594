"""A city's policy as dated values: what was in force for an insurance and a levy period, and by
which source.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from contribution_svc.domain.rounding import Rounding
from shared.values import Insurance, LevyPeriod


@dataclass(frozen=True, slots=True)
class Figure:
    """One dated value: fen or millionths, in force from and through its days (None: open), both
    inclusive.

    `known_since` is the day of its publication, often months after `effective_from`.
    """

    value: int
    effective_from: date
    effective_to: date | None
    known_since: date
    source: str
    invented: bool = False

    def covers(self, day: date) -> bool:
        return self.effective_from <= day and (
            self.effective_to is None or day <= self.effective_to
        )


Series = tuple[Figure, ...]
"""The figures of one key in the order of their days, with no overlap and no gap between them."""


def figure_at(series: Series, day: date) -> Figure | None:
    return next((figure for figure in series if figure.covers(day)), None)


@dataclass(frozen=True, slots=True)
class InsuranceRules:
    """One insurance of a city: who records it, and its series (floor and ceiling in fen, rates in
    millionths).
    """

    insurance: Insurance
    authority: str
    floor: Series
    ceiling: Series
    employer_rate: Series
    employee_rate: Series
    employer_rounding: Rounding
    employee_rounding: Rounding

    def series(self) -> Mapping[str, Series]:
        return {
            "floor": self.floor,
            "ceiling": self.ceiling,
            "employer_rate": self.employer_rate,
            "employee_rate": self.employee_rate,
        }


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one insurance on one day. Fen and millionths; `known_since` is the youngest of
    its figures.
    """

    insurance: Insurance
    authority: str
    floor_fen: int
    ceiling_fen: int
    employer_ppm: int
    employee_ppm: int
    employer_rounding: Rounding
    employee_rounding: Rounding
    effective_from: date
    effective_to: date | None
    known_since: date
    source: str
    invented: bool


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a city from `effective_from` on.

    `open_day` is in the month before the levy period, the other days in the levy period's own
    month, unrolled. `open_at` and `look_up_at` are times of day in China.
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


@dataclass(frozen=True, slots=True)
class PersonKind:
    """人员类别: a kind of employee, and why it is exempt from which insurances (empty: from
    none).
    """

    code: str
    name: str
    exempt: Mapping[Insurance, str]


@dataclass(frozen=True, slots=True)
class Pack:
    """One city's policy pack as read from its file; `sha256` names that content."""

    city: str
    name: str
    collector: str
    passes_detail_on: bool
    contribution_year_starts: int
    days: tuple[Days, ...]
    late_fee: Series
    insurances: Mapping[Insurance, InsuranceRules]
    person_kinds: Mapping[str, PersonKind]
    sources: Mapping[str, str]
    sha256: str

    def terms(self, period: LevyPeriod) -> tuple[Terms, ...]:
        """What holds per insurance on the first day of the levy period, in the order of the
        file.
        """
        return self.terms_on(period.first_day())

    def terms_on(self, day: date) -> tuple[Terms, ...]:
        found = (_terms_on(rules, day) for rules in self.insurances.values())
        return tuple(terms for terms in found if terms is not None)

    def days_at(self, period: LevyPeriod) -> Days | None:
        day = period.first_day()
        return max(
            (days for days in self.days if days.effective_from <= day),
            key=lambda days: days.effective_from,
            default=None,
        )

    def first_day(self) -> date:
        """The first day about which the pack says anything."""
        return min(f.effective_from for rules in self.insurances.values() for f in _figures(rules))

    def known_since(self) -> date:
        """The youngest publication day of anything in the pack."""
        figures = (f for rules in self.insurances.values() for f in _figures(rules))
        return max(
            *(figure.known_since for figure in figures), *(days.known_since for days in self.days)
        )

    def contribution_year(self, period: LevyPeriod) -> int:
        """缴费年度: the year in which the contribution year of this levy period began.

        Its bases rest on the wages of the calendar year before it.
        """
        return period.year if period.month >= self.contribution_year_starts else period.year - 1

    def stretches(self) -> Iterator[Terms]:
        """Every insurance's terms, one for each stretch of days in which none of its figures
        changes.
        """
        for rules in self.insurances.values():
            for day in sorted({figure.effective_from for figure in _figures(rules)}):
                terms = _terms_on(rules, day)
                if terms is not None:
                    yield terms


def _figures(rules: InsuranceRules) -> Iterator[Figure]:
    for series in rules.series().values():
        yield from series


def _terms_on(rules: InsuranceRules, day: date) -> Terms | None:
    figures = [figure_at(series, day) for series in rules.series().values()]
    if any(figure is None for figure in figures):
        return None
    floor, ceiling, employer, employee = (figure for figure in figures if figure is not None)
    parts = (floor, ceiling, employer, employee)
    ends = [figure.effective_to for figure in parts if figure.effective_to is not None]
    changes = [
        f.effective_from - timedelta(days=1) for f in _figures(rules) if f.effective_from > day
    ]
    return Terms(
        insurance=rules.insurance,
        authority=rules.authority,
        floor_fen=floor.value,
        ceiling_fen=ceiling.value,
        employer_ppm=employer.value,
        employee_ppm=employee.value,
        employer_rounding=rules.employer_rounding,
        employee_rounding=rules.employee_rounding,
        effective_from=max(figure.effective_from for figure in parts),
        effective_to=min([*ends, *changes], default=None),
        known_since=max(figure.known_since for figure in parts),
        source="; ".join(sorted({figure.source for figure in parts})),
        invented=any(figure.invented for figure in parts),
    )
