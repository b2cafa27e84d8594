"""Plays the case on a running installation and closes the account: the one entry of this
package.
"""

import time
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from sandbox.case.addresses import Addresses
from sandbox.case.narrator import Narrator
from sandbox.case.october import October
from sandbox.case.report import SIDES, Report
from sandbox.case.roster import Case
from shared.values import INSURANCE_WORDS, OUTCOME_WORDS, Outcome, fen_text


async def play(
    addresses: Addresses, console: Console, report_path: Path, started: float
) -> list[str]:
    """Plays October and writes the report; returns what was not as expected (empty: all is).

    `started` is the monotonic time from which wall_seconds counts.
    """
    narrator = Narrator(console)
    async with httpx.AsyncClient(timeout=30) as client:
        october = October(addresses, client, Case(), narrator)
        await october.play()
        report = Report(october)
        await report.collect(time.monotonic() - started)
    report.check()
    report.write(report_path)
    _print(narrator, report, october.conductor.steps)
    return report.verdicts.failed


def _print(narrator: Narrator, report: Report, steps: int) -> None:
    facts, verdicts = report.facts, report.verdicts
    cells = facts["cells"]
    states = [
        (_word(state), state, str(count)) for state, count in cells["states"].items() if count
    ]
    narrator.table(
        "Cells by state", ("状态", "state", "cells"), [*states, ("合计", "K", str(cells["K"]))]
    )
    rows = [
        (
            INSURANCE_WORDS[insurance],
            *(_sum_text(facts["sums_fen"][side].get(insurance)) for side in SIDES),
        )
        for insurance in facts["sums_fen"]["assessed"]
    ]
    narrator.table("Yuan per side and insurance (employer + employee)", ("险种", *SIDES), rows)
    narrator.console.print(
        f"{verdicts.made} figures checked against the services' own APIs,"
        f" {len(verdicts.failed)} differ; {steps} moments visited in {facts['wall_seconds']} s;"
        f" {sum(facts['events'].values())} events.",
        highlight=False,
    )
    for failure in verdicts.failed:
        narrator.console.print(f"[red]✗ {failure}[/red]", highlight=False, markup=True)


def _word(state: str) -> str:
    return OUTCOME_WORDS[Outcome(state)]


def _sum_text(amounts: dict[str, Any] | None) -> str:
    return fen_text(amounts["employer_fen"] + amounts["employee_fen"]) if amounts else "–"
