"""The plans themselves: what is drawn, that it can be drawn again, and that a miss is named."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.armed import Armed, Point, struck
from tests.support.fault_plan import SEEDS, SERVICES, Fault, long_plan, short_plan
from tests.support.fault_run import deaths, unkilled

NINE = {*SERVICES, "kafka", "postgres"}


@pytest.mark.parametrize("plan", [short_plan, long_plan])
def test_whatever_the_seed_each_of_the_nine_parts_is_killed_and_a_consumer_and_the_broker_stopped(
    plan: Callable[[int], list[Fault]],
) -> None:
    for seed in range(200):
        faults = plan(seed)
        killed = [fault.part for fault in faults if not fault.stop]
        assert set(killed) == NINE
        assert len(killed) >= 9
        stopped = [fault.part for fault in faults if fault.stop]
        assert len(stopped) == 2
        assert "kafka" in stopped
        assert sum(fault.point is None for fault in faults) >= 3, "at random moments as well"
        days = Counter((fault.part, fault.at.date()) for fault in faults if fault.point)
        assert max(days.values()) == 1, "a part's second fault would wait for its first"


def test_over_the_seeds_that_are_played_a_kill_passes_each_named_point_three_times() -> None:
    passed = Counter(
        fault.point for seed in SEEDS for fault in long_plan(seed) if fault.point and not fault.stop
    )
    assert {point: passed[point] for point in Point if passed[point] < 3} == {}


def test_a_seed_draws_the_same_plan_again() -> None:
    assert long_plan(7) == long_plan(7)
    assert short_plan(7) == short_plan(7)
    assert short_plan(7) != short_plan(8)


def test_a_kill_that_ended_no_process_is_named() -> None:
    plan = [fault for fault in short_plan(1) if fault.part in ("kafka", "postgres")]
    said = ["supervisor         | kafka died (exit code -9); restart 1 of at most 33"]
    died = deaths([*said, "supervisor         | postgres died (exit code 1); restart 2"])
    assert unkilled(plan, died) == ["postgres was to be killed 1 times and was 0 times"]


async def test_an_armed_point_ends_the_process_that_passes_it_and_strikes_once(
    tmp_path: Path,
) -> None:
    armed = Armed(tmp_path, "ticket-svc")
    path = armed.arm(Point.BATCH_COMMITTED, 1)
    assert struck(path) is None
    assert await _pass(tmp_path, "notify-svc", Point.BATCH_COMMITTED) == 0, "another part's"
    assert await _pass(tmp_path, "ticket-svc", Point.BATCH_WRITTEN) == 0, "another point"
    assert await _pass(tmp_path, "ticket-svc", Point.BATCH_COMMITTED) == -signal.SIGKILL
    assert struck(path), "it left its pid"
    assert await _pass(tmp_path, "ticket-svc", Point.BATCH_COMMITTED) == 0, "once"


async def _pass(folder: Path, part: str, point: Point) -> int | None:
    source = (
        "import pathlib, sys; from tests.support.armed import Armed, Point;"
        "Armed(pathlib.Path(sys.argv[1]), sys.argv[2]).passing(Point(sys.argv[3]))"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", source, str(folder), part, point), cwd=Path(__file__).parents[2]
    )
    return await process.wait()
