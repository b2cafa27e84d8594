"""Which faults a run plays, where and when: all drawn from one seed, so that a run can be repeated.

Times are business time: the case waits for whoever is down, so a plan by its days is met on any
machine.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.embedded.layout import SERVICE_NAMES
from shared.clock import CHINA
from tests.support.armed import Point

SEEDS = (1, 2, 3)
"""Played when no other is asked for; three, so that a kill passes each named point three times."""
SERVICES = tuple(f"{name}-svc" for name in SERVICE_NAMES)
WITH_INBOX = ("payroll-svc", "contribution-svc", "bureau-sync-svc", "ticket-svc", "notify-svc")
"""The others merge by version and keep no inbox: what they knew already leaves no trace there."""

_BATCH = (Point.BATCH_FETCHED, Point.BATCH_WRITTEN, Point.BATCH_COMMITTED, Point.OFFSET_COMMITTED)
_OUTBOX = (Point.OUTBOX_READ, Point.OUTBOX_PUBLISHED, Point.OUTBOX_MARKED)
_JOB = (Point.JOB_WRITTEN, Point.JOB_COMMITTED)
_CALL = (Point.CALL_INTENDED, Point.CALL_ANSWERED)
_REQUEST = (Point.REQUEST_WRITTEN, Point.REQUEST_COMMITTED)

_DAYS: dict[str, dict[tuple[Point, ...], str]] = {
    "payroll-svc": {
        _BATCH: "09-25 10-25",
        _OUTBOX: "09-20 09-27 09-30",
        _REQUEST: "09-20 09-27 09-30",
    },
    "contribution-svc": {
        _BATCH: "10-08 10-09 10-10 10-11 10-17 11-02",
        _OUTBOX: "09-25 10-08 10-10 10-25",
        _JOB: "09-25 10-08 10-10",
        _CALL: "10-10 10-17 11-02",
        _REQUEST: "10-08 10-10",
    },
    "bureau-sync-svc": {
        _BATCH: "09-25 10-10 10-25",
        _OUTBOX: "10-08 10-09 10-10 10-11 11-02",
        _JOB: "10-08 10-09 10-10 10-11 11-02",
        _CALL: "10-08 10-10 10-11 11-02",
    },
    "reconciliation-svc": {
        _BATCH: "09-25 10-08 10-09 10-10 10-11 10-17 11-02",
        _OUTBOX: "09-25 10-08 10-10 10-11 10-17 11-02",
        _JOB: "10-17 10-25",
    },
    "ticket-svc": {
        _BATCH: "09-25 10-17 11-02",
        _OUTBOX: "09-25 10-17 10-18 11-02",
        _JOB: "09-25 10-17",
        _REQUEST: "10-18",
    },
    "notify-svc": {
        _BATCH: "09-30 10-17 10-18 11-02",
        _OUTBOX: "09-30 10-18 11-02",
        _JOB: "09-30 10-17 10-18 11-02",
        _CALL: "09-30 10-18 11-02",
    },
    "portal-svc": {
        _BATCH: "09-25 10-08 10-09 10-10 10-11 10-17 10-18 11-02",
        _CALL: "10-28",
    },
}
"""On which days of October each service passes which points, as the undisturbed case showed."""

_BUSY = {
    "09-25": "06:00",
    "10-08": "10:00",
    "10-10": "18:00",
    "10-11": "08:00",
    "10-17": "08:00",
    "10-18": "10:30",
    "11-02": "08:00",
}
"""Days on which many facts travel, and from what time: a kill at random shall meet work in hand."""
_STORMS = ("09-25", "10-10", "10-17")
"""In the short plan faults come together on these days, so that their recoveries overlap."""
_LATEST_SECONDS = 1.5
FROZEN_SECONDS = 22.0
"""Silence of the broker for which each consumer looks with a new client: they do after 15 s."""


@dataclass(frozen=True)
class Fault:
    """One hit. Without a point it comes `delay` seconds (system time) after the moment `at`; with
    one, when the part next passes it after `at`. A `stop` of a service is continued once a
    successor has taken over; one of the broker after FROZEN_SECONDS.
    """

    number: int
    part: str
    at: datetime
    point: Point | None = None
    delay: float = 0.0
    stop: bool = False

    def __str__(self) -> str:
        act = "stopped and continued" if self.stop else "killed"
        where = f"at {self.point}" if self.point else f"{self.delay:.2f} s after it"
        return f"{self.number:2} {self.at:%m-%d %H:%M} {self.part} {act} {where}"


@dataclass(frozen=True)
class _Chance:
    part: str
    point: Point
    day: str


_CHANCES = tuple(
    _Chance(part, point, day)
    for part, groups in _DAYS.items()
    for points, days in groups.items()
    for point in points
    for day in days.split()
)
_STOPS = tuple(
    one for one in _CHANCES if one.part in WITH_INBOX and one.point is Point.BATCH_FETCHED
)


class _Draw:
    """Draws faults without giving one part two on a day: the second would wait for the first."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.faults: list[Fault] = []
        self._taken: set[tuple[str, str]] = set()

    def named(self, chances: Sequence[_Chance], *, stop: bool = False) -> None:
        """One of the chances that are still free."""
        free = [one for one in chances if (one.part, one.day) not in self._taken]
        chosen = self.random.choice(free)
        self._taken.add((chosen.part, chosen.day))
        # From noon of the day before: the first passage of the day itself is not missed.
        at = _moment(chosen.day, "12:00") - timedelta(days=1)
        self.faults.append(Fault(len(self.faults) + 1, chosen.part, at, chosen.point, stop=stop))

    def at_random(self, part: str, days: Sequence[str], *, stop: bool = False) -> None:
        """A hit some time after work began on one of the days."""
        day = self.random.choice([day for day in days if (part, day) not in self._taken])
        self._taken.add((part, day))
        delay = self.random.uniform(0, _LATEST_SECONDS)
        at = _moment(day, _BUSY[day])
        self.faults.append(Fault(len(self.faults) + 1, part, at, delay=delay, stop=stop))


def _moment(day: str, time: str) -> datetime:
    return datetime.fromisoformat(f"2024-{day}T{time}").replace(tzinfo=CHINA)


def short_plan(seed: int) -> list[Fault]:
    """Each of the nine parts is killed, one service twice; a consumer and the broker stopped."""
    draw = _Draw(seed)
    for part in SERVICES:
        draw.named([one for one in _CHANCES if one.part == part and one.day in _STORMS])
    draw.named([one for one in _STOPS if one.day in _STORMS], stop=True)
    draw.at_random("kafka", _STORMS)
    draw.at_random("kafka", _STORMS, stop=True)
    draw.at_random("postgres", _STORMS)
    draw.at_random(draw.random.choice(("reconciliation-svc", "portal-svc")), _STORMS)
    return draw.faults


def long_plan(seed: int) -> list[Fault]:
    """A kill at every named point, of each of the nine parts, and more at random; the stops too."""
    draw = _Draw(seed)
    for point in Point:
        draw.named([one for one in _CHANCES if one.point is point])
    killed = {fault.part for fault in draw.faults}
    for part in SERVICES:
        if part not in killed:
            draw.named([one for one in _CHANCES if one.part == part])
    for part in ("kafka", "kafka", "postgres", "postgres", *draw.random.sample(SERVICES, 3)):
        draw.at_random(part, tuple(_BUSY))
    draw.at_random("kafka", tuple(_BUSY), stop=True)
    draw.named(_STOPS, stop=True)
    return draw.faults
