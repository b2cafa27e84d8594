"""The conductor of business time: steps to the next due moment only when every process has come
to rest.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from sandbox.case.addresses import Addresses
from sandbox.case.people import patiently

_POLL_SECONDS = 0.03
_REST_WITHIN_SECONDS = 120.0
_UNREACHABLE: dict[str, Any] = {"ready": False, "checks": {"http": "does not answer"}}


class NeverAtRest(Exception):
    """Some process did not come to rest in time; the message says which, and what it still has
    to do.
    """


class Conductor:
    """Moves the sandbox clock. `steps` counts the moments visited; `left_out` names processes that
    are stopped on purpose: time goes on without them, as it does in life.
    """

    def __init__(self, addresses: Addresses, client: httpx.AsyncClient) -> None:
        self._clock_url = f"{addresses.control}/clock"
        self._ready_urls = {
            "sandbox": f"{addresses.control}/readyz",
            **{name: f"{url}/readyz" for name, url in addresses.services.items()},
        }
        self._client = client
        self.left_out: set[str] = set()
        self.steps = 0

    async def now(self) -> datetime:
        answer = await patiently(lambda: self._client.get(self._clock_url))
        return datetime.fromisoformat(answer["at"])

    async def to(self, at: datetime, on_step: Callable[[datetime], None] | None = None) -> None:
        """Visits every due moment up to `at`, then `at` itself, and waits until all are at rest
        there.
        """
        while True:
            due = await self.rest()
            here = await self.now()
            step = min(due, at) if due is not None else at
            if step <= here:
                if here >= at:
                    return
                step = at
            await self._step(step)
            if on_step is not None:
                on_step(step)

    async def rest(self) -> datetime | None:
        """Waits until nothing is on its way; the next business time at which something is due.

        At rest is: all at the clock's time, no lag, nothing unpublished, no job due, and nobody has
        done anything between two looks; one look alone could miss a fact that travels from a
        process looked at later to one looked at before.
        """
        deadline = time.monotonic() + _REST_WITHIN_SECONDS
        clock = await self.now()
        before: list[int] = []
        while True:
            heard = [name for name in self._ready_urls if name not in self.left_out]
            reports = await asyncio.gather(
                *(self._report(self._ready_urls[name]) for name in heard)
            )
            quiet = all(is_quiet(report, clock) for report in reports)
            activity = [int(report.get("activity", -1)) for report in reports]
            if quiet and activity == before:
                return next_due(reports)
            before = activity if quiet else []
            if time.monotonic() > deadline:
                raise NeverAtRest(self._complaint(heard, reports, clock))
            if not quiet:
                await asyncio.sleep(_POLL_SECONDS)

    async def _step(self, at: datetime) -> None:
        order = {"at": at.isoformat()}
        await patiently(lambda: self._client.post(self._clock_url, json=order))
        self.steps += 1

    async def _report(self, url: str) -> dict[str, Any]:
        try:
            answer = await self._client.get(url)
            report: dict[str, Any] = answer.json()
            return report
        except (httpx.HTTPError, ValueError):
            return _UNREACHABLE

    def _complaint(self, names: list[str], reports: list[dict[str, Any]], clock: datetime) -> str:
        busy = [
            f"{name}: {report}"
            for name, report in zip(names, reports, strict=True)
            if not is_quiet(report, clock)
        ]
        return (
            f"not at rest at {clock.isoformat()} after {_REST_WITHIN_SECONDS:.0f} s\n"
            + "\n".join(busy)
        )


def is_quiet(report: dict[str, Any], clock: datetime) -> bool:
    """Whether a process has nothing more to do at this business time, and knows it to be so."""
    still = all(report.get(field) == 0 for field in ("consumer_lag", "outbox_unsent", "jobs_due"))
    return still and datetime.fromisoformat(report["business_time"]) >= clock


def next_due(reports: list[dict[str, Any]]) -> datetime | None:
    """The earliest business time that any process waits for."""
    due = [report["next_due_at"] for report in reports if report.get("next_due_at")]
    return min((datetime.fromisoformat(text) for text in due), default=None)
