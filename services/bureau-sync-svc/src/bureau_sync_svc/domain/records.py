"""What an authority's rows say of the cells asked about: ranges expanded, kinds added up,
duplicates counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from bureau_sync_svc.domain import wire
from bureau_sync_svc.domain.lines import (
    IN_TRANSIT,
    INTERRUPTED,
    RECORDED,
    UNKNOWN,
    Sums,
)
from bureau_sync_svc.domain.wire import Item, Unreadable
from shared.values import LevyPeriod

MOST_MONTHS_OF_A_RANGE = 600
"""Fifty years: a longer range is a slip of the authority's, not a back-payment."""

_PARTLY, _WHOLLY, _INTERRUPTED, _IN_TRANSIT = "0", "1", "2", "3"
_FLAG_WORDS = {
    _PARTLY: "未足额到账",
    _WHOLLY: "",
    _INTERRUPTED: "中断",
    _IN_TRANSIT: "在途",
}


class Page(msgspec.Struct, frozen=True):
    """One page of GET /records; `next_cursor` is null on the last one."""

    rows: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row for one month: `kind` is AAA115, `flag` AAE078; amounts in fen."""

    kind: str
    sums: Sums
    flag: str
    recorded_on: str
    page: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What the rows of one cell come to: the state, sums and count of a LookedUp, and of how many
    lines they are: those of one kind and sum are one.
    """

    state: str
    sums: Sums | None
    records: int
    fully_arrived: bool
    recorded_on: str
    reason: str
    page: int = 0
    kinds: int = 0


Cells = dict[tuple[str, str], Found]
"""What was found by employee id and insurance."""


def found(pages: Iterable[Page], levy_period: str, people: Mapping[str, str]) -> tuple[Cells, int]:
    """What the pages show for one levy period, and how many rows are about people who are not ours.

    `people` has our employee id by identity number. A row whose person or insurance cannot be read
    makes the whole look-up Unreadable: it might be anyone's, so nobody's absence would be proven. A
    row with any other fault makes that one cell unknown, with the reason.
    """
    entries: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    faults: Cells = {}
    asked, strangers = LevyPeriod.parse(levy_period), 0
    for number, page in enumerate(pages):
        for row in page.rows:
            id_no, insurance = wire.text_of(row, "AAC002").upper(), wire.insurance_of(row)
            if id_no not in people:
                strangers += 1
                continue
            key = (people[id_no], insurance)
            try:
                entries[key] += [
                    entry for period, entry in expanded(row, number) if period == asked
                ]
            except Unreadable as fault:
                faults[key] = Found(UNKNOWN, None, 0, True, "", str(fault), number)
    summed = {key: summed_up(rows) for key, rows in entries.items() if rows}
    return {**summed, **faults}, strangers


def expanded(row: Item, page: int = 0) -> list[tuple[LevyPeriod, Entry]]:
    """A row as one entry a month. A range row (AAE003 to AAE003_END, after a one-off back-payment)
    counts for every month.

    The amounts of a range are those of the whole range: they are spread evenly, the rest of the
    division goes to the last month. The base is that of each month.
    """
    first = wire.levy_period_of(row, "AAE003")
    last = wire.levy_period_of(row, "AAE003_END") if row.get("AAE003_END") else first
    periods = []
    for period in first.through(last):
        periods.append(period)
        if len(periods) > MOST_MONTHS_OF_A_RANGE:
            raise Unreadable(f"费款所属期范围过长: {first} 至 {last}")
    if not periods:
        raise Unreadable(f"费款所属期范围颠倒: {first} 至 {last}")
    whole = wire.sums_of(row, "AAE080", "AAE082")
    employer_fen = spread(whole.employer_fen, len(periods))
    employee_fen = spread(whole.employee_fen, len(periods))
    kind, flag = wire.text_of(row, "AAA115"), wire.text_of(row, "AAE078")
    if flag not in _FLAG_WORDS:
        raise Unreadable(f"AAE078 未知到账标志: {wire.words(flag)}")
    day = wire.day_of(row, "EAD131")
    return [
        (
            period,
            Entry(
                kind,
                Sums(whole.base_fen, employer_fen[index], employee_fen[index]),
                flag,
                day,
                page,
            ),
        )
        for index, period in enumerate(periods)
    ]


def spread(fen: int, months: int) -> list[int]:
    """An amount over months, in fen: equal parts, the rest on the last one, and the parts add up to
    the whole.
    """
    part, rest = divmod(fen, months)
    return [part] * (months - 1) + [part + rest]


def summed_up(entries: list[Entry]) -> Found:
    """One cell's entries: one of each kind added up, the same kind twice counted; two that
    contradict each other are unknown. Back-payments and differences of other sums are not the same:
    each notice makes one of its own.
    """
    kinds: Mapping[tuple[str, Sums | None], list[Entry]] = defaultdict(list)
    for entry in entries:
        sums = None if entry.kind == wire.REGULAR else entry.sums
        kinds[entry.kind, sums].append(entry)
    page = max(entry.page for entry in entries)
    for (kind, _), same in kinds.items():
        if len({(entry.sums, entry.flag) for entry in same}) > 1:
            reason = f"应缴类型 {wire.words(kind)} 有 {len(same)} 条互相矛盾的记录"
            return Found(UNKNOWN, None, len(same), True, "", reason, page)
    ones = [same[0] for same in kinds.values()]
    regular = next((one for one in ones if one.kind == wire.REGULAR), None)
    whole = Sums(
        regular.sums.base_fen if regular else max(entry.sums.base_fen for entry in ones),
        sum(entry.sums.employer_fen for entry in ones),
        sum(entry.sums.employee_fen for entry in ones),
    )
    flag = _worst({entry.flag for entry in ones})
    return Found(
        state=_STATE_OF_FLAG[flag],
        sums=whole,
        records=max(len(same) for same in kinds.values()),
        fully_arrived=flag == _WHOLLY,
        recorded_on=max(entry.recorded_on for entry in ones),
        reason=_FLAG_WORDS[flag],
        page=page,
        kinds=len(kinds),
    )


_STATE_OF_FLAG = {
    _WHOLLY: RECORDED,
    _PARTLY: RECORDED,
    _IN_TRANSIT: IN_TRANSIT,
    _INTERRUPTED: INTERRUPTED,
}


def _worst(flags: set[str]) -> str:
    """A cell is as far as its least arrived kind: interrupted, then in transit, then in part."""
    return next(flag for flag in (_INTERRUPTED, _IN_TRANSIT, _PARTLY, _WHOLLY) if flag in flags)
