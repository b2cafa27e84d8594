"""The Kafka door: every event that people are shown, each kept as the newest of its aggregate."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from portal_svc import usecases
from shared.codec import Tombstone
from shared.consumer import Handler, Handlers
from shared.contracts import (
    ANOMALY_EVENTS,
    BUREAU_SYNC,
    CONTRIBUTION,
    IDENTITIES,
    NOTIFY,
    PAYROLL,
    POLICIES,
    RECONCILIATION,
    TICKET,
    AnomalyCleared,
    AuthorityStateChanged,
    BureauAck,
    CellsJudged,
    ContributionAssessed,
    ContributionPosted,
    DeadlineAtRisk,
    DeclarationApproved,
    EmployeeChanged,
    EmployeeSealed,
    EmployerChanged,
    Event,
    NotificationDelivered,
    NotificationFailed,
    PayslipIssued,
    PeriodClosed,
    PolicyChanged,
    TicketChanged,
    TicketOpened,
    TicketResolved,
)
from shared.contracts.reconciliation import Anomaly
from shared.contracts.ticket import Ticket
from shared.db import Connection

TOPICS = (
    PAYROLL,
    IDENTITIES,
    CONTRIBUTION,
    POLICIES,
    BUREAU_SYNC,
    RECONCILIATION,
    TICKET,
    NOTIFY,
)

_TICKET_OVER = ("resolved", "closed")


def handlers() -> Handlers:
    """By event class; those of one aggregate share a handler, so that a run is one batch."""
    on_anomalies = _keeps("anomalies", ("anomaly_id",), _anomaly)
    on_tickets = _keeps("tickets", ("ticket_id",), _ticket)
    on_notifications = _keeps("notifications", ("notification_id",), _notification)
    return {
        EmployerChanged: _keeps("employers", ("employer_id",)),
        EmployeeChanged: _keeps("employees", ("employee_id",), _named("employer_id")),
        EmployeeSealed: on_identities,
        Tombstone: on_identities,
        PolicyChanged: _keeps("policies", ("city",)),
        AuthorityStateChanged: _keeps("authorities", ("authority",)),
        DeclarationApproved: _keeps(
            "declarations",
            ("declaration_id",),
            _named("employer_id", "account_id", "levy_period"),
        ),
        DeadlineAtRisk: _keeps(
            "deadline_risks", ("account_id", "levy_period"), _named("employer_id")
        ),
        PeriodClosed: _keeps("period_closes", ("employer_id", "levy_period")),
        PayslipIssued: _keeps_side("payslip"),
        ContributionAssessed: _keeps_side("assessed"),
        ContributionPosted: _keeps_side("posted"),
        BureauAck: _keeps_side("bureau"),
        CellsJudged: _keeps_side("judged"),
        **dict.fromkeys(ANOMALY_EVENTS.values(), on_anomalies),
        AnomalyCleared: on_anomalies,
        TicketOpened: on_tickets,
        TicketChanged: on_tickets,
        TicketResolved: on_tickets,
        NotificationDelivered: on_notifications,
        NotificationFailed: on_notifications,
    }


Columns = Callable[[Any], dict[str, Any]]


def _named(*names: str) -> Columns:
    return lambda event: {name: getattr(event, name) for name in names}


def _keeps(table: str, key: tuple[str, ...], columns: Columns = lambda _event: {}) -> Handler:
    """A handler that keeps the newest event per key; `columns` are those beside key and payload."""

    async def on_events(conn: Connection, events: Sequence[Event]) -> None:
        own = _named(*key)
        rows = [
            {
                **own(event),
                **columns(event),
                "version": event.version,
                "payload": msgspec.to_builtins(event),
            }
            for event in events
        ]
        await usecases.keep_newest(conn, table, key, rows)

    return on_events


def _keeps_side(side: str) -> Handler:
    """A handler that keeps the newest event of one side of each employee's month."""
    names = _named("employee_id", "levy_period", "employer_id", "version")

    async def on_events(conn: Connection, events: Sequence[Event]) -> None:
        rows = [
            {
                **names(event),
                "payload": msgspec.to_builtins(event),
                "event_id": str(event.event_id()),
            }
            for event in events
        ]
        await usecases.keep_side(conn, side, rows)

    return on_events


async def on_identities(conn: Connection, events: Sequence[EmployeeSealed | Tombstone]) -> None:
    """The newest of a key wins; a tombstone deletes, whatever version comes before or after it."""
    changes: dict[str, dict[str, Any] | None] = {}
    for event in events:
        if isinstance(event, Tombstone):
            changes[event.deleted_key] = None
            continue
        known = changes.get(event.employee_id, {"version": 0})
        if known is not None and known["version"] < event.version:
            changes[event.employee_id] = msgspec.to_builtins(event)
    await usecases.keep_identities(conn, changes)


def _anomaly(event: Anomaly) -> dict[str, Any]:
    return {
        "employer_id": event.employer_id,
        "employee_id": event.employee_id,
        "kind": event.kind if isinstance(event, AnomalyCleared) else event.event_name(),
        "cleared": isinstance(event, AnomalyCleared),
    }


def _ticket(event: Ticket) -> dict[str, Any]:
    return {
        "employer_id": event.employer_id,
        "employee_id": event.employee_id,
        "open": event.state not in _TICKET_OVER,
        "opened_at": event.opened_at,
    }


def _notification(event: NotificationDelivered | NotificationFailed) -> dict[str, Any]:
    return {
        "employer_id": event.employer_id,
        "employee_id": event.employee_id,
        "ticket_id": event.ticket_id,
        "delivered": isinstance(event, NotificationDelivered),
    }
