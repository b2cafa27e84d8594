"""Kafka door: what contribution-svc assessed, which payroll runs wait for, and which months are
closed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from payroll_svc.consumers import own
from payroll_svc.usecases.imported_payslips import keep_closed
from payroll_svc.usecases.payroll_runs import keep_assessments
from shared.consumer import Handler
from shared.contracts import ContributionAssessed, Event, PeriodClosed
from shared.db import Connection

__all__ = ["handlers", "own"]


def handlers() -> dict[type[Event], Handler]:
    """What this service handles of contribution.events and reconciliation.events."""
    return {
        ContributionAssessed: on_contribution_assessed,
        PeriodClosed: on_period_closed,
    }


async def on_contribution_assessed(
    conn: Connection, events: Sequence[ContributionAssessed]
) -> None:
    """The newest of each employee and levy period in the batch, in one statement."""
    newest: dict[tuple[str, str], ContributionAssessed] = {}
    for event in events:
        key = (event.employee_id, event.levy_period)
        if key not in newest or newest[key].version < event.version:
            newest[key] = event
    await keep_assessments(conn, [_row(event) for event in newest.values()])


def _row(event: ContributionAssessed) -> dict[str, Any]:
    return {
        "employee_id": event.employee_id,
        "levy_period": event.levy_period,
        "employer_id": event.employer_id,
        "version": event.version,
        "withheld_in": sorted({line.withhold_in for line in event.lines} - {"", event.levy_period}),
        "warnings": list(event.policy_warnings),
        "lines": [
            {
                "insurance": line.insurance.value,
                "state": line.state,
                "reason": line.reason,
                "base_fen": line.base_fen,
                "employer_fen": line.employer_fen,
                "employee_fen": line.employee_fen,
                "employer_ppm": line.employer_ppm,
                "employee_ppm": line.employee_ppm,
                "kind": line.kind,
                "withhold_in": line.withhold_in,
            }
            for line in event.lines
        ],
    }


async def on_period_closed(conn: Connection, events: Sequence[PeriodClosed]) -> None:
    """The newest of each employer and levy period in the batch."""
    newest = {(e.employer_id, e.levy_period): e for e in sorted(events, key=lambda e: e.version)}
    rows = [
        {
            "employer_id": event.employer_id,
            "levy_period": event.levy_period,
            "version": event.version,
            "closed_at": datetime.fromisoformat(event.closed_at),
        }
        for event in newest.values()
    ]
    await keep_closed(conn, rows)
