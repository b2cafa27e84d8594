"""One employee's tickets after their facts have changed: which are new, changed, resolved or
merged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ticket_svc.domain.facts import Anomaly, Feedback
from ticket_svc.domain.gathering import Group, Held, claim, gather
from ticket_svc.domain.office import Office
from ticket_svc.domain.ticket import (
    Ticket,
    emptied,
    gathered,
    items_of,
    opened,
    paused_or_running,
    timed,
)


@dataclass(frozen=True, slots=True)
class Change:
    """A ticket before (None: it is new) and after; `after` still has the version of `before`."""

    before: Ticket | None
    after: Ticket

    @property
    def names(self) -> tuple[str, ...]:
        """What to tell, in order: a ticket whose facts had cleared before we knew of it was opened
        and resolved.
        """
        if self.before is None:
            return ("opened",) if self.after.is_open else ("opened", "resolved")
        return (self._name_after(self.before),)

    def _name_after(self, before: Ticket) -> str:
        after = self.after
        if not after.is_open and (before.is_open or before.items != after.items):
            return "cleared_in_part" if _open_items(after) else "resolved"
        if not before.is_open and after.is_open:
            return "reopened"
        if after.feedback_count > before.feedback_count:
            return "feedback"
        if len(after.items) == len(before.items) and _open_items(after) < _open_items(before):
            return "cleared_in_part"
        return "gathered"


@dataclass(frozen=True, slots=True)
class Regathered:
    """`changes` in order; `places` maps every fact whose ticket is another than before to its
    ticket.
    """

    changes: tuple[Change, ...]
    places: dict[str, str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around the facts: incidents by cause id, authorities that are closed, the
    department today.
    """

    office: Office
    now: datetime
    incidents: Mapping[str, str]
    closed_authorities: frozenset[str]
    department_id: str


def regather(
    tickets: Sequence[Ticket],
    anomalies: Sequence[Anomaly],
    feedbacks: Sequence[Feedback],
    around: Surroundings,
) -> Regathered:
    """All changes that follow from the facts of one employee; the same facts end alike in every
    order.
    """
    settled = {ticket.ticket_id: ticket for ticket in tickets if ticket.is_settled}
    loose = {t.ticket_id: t for t in tickets if t.ticket_id not in settled}
    groups = gather(
        [a for a in anomalies if a.ticket_id not in settled],
        [f for f in feedbacks if f.ticket_id not in settled],
        _held(loose.values(), anomalies, feedbacks),
    )
    claims = claim(groups, {t.ticket_id: t.founder for t in loose.values()})
    after = [
        _with_group(loose.get(ticket_id), ticket_id, group, around)
        for ticket_id, group in zip(claims, groups, strict=True)
    ]
    places = {
        fact.fact_id: ticket_id
        for ticket_id, group in zip(claims, groups, strict=True)
        for fact in group.facts
    }
    after += _left_empty(loose, places, {t.ticket_id: t for t in after}, around.now)
    after += [_items_only(ticket, anomalies, feedbacks) for ticket in settled.values()]
    before = {ticket.ticket_id: ticket for ticket in tickets}
    changes = (Change(before.get(ticket.ticket_id), ticket) for ticket in after)
    facts: list[Anomaly | Feedback] = [*anomalies, *feedbacks]
    stale = {fact.fact_id: fact.ticket_id for fact in facts}
    return Regathered(
        tuple(change for change in changes if change.before != change.after),
        {fact_id: t for fact_id, t in places.items() if stale[fact_id] != t},
    )


def _held(
    tickets: Iterable[Ticket], anomalies: Iterable[Anomaly], feedbacks: Iterable[Feedback]
) -> list[Held]:
    facts: list[Anomaly | Feedback] = [*anomalies, *feedbacks]
    return [
        Held(
            ticket.ticket_id,
            frozenset(fact.fact_id for fact in facts if fact.ticket_id == ticket.ticket_id),
            ticket.reopened_at,
        )
        for ticket in tickets
        if ticket.reopened_at is not None
    ]


def _with_group(
    ticket: Ticket | None, ticket_id: str, group: Group, around: Surroundings
) -> Ticket:
    office = around.office
    after = opened(ticket_id, group, office) if ticket is None else gathered(ticket, group)
    causes = (around.incidents.get(anomaly.cause_id, "") for anomaly in group.anomalies)
    after = replace(
        after,
        incident_id=next((incident for incident in causes if incident), after.incident_id),
        department_id=after.department_id or around.department_id,
    )
    if after.is_open:
        after = timed(after, office)
    return paused_or_running(
        after,
        around.now,
        office,
        waiting_on=after.waiting_on,
        authority_closed=after.is_open and after.authority in around.closed_authorities,
    )


def _left_empty(
    loose: Mapping[str, Ticket],
    places: Mapping[str, str],
    kept: Mapping[str, Ticket],
    now: datetime,
) -> list[Ticket]:
    return [
        emptied(ticket, places[ticket.founder], now)
        for ticket in loose.values()
        if ticket.ticket_id not in kept and ticket.founder in places
    ]


def _items_only(
    ticket: Ticket, anomalies: Iterable[Anomaly], feedbacks: Iterable[Feedback]
) -> Ticket:
    own = [anomaly for anomaly in anomalies if anomaly.ticket_id == ticket.ticket_id]
    said = [feedback for feedback in feedbacks if feedback.ticket_id == ticket.ticket_id]
    return replace(ticket, items=items_of(own, said))


def _open_items(ticket: Ticket) -> int:
    return sum(1 for item in ticket.items if item.cleared_at is None)
