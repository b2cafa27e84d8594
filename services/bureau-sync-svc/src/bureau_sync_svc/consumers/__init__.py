"""Kafka door: facts of payroll-svc and contribution-svc, into local copies."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from bureau_sync_svc.consumers import own
from bureau_sync_svc.domain.filing import DUE, AssessedLine, PostedLine
from bureau_sync_svc.usecases import copies
from shared.codec import Tombstone
from shared.consumer import Handler
from shared.contracts import (
    CONTRIBUTION,
    IDENTITIES,
    PAYROLL,
    POLICIES,
    ContributionAssessed,
    ContributionPosted,
    DeclarationApproved,
    EmployeeChanged,
    EmployeeSealed,
    EmployerChanged,
    Event,
    PolicyChanged,
)
from shared.db import Connection

__all__ = ["TOPICS", "handlers", "own"]

TOPICS = (PAYROLL, IDENTITIES, CONTRIBUTION, POLICIES)


def handlers() -> Mapping[type[Event], Handler]:
    """What this service listens to."""
    return {
        EmployerChanged: on_employers_changed,
        EmployeeChanged: on_employees_changed,
        EmployeeSealed: on_employees_sealed,
        Tombstone: on_tombstones,
        PolicyChanged: on_policies_changed,
        ContributionAssessed: on_contributions_assessed,
        DeclarationApproved: on_declarations_approved,
        ContributionPosted: on_contributions_posted,
    }


async def on_employers_changed(conn: Connection, events: Sequence[EmployerChanged]) -> None:
    """The employers' accounts."""
    await copies.keep_accounts(
        conn,
        [
            {
                "account_id": account.account_id,
                "employer_id": event.employer_id,
                "account_no": account.account_no,
                "city": account.city,
                "collector": account.collector,
                "version": event.version,
            }
            for event in events
            for account in event.accounts
        ],
    )


async def on_employees_changed(conn: Connection, events: Sequence[EmployeeChanged]) -> None:
    """Employee numbers."""
    await copies.keep_employees(conn, [_picked(event, "employee_no") for event in events])


async def on_employees_sealed(conn: Connection, events: Sequence[EmployeeSealed]) -> None:
    """Sealed identities."""
    await copies.keep_identities(
        conn, [_picked(event, "sealed", "wrapped_key", "root_key_id") for event in events]
    )


async def on_tombstones(conn: Connection, events: Sequence[Tombstone]) -> None:
    """Deleted identities; the key is the employee's id."""
    await copies.forget_identities(conn, [event.deleted_key for event in events])


async def on_policies_changed(conn: Connection, events: Sequence[PolicyChanged]) -> None:
    """How each city passes details on and when it is looked up, and the parties of its scheme."""
    named = [(event.collector, "collector", event.city) for event in events]
    named += [
        (fact.authority, "authority", event.city) for event in events for fact in event.scheme
    ]
    policies = [
        {
            "city": event.city,
            "passes_detail_on": event.passes_detail_on,
            "look_up_at": event.look_up_at,
            "version": event.version,
        }
        for event in events
    ]
    await copies.keep_policies(conn, policies, named)


async def on_contributions_assessed(
    conn: Connection, events: Sequence[ContributionAssessed]
) -> None:
    """What is due, line by line."""
    named = [
        (line.authority, "authority", event.city)
        for event in events
        for line in event.lines
        if line.authority
    ]
    assessments = []
    for event in events:
        lines = msgspec.convert(event.lines, list[AssessedLine], from_attributes=True)
        assessments.append(
            {
                **_picked(event, "levy_period", "account_id", "city"),
                "is_due": any(line.state == DUE for line in lines),
                "lines": msgspec.to_builtins(lines),
            }
        )
    await copies.keep_assessments(conn, assessments, named)


async def on_declarations_approved(conn: Connection, events: Sequence[DeclarationApproved]) -> None:
    """The intents to file."""
    await copies.keep_declarations(
        conn,
        [
            {
                "declaration_id": event.declaration_id,
                "employer_id": event.employer_id,
                "account_id": event.account_id,
                "account_no": event.account_no,
                "city": event.city,
                "collector": event.collector,
                "levy_period": event.levy_period,
                "people": event.people,
                "sums_fen": {key: list(both) for key, both in event.sums_fen.items()},
                "total_fen": event.total_fen,
                "lines_hash": event.lines_hash,
                "debit_on": event.debit_on,
                "approved_at": datetime.fromisoformat(event.approved_at),
                "version": event.version,
                "number": event.number,
            }
            for event in events
        ],
    )


async def on_contributions_posted(conn: Connection, events: Sequence[ContributionPosted]) -> None:
    """What the bank took, line by line."""
    postings = [
        {
            **_picked(event, "levy_period", "account_id", "declaration_id"),
            "lines": msgspec.to_builtins(
                msgspec.convert(event.lines, list[PostedLine], from_attributes=True)
            ),
        }
        for event in events
    ]
    await copies.keep_postings(conn, postings, [event.city for event in events])


def _picked(event: Any, *names: str) -> dict[str, Any]:
    """These fields of an employee's event, with those that every one has."""
    common = ("employee_id", "employer_id", "version")
    return {name: getattr(event, name) for name in (*common, *names)}
