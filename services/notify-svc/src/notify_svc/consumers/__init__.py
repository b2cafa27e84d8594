"""Kafka door: what others say, kept for HR's digest or told to the employee."""

from collections.abc import Sequence
from datetime import datetime

from notify_svc.consumers import own
from notify_svc.domain.digest import Staff
from notify_svc.domain.payslips import Payslip
from notify_svc.domain.resolution import Item, Ticket
from notify_svc.usecases import hearing, payslips, wage_data
from notify_svc.usecases.telling import Voice
from shared.clock import CHINA, Clock
from shared.codec import Tombstone
from shared.consumer import Handler
from shared.contracts import (
    ANOMALY_EVENTS,
    Anomaly,
    AnomalyCleared,
    DeadlineAtRisk,
    EmployeeSealed,
    EmployerChanged,
    Event,
    PayslipIssued,
    PolicyChanged,
    PolicyReleaseAnnounced,
    TicketChanged,
    TicketOpened,
    TicketResolved,
    WageDataDue,
)
from shared.contracts import Ticket as TicketEvent
from shared.db import Connection
from shared.sealed import Sealed

__all__ = ["handlers", "own"]

_SETTLED = "by_person"
"""The reason of a ticket that a person resolved; the person's own words stay in ticket-svc."""

_UNFILED = "not_filed"
"""Why someone is named at a deadline whose data are not missing: declared, and not filed yet."""

_NEWS = {"assigned": "hr_ticket_assigned", "escalated": "hr_ticket_escalated"}
"""Changes of a ticket that HR hears of, and their templates."""


_EVERYBODY_FROM = 2
"""The escalation from which not the assignee alone hears of a ticket, but all who care for it."""


def handlers(voice: Voice, clock: Clock) -> dict[type[Event], Handler]:
    """What notify-svc listens to."""

    async def on_findings(conn: Connection, events: Sequence[Anomaly]) -> None:
        await hearing.take_findings(conn, voice, [_finding(e) for e in events], clock.now())

    async def on_tickets(conn: Connection, events: Sequence[TicketEvent]) -> None:
        await hearing.take_tickets(conn, voice, [_ticket_news(e) for e in events], clock.now())

    async def on_risks(conn: Connection, events: Sequence[DeadlineAtRisk]) -> None:
        await hearing.take_risks(conn, [_risk(e) for e in events], clock.now())

    async def on_policies(conn: Connection, events: Sequence[PolicyChanged]) -> None:
        await hearing.take_policies(conn, [_policy(e) for e in events], clock.now())

    async def on_releases(conn: Connection, events: Sequence[PolicyReleaseAnnounced]) -> None:
        await hearing.take_releases(conn, [_release(e) for e in events], clock.now())

    async def on_payslips(conn: Connection, events: Sequence[PayslipIssued]) -> None:
        await payslips.take_payslips(conn, voice, [_payslip(e) for e in events], clock.now())

    async def on_wage_data(conn: Connection, events: Sequence[WageDataDue]) -> None:
        await wage_data.take_wage_data(conn, [_wage_data(e) for e in events], clock.now())

    return {
        EmployerChanged: _on_employers,
        EmployeeSealed: _on_identities,
        Tombstone: _on_tombstones,
        **dict.fromkeys(ANOMALY_EVENTS.values(), on_findings),
        AnomalyCleared: on_findings,
        **dict.fromkeys((TicketOpened, TicketChanged, TicketResolved), on_tickets),
        DeadlineAtRisk: on_risks,
        PolicyChanged: on_policies,
        PolicyReleaseAnnounced: on_releases,
        PayslipIssued: on_payslips,
        WageDataDue: on_wage_data,
    }


async def _on_employers(conn: Connection, events: Sequence[EmployerChanged]) -> None:
    rows = [
        (
            event.employer_id,
            event.version,
            [Staff(staff.sub, staff.department_ids) for staff in event.hr_staff],
            sorted({account.city for account in event.accounts}),
        )
        for event in events
    ]
    await hearing.take_employers(conn, rows)


async def _on_identities(conn: Connection, events: Sequence[EmployeeSealed]) -> None:
    rows = [
        (e.employee_id, e.employer_id, e.version, Sealed(e.sealed, e.wrapped_key, e.root_key_id))
        for e in events
    ]
    await hearing.take_identities(conn, rows)


async def _on_tombstones(conn: Connection, events: Sequence[Tombstone]) -> None:
    await hearing.forget_identities(conn, [event.deleted_key for event in events])


def _finding(event: Anomaly) -> hearing.Finding:
    return hearing.Finding(
        anomaly_id=event.anomaly_id,
        employer_id=event.employer_id,
        employee_id=event.employee_id,
        kind=event.kind if isinstance(event, AnomalyCleared) else event.event_name(),
        levy_period=event.levy_period,
        insurances=tuple(insurance.value for insurance in event.insurances),
        department_id=event.department_id,
        cause_id=event.cause_id,
        cause_event=str(event.event_id()),
        outcomes=(
            {name: outcome.value for name, outcome in event.outcomes.items()}
            if isinstance(event, AnomalyCleared)
            else None
        ),
    )


def _ticket_news(event: TicketEvent) -> hearing.TicketNews:
    change = event.change if isinstance(event, TicketChanged) else ""
    if isinstance(event, TicketOpened):
        change = "assigned"
    return hearing.TicketNews(
        ticket=Ticket(
            ticket_id=event.ticket_id,
            employer_id=event.employer_id,
            employee_id=event.employee_id,
            version=event.version,
            number=event.number,
            is_resolved=event.state == "resolved",
            was_replied=bool(event.first_reply_at),
            feedback_count=event.feedback_count,
            is_settled=event.reason == _SETTLED,
            items=tuple(
                Item(item.levy_period, item.insurance.value, item.anomaly_id)
                for item in event.items
            ),
            cause_event=str(event.event_id()),
        ),
        news=_NEWS.get(change, "") if event.assignee else "",
        recipient=event.assignee if event.escalation < _EVERYBODY_FROM else "",
        department_id=event.department_id,
        incident_id=event.incident_id,
        cause=f"{event.kind}/{event.authority}",
        reply_due=_day_and_time(event.reply_due_at),
    )


def _day_and_time(text: str) -> str:
    """RFC 3339 to 10月21日 18:00 in Asia/Shanghai; empty stays empty."""
    if not text:
        return ""
    at = datetime.fromisoformat(text).astimezone(CHINA)
    return f"{at.month}月{at.day}日 {at:%H:%M}"


def _risk(event: DeadlineAtRisk) -> hearing.Risk:
    return hearing.Risk(
        account_id=event.account_id,
        employer_id=event.employer_id,
        levy_period=event.levy_period,
        file_by=event.file_by,
        is_approved=event.approved,
        people=len({fact.employee_id for fact in event.missing if fact.reason != _UNFILED}),
        unfiled=sum(fact.reason == _UNFILED for fact in event.missing),
        version=event.version,
        cause_event=str(event.event_id()),
    )


def _policy(event: PolicyChanged) -> hearing.Policy:
    return hearing.Policy(
        city=event.city,
        city_name=event.city_name,
        known_since=event.known_since,
        version=event.version,
        is_released=bool(event.proposal_id),
        cause_event=str(event.event_id()),
    )


def _release(event: PolicyReleaseAnnounced) -> hearing.Release:
    return hearing.Release(
        proposal_id=event.proposal_id,
        employer_id=event.employer_id,
        city_name=event.city_name,
        state=event.state,
        effective_on=event.effective_on,
        levy_period=event.levy_period,
        people=event.people,
        employer_fen=event.employer_fen,
        employee_fen=event.employee_fen,
        declared_months=event.declared_months,
        version=event.version,
        cause_event=str(event.event_id()),
    )


def _payslip(event: PayslipIssued) -> Payslip:
    return Payslip(
        employer_id=event.employer_id,
        employee_id=event.employee_id,
        levy_period=event.levy_period,
        version=event.version,
        gross_fen=event.gross_fen,
        tax_fen=event.tax_fen,
        net_fen=event.net_fen,
        cause_event=str(event.event_id()),
    )


def _wage_data(event: WageDataDue) -> wage_data.WageData:
    return wage_data.WageData(
        employer_id=event.employer_id,
        department_id=event.department_id,
        department=event.department,
        levy_period=event.levy_period,
        due_on=event.due_on,
        stage=event.stage,
        version=event.version,
        cause_event=str(event.event_id()),
    )
