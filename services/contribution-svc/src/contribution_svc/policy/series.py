"""The figures of one key as a pack writes them, and what must hold among them: no day with two
values of one notice, none without.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from contribution_svc.domain.figures import Confidence, Figure, Range, Series
from contribution_svc.domain.lines import percent_text
from contribution_svc.policy.values import EARLIEST, Section
from shared.values import Insurance, fen_text

_LEAST_BOUND_FEN = 100_00
_MOST_BOUND_FEN = 1_000_000_00
"""A floor under 100 yuan or a ceiling over 1,000,000 a month is a slip of units, in any city and
year.
"""
_MOST_RATE_PPM = 300_000
"""No side of any insurance ever paid 30 % of the base; the pension took 20 % of the employer before
2019.
"""
_LEAST_RATE_PPM = 1_000
_LEAST_RATE_PPM_OF = {Insurance.PENSION: 10_000, Insurance.HOUSING_FUND: 50_000}
"""A rate that is not 0 but below these is a fraction that was written for a percentage: '0.16' for
'16'. The lowest known is 0.1 % (Shenzhen's third tier of medical), the housing fund takes 5 % or
more (住房公积金管理条例 art. 18).
"""
_MOST_LATE_FEE_PPM = 10_000
_WHOLE_PPM, _MOST_NOT_FILED_PPM = 1_000_000, 2_000_000
_MOST_MONTHS_BACK = 24
"""Systems of agencies, which serve every city, hold 0 to 24."""
_MOST_FIXED_FEN = 1_000_00
"""Fixed sums are some yuan a month: Beijing's employees pay 3.00."""

Value = Callable[[Section], int | None]
"""Reads a figure's value, in fen or millionths."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What the keys of a pack's sources and notes stand for; `is_example`: of no real city."""

    sources: Mapping[str, str]
    notes: Mapping[str, str]
    is_example: bool


def bound(item: Section) -> int | None:
    """A floor, ceiling or average wage; None where the file says that none was published."""
    if item.is_null("value"):
        item.scalar("value", "null")
        return None
    value = item.fen("value")
    if value is not None and not _LEAST_BOUND_FEN <= value <= _MOST_BOUND_FEN:
        least, most = fen_text(_LEAST_BOUND_FEN), fen_text(_MOST_BOUND_FEN)
        item.fault("value", fen_text(value), f"expected a monthly wage from {least} to {most} yuan")
    return value


def rate_of(insurance: Insurance) -> Value:
    """How a rate of this insurance is read."""
    return partial(rate, least_ppm=_LEAST_RATE_PPM_OF.get(insurance, _LEAST_RATE_PPM))


def rate(item: Section, name: str = "value", least_ppm: int = _LEAST_RATE_PPM) -> int | None:
    """A rate of one side; None where each employer has its own."""
    if name == "value" and item.is_null(name):
        item.scalar(name, "null")
        if not item.has("least"):
            item.fault(
                "value", "null", "expected `least` beside it: the range of employers' own rates"
            )
        return None
    value = item.ppm(name)
    if value is not None and value > _MOST_RATE_PPM:
        item.fault(name, percent_text(value), "expected a rate of 0 to 30 % for one side")
    elif value and value < least_ppm:
        expected = f"expected 0, or at least {percent_text(least_ppm)} of one side"
        item.fault(name, percent_text(value), expected, "write percent: '8', not '0.08'")
    return value


def late_fee(item: Section) -> int | None:
    value = item.ppm("value")
    if value is not None and value > _MOST_LATE_FEE_PPM:
        item.fault("value", percent_text(value), "expected at most 1 % a day")
    return value


def not_filed(item: Section) -> int | None:
    value = item.ppm("value")
    if value is not None and not _WHOLE_PPM <= value <= _MOST_NOT_FILED_PPM:
        item.fault("value", percent_text(value), "expected 100 to 200 % of last month's amount")
    return value


def months_back(item: Section) -> int:
    return item.whole("value", 0, _MOST_MONTHS_BACK)


def fixed_sum(item: Section) -> int | None:
    value = item.fen("value")
    if value is not None and not 0 < value <= _MOST_FIXED_FEN:
        most = fen_text(_MOST_FIXED_FEN)
        item.fault("value", fen_text(value), f"expected more than 0, at most {most} yuan")
    return value


def read_series(section: Section, name: str, texts: Texts, read: Value) -> Series:
    """The figures in the order of the file; every one is checked, then all of them together."""
    items = list(section.sections(name))
    found = tuple(_figure(item, texts, read) for item in items)
    for place, (item, figure) in enumerate(zip(items, found, strict=True)):
        _check_span(item, figure)
        _check_overlap(item, figure, found[:place])
    _check_gaps(items, found)
    return found


def is_invented(item: Section, texts: Texts) -> bool:
    """Whether it is of no real notice, and says so by its city. What is not attested in a real city
    says how well it is, and warns.
    """
    found = item.flag("invented", optional=True)
    if found and not texts.is_example:
        expected = "expected it in an example city alone, whose code begins with 99"
        item.fault("invented", "true", expected, "say its `confidence` instead")
    return found


def _figure(item: Section, texts: Texts, read: Value) -> Figure:
    starts, ends = item.day("effective_from"), item.day("effective_to", nullable=True)
    known = item.day("known_since", nullable=True)
    invented = is_invented(item, texts)
    confidence = item.choice("confidence", tuple(Confidence), optional=invented)
    figure = Figure(
        value=read(item),
        effective_from=starts or EARLIEST,
        effective_to=ends,
        known_since=known or starts or EARLIEST,
        source=item.named("source", texts.sources, "sources"),
        invented=invented,
        confidence=Confidence(confidence) if confidence in tuple(Confidence) else None,
        note=item.named("note", texts.notes, "notes", optional=True),
        dispute=item.named("dispute", texts.notes, "notes", optional=True),
        document=item.text("document", optional=True),
        dated=known is not None,
        provisional=item.flag("provisional", optional=True),
        own=_own(item),
    )
    item.done()
    return figure


def _own(item: Section) -> Range | None:
    """The range of employers' own rates, where the value is theirs."""
    if not item.is_null("value") or not item.has("least"):
        return None
    least = rate(item, "least") or 0
    most = rate(item, "most") if item.has("most") else None
    step = (rate(item, "step") or 0) if item.has("step") else 0
    if most is not None and most < least:
        item.fault("most", percent_text(most), "expected not less than `least`")
    return Range(least, most, step)


def _check_span(item: Section, figure: Figure) -> None:
    if figure.effective_to is not None and figure.effective_to < figure.effective_from:
        item.fault("effective_to", str(figure.effective_to), "expected not before effective_from")


def _check_overlap(item: Section, figure: Figure, before: Series) -> None:
    """One notice gives a day one value; a younger one may replace what an older one said."""
    for other in before:
        same = figure.known_since == other.known_since or not (figure.dated or other.dated)
        if same and (figure.covers(other.effective_from) or other.covers(figure.effective_from)):
            item.fault(
                "effective_from",
                str(figure.effective_from),
                f"overlaps the figure from {other.effective_from}: expected days apart, or another "
                "known_since",
            )
            return


def _check_gaps(items: list[Section], found: Series) -> None:
    """A day between the first and the last without a figure is a month without a rate."""
    ordered = sorted(zip(found, items, strict=True), key=lambda pair: pair[0].effective_from)
    covered: date | None = None
    for place, (figure, item) in enumerate(ordered):
        if place and covered is not None and figure.effective_from > covered + timedelta(days=1):
            expected = covered + timedelta(days=1)
            where = str(figure.effective_from)
            item.fault("effective_from", where, f"leaves a gap: expected {expected}")
        if figure.effective_to is None:
            return
        covered = max(covered or figure.effective_to, figure.effective_to)
