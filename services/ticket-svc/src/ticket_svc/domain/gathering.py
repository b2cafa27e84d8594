"""Which facts belong to one ticket: the same facts give the same tickets in whatever order they
were learned.

`gather` replays the facts in the order in which they were true, not the order in which they came;
`claim` then gives every group the ticket that people know it by.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.values import derived_id
from ticket_svc.domain.facts import Anomaly, Cell, Feedback


@dataclass(frozen=True, slots=True)
class Held:
    """A ticket that a person reopened: it keeps its facts, and takes in others from `reopened_at`
    on.
    """

    ticket_id: str
    members: frozenset[str]
    reopened_at: datetime


@dataclass(slots=True)
class Group:
    """The facts of one ticket, in the order in which they joined; `closed_at` is None while it is
    open.
    """

    anomalies: list[Anomaly] = field(default_factory=list)
    feedbacks: list[Feedback] = field(default_factory=list)
    closed_at: datetime | None = None
    held: Held | None = None
    uncleared: set[str] = field(default_factory=set)

    @property
    def cause(self) -> str:
        if self.anomalies:
            return self.anomalies[0].cause
        return f"feedback/{self.feedbacks[0].feedback_id}" if self.feedbacks else ""

    @property
    def facts(self) -> list[Anomaly | Feedback]:
        """All of them, by the business time at which they began."""
        facts: list[Anomaly | Feedback] = [*self.anomalies, *self.feedbacks]
        return sorted(facts, key=lambda fact: (fact.began_at, fact.fact_id))

    @property
    def cells(self) -> frozenset[Cell]:
        return frozenset(cell for fact in self.facts for cell in fact.cells)

    @property
    def unexplained(self) -> frozenset[Cell]:
        """Cells that only feedback names: no anomaly's clearing answers for them, a person does."""
        return self.cells.difference(*(anomaly.cells for anomaly in self.anomalies))

    def is_open(self, at: datetime) -> bool:
        return self.closed_at is None and (self.held is None or at >= self.held.reopened_at)

    def is_feedback_only(self) -> bool:
        return not self.anomalies and self.held is None

    def has_cleared(self) -> bool:
        return bool(self.anomalies) and not self.uncleared and not self.unexplained


def gather(
    anomalies: Iterable[Anomaly], feedbacks: Iterable[Feedback], held: Iterable[Held] = ()
) -> list[Group]:
    """The groups of one employee's facts, oldest first; facts of tickets that a person resolved are
    not passed in.

    An anomaly joins the open ticket of its cause, else an open feedback about one of its cells,
    else opens one; and takes in every other open feedback about its cells. Feedback joins the first
    open ticket with one of its cells, else opens one. A ticket closes when all its anomalies have
    cleared and no feedback names anything else.
    """
    desk = _Desk(held)
    steps: list[tuple[datetime, int, str, Callable[[datetime], None]]] = []
    for ticket in desk.held.values():
        steps.append((ticket.reopened_at, 0, ticket.ticket_id, desk.reopening(ticket)))
    for anomaly in anomalies:
        steps.append((anomaly.raised_at, 1, anomaly.fact_id, desk.raising(anomaly)))
        if (cleared := anomaly.cleared_from) is not None:
            steps.append((cleared, 3, anomaly.fact_id, desk.clearing(anomaly)))
    for feedback in feedbacks:
        steps.append((feedback.at, 2, feedback.fact_id, desk.hearing(feedback)))
    for at, _, _, step in sorted(steps, key=lambda s: s[:3]):
        step(at)
    return [group for group in desk.groups if group.facts]


class _Desk:
    """The replay of one employee's facts; each method returns the step that one fact makes."""

    def __init__(self, held: Iterable[Held]) -> None:
        self.held = {ticket.ticket_id: ticket for ticket in held}
        self.groups = [Group(held=ticket) for ticket in self.held.values()]
        self._place = {
            member: group for group in self.groups if group.held for member in group.held.members
        }

    def reopening(self, held: Held) -> Callable[[datetime], None]:
        def step(at: datetime) -> None:
            target = next(group for group in self.groups if group.held == held)
            for other in [g for g in self.groups if g is not target and g.is_open(at)]:
                if other.held is None and other.cause == target.cause:
                    self._absorb(target, other)

        return step

    def raising(self, anomaly: Anomaly) -> Callable[[datetime], None]:
        def step(at: datetime) -> None:
            target = self._place.get(anomaly.fact_id) or self._group_for(anomaly, at)
            target.anomalies.append(anomaly)
            target.uncleared.add(anomaly.fact_id)
            self._place[anomaly.fact_id] = target
            for other in self._open_feedback(anomaly.cells, at):
                if other is not target:
                    self._absorb(target, other)

        return step

    def hearing(self, feedback: Feedback) -> Callable[[datetime], None]:
        def step(at: datetime) -> None:
            target = self._place.get(feedback.fact_id)
            if target is None:
                open_groups = (group for group in self.groups if group.is_open(at))
                target = next((g for g in open_groups if g.cells & feedback.cells), None)
            target = target or self._opened()
            target.feedbacks.append(feedback)
            self._place[feedback.fact_id] = target

        return step

    def clearing(self, anomaly: Anomaly) -> Callable[[datetime], None]:
        def step(at: datetime) -> None:
            group = self._place[anomaly.fact_id]
            group.uncleared.discard(anomaly.fact_id)
            if group.is_open(at) and group.has_cleared():
                group.closed_at = at

        return step

    def _group_for(self, anomaly: Anomaly, at: datetime) -> Group:
        same_cause = (g for g in self.groups if g.is_open(at) and g.cause == anomaly.cause)
        found = next(same_cause, None) or next(iter(self._open_feedback(anomaly.cells, at)), None)
        return found or self._opened()

    def _open_feedback(self, cells: frozenset[Cell], at: datetime) -> list[Group]:
        return [
            g for g in self.groups if g.is_open(at) and g.is_feedback_only() and g.cells & cells
        ]

    def _opened(self) -> Group:
        group = Group()
        self.groups.append(group)
        return group

    def _absorb(self, target: Group, other: Group) -> None:
        for fact in other.facts:
            self._place[fact.fact_id] = target
        target.anomalies += other.anomalies
        target.feedbacks += other.feedbacks
        target.uncleared |= other.uncleared
        self.groups.remove(other)


def claim(groups: Sequence[Group], founders: Mapping[str, str]) -> list[str]:
    """The ticket id of each group, in their order; `founders` maps the tickets there are to the
    fact that opened them.

    A ticket stays with the fact that opened it, then with whatever of its facts is left, so that
    the number which a person was told goes on meaning the same thing; a new id is derived from the
    group's first fact.
    """
    claims = [group.held.ticket_id if group.held else "" for group in groups]
    taken = {ticket_id for ticket_id in claims if ticket_id}
    founded = {fact_id: ticket_id for ticket_id, fact_id in founders.items()}

    def take(candidates: Iterable[str]) -> str:
        found = next((t for t in candidates if t in founders and t not in taken), "")
        taken.add(found)
        return found

    for index, group in enumerate(groups):
        claims[index] = claims[index] or take(founded.get(f.fact_id, "") for f in group.facts)
    for index, group in enumerate(groups):
        claims[index] = claims[index] or take(fact.ticket_id for fact in group.facts)
    return [
        ticket_id or str(derived_id("ticket", group.facts[0].fact_id))
        for ticket_id, group in zip(claims, groups, strict=True)
    ]
