"""Business time, and the days on which offices work: the only module that reads a clock.

Business time comes from one `Clock` that is passed in. System time (`system_now`) is for leases,
retries, tokens and signatures only. Days are Asia/Shanghai days.
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import chinese_calendar
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

CHINA = ZoneInfo("Asia/Shanghai")
CLOCK_TOPIC = "sandbox.clock"

_STUCK_AFTER_SECONDS = 6.0
_LONGEST_HOLIDAY_SEARCH_DAYS = 40
_LOOK_SECONDS = 0.025
_STOP_SECONDS = 5.0


News = Callable[[], object]
"""What this process has done so far, as one value that differs when something new was done."""


def no_news() -> object:
    """For who waits alone."""
    return None


async def pause(
    stop: asyncio.Event, seconds: float, news: News = no_news, seen: object = None
) -> None:
    """Waits `seconds`, or less: until `stop`, or until `news` is no longer `seen`.

    Asking the database ten times a second whether there is work costs more than the work; a value
    in memory can be asked at no cost, and tells of all that this process brought about itself.
    """
    deadline = time.monotonic() + seconds
    while not stop.is_set() and news() == seen and (left := deadline - time.monotonic()) > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(left if news is no_news else min(left, _LOOK_SECONDS)):
                await stop.wait()


_given_up: set[asyncio.Task[None]] = set()


async def stopped_within(seconds: float, stopping: Coroutine[Any, Any, None]) -> bool:
    """Whether a Kafka client's `stop()` ended in time without an error; it is given up otherwise.

    After a broker's restart `stop()` was seen to wait for ever and to swallow its cancellation
    (aio-libs/aiokafka#773): awaiting it, with any timeout, would hang whoever replaces the client.
    """
    task = asyncio.ensure_future(stopping)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        return not task.cancelled() and task.exception() is None
    task.cancel()
    _given_up.add(task)
    task.add_done_callback(_forget)
    return False


def _forget(task: asyncio.Task[None]) -> None:
    _given_up.discard(task)
    if not task.cancelled():
        task.exception()


def is_own_cancellation() -> bool:
    """Whether a CancelledError in hand was asked of this task. aiokafka also lets one escape that
    was meant for a task of its own; taken for ours it would end a worker in silence.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Clock(Protocol):
    """Where business time comes from."""

    def now(self) -> datetime:
        """The business time, in UTC."""
        ...


def system_now() -> datetime:
    """System time in UTC: for leases, retries, tokens and signatures, never for a business day."""
    return datetime.now(UTC)


class SystemClock:
    """Business time is the system's: production."""

    def now(self) -> datetime:
        return system_now()


class FixedClock:
    """Business time that stands still until it is set: for tests of one room."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def set(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


class SandboxClock:
    """Business time as the conductor publishes it on the one-partition topic `sandbox.clock`.

    `start` returns only once the topic's last value is known, so that no work is done at a wrong
    time.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._at: datetime | None = None
        self._stepped = asyncio.Event()

    def now(self) -> datetime:
        if self._at is None:
            raise RuntimeError("the sandbox clock was read before its topic was")
        return self._at

    async def start(self) -> asyncio.Task[None]:
        """Reads the last value, then follows in a task that the caller owns (and must watch)."""
        following = asyncio.create_task(self._follow(), name="sandbox-clock")
        waiting = asyncio.create_task(self._stepped.wait())
        await asyncio.wait({following, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if following.done():
            following.result()
        return following

    async def _follow(self) -> None:
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
            try:
                await consumer.start()
                await self._read(consumer)
            except (KafkaError, OSError, asyncio.CancelledError):
                if is_own_cancellation():
                    raise
                await asyncio.sleep(0.5)
            finally:
                await stopped_within(_STOP_SECONDS, consumer.stop())

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        """Follows until the client is found stuck: after a broker restart it may stay silent
        without an error.
        """
        partition = TopicPartition(CLOCK_TOPIC, 0)
        consumer.assign([partition])
        ends = await consumer.end_offsets([partition])
        consumer.seek(partition, max(0, ends[partition] - 1))
        silent = 0.0
        while silent < _STUCK_AFTER_SECONDS:
            batches = await consumer.getmany(timeout_ms=500)
            for record in batches.get(partition, ()):
                self._step(record.value)
            if batches:
                silent = 0.0
                continue
            ends = await consumer.end_offsets([partition])
            behind = ends[partition] > await consumer.position(partition)
            silent = silent + 0.5 if behind else 0.0

    def _step(self, value: bytes) -> None:
        at = datetime.fromisoformat(json.loads(value)["at"])
        if self._at is None or at > self._at:
            self._at = at.astimezone(UTC)
        self._stepped.set()


def china_day(at: datetime) -> date:
    """The Asia/Shanghai day of a moment."""
    return at.astimezone(CHINA).date()


def china_time(day: date, clock_text: str) -> datetime:
    """That day at `HH:MM` in Asia/Shanghai, in UTC."""
    return datetime.combine(day, day_time.fromisoformat(clock_text), CHINA).astimezone(UTC)


def end_of_china_day(day: date) -> datetime:
    """The first moment after that day, in UTC."""
    return china_time(day + timedelta(days=1), "00:00")


class CalendarYearUnknown(Exception):
    """The State Council has not announced this year's holidays: a working day cannot be told."""

    def __init__(self, year: int) -> None:
        super().__init__(
            f"the holidays and worked weekends (调休) of {year} are not known; "
            "load the State Council's notice first"
        )
        self.year = year


class WorkCalendar:
    """Holidays and worked weekends (调休) as the State Council announced them, shipped by
    `chinesecalendar`.

    `extra` maps days that HR loaded to whether they are worked; it wins. A year that neither knows
    is unknown, never free of holidays: every method raises CalendarYearUnknown for it.
    """

    def __init__(self, extra: dict[date, bool] | None = None) -> None:
        self._extra = dict(extra or {})

    def is_working_day(self, day: date) -> bool:
        if day in self._extra:
            return self._extra[day]
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            raise CalendarYearUnknown(day.year) from None

    def on_or_after(self, day: date) -> date:
        """The day itself if it is worked, else the next working day: filings and debits roll this
        way.
        """
        return self._first(day, 1)

    def on_or_before(self, day: date) -> date:
        """The day itself if it is worked, else the one before: wages roll this way
        (工资支付暂行规定 art. 7).
        """
        return self._first(day, -1)

    def plus(self, day: date, working_days: int) -> date:
        """The n-th working day after `day`; negative n counts backwards; n = 0 is `day` itself."""
        step = 1 if working_days > 0 else -1
        for _ in range(abs(working_days)):
            day = self._first(day + timedelta(days=step), step)
        return day

    def _first(self, day: date, step: int) -> date:
        for distance in range(_LONGEST_HOLIDAY_SEARCH_DAYS):
            candidate = day + timedelta(days=distance * step)
            if self.is_working_day(candidate):
                return candidate
        raise AssertionError(f"no working day within {_LONGEST_HOLIDAY_SEARCH_DAYS} days of {day}")
