"""One alarm for operators, per authority and outage, when the look-up that was due did not come."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from prometheus_client import Counter

from reconciliation_svc.domain.roster import Policy
from reconciliation_svc.store import locks, look_ups
from reconciliation_svc.store.look_ups import Alarm
from shared.clock import china_day, china_time
from shared.db import Connection
from shared.logs import get_logger

LATE_AFTER = timedelta(hours=1)
"""A look-up of all accounts takes minutes, and a silent authority is asked again within an hour."""
_LOOK_UP_AT = "08:00"
"""For a city whose policy is not known here; the policies' own default."""

_log = get_logger(__name__)
_raised = Counter(
    "daozhang_look_up_alarms_total",
    "Times that an authority's due look-up did not come while cells waited for it",
    ["authority"],
)


async def watch(
    conn: Connection,
    begun: Iterable[tuple[str, str]],
    ended: Collection[str],
    policies: Mapping[str, Policy],
    now: datetime,
) -> None:
    """`begun` are the (authority, city) of cells that wait for a look-up from now on: that is seen
    about once it is late; `ended` the authorities of cells that wait no longer.
    """
    found = [
        (authority, late_at(policies.get(city), now)) for authority, city in sorted(set(begun))
    ]
    if ended:
        standing = {alarm.authority for alarm in await look_ups.alarms(conn)}
        found += [(authority, now) for authority in sorted(standing.intersection(ended))]
    await look_ups.watch(conn, found)


def late_at(policy: Policy | None, now: datetime) -> datetime:
    """When a city's next look-up at or after `now` is late."""
    clock = policy.look_up_at if policy else _LOOK_UP_AT
    today = china_time(china_day(now), clock)
    tomorrow = china_time(china_day(now) + timedelta(days=1), clock)
    return (today if now <= today else tomorrow) + LATE_AFTER


async def see_about(conn: Connection, now: datetime) -> int:
    """Raises the alarm of each authority that is late, ends those that are over; gives how many
    authorities were seen about.

    Judging waits meanwhile: cells that are looked up just now must not leave an alarm behind.
    """
    await locks.own_references(conn)
    authorities = await look_ups.take_watches(conn, now)
    standing = {alarm.authority: alarm for alarm in await look_ups.alarms(conn)}
    for authority in authorities:
        cells = await look_ups.cells_not_looked_up(conn, authority)
        if cells and authority not in standing:
            await look_ups.raise_alarm(conn, Alarm(authority, now, cells))
            _raised.labels(authority).inc()
            _log.error("look_up_overdue", authority=authority, cells=cells)
        elif authority in standing and not cells:
            await look_ups.end_alarm(conn, authority)
            raised_at = standing[authority].raised_at.isoformat()
            _log.info("look_up_came", authority=authority, alarm_raised_at=raised_at)
    return len(authorities)


async def list_alarms(conn: Connection) -> list[Alarm]:
    """The alarms that stand; numbers without persons."""
    return await look_ups.alarms(conn)
