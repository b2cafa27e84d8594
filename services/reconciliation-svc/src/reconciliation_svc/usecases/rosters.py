"""Cells are opened here, from roster and scheme alone; and changes of what months are judged
against are passed on.
"""

from collections.abc import Iterable
from datetime import datetime

from reconciliation_svc.domain.month import Arrival
from reconciliation_svc.domain.roster import (
    OPENING_DAY,
    OPENING_TIME,
    Employee,
    Policy,
    next_to_open,
    periods_to_open,
    roster_side,
)
from reconciliation_svc.domain.sides import RosterSide
from reconciliation_svc.domain.windows import Authority, Calendar
from reconciliation_svc.store import locks, months, references
from reconciliation_svc.usecases.judging import observe
from shared.clock import china_day, china_time
from shared.db import Connection
from shared.values import LevyPeriod


async def remember_employees(
    conn: Connection, found: Iterable[tuple[Employee, int]], now: datetime
) -> None:
    """Keeps newer employees; their cells are opened next."""
    await locks.share_references(conn)
    await references.keep_employees(conn, found, now)


async def remember_employers(
    conn: Connection, found: Iterable[tuple[str, LevyPeriod, int]], now: datetime
) -> None:
    """Keeps newer cut-overs: (employer id, cut-over, version)."""
    await locks.share_references(conn)
    await references.keep_employers(conn, found, now)


async def remember_policies(
    conn: Connection, found: Iterable[tuple[Policy, int]], now: datetime
) -> None:
    """Keeps newer policies."""
    await locks.share_references(conn)
    await references.keep_policies(conn, found, now)


async def remember_authorities(
    conn: Connection, found: Iterable[tuple[Authority, str, int]], now: datetime
) -> None:
    """Keeps newer states and closures: (authority, city, version)."""
    await locks.share_references(conn)
    await references.keep_authorities(conn, found, now)


async def pass_on_references(conn: Connection, now: datetime) -> int:
    """Makes due every month and roster that a changed employer, policy or authority may change;
    gives how many changed.
    """
    await locks.own_references(conn)
    employers, policy_cities, authority_cities = await references.take_marked(conn)
    await months.mark_employers(conn, employers, now)
    await months.mark_cities(conn, [*policy_cities, *authority_cities], now)
    await references.mark_employees(conn, now, employer_ids=employers, cities=policy_cities)
    return len(employers) + len(policy_cities) + len(authority_cities)


def opens_at(period: LevyPeriod) -> datetime:
    """When a levy period opens: the 25th of the month before, 06:00 China time."""
    day = period.shifted(-1).first_day().replace(day=OPENING_DAY)
    return china_time(day, OPENING_TIME)


def newest_opened(now: datetime) -> LevyPeriod:
    """The last levy period that has opened by now."""
    coming = LevyPeriod.of(china_day(now)).shifted(1)
    return coming if opens_at(coming) <= now else coming.shifted(-1)


async def open_rosters(conn: Connection, calendar: Calendar, now: datetime, limit: int) -> int:
    """Looks at the rosters of at most `limit` employees that are due, opens their cells; gives how
    many they were.
    """
    arrivals, looked = await roster_sides(conn, now, limit)
    await observe(conn, arrivals, calendar, now)
    return looked


async def roster_sides(conn: Connection, now: datetime, limit: int) -> tuple[list[Arrival], int]:
    """The roster's side of what is due of at most `limit` employees, and how many they were.

    An employee whose employer or city is not known yet is looked at again when that changes.
    """
    await locks.share_references(conn)
    people = await references.take_due_employees(conn, now, limit)
    if not people:
        return [], 0
    cut_overs = await references.cut_overs(conn, {person.employer_id for person, _ in people})
    policies = await references.all_policies(conn)
    known = await months.known_rosters(conn, [person.employee_id for person, _ in people])
    arrivals: list[Arrival] = []
    looked: list[tuple[str, int, datetime | None]] = []
    for person, number in people:
        again_at = None
        cut_over = cut_overs.get(person.employer_id)
        if cut_over is not None:
            found = known.get(person.employee_id, {})
            arrivals += _arrivals(person, number + 1, cut_over, policies, found, now)
            following = next_to_open(person, cut_over, newest_opened(now))
            again_at = opens_at(following) if following else None
        looked.append((person.employee_id, number + 1, again_at))
    await references.save_rostered(conn, looked)
    return arrivals, len(people)


def _arrivals(
    person: Employee,
    number: int,
    cut_over: LevyPeriod,
    policies: dict[str, Policy],
    found: dict[LevyPeriod, RosterSide | None],
    now: datetime,
) -> list[Arrival]:
    """The roster's side of each month that it differs in; `number` is its version."""
    arrivals = []
    for period in periods_to_open(person, cut_over, newest_opened(now), found):
        side = roster_side(person, period, policies)
        if side is not None and side != found.get(period):
            arrivals.append(
                Arrival(person.employer_id, person.employee_id, period, "roster", number, side)
            )
    return arrivals
