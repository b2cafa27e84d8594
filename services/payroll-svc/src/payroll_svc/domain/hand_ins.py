"""By when departments hand in the wage data of a month, and whether they did."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from shared.values import LevyPeriod

ALL_DEPARTMENTS = ""

AWAITED = "awaited"
HANDED_IN = "handed_in"
NOTHING = "nothing"

AHEAD = "ahead"
DUE_SOON = "due_soon"
DUE_TODAY = "due_today"
MISSED = "missed"

Roll = Callable[[date], date | None]
"""To the working day on or before a day; None where its year's holidays are not known."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """每月几日: the day of the month, or its last where it is shorter.

    `month_shift` says of which month: 0 the levy period's own, -1 the one before (a payday early in
    the month needs its data then), 1 the one after. `remind_days` before it HR is reminded.
    """

    department_id: str
    day: int
    month_shift: int
    remind_days: int

    def levy_period_due_in(self, month: LevyPeriod) -> LevyPeriod:
        """Whose data are due in that month."""
        return month.shifted(-self.month_shift)

    def due_on(self, levy_period: LevyPeriod, roll: Roll) -> tuple[date, bool]:
        """The day, and whether it could be rolled to a working day.

        To the one before: wages are, too (工资支付暂行规定 art. 7), and would wait for no data.
        """
        last = levy_period.shifted(self.month_shift).last_day()
        day = last.replace(day=min(self.day, last.day))
        rolled = roll(day)
        return (day, False) if rolled is None else (rolled, True)


@dataclass(frozen=True, slots=True)
class HandIn:
    """One department's wage data of one levy period: `state` awaited, handed_in or nothing (that
    there is nothing to hand in was confirmed); `late` once the day has passed.

    `stage` is what was last told; `next_on` the day on which it moves on by itself.
    """

    department_id: str
    levy_period: str
    employer_id: str
    due_on: date
    rolled: bool
    remind_days: int
    state: str = AWAITED
    stage: str = AHEAD
    late: bool = False
    handed_in_at: datetime | None = None
    handed_in_by: str = ""
    rows: int = 0
    import_id: str = ""
    version: int = 0

    @property
    def next_on(self) -> date | None:
        if self.state != AWAITED or self.stage == MISSED:
            return None
        if self.stage == AHEAD and self.remind_days:
            return self.due_on - timedelta(days=self.remind_days)
        return self.due_on + timedelta(days=self.stage == DUE_TODAY)


def on(hand_in: HandIn, today: date) -> HandIn:
    """As it stands on a day; the version grows where that is news."""
    if hand_in.state != AWAITED:
        stage, late = hand_in.state, hand_in.late
    else:
        stage, late = _stage(hand_in, today), today > hand_in.due_on
    if (stage, late) == (hand_in.stage, hand_in.late) and hand_in.version:
        return hand_in
    return replace(hand_in, stage=stage, late=late, version=hand_in.version + 1)


def _stage(hand_in: HandIn, today: date) -> str:
    if today > hand_in.due_on:
        return MISSED
    if today == hand_in.due_on:
        return DUE_TODAY
    soon = hand_in.due_on - timedelta(days=hand_in.remind_days)
    return DUE_SOON if today >= soon else AHEAD


def handed_in(
    hand_in: HandIn, rows: int, import_id: str, by: str, at: datetime, today: date
) -> HandIn:
    """With the department's data, or without rows when it confirms that there are none.

    What comes after the first data adds to them: when it was handed in, and in time or not, stays.
    """
    again = hand_in.state == HANDED_IN
    return replace(
        hand_in,
        state=HANDED_IN if import_id else NOTHING,
        stage=HANDED_IN if import_id else NOTHING,
        late=hand_in.late if again else today > hand_in.due_on,
        handed_in_at=hand_in.handed_in_at if again else at,
        handed_in_by=hand_in.handed_in_by if again else by,
        rows=hand_in.rows + rows if again else rows,
        import_id=hand_in.import_id if again else import_id,
        version=hand_in.version + 1,
    )


@dataclass(frozen=True, slots=True)
class Brought:
    """How many rows of a department's month stand by an applied import; `on` is China's day."""

    import_id: str
    rows: int
    by: str
    at: datetime
    on: date


def taken_back(hand_in: HandIn, left: Sequence[Brought], today: date) -> HandIn:
    """An import that brought data is undone: handed in by the first of those that are left, awaited
    again where none is.
    """
    if left:
        first = min(left, key=lambda brought: brought.at)
        return replace(
            hand_in,
            late=first.on > hand_in.due_on,
            handed_in_at=first.at,
            handed_in_by=first.by,
            rows=sum(brought.rows for brought in left),
            import_id=first.import_id,
            version=hand_in.version + 1,
        )
    awaited = replace(
        hand_in,
        state=AWAITED,
        late=today > hand_in.due_on,
        handed_in_at=None,
        handed_in_by="",
        rows=0,
        import_id="",
        version=hand_in.version + 1,
    )
    return replace(awaited, stage=_stage(awaited, today))


def due_again(hand_in: HandIn, due_on: date, rolled: bool, remind_days: int, today: date) -> HandIn:
    """With another deadline, if the data are still awaited."""
    moved = replace(hand_in, due_on=due_on, rolled=rolled, remind_days=remind_days)
    if hand_in.state != AWAITED or moved == hand_in:
        return hand_in
    return replace(
        moved,
        stage=_stage(moved, today),
        late=today > due_on,
        version=hand_in.version + 1,
    )


def effective(deadlines: Iterable[Deadline], department_ids: Iterable[str]) -> dict[str, Deadline]:
    """Each department's deadline: its own, else that for all; none where there is neither."""
    by_department = {deadline.department_id: deadline for deadline in deadlines}
    general = by_department.get(ALL_DEPARTMENTS)
    found = {name: by_department.get(name, general) for name in department_ids}
    return {name: deadline for name, deadline in found.items() if deadline is not None}


@dataclass(frozen=True, slots=True)
class OnTime:
    """Of the months that were due, how many a department handed in by the day."""

    department_id: str
    due: int
    on_time: int
    late: int
    missing: int

    @property
    def rate_ppm(self) -> int:
        """Rounded down: 100 % is said only of every month."""
        return self.on_time * 1_000_000 // self.due if self.due else 0


def on_time_rates(hand_ins: Sequence[HandIn], today: date) -> list[OnTime]:
    """Per department, over the given months that are handed in or whose day has passed."""
    months: dict[str, list[HandIn]] = defaultdict(list)
    for hand_in in hand_ins:
        if hand_in.state != AWAITED or today > hand_in.due_on:
            months[hand_in.department_id].append(hand_in)
    return [
        OnTime(
            department_id=department_id,
            due=len(due),
            on_time=sum(one.state != AWAITED and not one.late for one in due),
            late=sum(one.state != AWAITED and one.late for one in due),
            missing=sum(one.state == AWAITED for one in due),
        )
        for department_id, due in sorted(months.items())
    ]
