"""The schema of a policy pack: YAML in, a `Pack` out, or every fault with file, line, key, found
and expected.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from contribution_svc.domain.calendar import ROLLS
from contribution_svc.domain.figures import Confidence, Series, figure_at
from contribution_svc.domain.policy import AfterRaise, Days, InsuranceRules, National, Pack
from contribution_svc.domain.rounding import Rounding
from contribution_svc.errors import PolicyInvalid
from contribution_svc.policy.national import (
    KEY,
    national,
    read_kinds,
    read_national,
    root_of,
    texts_of,
)
from contribution_svc.policy.series import (
    Texts,
    Value,
    bound,
    fixed_sum,
    is_invented,
    late_fee,
    months_back,
    not_filed,
    rate_of,
    read_series,
)
from contribution_svc.policy.values import EARLIEST, EXAMPLES, Section
from shared.values import Insurance, fen_text

SCHEMA_VERSION = 1
_INSURANCES = tuple(Insurance)
_MOST_CARRIED_MONTHS = 24
"""A standard that nobody has replaced for two years is a pack that nobody keeps."""


def read_pack(file: str, content: bytes) -> Pack:
    """The pack of one file; PolicyInvalid with all its faults."""
    section = root_of(file, content)
    pack = _pack(section, hashlib.sha256(content).hexdigest(), _catalogue(section))
    if section.faults.found:
        raise PolicyInvalid.of(section.faults.found)
    return pack


def _catalogue(section: Section) -> National:
    """The one that the file carries; one that carries none is read with ours."""
    carried = section.scalar(KEY, "a catalogue", optional=True)
    if carried is None:
        return replace(national(), sha256="")
    return read_national(carried.text.encode())


def _pack(section: Section, sha256: str, catalogue: National) -> Pack:
    section.whole("schema_version", SCHEMA_VERSION, SCHEMA_VERSION)
    city = section.city("city")
    sources, notes = texts_of(section, "sources"), texts_of(section, "notes", optional=True)
    texts = Texts(sources, notes, is_example=city.startswith(EXAMPLES))
    base = section.section("base")
    starts, after_raise = _base(base) if base is not None else (1, AfterRaise.AT_ONCE)
    carried = 0
    if section.has("carried_over_months"):
        carried = section.whole("carried_over_months", 0, _MOST_CARRIED_MONTHS)
    merged: dict[Insurance, Insurance] = {}
    pack = Pack(
        city=city,
        name=section.text("name"),
        collector=section.code("collector"),
        passes_detail_on=section.flag("passes_detail_on"),
        contribution_year_starts=starts,
        after_raise=after_raise,
        days=_days(section, texts),
        late_fee=read_series(section, "late_fee_per_day", texts, late_fee),
        insurances=_Insurances(texts, carried, catalogue, merged).read(section),
        person_kinds=read_kinds(section, texts.sources, catalogue.reasons, catalogue.person_kinds),
        sources=texts.sources,
        sha256=sha256,
        national=catalogue,
        merged=merged,
        average_wage=_optional_series(section, "average_wage", texts, bound),
        not_filed=_optional_series(section, "not_filed_percent_of_last_month", texts, not_filed),
        back_payment=_optional_series(section, "back_payment_online_months", texts, months_back),
        remarks=section.texts("remarks"),
    )
    section.done()
    return pack


def _optional_series(section: Section, name: str, texts: Texts, read: Value) -> Series:
    return read_series(section, name, texts, read) if section.has(name) else ()


def _base(section: Section) -> tuple[int, AfterRaise]:
    """How bases are made: the month in which their year begins, and how they follow a raise. Of the
    other keys there is one way today; they stand in the file so that another is a pack's choice.
    """
    section.choice("rule", ("last_year_average",))
    section.choice("new_hire", ("first_month_wage",))
    text = section.choice("after_raise", tuple(AfterRaise))
    after_raise = AfterRaise(text) if text in tuple(AfterRaise) else AfterRaise.AT_ONCE
    starts = section.whole("contribution_year_starts_in_month", 1, 12)
    section.done()
    return starts, after_raise


_PAID_IN = {"same_month": 0, "next_month": 1}


def _days(section: Section, texts: Texts) -> tuple[Days, ...]:
    found: list[Days] = []
    for item in section.sections("days"):
        starts, known = item.day("effective_from"), item.day("known_since", nullable=True)
        invented = is_invented(item, texts)
        confidence = item.choice("confidence", tuple(Confidence), optional=invented)
        days = Days(
            effective_from=starts or EARLIEST,
            known_since=known or starts or EARLIEST,
            source=item.named("source", texts.sources, "sources"),
            open_day=item.whole("open_day_of_month_before", 1, 31),
            open_at=item.time("open_at"),
            filing_day=item.whole("filing_day", 1, 31),
            debit_day=item.whole("debit_day", 1, 31),
            record_working_days=item.whole("record_working_days", 1, 60),
            roll=item.choice("roll", ROLLS),
            look_up_at=item.time("look_up_at"),
            invented=invented,
            months_after=_PAID_IN.get(item.choice("paid_in", tuple(_PAID_IN), optional=True), 0),
            add_cutoff_day=_cutoff(item, "add_cutoff_day"),
            remove_cutoff_day=_cutoff(item, "remove_cutoff_day"),
            confidence=Confidence(confidence) if confidence in tuple(Confidence) else None,
            note=item.named("note", texts.notes, "notes", optional=True),
        )
        item.done()
        if found and starts is not None and starts <= found[-1].effective_from:
            item.fault("effective_from", str(starts), f"expected after {found[-1].effective_from}")
        found.append(days)
    return tuple(found)


def _cutoff(item: Section, name: str) -> int | None:
    return item.whole(name, 1, 31) if item.has(name) else None


class _Insurances:
    """Reads the insurances of one pack. Those that are merged into another have no rules of their
    own, and are noted in `merged`.
    """

    def __init__(
        self,
        texts: Texts,
        carried: int,
        catalogue: National,
        merged: dict[Insurance, Insurance],
    ) -> None:
        self._texts = texts
        self._carried = carried
        self._floats = catalogue.injury_floats_percent
        self._merged = merged
        self._found: dict[Insurance, InsuranceRules] = {}

    def read(self, section: Section) -> Mapping[Insurance, InsuranceRules]:
        inner = section.section("insurances")
        for name in inner.names() if inner is not None else ():
            assert inner is not None
            if name not in _INSURANCES:
                inner.fault(name, name, "expected one of " + ", ".join(Insurance))
                continue
            item = inner.section(name)
            if item is not None:
                self._one(Insurance(name), item)
        if inner is not None and not self._found:
            section.fault("insurances", "none", "expected at least one insurance")
        return self._found

    def _one(self, insurance: Insurance, item: Section) -> None:
        if item.has("merged_into"):
            into = self._other(item, "merged_into")
            item.named("source", self._texts.sources, "sources")
            item.done()
            if into is not None:
                self._merged[insurance] = into.insurance
            return
        rules = self._rules(insurance, item)
        item.done()
        _check_floor_under_ceiling(item, rules)
        _check_same_span(item, rules)
        self._found[insurance] = rules

    def _other(self, item: Section, name: str) -> InsuranceRules | None:
        """The rules of the insurance before it in the file that the key names."""
        text = item.choice(name, tuple(self._found))
        return self._found.get(Insurance(text)) if text in _INSURANCES else None

    def _rules(self, insurance: Insurance, item: Section) -> InsuranceRules:
        texts = self._texts
        floor, ceiling = self._bounds(item)
        rounding = _rounding(item, texts)
        starts = "contribution_year_starts_in_month"
        return InsuranceRules(
            insurance=insurance,
            authority=item.code("authority"),
            floor=floor,
            ceiling=ceiling,
            employer_rate=read_series(item, "employer_rate", texts, rate_of(insurance)),
            employee_rate=read_series(item, "employee_rate", texts, rate_of(insurance)),
            employer_rounding=rounding[0],
            employee_rounding=rounding[1],
            employer_fixed=_fixed(item, "employer_fixed", texts),
            employee_fixed=_fixed(item, "employee_fixed", texts),
            equal_sides=item.flag("equal_sides", optional=True),
            carried_over_months=self._carried,
            year_starts=item.whole(starts, 1, 12) if item.has(starts) else None,
            has_late_fee=not item.flag("no_late_fee", optional=True),
            floats_percent=self._floats if insurance is Insurance.WORK_INJURY else (),
        )

    def _bounds(self, item: Section) -> tuple[Series, Series]:
        """Its own, or those of the insurance with which it is collected."""
        if item.has("collected_with"):
            other = self._other(item, "collected_with")
            return (other.floor, other.ceiling) if other is not None else ((), ())
        return (
            read_series(item, "floor", self._texts, bound),
            read_series(item, "ceiling", self._texts, bound),
        )


def _fixed(item: Section, name: str, texts: Texts) -> Series:
    return read_series(item, name, texts, fixed_sum) if item.has(name) else ()


def _rounding(item: Section, texts: Texts) -> tuple[Rounding, Rounding]:
    """Each side's own rule: there is no default, since each city has its own."""
    section = item.section("rounding")
    if section is None:
        return Rounding.FEN_HALF_UP, Rounding.FEN_HALF_UP
    choices = tuple(Rounding)
    sides = [section.choice(side, choices) for side in ("employer", "employee")]
    section.choice("confidence", tuple(Confidence), optional=True)
    section.named("source", texts.sources, "sources", optional=True)
    section.done()
    employer, employee = (
        Rounding(text) if text in choices else Rounding.FEN_HALF_UP for text in sides
    )
    return employer, employee


def _check_floor_under_ceiling(item: Section, rules: InsuranceRules) -> None:
    """On every day on which a bound begins, as known on every day on which one was published."""
    figures = (*rules.floor, *rules.ceiling)
    for known in sorted({figure.known_since for figure in figures}):
        for day in sorted({figure.effective_from for figure in figures}):
            found = [figure_at(series, day, known) for series in (rules.floor, rules.ceiling)]
            floor, ceiling = (figure.value if figure is not None else None for figure in found)
            if floor is not None and ceiling is not None and floor > ceiling:
                reason = f"expected at most the ceiling of {day}, {fen_text(ceiling)}"
                item.fault("floor", fen_text(floor), reason)
                return


def _check_same_span(item: Section, rules: InsuranceRules) -> None:
    """All figures of an insurance begin and end together, or a month would have a base and no
    rate.
    """
    spans = {name: _span(series) for name, series in rules.series().items()}
    for name, span in spans.items():
        if span != spans.get("floor", span):
            starts, ends = spans["floor"]
            item.fault(
                name,
                f"{span[0]} to {span[1] or 'open'}",
                f"expected the span of the floor, {starts} to {ends or 'open'}",
            )


def _span(series: Series) -> tuple[date, date | None]:
    ends = [figure.effective_to for figure in series]
    last = None if None in ends else max(end for end in ends if end is not None)
    return min(figure.effective_from for figure in series), last
