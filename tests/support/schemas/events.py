"""One JSON Schema per event, made from its class in shared.contracts."""

import inspect
import json
from typing import Any

import msgspec

from shared.contracts import EVENTS
from shared.contracts.event import Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"

OWNERS = {
    "payroll.events": "payroll-svc",
    "payroll.identities": "payroll-svc",
    "contribution.events": "contribution-svc",
    "contribution.policies": "contribution-svc",
    "bureau-sync.events": "bureau-sync-svc",
    "reconciliation.events": "reconciliation-svc",
    "ticket.events": "ticket-svc",
    "notify.events": "notify-svc",
}
"""The one service that tells each topic's events."""

KEYS = {
    "EmployerChanged": "employer_id",
    "WageDataDue": "department_id",
    "PayItemsChanged": "employer_id",
    "PolicyChanged": "city",
    "DeclarationApproved": "account_id",
    "DeadlineAtRisk": "account_id",
    "DeferralChanged": "account_id",
    "ProvisionallyAssessed": "account_id",
    "BaseCampaignChanged": "employer_id",
    "PolicyReleaseAnnounced": "employer_id",
    "AuthorityStateChanged": "authority",
    "PeriodClosed": "employer_id",
    "NotificationDelivered": "employee_id, or recipient where no employee is meant",
    "NotificationFailed": "employee_id, or recipient where no employee is meant",
}
"""What the Kafka key holds where it is not the employee's id; checked on the golden examples."""


def source_of(event_class: type[Event]) -> str:
    """The `ce_source` of its records: a relative reference to the owning service."""
    return f"/{OWNERS[event_class.TOPIC]}"


def file_name(event_class: type[Event]) -> str:
    """`RecordMissing.v1.json`: of the schema in docs/events, and of its golden example."""
    return f"{event_class.event_name()}.v1.json"


def schema_of(event_class: type[Event]) -> dict[str, Any]:
    """A self-contained schema: the event's own object on top, its parts under `$defs`."""
    generated = msgspec.json.schema(event_class)
    definitions: dict[str, Any] = generated["$defs"]
    body = definitions.pop(event_class.event_name())
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"urn:daozhang:event:{event_class.event_name()}:v1",
        "x-cloudevents": attributes_of(event_class),
        **body,
    }
    if definitions:
        schema["$defs"] = dict(sorted(definitions.items()))
    tidied: dict[str, Any] = _tidied(schema)
    return tidied


def attributes_of(event_class: type[Event]) -> dict[str, str]:
    """What the record's `ce_*` headers, topic and key hold beside this body."""
    return {
        "specversion": "1.0",
        "type": event_class.ce_type(),
        "source": source_of(event_class),
        "id": "UUIDv5 of type, subject and version: told again, the event has the same id",
        "subject": "the aggregate whose full state at `version` the body is",
        "time": "business time, RFC 3339, UTC",
        "datacontenttype": "application/json",
        "topic": event_class.TOPIC,
        "key": KEYS.get(event_class.event_name(), "employee_id"),
    }


def rendered_schemas() -> dict[str, str]:
    """File name to text, for every event."""
    return {
        file_name(cls): json.dumps(schema_of(cls), ensure_ascii=False, indent=2) + "\n"
        for cls in EVENTS.values()
    }


def _tidied(node: Any) -> Any:
    """Docstrings arrive with the indentation that they have in the source."""
    if isinstance(node, dict):
        return {
            name: inspect.cleandoc(part)
            if name == "description" and isinstance(part, str)
            else _tidied(part)
            for name, part in node.items()
        }
    if isinstance(node, list):
        return [_tidied(part) for part in node]
    return node
