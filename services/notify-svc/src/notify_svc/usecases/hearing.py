"""What is heard: kept for the digest of HR, or told to the employee."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from notify_svc import store
from notify_svc.domain.digest import Mention, Staff, next_quarter
from notify_svc.domain.resolution import Ticket, arrived_cells
from notify_svc.domain.words import Cell, months_text, release_text, sentences_text
from notify_svc.usecases.telling import INBOX, Message, Voice, tell
from shared.db import Connection
from shared.sealed import Sealed
from shared.values import derived_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An anomaly as far as HR has to hear of it; `outcomes` per insurance once it has cleared."""

    anomaly_id: str
    employer_id: str
    employee_id: str
    kind: str
    levy_period: str
    insurances: tuple[str, ...]
    department_id: str
    cause_id: str
    cause_event: str
    outcomes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketNews:
    """One ticket event: the ticket, and what HR has to hear of it.

    `news` is the template of what happened, empty where it is nobody's news; `recipient` the `sub`
    whom it is for, empty for all who care for the department.
    """

    ticket: Ticket
    news: str
    recipient: str
    department_id: str
    incident_id: str
    cause: str
    reply_due: str


async def take_findings(
    conn: Connection, voice: Voice, findings: Sequence[Finding], now: datetime
) -> None:
    """Anomalies wait for the next digest; one that clears before it is never told of."""
    held = {f.anomaly_id: _found(f, now) for f in findings if f.outcomes is None}
    cleared = [finding for finding in findings if finding.outcomes is not None]
    await store.mentions.add(conn, list(held.values()))
    if not cleared:
        return
    await store.mentions.add(conn, [_found(f, now) for f in _latest(cleared)], dropped=True)
    await store.copies.save_cleared(
        conn,
        [(f.anomaly_id, f.employer_id, f.employee_id, f.outcomes or {}) for f in _latest(cleared)],
    )
    await tell_arrived(conn, voice, {finding.employee_id for finding in cleared}, now)


def _latest(findings: Iterable[Finding]) -> list[Finding]:
    return list({finding.anomaly_id: finding for finding in findings}.values())


def _found(finding: Finding, now: datetime) -> Mention:
    return Mention(
        mention_id=str(derived_id("mention", "hr_anomalies", finding.anomaly_id)),
        employer_id=finding.employer_id,
        template="hr_anomalies",
        cause=f"{finding.kind}/{finding.cause_id or finding.anomaly_id}",
        due_at=next_quarter(now),
        cause_event=finding.cause_event,
        department_id=finding.department_id,
        employee_id=finding.employee_id,
        anomaly_ids=(finding.anomaly_id,),
        params={
            "kind": finding.kind,
            "levy_period": finding.levy_period,
            "insurances": ",".join(finding.insurances),
        },
    )


async def take_tickets(
    conn: Connection, voice: Voice, heard: Sequence[TicketNews], now: datetime
) -> None:
    """HR hears of what was assigned or is late; the employee of the first reply and of the end."""
    tickets = [news.ticket for news in heard]
    await store.copies.save_tickets(conn, tickets)
    await store.mentions.add(conn, [_ticket_news(news, now) for news in heard if news.news])
    replied = [_to_employee(t, "ticket_replied", "replied") for t in tickets if t.was_replied]
    settled = [
        _to_employee(ticket, "ticket_resolved", f"settled at {ticket.version}")
        for ticket in tickets
        if ticket.is_resolved and ticket.is_settled and ticket.feedback_count
    ]
    await tell(conn, voice, replied + settled, now)
    await tell_arrived(conn, voice, {ticket.employee_id for ticket in tickets}, now)


def _ticket_news(heard: TicketNews, now: datetime) -> Mention:
    ticket = heard.ticket
    name = (ticket.ticket_id, ticket.version)
    return Mention(
        mention_id=str(derived_id("mention", heard.news, *name)),
        employer_id=ticket.employer_id,
        template=heard.news,
        cause=heard.incident_id or heard.cause,
        due_at=next_quarter(now),
        cause_event=ticket.cause_event,
        recipient=heard.recipient,
        department_id=heard.department_id,
        employee_id=ticket.employee_id,
        ticket_id=ticket.ticket_id,
        anomaly_ids=_anomalies(ticket),
        params={"number": ticket.number, "due": heard.reply_due},
    )


def _anomalies(ticket: Ticket) -> tuple[str, ...]:
    return tuple(sorted({item.anomaly_id for item in ticket.items if item.anomaly_id}))


def _to_employee(
    ticket: Ticket, template: str, transition: str, params: Mapping[str, str] | None = None
) -> Message:
    return Message(
        employer_id=ticket.employer_id,
        employee_id=ticket.employee_id,
        recipient_kind="employee",
        recipient=ticket.employee_id,
        template=template,
        cause=ticket.ticket_id,
        transition=transition,
        cause_event=ticket.cause_event,
        params={"number": ticket.number, **(params or {})},
        ticket_ids=(ticket.ticket_id,),
        anomaly_ids=_anomalies(ticket),
    )


async def tell_arrived(
    conn: Connection, voice: Voice, employee_ids: Iterable[str], now: datetime
) -> None:
    """Tells these employees of records that have arrived, once their ticket and its anomalies are
    both known to be over.
    """
    tickets = await store.copies.tickets_to_tell(conn, employee_ids)
    named = {anomaly_id for ticket in tickets for anomaly_id in _anomalies(ticket)}
    outcomes = await store.copies.outcomes_of(conn, named)
    certain = {ticket.ticket_id: arrived_cells(ticket, outcomes) for ticket in tickets}
    sentence = voice.templates.channels("records_arrived")[INBOX].sentence
    messages = [
        _arrived(ticket, cells, sentence)
        for ticket in tickets
        if (cells := certain[ticket.ticket_id])
    ]
    await tell(conn, voice, messages, now)
    done = [ticket_id for ticket_id, cells in certain.items() if cells is not None]
    await store.copies.mark_told(conn, done)


def _arrived(ticket: Ticket, cells: Sequence[Cell], sentence: str) -> Message:
    said = ",".join(f"{period}/{insurance}" for period, insurance in sorted(cells))
    return _to_employee(
        ticket,
        "records_arrived",
        f"arrived {said}",
        {"sentences": sentences_text(cells, sentence)},
    )


async def take_employers(
    conn: Connection, rows: Sequence[tuple[str, int, Sequence[Staff], Sequence[str]]]
) -> None:
    """Keeps who each (employer, version, staff, cities) has in HR, and where it has accounts."""
    await store.copies.save_employers(conn, rows)


async def take_identities(conn: Connection, rows: Sequence[tuple[str, str, int, Sealed]]) -> None:
    """Keeps each (employee, employer, version, sealed data) as it came: sealed."""
    await store.copies.save_identities(conn, rows)


async def forget_identities(conn: Connection, employee_ids: Sequence[str]) -> None:
    """Deletes the sealed data of these employees."""
    await store.copies.forget_identities(conn, employee_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What is not filed as an account's deadline comes near: `people` whose data are missing, and
    how many who were declared are `unfiled`.
    """

    account_id: str
    employer_id: str
    levy_period: str
    file_by: str
    is_approved: bool
    people: int
    unfiled: int
    version: int
    cause_event: str


async def take_risks(conn: Connection, risks: Sequence[Risk], now: datetime) -> None:
    """The newest state of each account and month goes into the next digest."""
    await store.mentions.add(conn, [_at_risk(risk, now) for risk in risks])


def _at_risk(risk: Risk, now: datetime) -> Mention:
    name = f"{risk.account_id}/{risk.levy_period}"
    return Mention(
        mention_id=str(derived_id("mention", "hr_deadline_at_risk", name, risk.version)),
        employer_id=risk.employer_id,
        template="hr_deadline_at_risk",
        cause=name,
        due_at=next_quarter(now),
        cause_event=risk.cause_event,
        params={
            "version": str(risk.version),
            "month": months_text([risk.levy_period]),
            "file_by": risk.file_by,
            "approved": _approved_text(risk),
            "count": str(risk.people),
            "over": "over" if risk.is_approved and not (risk.people or risk.unfiled) else "",
        },
    )


def _approved_text(risk: Risk) -> str:
    if not risk.is_approved:
        return "尚未批准申报"
    return f"已批准，{risk.unfiled} 名员工尚未申报" if risk.unfiled else "已批准申报"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A city's policy in force, as far as HR has to hear of it."""

    city: str
    city_name: str
    known_since: str
    version: int
    is_released: bool
    cause_event: str


async def take_policies(conn: Connection, policies: Sequence[Policy], now: datetime) -> None:
    """HR hears of a change where the employer has an account; a city's first policy changes
    nothing, and a release is announced to each employer by itself.
    """
    mentions = []
    for policy in policies:
        if policy.version > 1 and not policy.is_released:
            for employer_id in await store.copies.employers_in(conn, policy.city):
                mentions.append(_policy_changed(policy, employer_id, now))
    await store.mentions.add(conn, mentions)


def _policy_changed(policy: Policy, employer_id: str, now: datetime) -> Mention:
    name = (policy.city, policy.version, employer_id)
    return Mention(
        mention_id=str(derived_id("mention", "hr_policy_changed", *name)),
        employer_id=employer_id,
        template="hr_policy_changed",
        cause=f"policy/{policy.city}",
        due_at=next_quarter(now),
        cause_event=policy.cause_event,
        params={
            "version": str(policy.version),
            "city": policy.city_name,
            "known_since": policy.known_since,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of a city's policy, as it affects one employer: `state` announced, effective or
    withdrawn; fen more or less a month from `levy_period` on.
    """

    proposal_id: str
    employer_id: str
    city_name: str
    state: str
    effective_on: str
    levy_period: str
    people: int
    employer_fen: int
    employee_fen: int
    declared_months: int
    version: int
    cause_event: str


async def take_releases(conn: Connection, releases: Sequence[Release], now: datetime) -> None:
    """The newest state of each release goes into the next digest, with its numbers."""
    await store.mentions.add(conn, [_release(release, now) for release in releases])


def _release(release: Release, now: datetime) -> Mention:
    name = (release.proposal_id, release.employer_id, release.version)
    return Mention(
        mention_id=str(derived_id("mention", "hr_policy_release", *name)),
        employer_id=release.employer_id,
        template="hr_policy_release",
        cause=f"release/{release.proposal_id}",
        due_at=next_quarter(now),
        cause_event=release.cause_event,
        params={
            "version": str(release.version),
            "city": release.city_name,
            "stage": {
                "announced": f"将于 {release.effective_on} 生效",
                "effective": "已生效",
                "withdrawn": "已撤回",
            }[release.state],
            "effect": _release_effect(release),
        },
    )


def _release_effect(release: Release) -> str:
    if release.state == "withdrawn":
        return "仍按原标准核算"
    numbers = (release.employer_fen, release.employee_fen, release.levy_period)
    months = release.declared_months
    declared = f"；已申报的 {months} 人月另计补差" if months else ""
    return f"{release_text(release.people, *numbers)}{declared}，请核对缴费基数"
