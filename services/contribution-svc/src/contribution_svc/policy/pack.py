"""The schema of a policy pack: YAML in, a `Pack` out, or every fault with file, line, key, found
and expected.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from contribution_svc.domain.calendar import ROLLS
from contribution_svc.domain.figures import Figure, Series, figure_at
from contribution_svc.domain.policy import AfterRaise, Days, InsuranceRules, Pack, PersonKind
from contribution_svc.domain.rounding import Rounding
from contribution_svc.errors import PolicyInvalid
from contribution_svc.policy import tree
from contribution_svc.policy.values import Faults, Section
from shared.refusal import FieldFault
from shared.values import Insurance, fen_text

SCHEMA_VERSION = 1
_INSURANCES = tuple(Insurance)
_LEAST_BOUND_FEN = 100_00
_MOST_BOUND_FEN = 1_000_000_00
"""A floor under 100 yuan or a ceiling over 1,000,000 a month is a slip of units, in any city and
year.
"""
_MOST_RATE_PPM = 300_000
"""No side of any insurance ever paid 30 % of the base; the pension took 20 % of the employer before
2019.
"""
_MOST_LATE_FEE_PPM = 10_000
_EARLIEST, _LATEST = date(1990, 1, 1), date(2100, 12, 31)


def read_pack(file: str, content: bytes) -> Pack:
    """The pack of one file; PolicyInvalid with all its faults."""
    try:
        root = tree.read_tree(file, content)
    except tree.TreeInvalid as invalid:
        raise PolicyInvalid.of(list(invalid.faults)) from None
    if not isinstance(root, tree.Mapping):
        raise PolicyInvalid.of([FieldFault(f"{file}:1", "no mapping", "expected a policy pack")])
    faults = Faults(file)
    pack = _pack(Section(root, "", faults), hashlib.sha256(content).hexdigest())
    if faults.found:
        raise PolicyInvalid.of(faults.found)
    assert pack is not None
    return pack


def _pack(section: Section, sha256: str) -> Pack:
    section.whole("schema_version", SCHEMA_VERSION, SCHEMA_VERSION)
    sources = _sources(section)
    base = section.section("base")
    starts, after_raise = _base(base) if base is not None else (1, AfterRaise.AT_ONCE)
    pack = Pack(
        city=section.text("city", "a quoted city code"),
        name=section.text("name"),
        collector=section.code("collector"),
        passes_detail_on=section.flag("passes_detail_on"),
        contribution_year_starts=starts,
        after_raise=after_raise,
        days=_days(section, sources),
        late_fee=_series(section, "late_fee_per_day", sources, _late_fee),
        insurances=_insurances(section, sources),
        person_kinds=_person_kinds(section),
        sources=sources,
        sha256=sha256,
    )
    section.done()
    return pack


def _sources(section: Section) -> Mapping[str, str]:
    found = section.section("sources")
    return {name: found.text(name) for name in found.names()} if found is not None else {}


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


def _days(section: Section, sources: Mapping[str, str]) -> tuple[Days, ...]:
    found: list[Days] = []
    for item in section.sections("days"):
        starts, known = item.day("effective_from"), item.day("known_since")
        days = Days(
            effective_from=starts or _EARLIEST,
            known_since=known or _EARLIEST,
            source=_source(item, sources),
            open_day=item.whole("open_day_of_month_before", 1, 31),
            open_at=item.time("open_at"),
            filing_day=item.whole("filing_day", 1, 31),
            debit_day=item.whole("debit_day", 1, 31),
            record_working_days=item.whole("record_working_days", 1, 60),
            roll=item.choice("roll", ROLLS),
            look_up_at=item.time("look_up_at"),
            invented=item.flag("invented", optional=True),
        )
        item.done()
        if found and starts is not None and starts <= found[-1].effective_from:
            item.fault("effective_from", str(starts), f"expected after {found[-1].effective_from}")
        found.append(days)
    return tuple(found)


def _source(item: Section, sources: Mapping[str, str]) -> str:
    key = item.text("source", "a key of `sources`")
    if key and key not in sources:
        item.fault("source", key, "expected a key of `sources`")
    return sources.get(key, key)


def _insurances(section: Section, sources: Mapping[str, str]) -> Mapping[Insurance, InsuranceRules]:
    found: dict[Insurance, InsuranceRules] = {}
    inner = section.section("insurances")
    for name in inner.names() if inner is not None else ():
        assert inner is not None
        if name not in _INSURANCES:
            inner.fault(name, name, "expected one of " + ", ".join(Insurance))
            continue
        item = inner.section(name)
        if item is not None:
            found[Insurance(name)] = _insurance(Insurance(name), item, sources)
    if inner is not None and not found:
        section.fault("insurances", "none", "expected at least one insurance")
    return found


def _insurance(insurance: Insurance, item: Section, sources: Mapping[str, str]) -> InsuranceRules:
    rounding = item.section("rounding")
    rules = InsuranceRules(
        insurance=insurance,
        authority=item.code("authority"),
        floor=_series(item, "floor", sources, _bound),
        ceiling=_series(item, "ceiling", sources, _bound),
        employer_rate=_series(item, "employer_rate", sources, _rate),
        employee_rate=_series(item, "employee_rate", sources, _rate),
        employer_rounding=_rounding(rounding, "employer"),
        employee_rounding=_rounding(rounding, "employee"),
    )
    if rounding is not None:
        rounding.done()
    item.done()
    _check_floor_under_ceiling(item, rules)
    _check_same_span(item, rules)
    return rules


def _rounding(section: Section | None, side: str) -> Rounding:
    """The side's own rule: there is no default, since each city has its own."""
    choices = tuple(Rounding)
    text = section.choice(side, choices) if section is not None else ""
    return Rounding(text) if text in choices else Rounding.FEN_HALF_UP


def _bound(item: Section) -> int | None:
    value = item.fen("value")
    if value is not None and not _LEAST_BOUND_FEN <= value <= _MOST_BOUND_FEN:
        least, most = fen_text(_LEAST_BOUND_FEN), fen_text(_MOST_BOUND_FEN)
        item.fault("value", fen_text(value), f"expected a monthly wage from {least} to {most} yuan")
    return value


def _rate(item: Section) -> int | None:
    value = item.ppm("value")
    if value is not None and value > _MOST_RATE_PPM:
        item.fault("value", f"{value // 10_000} %", "expected a rate of 0 to 30 % for one side")
    return value


def _late_fee(item: Section) -> int | None:
    value = item.ppm("value")
    if value is not None and value > _MOST_LATE_FEE_PPM:
        item.fault("value", f"{value // 10_000} %", "expected at most 1 % a day")
    return value


def _series(
    section: Section,
    name: str,
    sources: Mapping[str, str],
    read: Callable[[Section], int | None],
) -> Series:
    found: list[Figure] = []
    for item in section.sections(name):
        starts, ends = item.day("effective_from"), item.day("effective_to", optional=True)
        figure = Figure(
            value=read(item) or 0,
            effective_from=starts or _EARLIEST,
            effective_to=ends,
            known_since=item.day("known_since") or _EARLIEST,
            source=_source(item, sources),
            invented=item.flag("invented", optional=True),
        )
        item.done()
        _check_span(item, figure)
        if found:
            _check_follows(item, found[-1], figure)
        found.append(figure)
    return tuple(found)


def _check_span(item: Section, figure: Figure) -> None:
    if not _EARLIEST <= figure.effective_from <= _LATEST:
        item.fault("effective_from", str(figure.effective_from), "expected 1990 to 2100")
    if figure.effective_to is not None and figure.effective_to < figure.effective_from:
        item.fault("effective_to", str(figure.effective_to), "expected not before effective_from")


def _check_follows(item: Section, before: Figure, figure: Figure) -> None:
    """Figures of a key lie end to end: a gap leaves a month without a rate, an overlap gives it
    two.
    """
    if before.effective_to is None:
        item.fault(
            "effective_from",
            str(figure.effective_from),
            f"overlaps the figure from {before.effective_from}, which has no effective_to",
        )
        return
    expected = before.effective_to + timedelta(days=1)
    if figure.effective_from != expected:
        what = (
            "overlaps the figure before it" if figure.effective_from < expected else "leaves a gap"
        )
        found = str(figure.effective_from)
        item.fault("effective_from", found, f"{what}: expected {expected}")


def _check_floor_under_ceiling(item: Section, rules: InsuranceRules) -> None:
    for day in sorted({f.effective_from for f in (*rules.floor, *rules.ceiling)}):
        floor, ceiling = (
            figure.value if figure is not None else None
            for figure in (
                figure_at(rules.floor, day, date.max),
                figure_at(rules.ceiling, day, date.max),
            )
        )
        if floor is not None and ceiling is not None and floor > ceiling:
            item.fault(
                "floor",
                fen_text(floor),
                f"expected at most the ceiling of {day}, {fen_text(ceiling)}",
            )


def _check_same_span(item: Section, rules: InsuranceRules) -> None:
    """All figures of an insurance begin and end together, or a month would have a base and no
    rate.
    """
    spans = {
        name: (series[0].effective_from, series[-1].effective_to)
        for name, series in rules.series().items()
        if series
    }
    for name, span in spans.items():
        if span != spans.get("floor", span):
            starts, ends = spans["floor"]
            item.fault(
                name,
                f"{span[0]} to {span[1] or 'open'}",
                f"expected the span of the floor, {starts} to {ends or 'open'}",
            )


def _person_kinds(section: Section) -> Mapping[str, PersonKind]:
    found: dict[str, PersonKind] = {}
    inner = section.section("person_kinds")
    for code in inner.names() if inner is not None else ():
        assert inner is not None
        item = inner.section(code)
        if item is not None:
            found[code] = PersonKind(code, item.text("name"), _exempt(item), {})
            item.done()
    return found


def _exempt(item: Section) -> Mapping[Insurance, str]:
    """Insurances that the kind is exempt from, each with its reason."""
    inner = item.section("exempt", optional=True)
    found: dict[Insurance, str] = {}
    for name in inner.names() if inner is not None else ():
        assert inner is not None
        if name in _INSURANCES:
            found[Insurance(name)] = inner.code(name)
        else:
            inner.fault(name, name, "expected one of " + ", ".join(Insurance))
    return found
