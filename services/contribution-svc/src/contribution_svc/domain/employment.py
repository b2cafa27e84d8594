"""在职期间: from when on somebody is employed without a break, and in which months of a year they
were.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from shared.values import LevyPeriod

Spell = tuple[date, date | None]
"""First and last day of a stretch of employment, both inclusive (None: still running)."""

_DAY = timedelta(days=1)


def employed_since(spells: Sequence[Spell], through: date) -> date | None:
    """The first day of the last unbroken employment that began on or before `through`.

    `spells` in the order of their days. A change of account, city or department on the next day
    breaks nothing; who comes back after a gap is newly hired. Before the first spell: its first
    day.
    """
    began: date | None = None
    ended: date | None = None
    for since, until in spells:
        if began is not None and since > through:
            break
        if began is None or (ended is not None and since > ended + _DAY):
            began = since
        ended = until
    return began


def months_employed(spells: Sequence[Spell], year: int) -> frozenset[int]:
    """The months of a calendar year in which there was a spell, be it for a day."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    return frozenset(
        month
        for since, until in spells
        if since <= last and (until is None or until >= first)
        for month in range(
            max(since, first).month, (last if until is None else min(until, last)).month + 1
        )
    )


def paid_days(since: date) -> int:
    """The days of a first month that are paid, Mondays to Fridays from `since` on.

    Statutory holidays are paid, rest days are not: 21.75 of them make a month
    (人社部发〔2025〕2号).
    """
    last = LevyPeriod.of(since).last_day().day
    return sum(since.replace(day=n).weekday() < 5 for n in range(since.day, last + 1))


def is_part_month(since: date) -> bool:
    """Whether a paid day of the month lies before `since`."""
    return any(since.replace(day=day).weekday() < 5 for day in range(1, since.day))
