"""Dated values of a policy: in force from and through their days, known since another day, and how
far each is to be trusted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from shared.values import LevyPeriod


class Confidence(StrEnum):
    """How well a value is attested, in the words of the packs."""

    OFFICIAL = "A"  # a source restates the notice, or two independent sources agree
    ONE_SOURCE = "B"
    DISPUTED = "C"  # sources conflict; the note has the alternative
    DERIVED = "D"  # from sourced figures or a rule of law
    UNVERIFIED = "U"  # never from a source


DOUBTFUL = frozenset({Confidence.DISPUTED, Confidence.DERIVED, Confidence.UNVERIFIED})
"""A value of these is never used without a warning that reaches people."""


@dataclass(frozen=True, slots=True)
class Range:
    """What an employer's own rate may be, in millionths, both ends inclusive.

    `most` None: no end was published. `step` 0: any value between.
    """

    least: int
    most: int | None
    step: int = 0

    def floated(self, percents: tuple[int, ...]) -> "Range":
        """What the rates of the range may become by these floats."""
        if not percents:
            return self
        most = self.most * max(percents) // 100 if self.most is not None else None
        return Range(self.least * min(percents) // 100, most)

    def has(self, rate_ppm: int) -> bool:
        if rate_ppm < self.least or (self.most is not None and rate_ppm > self.most):
            return False
        return not self.step or (rate_ppm - self.least) % self.step == 0


@dataclass(frozen=True, slots=True)
class Figure:
    """One dated value: fen or millionths, in force from and through its days (None: open), both
    inclusive.

    `value` None: of a bound, none was published; of a rate, each employer has its own, within
    `own`. `known_since` is the day of its publication, often months after `effective_from`; where
    no day of publication is known (`dated` False) it is `effective_from`. `provisional`: carried
    over from an earlier period until a notice comes. `dispute`: what other sources have instead.
    """

    value: int | None
    effective_from: date
    effective_to: date | None
    known_since: date
    source: str
    invented: bool = False
    confidence: Confidence | None = None
    note: str = ""
    dispute: str = ""
    document: str = ""
    dated: bool = True
    provisional: bool = False
    own: Range | None = None

    def covers(self, day: date) -> bool:
        return self.effective_from <= day and (
            self.effective_to is None or day <= self.effective_to
        )

    def notice_said(self) -> str:
        """The notice that it is from, as people read it: 关于公布缴费基数的通知，2024-12-15公布."""
        return f"{self.source}，{f'{self.known_since}公布' if self.dated else '公布日不详'}"


Series = tuple[Figure, ...]
"""The figures of one key. Those of one `known_since` do not overlap; a younger notice may cover
days of an older one, and holds for them from the day on which it is known.
"""


def figure_at(
    series: Series, day: date, known_on: date, carried_over_months: int = 0
) -> Figure | None:
    """As known on `known_on`: of the figures that cover `day`, the one of the youngest notice.

    Where what was published has ended and nothing newer is known yet, the last figure is carried
    over as a provisional one for so many months, as collectors do until the notice comes.
    """
    known = [figure for figure in series if figure.known_since <= known_on]
    covering = [f for f in known if f.covers(day) and not _is_replaced(f, known, day)]
    if covering:
        return max(covering, key=_age)
    ended = [f for f in known if f.effective_to is not None and f.effective_to < day]
    if not ended:
        return None
    last = max(ended, key=lambda figure: (figure.effective_to or date.max, _age(figure)))
    through = _carried_through(last, carried_over_months)
    if through is None or day > through:
        return None
    return replace(last, effective_to=through, provisional=True)


def _is_replaced(figure: Figure, known: Sequence[Figure], day: date) -> bool:
    """What is carried over until a notice comes has ended where one has begun: it does not come
    back when the notice ends.
    """
    return figure.provisional and any(
        not other.provisional
        and other.known_since > figure.known_since
        and figure.effective_from <= other.effective_from <= day
        for other in known
    )


def _age(figure: Figure) -> tuple[date, date]:
    return figure.known_since, figure.effective_from


def _carried_through(figure: Figure, months: int) -> date | None:
    """The last day on which a figure is carried over, if it ends and is."""
    if figure.effective_to is None or not months:
        return None
    return LevyPeriod.of(figure.effective_to).shifted(months).last_day()


def changes(series: Iterable[Figure], known_on: date, carried_over_months: int) -> set[date]:
    """Every day on which another figure than the day before may hold, as known on `known_on`."""
    days = set()
    for figure in series:
        if figure.known_since > known_on:
            continue
        days.add(figure.effective_from)
        ends = (figure.effective_to, _carried_through(figure, carried_over_months))
        days.update(end + timedelta(days=1) for end in ends if end is not None)
    return days
