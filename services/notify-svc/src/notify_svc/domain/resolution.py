"""What an employee is told of a ticket, and when it is certain enough to be told."""

from collections.abc import Mapping
from dataclasses import dataclass

from notify_svc.domain.words import Cell

ARRIVED = "arrived"
"""The outcome of a cell whose record is there (已到账); nothing else may be called 已补录."""


@dataclass(frozen=True, slots=True)
class Item:
    """One cell of a ticket; `anomaly_id` is empty where only the employee named it."""

    levy_period: str
    insurance: str
    anomaly_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as its newest event has it. `settled_reason` is a person's words, empty if it
    resolved itself.
    """

    ticket_id: str
    employer_id: str
    employee_id: str
    version: int
    number: str
    is_resolved: bool
    was_replied: bool
    feedback_count: int
    is_settled: bool
    items: tuple[Item, ...]
    cause_event: str


Outcomes = Mapping[str, Mapping[str, str]]
"""Outcome per insurance, of each anomaly that has cleared."""


def arrived_cells(ticket: Ticket, outcomes: Outcomes) -> list[Cell] | None:
    """The ticket's cells whose records have arrived; None while it is not known what an anomaly
    became.

    A ticket may be known to be resolved before its anomalies are known to be cleared: they come by
    another topic. And an anomaly may clear without a record, when the debit behind it is reversed.
    """
    if not ticket.is_resolved:
        return None
    if any(item.anomaly_id and item.anomaly_id not in outcomes for item in ticket.items):
        return None
    return [
        (item.levy_period, item.insurance)
        for item in ticket.items
        if outcomes.get(item.anomaly_id, {}).get(item.insurance) == ARRIVED
    ]
