"""Wage data are due, handed in, or missed; departments are reminded, and how punctual they are can
be seen.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from payroll_svc.domain.employers import repeated
from payroll_svc.domain.hand_ins import (
    ALL_DEPARTMENTS,
    Deadline,
    HandIn,
    OnTime,
    Roll,
    due_again,
    effective,
    handed_in,
    on,
    on_time_rates,
    taken_back,
)
from payroll_svc.domain.imports import Upload
from payroll_svc.domain.wage_inputs import WageInput
from payroll_svc.errors import DeadlineInconsistent
from payroll_svc.store import employers as employers_store
from payroll_svc.store import hand_ins as store
from payroll_svc.usecases.people import departments_of
from shared import outbox
from shared.clock import CalendarYearUnknown, WorkCalendar, china_day, china_time
from shared.contracts import WageDataDue
from shared.db import Connection
from shared.refusal import FieldFault
from shared.values import LevyPeriod


def rolled_by(calendar: WorkCalendar) -> Roll:
    """Back to a working day; None in a year whose holidays are not known."""

    def roll(day: date) -> date | None:
        try:
            return calendar.on_or_before(day)
        except CalendarYearUnknown:
            return None

    return roll


async def set_deadlines(
    conn: Connection, employer_id: str, wanted: Sequence[Deadline], roll: Roll, at: datetime
) -> list[Deadline]:
    """Exactly these from now on: what is due this month and still awaited follows them."""
    employer = await employers_store.employer(conn, employer_id, lock=True)
    known = {department.department_id for department in employer.departments}
    named = [deadline.department_id for deadline in wanted]
    wrong = [name for name in named if name not in known and name != ALL_DEPARTMENTS]
    faults = [
        *(_fault(name, "本单位没有这个部门", "改为已登记的部门") for name in wrong),
        *(_fault(name, "同一部门有两个期限", "只保留一个") for name in repeated(named)),
    ]
    if faults:
        raise DeadlineInconsistent(f"{len(faults)} deadlines cannot be kept.", tuple(faults))
    month = LevyPeriod.of(china_day(at))
    await store.replace_deadlines(conn, employer_id, wanted, _opening(month.shifted(1)))
    await _open(conn, employer_id, month, roll, at)
    return await store.deadlines(conn, employer_id)


def _fault(department_id: str, reason: str, todo: str) -> FieldFault:
    return FieldFault("/deadlines/department_id", department_id, reason, todo)


def _opening(month: LevyPeriod) -> datetime:
    return china_time(month.first_day(), "00:00")


async def deadlines_of(conn: Connection, employer_id: str) -> list[Deadline]:
    """Of an employer that the caller may see, the general one first."""
    await employers_store.employer(conn, employer_id)
    return await store.deadlines(conn, employer_id)


async def _open(
    conn: Connection, employer_id: str, month: LevyPeriod, roll: Roll, at: datetime
) -> None:
    """What is due in the month comes to be, and what is awaited follows its deadline. A day that
    has passed before anybody named it is not missed.
    """
    employer = await employers_store.employer(conn, employer_id, lock=True)
    departments = [department.department_id for department in employer.departments]
    deadlines = effective(await store.deadlines(conn, employer_id), departments)
    today, changed = china_day(at), []
    for department_id, deadline in deadlines.items():
        period = deadline.levy_period_due_in(month)
        due_on, rolled = deadline.due_on(period, roll)
        known = await store.hand_ins(conn, [department_id], [str(period)])
        if known:
            moved = due_again(known[0], due_on, rolled, deadline.remind_days, today)
            changed += [moved] if moved != known[0] else []
        elif due_on >= today:
            new = HandIn(
                department_id, str(period), employer_id, due_on, rolled, deadline.remind_days
            )
            changed.append(on(new, today))
    await _tell(conn, changed, at)


async def _tell(conn: Connection, changed: Sequence[HandIn], at: datetime) -> None:
    await store.save(conn, changed)
    names = await employers_store.department_names(conn, {one.department_id for one in changed})
    events = [_due(one, names.get(one.department_id, "")) for one in changed]
    await outbox.add(conn, events, at)


def _due(hand_in: HandIn, department: str) -> WageDataDue:
    """`department` is what it is called now."""
    at = hand_in.handed_in_at
    return WageDataDue(
        version=hand_in.version,
        employer_id=hand_in.employer_id,
        department_id=hand_in.department_id,
        department=department,
        levy_period=hand_in.levy_period,
        due_on=hand_in.due_on.isoformat(),
        stage=hand_in.stage,
        late=hand_in.late,
        handed_in_at=at.isoformat() if at else "",
        handed_in_by=hand_in.handed_in_by,
        rows=hand_in.rows,
        remind_days=hand_in.remind_days,
        rolled=hand_in.rolled,
    )


async def open_next(conn: Connection, roll: Roll, now: datetime) -> bool:
    """Opens the next month of the employer that waits longest; False when none does."""
    waiting = await store.to_open(conn, now)
    if waiting is None:
        return False
    employer_id, since = waiting
    month = LevyPeriod.of(china_day(since))
    await _open(conn, employer_id, month, roll, now)
    await store.open_next_at(conn, employer_id, _opening(month.shifted(1)))
    return True


async def remind(conn: Connection, now: datetime, limit: int) -> int:
    """Moves hand-ins on whose next day has come, and tells it; how many."""
    today = china_day(now)
    waiting = await store.to_remind(conn, now, limit)
    await _tell(conn, [on(one, today) for one in waiting], now)
    return len(waiting)


async def take_hand_in(
    conn: Connection, upload: Upload, rows: Sequence[WageInput], by: str, at: datetime
) -> None:
    """The departments whose people an applied file names have handed in, where something is due."""
    ids, periods = {row.employee_id for row in rows}, {row.levy_period for row in rows}
    departments = await departments_of(conn, ids, periods)
    counts = Counter(
        (departments[employee_id, period], period)
        for employee_id, period, _ in {(r.employee_id, r.levy_period, r.row) for r in rows}
    )
    due = await store.hand_ins(conn, {department_id for department_id, _ in counts}, periods)
    today, import_id = china_day(at), upload.import_id
    done = [
        handed_in(one, counts[one.department_id, one.levy_period], import_id, by, at, today)
        for one in due
        if (one.department_id, one.levy_period) in counts
    ]
    await _tell(conn, done, at)


async def brought_by(conn: Connection, upload: Upload) -> list[HandIn]:
    """What an import handed in, asked before what it wrote is undone."""
    return await store.brought_by(conn, upload.import_id)


async def take_back(
    conn: Connection, upload: Upload, brought: Sequence[HandIn], at: datetime
) -> None:
    """What an undone import `brought` stands by the other imports of it, or is awaited again."""
    months = {one.levy_period for one in brought}
    standing = await store.standing_for(conn, upload.employer_id, months)
    back = [
        taken_back(one, standing.get((one.department_id, one.levy_period), ()), china_day(at))
        for one in brought
    ]
    await _tell(conn, back, at)


async def confirm_nothing(
    conn: Connection, department_id: str, levy_period: str, by: str, at: datetime
) -> HandIn:
    """The department says that the month has no wage data of its own; said again, nothing more."""
    known = await store.hand_in(conn, department_id, levy_period)
    if known.state != "awaited":
        return known
    said = handed_in(known, 0, "", by, at, china_day(at))
    await _tell(conn, [said], at)
    return said


async def hand_ins_of(conn: Connection, employer_id: str, first: str, last: str) -> list[HandIn]:
    """What is due of the employer's departments for these levy periods, and how it stands."""
    await employers_store.employer(conn, employer_id)
    return await store.hand_ins_of(conn, employer_id, first, last)


async def rates_of(
    conn: Connection, employer_id: str, last: LevyPeriod, months: int, at: datetime
) -> list[OnTime]:
    """How punctual each department was over so many levy periods, the last one included."""
    first = last.shifted(1 - months)
    hand_ins = await hand_ins_of(conn, employer_id, str(first), str(last))
    return on_time_rates(hand_ins, china_day(at))
