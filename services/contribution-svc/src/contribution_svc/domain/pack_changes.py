"""What differs between two packs of a city: figure by figure for people, and by insurance and levy
period for whatever rests on them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, timedelta
from typing import Any

from contribution_svc.domain.lines import percent_text
from contribution_svc.domain.policy import Pack, Terms
from shared.values import Insurance, LevyPeriod, fen_text


@dataclass(frozen=True, slots=True)
class Change:
    """One figure that differs: its dotted key as in the file, from which day on (None: undated),
    and as people write it before and after; empty where there is none.

    Before and after are equal where only the figure's provenance differs; `source` is the new one.
    """

    key: str
    effective_from: date | None
    before: str
    after: str
    source: str = ""


_NAMES_THE_PACK = frozenset({"city", "sha256", "sources", "national"})
"""With the catalogue: what is reckoned with of it stands in the pack's own kinds and rules."""
_DATES = frozenset({"effective_from", "effective_to"})
_PROVENANCE = frozenset(
    {
        "known_since",
        "source",
        "invented",
        "confidence",
        "note",
        "document",
        "dated",
        "provisional",
    }
)
_WHY = _DATES | _PROVENANCE | {"warnings"}
"""What terms say beside what is due: where it comes from, and for how long it holds."""


_IN_MONTHS = "back_payment"
_IN_PERCENT = ("_rate", "late_fee", "not_filed")


def changes(before: Pack | None, after: Pack) -> list[Change]:
    """Every figure that differs, in the order of the file, then of its days; without a pack before,
    all of them.
    """
    return list(_differing("", before, after))


def _differing(key: str, before: Any, after: Any) -> Iterator[Change]:
    if (before or None) == (after or None):
        return
    if _is_dated(before) or _is_dated(after):
        yield from _dated(key, before or (), after or ())
        return
    old, new = _parts(before), _parts(after)
    if old is None and new is None:
        yield Change(key, None, _text(key, before), _text(key, after))
        return
    for name in dict.fromkeys((*(new or {}), *(old or {}))):
        inner = f"{key}.{name}" if key else name
        yield from _differing(inner, (old or {}).get(name), (new or {}).get(name))


def _is_dated(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and hasattr(value[0], "effective_from")


def _parts(value: Any) -> Mapping[str, Any] | None:
    """A mapping's values or a dataclass's fields by name; None for a plain value. What only names
    the pack is no part of it.
    """
    if isinstance(value, Mapping):
        return {str(name): part for name, part in value.items()}
    if is_dataclass(value):
        names = (one.name for one in fields(value))
        return {name: getattr(value, name) for name in names if name not in _NAMES_THE_PACK}
    return None


def _dated(key: str, before: tuple[Any, ...], after: tuple[Any, ...]) -> Iterator[Change]:
    """Both series cut at every day on which either changes; a stretch that differs is told from its
    first day.
    """
    told: dict[str, tuple[Any, Any]] = {}
    for day in _days(before, after):
        old, new = _holding(before, day), _holding(after, day)
        for name in _figures(old) | _figures(new):
            inner = f"{key}.{name}" if name else key
            pair = (_figure(old, name), _figure(new, name))
            if pair[0] != pair[1] and told.get(inner) != pair:
                source = getattr(new or old, "source", "")
                yield Change(inner, day, _text(key, pair[0]), _text(key, pair[1]), source)
            told[inner] = pair


def _days(before: tuple[Any, ...], after: tuple[Any, ...]) -> list[date]:
    starts = {item.effective_from for item in (*before, *after)}
    ends = (getattr(item, "effective_to", None) for item in (*before, *after))
    return sorted(starts | {end + timedelta(days=1) for end in ends if end is not None})


def _holding(series: tuple[Any, ...], day: date) -> Any:
    """The item that holds on a day, of those that are known in the end."""
    covering = [
        item
        for item in series
        if item.effective_from <= day
        and (getattr(item, "effective_to", None) is None or day <= item.effective_to)
    ]
    return max(covering, key=lambda item: (item.known_since, item.effective_from), default=None)


def _figures(item: Any) -> dict[str, None]:
    """The names of an item's own figures in order; a single value has none."""
    if item is None:
        return {}
    if hasattr(item, "value"):
        return {"": None}
    return {one.name: None for one in fields(item) if one.name not in _DATES | _PROVENANCE}


def _figure(item: Any, name: str) -> Any:
    """One figure; of a single value with where it comes from, so that a new source is a change."""
    if item is None:
        return None
    if name:
        return getattr(item, name, None)
    return {one.name: getattr(item, one.name) for one in fields(item) if one.name not in _DATES}


def _text(key: str, figure: Any) -> str:
    """As people write it: rates in percent, sums in yuan; a dash where none was published."""
    if isinstance(figure, tuple):
        return "、".join(str(one) for one in figure)
    if not isinstance(figure, Mapping):
        return "" if figure is None else str(figure)
    value = figure["value"]
    if value is None:
        return "—"
    if key.endswith(_IN_MONTHS):
        return f"{value}个月"
    return percent_text(value) if key.endswith(_IN_PERCENT) else fen_text(value)


def first_changed_day(before: Pack | None, after: Pack) -> date | None:
    """The first day from which anything differs; what is undated, or a whole new pack, differs from
    the pack's first day on. None: nothing differs.
    """
    if before is None:
        return after.first_day()
    days = (one.effective_from or after.first_day() for one in changes(before, after))
    return min(days, default=None)


def known_since(before: Pack | None, after: Pack) -> date:
    """The youngest publication day of what the new pack has and the old one had not: before it,
    nobody could know. Where nothing was published (a rounding is corrected), the oldest day of all.
    """
    old = frozenset(_publications(before)) if before is not None else frozenset()
    published = list(_publications(after))
    return max(
        (day for key, day, figure in published if (key, day, figure) not in old),
        default=min(day for _, day, _ in published),
    )


def _publications(value: Any, key: str = "") -> Iterator[tuple[str, date, str]]:
    if hasattr(value, "known_since") and not isinstance(value, Pack):
        yield key, value.known_since, repr(value)
    elif isinstance(value, tuple):
        for item in value:
            yield from _publications(item, key)
    else:
        for name, part in (_parts(value) or {}).items():
            yield from _publications(part, f"{key}.{name}")


def changed_periods(
    before: Pack | None, after: Pack, periods: Iterable[LevyPeriod], known_on: date
) -> list[tuple[Insurance, LevyPeriod]]:
    """As known on a day: which insurance of which of these levy periods may come to another amount,
    or be due, exempt or blocked otherwise. Its bounds, rates, fixed sums, rounding, exemptions or
    base rule differ.

    Empty where only sources or days differ. In the order of the periods.
    """
    old = _Reckoned(before, known_on) if before is not None else None
    new = _Reckoned(after, known_on)
    found = []
    for period in periods:
        was, will = old.at(period) if old is not None else {}, new.at(period)
        for insurance in dict.fromkeys((*will, *was)):
            if was.get(insurance) != will.get(insurance):
                found.append((insurance, period))
    return found


class _Reckoned:
    """What amounts are reckoned with, by insurance and levy period; the pack is cut into its
    stretches once.
    """

    def __init__(self, pack: Pack, known_on: date) -> None:
        self._pack, self._stretches = pack, list(pack.stretches(known_on))

    def at(self, period: LevyPeriod) -> dict[Insurance, tuple[Any, ...]]:
        day = period.first_day()
        return {
            terms.insurance: (
                *_amounts(terms),
                *self._for_everyone(terms.insurance),
                self._pack.contribution_year(period, terms.insurance),
            )
            for terms in self._stretches
            if terms.effective_from <= day
            and (terms.effective_to is None or day <= terms.effective_to)
        }

    def _for_everyone(self, insurance: Insurance) -> tuple[Any, ...]:
        kinds = {
            code: (kind.exempt.get(insurance), kind.blocked.get(insurance))
            for code, kind in self._pack.person_kinds.items()
        }
        return self._pack.after_raise, kinds


def _amounts(terms: Terms) -> tuple[Any, ...]:
    return tuple(getattr(terms, one.name) for one in fields(terms) if one.name not in _WHY)
