"""The October case with somebody who looks on: at each moment to which it steps."""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime

import httpx
from rich.console import Console

from sandbox.case.addresses import Addresses
from sandbox.case.narrator import Narrator
from sandbox.case.october import October
from sandbox.case.report import Report
from sandbox.case.roster import Case

LookOn = Callable[[datetime], Awaitable[None]]


class WatchedOctober(October):
    """Calls `look_on` when all have come to rest at a moment, before the people of the case act."""

    def __init__(self, addresses: Addresses, client: httpx.AsyncClient, look_on: LookOn) -> None:
        super().__init__(addresses, client, Case(), Narrator(Console(width=140, quiet=True)))
        self._look_on = look_on

    async def to(self, at: datetime) -> None:
        await super().to(at)
        await self._look_on(at)


async def play_watched(addresses: Addresses, look_on: LookOn) -> list[str]:
    """Plays the case; what was not as expected (empty: all is)."""
    started = time.monotonic()
    async with httpx.AsyncClient(timeout=30) as client:
        october = WatchedOctober(addresses, client, look_on)
        await october.play()
        report = Report(october)
        await report.collect(time.monotonic() - started)
    report.check()
    return report.verdicts.failed
