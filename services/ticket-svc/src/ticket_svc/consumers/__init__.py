"""Kafka door: rosters, staff, authorities and anomalies in, tickets out."""

from collections.abc import Sequence
from datetime import datetime

from shared.clock import Clock
from shared.consumer import Handler
from shared.contracts import (
    ANOMALY_EVENTS,
    Anomaly,
    AnomalyCleared,
    AuthorityStateChanged,
    EmployeeChanged,
    EmployerChanged,
    Event,
)
from shared.db import Connection
from ticket_svc.consumers import own
from ticket_svc.domain import facts
from ticket_svc.domain.assignment import Staff
from ticket_svc.domain.office import Office
from ticket_svc.usecases import gathering

__all__ = ["handlers", "own"]


def handlers(office: Office, clock: Clock) -> dict[type[Event], Handler]:
    """What ticket-svc listens to."""

    async def on_employers(conn: Connection, events: Sequence[EmployerChanged]) -> None:
        rows = [(e.employer_id, e.version, _staff(e)) for e in events]
        await gathering.take_employers(conn, office, rows, clock.now())

    async def on_employees(conn: Connection, events: Sequence[EmployeeChanged]) -> None:
        rows = [(e.employee_id, e.employer_id, e.version, _spells(e)) for e in events]
        await gathering.take_employees(conn, rows)

    async def on_authorities(conn: Connection, events: Sequence[AuthorityStateChanged]) -> None:
        rows = [(e.authority, e.version, e.state, _moment(e.since)) for e in events]
        await gathering.take_authorities(conn, office, rows, clock.now())

    async def on_anomalies(conn: Connection, events: Sequence[Anomaly]) -> None:
        await gathering.take_anomalies(conn, office, [_anomaly(e) for e in events], clock.now())

    return {
        EmployerChanged: on_employers,
        EmployeeChanged: on_employees,
        AuthorityStateChanged: on_authorities,
        **dict.fromkeys(ANOMALY_EVENTS.values(), on_anomalies),
        AnomalyCleared: on_anomalies,
    }


def _staff(event: EmployerChanged) -> list[Staff]:
    return [Staff(staff.sub, staff.role, staff.department_ids) for staff in event.hr_staff]


def _spells(event: EmployeeChanged) -> list[dict[str, str]]:
    return [
        {"since": spell.since, "until": spell.until, "department_id": spell.department_id}
        for spell in event.spells
    ]


def _anomaly(event: Anomaly) -> facts.Anomaly:
    return facts.Anomaly(
        anomaly_id=event.anomaly_id,
        occurrence=event.occurrence,
        employer_id=event.employer_id,
        employee_id=event.employee_id,
        version=event.version,
        kind=event.kind if isinstance(event, AnomalyCleared) else event.event_name(),
        levy_period=event.levy_period,
        insurances=tuple(insurance.value for insurance in event.insurances),
        raised_at=_moment(event.raised_at),
        cleared_at=_moment(event.cleared_at) if isinstance(event, AnomalyCleared) else None,
        authority=event.authority,
        department_id=event.department_id,
        cause_id=event.cause_id,
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
