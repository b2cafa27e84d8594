"""Kafka door: full states of other services, in any order and repetition, become our own words and
one use case.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from reconciliation_svc.consumers import own
from reconciliation_svc.consumers.references import authority_of, employee_of, policy_of
from reconciliation_svc.consumers.sides import SideEvent, arrival_of
from reconciliation_svc.domain.windows import Calendar
from reconciliation_svc.usecases import judging, rosters
from shared.clock import Clock
from shared.consumer import Handler
from shared.contracts import (
    BUREAU_SYNC,
    CONTRIBUTION,
    PAYROLL,
    POLICIES,
    AuthorityStateChanged,
    BureauAck,
    ContributionAssessed,
    ContributionPosted,
    EmployeeChanged,
    EmployerChanged,
    Event,
    PayslipIssued,
    PolicyChanged,
)
from shared.db import Connection
from shared.values import LevyPeriod

__all__ = ["SIDE_OF", "TOPICS", "arrival_of", "handlers", "own"]

TOPICS = (PAYROLL, POLICIES, CONTRIBUTION, BUREAU_SYNC)
SIDE_OF: Mapping[str, str] = {
    ContributionAssessed.ce_type(): "assessed",
    ContributionPosted.ce_type(): "posted",
    BureauAck.ce_type(): "bureau",
    PayslipIssued.ce_type(): "withheld",
}
"""Which side of an employee's month an event of each type tells."""


def handlers(
    clock: Clock, calendar: Calendar, *, judges: bool = True
) -> dict[type[Event], Handler]:
    """What is listened to. The four sides share one handler, so that a mixed run of them merges at
    once. Without `judges` sides are merged, and whoever caught up judges when all are there.
    """

    async def on_sides(conn: Connection, events: Sequence[SideEvent]) -> None:
        arrivals = [arrival_of(event) for event in events]
        if judges:
            await judging.observe(conn, arrivals, calendar, clock.now())
        else:
            await judging.merge(conn, arrivals, clock.now())

    async def on_employees(conn: Connection, events: Sequence[EmployeeChanged]) -> None:
        found = [(employee_of(event), event.version) for event in _newest(events)]
        await rosters.remember_employees(conn, found, clock.now())

    async def on_employers(conn: Connection, events: Sequence[EmployerChanged]) -> None:
        found = [
            (event.employer_id, LevyPeriod.parse(event.cut_over), event.version)
            for event in _newest(events)
        ]
        await rosters.remember_employers(conn, found, clock.now())

    async def on_policies(conn: Connection, events: Sequence[PolicyChanged]) -> None:
        found = [(policy_of(event), event.version) for event in _newest(events)]
        await rosters.remember_policies(conn, found, clock.now())

    async def on_authorities(conn: Connection, events: Sequence[AuthorityStateChanged]) -> None:
        found = [(authority_of(event), event.city, event.version) for event in _newest(events)]
        await rosters.remember_authorities(conn, found, clock.now())

    return {
        ContributionAssessed: on_sides,
        ContributionPosted: on_sides,
        BureauAck: on_sides,
        PayslipIssued: on_sides,
        EmployeeChanged: on_employees,
        EmployerChanged: on_employers,
        PolicyChanged: on_policies,
        AuthorityStateChanged: on_authorities,
    }


EventT = TypeVar("EventT", bound=Event)


def _newest(events: Iterable[EventT]) -> list[EventT]:
    newest: dict[str, EventT] = {}
    for event in events:
        held = newest.get(event.aggregate())
        if held is None or event.version > held.version:
            newest[event.aggregate()] = event
    return list(newest.values())
