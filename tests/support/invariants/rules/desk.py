"""I5 and I6: tickets and notices."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.support.invariants.facts import (
    Anomaly,
    Facts,
    Gathered,
    Mail,
    Mention,
    Notice,
    Ticket,
)
from tests.support.invariants.rules.cells import RECONCILIATION
from tests.support.invariants.violation import states

TICKET, NOTIFY = "ticket_svc", "notify_svc"
ENDED = frozenset({"delivered", "failed", "switched_off", "no_address"})
"""States of a message in which nothing more is tried: it arrived, or a person sees why not."""


def _told(facts: Facts, store: str) -> dict[str, Anomaly]:
    """Anomalies that were told, but for those that are parked in `store`."""
    return {
        one.anomaly_id: one
        for one in facts.of(Anomaly, RECONCILIATION)
        if one.version > 0 and (store, "Anomaly", one.anomaly_id) not in facts.parked_aggregates
    }


@states("I5")
def two_open_tickets(facts: Facts) -> Iterator[str]:
    """An employee has one open ticket for each cause."""
    found = Counter((one.employee_id, one.cause) for one in facts.of(Ticket) if one.is_open)
    for (employee, cause), count in sorted(found.items()):
        if count > 1:
            yield f"employee {employee} has {count} open tickets for {cause}, expected one"


@states("I5")
def anomaly_without_ticket(facts: Facts) -> Iterator[str]:
    """Each anomaly that was told and holds is in an open ticket, or in one that a person
    resolved.
    """
    tickets = {one.ticket_id: one for one in facts.of(Ticket)}
    placed = {one.anomaly_id: one.ticket_id for one in facts.of(Anomaly, TICKET)}
    for anomaly_id, anomaly in _told(facts, TICKET).items():
        ticket = tickets.get(placed.get(anomaly_id, ""))
        cared_for = ticket is not None and (ticket.is_open or bool(ticket.resolved_by))
        if anomaly.cleared_at is None and not cared_for:
            found = f"ticket {ticket.ticket_id}, which is resolved" if ticket else "none"
            yield (
                f"anomaly {anomaly_id} ({anomaly.kind} of employee {anomaly.employee_id},"
                f" {anomaly.levy_period}) holds and must be in an open ticket; found {found}"
            )


@states("I5")
def anomaly_in_two_tickets(facts: Facts) -> Iterator[str]:
    """Each anomaly is gathered in exactly one ticket."""
    gathered: dict[str, set[str]] = defaultdict(set)
    for one in facts.of(Gathered):
        gathered[one.anomaly_id].add(one.ticket_id)
    for anomaly in facts.of(Anomaly, TICKET):
        found = gathered[anomaly.anomaly_id]
        if found != {anomaly.ticket_id}:
            yield (
                f"anomaly {anomaly.anomaly_id} is in ticket {anomaly.ticket_id or '(none)'};"
                f" tickets that list it: {', '.join(sorted(found)) or 'none'}"
            )


@states("I5")
def ticket_gathers_a_stranger(facts: Facts) -> Iterator[str]:
    """A ticket gathers anomalies of its own employee."""
    tickets = {one.ticket_id: one for one in facts.of(Ticket)}
    owners = {one.anomaly_id: one.employee_id for one in facts.of(Anomaly, RECONCILIATION)}
    for one in facts.of(Gathered):
        employee = tickets[one.ticket_id].employee_id
        owner = owners.get(one.anomaly_id, employee)
        if owner != employee:
            yield (
                f"ticket {one.ticket_id} of employee {employee} gathers anomaly {one.anomaly_id} of"
                f" employee {owner}"
            )


@states("I5")
def ticket_resolved_too_early(facts: Facts) -> Iterator[str]:
    """A ticket resolves itself only when all that it gathers has cleared."""
    holding = {one.anomaly_id for one in _told(facts, TICKET).values() if one.cleared_at is None}
    tickets = {one.ticket_id: one for one in facts.of(Ticket)}
    for one in facts.of(Gathered):
        ticket = tickets[one.ticket_id]
        by_itself = not (ticket.is_open or ticket.resolved_by or ticket.merged_into)
        if by_itself and one.anomaly_id in holding:
            yield (
                f"ticket {one.ticket_id} of employee {ticket.employee_id} is resolved while anomaly"
                f" {one.anomaly_id} holds"
            )


@states("I5")
def ticket_open_for_nothing(facts: Facts) -> Iterator[str]:
    """When all that a ticket gathers has cleared, it is resolved, unless a person's feedback or
    reopening keeps it.
    """
    gathered: dict[str, set[str]] = defaultdict(set)
    for one in facts.of(Gathered):
        gathered[one.ticket_id].add(one.anomaly_id)
    told = _told(facts, TICKET)
    holding = {name for name, one in told.items() if one.cleared_at is None}
    for ticket in facts.of(Ticket):
        named = gathered[ticket.ticket_id]
        kept = ticket.feedback_count or ticket.was_reopened or not named <= told.keys()
        if ticket.is_open and named and not kept and not named & holding:
            yield (
                f"ticket {ticket.ticket_id} of employee {ticket.employee_id} is open; all its"
                f" anomalies have cleared: {', '.join(sorted(named))}"
            )


def _message_id(notice: Notice) -> str:
    return f"<{notice.notification_id}@daozhang>"


@states("I6")
def mail_sent_twice(facts: Facts) -> Iterator[str]:
    """The mail server took each message once at most."""
    for message_id, count in sorted(Counter(one.message_id for one in facts.of(Mail)).items()):
        if count > 1:
            yield f"the mail server took {message_id} {count} times"


@states("I6")
def mail_not_sent(facts: Facts) -> Iterator[str]:
    """A message that is delivered by e-mail is in the mail server's journal."""
    journal = {one.message_id for one in facts.of(Mail)}
    for notice in facts.of(Notice):
        delivered = notice.channel == "email" and notice.state == "delivered"
        if delivered and _message_id(notice) not in journal:
            yield (
                f"{notice.template} {notice.notification_id} to employee {notice.employee_id} is"
                " marked as delivered; the mail server never took it"
            )


@states("I6")
def mail_of_nobody(facts: Facts) -> Iterator[str]:
    """The mail server holds only messages that notify-svc stored before it sent them."""
    known = {_message_id(notice) for notice in facts.of(Notice)}
    for mail in facts.of(Mail):
        if mail.message_id not in known:
            yield f"the mail server took {mail.message_id}, which notify-svc does not know"


@states("I6")
def notice_stuck(facts: Facts) -> Iterator[str]:
    """A message has ended, or will be tried at a known time; none is lost in between."""
    for notice in facts.of(Notice):
        waits = notice.state == "pending" and notice.try_at is not None
        if notice.state not in ENDED and not waits and not notice.in_hand:
            yield (
                f"{notice.template} {notice.notification_id} by {notice.channel} is {notice.state}"
                " and nothing will try it again"
            )


@states("I6")
def resolution_not_told(facts: Facts) -> Iterator[str]:
    """The employee of a ticket that resolved itself, with records that arrived, is told so once in
    their inbox.
    """
    arrived = {
        one.anomaly_id
        for one in facts.of(Anomaly, RECONCILIATION)
        if "arrived" in one.outcomes.values()
    }
    gathered = facts.of(Gathered)
    with_arrival = {one.ticket_id for one in gathered if one.anomaly_id in arrived}
    heard = _told(facts, NOTIFY).keys()
    unheard = {one.ticket_id for one in gathered if one.anomaly_id not in heard}
    told = Counter(
        ticket_id
        for notice in facts.of(Notice)
        if notice.template == "records_arrived" and notice.channel == "inbox"
        for ticket_id in notice.ticket_ids
    )
    for ticket in facts.of(Ticket):
        by_itself = not (ticket.is_open or ticket.resolved_by or ticket.merged_into)
        parked = (NOTIFY, "Ticket", ticket.ticket_id) in facts.parked_aggregates
        if not by_itself or parked or ticket.ticket_id not in with_arrival - unheard:
            continue
        count = told[ticket.ticket_id]
        if count == 0 or (count > 1 and not ticket.was_reopened):
            yield (
                f"employee {ticket.employee_id} was told {count} times that the records of ticket"
                f" {ticket.ticket_id} have arrived, expected once"
            )


@states("I6")
def anomaly_not_told_to_hr(facts: Facts) -> Iterator[str]:
    """HR hears of every anomaly that was told: in a digest that names it, unless it cleared before
    the digest was due.
    """
    mentions = {one.anomaly_id: one for one in facts.of(Mention)}
    named = {
        anomaly_id
        for notice in facts.of(Notice)
        if notice.template == "hr_anomalies" and notice.recipient_kind == "hr"
        for anomaly_id in notice.anomaly_ids
    }
    for anomaly_id, anomaly in _told(facts, NOTIFY).items():
        mention = mentions.get(anomaly_id)
        lost = mention is None or (mention.told_at is not None and anomaly_id not in named)
        if lost:
            found = "nothing waits to be told" if mention is None else "no message names it"
            yield (
                f"anomaly {anomaly_id} ({anomaly.kind} of employee {anomaly.employee_id},"
                f" {anomaly.levy_period}) was not told to HR: {found}"
            )
