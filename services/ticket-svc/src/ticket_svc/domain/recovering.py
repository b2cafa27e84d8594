"""A ticket followed through what was told of it, by a store that was restored from a backup.

An event is the ticket's full state for readers; what readers need not know (who founded it, which
clock stands and since when) follows from the order of the events.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.values import derived_id
from ticket_svc.domain.facts import Feedback
from ticket_svc.domain.office import Office
from ticket_svc.domain.ticket import Item, Ticket, WaitingOn

BY_SOMEBODY = "unknown"
"""Who resolved it: events do not name people."""
_WAITING = "waiting_"
_MERGED = "merged_into "
_MOST_OCCURRENCES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One version of a ticket as it was told at `at`: `change` is its name in the timeline."""

    at: datetime
    change: str
    state: str
    ticket: Ticket
    by_person: bool = False


def followed(known: Ticket | None, told: Told) -> Ticket:
    """The ticket after one more version; versions come in order."""
    seen = told.ticket
    waiting = WaitingOn(told.state.removeprefix(_WAITING)) if _waits(told) else WaitingOn.NOBODY
    stands = seen.is_open and seen.resolve_due_at is None
    return replace(
        seen,
        founder=known.founder if known else _founder(seen),
        cause=_cause(known, seen),
        waiting_on=waiting,
        authority_closed=stands and not waiting,
        last_reply_at=_last_reply_at(known, told),
        escalated_at=_escalated_at(known, told),
        resolved_by=BY_SOMEBODY if told.by_person else "",
        reopened_at=_reopened_at(known, told),
        merged_into=seen.reason.removeprefix(_MERGED) if seen.reason.startswith(_MERGED) else "",
    )


def with_clock(known: Ticket | None, after: Ticket, at: datetime, office: Office) -> Ticket:
    """`after` with the working days that were left when its resolution clock stood still."""
    if known is None or after.resolve_due_at is not None:
        return after
    if known.resolve_due_at is not None and after.is_open:
        return replace(after, resolve_days_left=office.days_left(at, known.resolve_due_at))
    return replace(after, resolve_days_left=known.resolve_days_left)


def feedback_of(known: Ticket | None, told: Told) -> Feedback | None:
    """That an employee said something, where the event shows that they did; their words are lost.

    It names the cells that only feedback names, or else those that the ticket has.
    """
    seen = told.ticket
    if seen.feedback_count <= (known.feedback_count if known else 0):
        return None
    said = [item for item in seen.items if not item.anomaly_id] or list(seen.items)
    if not said:
        return None
    period = max(item.levy_period for item in said)
    return Feedback(
        feedback_id=_feedback_id(seen),
        employer_id=seen.employer_id,
        employee_id=seen.employee_id,
        at=told.at,
        levy_period=period,
        insurances=tuple(item.insurance for item in said if item.levy_period == period),
        kind=next((item.kind for item in said if not item.anomaly_id), "other"),
        ticket_id=seen.ticket_id,
    )


def _waits(told: Told) -> bool:
    return told.state.startswith(_WAITING)


def _last_reply_at(known: Ticket | None, told: Told) -> datetime | None:
    if told.change == "replied":
        return told.at
    return known.last_reply_at if known else None


def _escalated_at(known: Ticket | None, told: Told) -> datetime | None:
    if told.change in ("escalated", "timed"):
        return told.at
    return known.escalated_at if known else None


def _reopened_at(known: Ticket | None, told: Told) -> datetime | None:
    if told.change == "reopened":
        return told.at
    return known.reopened_at if known else None


def _founder(seen: Ticket) -> str:
    """The fact whose id the ticket's own id is derived from."""
    for name in _fact_ids(seen.items):
        if str(derived_id("ticket", name)) == seen.ticket_id:
            return name
    return _feedback_id(seen)


def _fact_ids(items: Iterable[Item]) -> Iterable[str]:
    for anomaly_id in sorted({item.anomaly_id for item in items if item.anomaly_id}):
        for occurrence in range(1, _MOST_OCCURRENCES):
            yield f"{anomaly_id}#{occurrence}"


def _feedback_id(seen: Ticket) -> str:
    return str(derived_id("feedback told", seen.ticket_id, seen.feedback_count))


def _cause(known: Ticket | None, seen: Ticket) -> str:
    if any(item.anomaly_id for item in seen.items):
        return f"{seen.kind}/{seen.authority}" if seen.authority else seen.kind
    return known.cause if known else f"feedback/{_feedback_id(seen)}"
