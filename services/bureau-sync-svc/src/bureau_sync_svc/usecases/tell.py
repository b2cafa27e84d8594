"""Merge what the bureaus showed into each employee's month, and tell what became news."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta

from bureau_sync_svc.domain import lines as rules
from bureau_sync_svc.domain.authority import Notice
from bureau_sync_svc.domain.filing import PostedLine
from bureau_sync_svc.domain.lines import Observation
from bureau_sync_svc.store import copies, months, parties
from bureau_sync_svc.store.months import Month
from shared import outbox
from shared.clock import end_of_china_day
from shared.contracts import BureauAck, BureauRow
from shared.db import Connection
from shared.values import Insurance

_CHUNK = 1_000
"""Employees read, merged and written at a time: bounds what is held in memory."""

_HOLIDAY_DAYS = 9
"""The longest stretch of rest days that the State Council has announced so far, with its weekends.
"""

Observations = Mapping[str, Sequence[Observation]]
"""By employee id."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose facts they are: one account's levy period."""

    employer_id: str
    account_id: str
    levy_period: str


async def observe(conn: Connection, now: datetime, scope: Scope, observations: Observations) -> int:
    """Merges the facts and tells a BureauAck for each employee to whom they are news; how many were
    told.
    """
    told = 0
    employee_ids = sorted(observations)
    for start in range(0, len(employee_ids), _CHUNK):
        chunk = employee_ids[start : start + _CHUNK]
        told += await _observe(conn, now, scope, {one: observations[one] for one in chunk})
    return told


async def _observe(
    conn: Connection, now: datetime, scope: Scope, observations: Observations
) -> int:
    known = await months.locked(
        conn, scope.employer_id, scope.account_id, scope.levy_period, observations
    )
    posted = await copies.posted_lines(conn, scope.levy_period, observations)
    closures = await _closures(conn, known, observations)
    changed, events = [], []
    for month in known:
        lines = rules.observed(month.lines, observations[month.employee_id])
        rows = rules.rows_of(lines)
        ends = {
            insurance: _window_ends(
                posted.get((month.employee_id, insurance), ()), closures.get(row.authority, ())
            )
            for insurance, row in rows.items()
        }
        month = replace(month, lines=lines, account_id=scope.account_id)
        if rules.must_tell(month.told, rows, ends):
            month = replace(month, told=rows, version=month.version + 1)
            events.append(_ack(month))
        changed.append(month)
    await months.save(conn, changed)
    await outbox.add(conn, events, now)
    return len(events)


async def _closures(
    conn: Connection, known: Iterable[Month], observations: Observations
) -> dict[str, list[Notice]]:
    authorities = {line.authority for month in known for line in month.lines.values()}
    authorities |= {seen.authority for facts in observations.values() for seen in facts}
    return {
        authority: [
            notice for notice in await parties.notices(conn, authority) if notice.kind == "closure"
        ]
        for authority in sorted(authorities)
    }


def _window_ends(found: Sequence[PostedLine], closures: Sequence[Notice]) -> list[datetime]:
    """The moments after which a look-up proves a line missing: the record window's end, and where
    closures may move it.

    Who judges stretches a window by the working days that a closure touched. How far that is
    depends on the calendar of rest days; twice the days closed and a week of holidays bound it, and
    each of those days counts as an end.
    """
    posted = max(found, key=lambda line: line.record_by, default=None)
    if posted is None or not posted.record_by:
        return []
    end = end_of_china_day(date.fromisoformat(posted.record_by))
    begin = end_of_china_day(date.fromisoformat(posted.debited_on))
    closed = sum(
        (
            one.until - max(one.since, begin)
            for one in closures
            if one.since < end and one.until > begin
        ),
        timedelta(),
    )
    if not closed:
        return [end]
    return [end + timedelta(days=day) for day in range(2 * (closed.days + 1) + _HOLIDAY_DAYS)]


def _ack(month: Month) -> BureauAck:
    return BureauAck(
        version=month.version,
        employee_id=month.employee_id,
        employer_id=month.employer_id,
        levy_period=month.levy_period,
        account_id=month.account_id,
        rows=tuple(
            BureauRow(**{**asdict(row), "insurance": Insurance(row.insurance)})
            for row in month.told.values()
        ),
    )
