"""The AsyncAPI 3.0 document: topics as channels, who tells and hears what, messages, headers."""

import io
from collections.abc import Iterable
from typing import Any

from ruamel.yaml import YAML

from deploy.topics import Topic, wanted_topics
from shared.contracts import ANOMALY_EVENTS, EVENTS
from shared.contracts.event import Event
from tests.support.schemas.events import OWNERS, attributes_of, file_name

_ANOMALIES = (*ANOMALY_EVENTS, "AnomalyCleared")
ENTERED = (
    "PayItemsChanged",
    "StandingItemsChanged",
    "EntriesChanged",
    "TaxDeclared",
    "PayslipReplied",
)
"""What people entered: heard by payroll-svc alone, when its store is restored."""
_TICKETS = ("TicketOpened", "TicketChanged", "TicketResolved")

_NOT_SHOWN = (
    "SalaryComputed",
    "WageDataDue",
    "BaseChanged",
    "BaseCampaignChanged",
    "BaseAnswered",
    "PolicyReleaseAnnounced",
    "DeferralChanged",
    "ProvisionallyAssessed",
    "RefundChanged",
    *ENTERED,
)
"""What portal-svc shows nobody: it is asked of its owner."""

HEARS: dict[str, tuple[str, ...]] = {
    "payroll-svc": ("ContributionAssessed", "PeriodClosed"),
    "contribution-svc": ("EmployerChanged", "EmployeeChanged", "SalaryComputed", "BureauAck"),
    "bureau-sync-svc": (
        "EmployerChanged",
        "EmployeeChanged",
        "EmployeeSealed",
        "PolicyChanged",
        "ContributionAssessed",
        "DeclarationApproved",
        "ContributionPosted",
    ),
    "reconciliation-svc": (
        "EmployerChanged",
        "EmployeeChanged",
        "PolicyChanged",
        "PayslipIssued",
        "ContributionAssessed",
        "ContributionPosted",
        "BureauAck",
        "AuthorityStateChanged",
    ),
    "ticket-svc": ("EmployerChanged", "EmployeeChanged", *_ANOMALIES, "AuthorityStateChanged"),
    "notify-svc": (
        "EmployerChanged",
        "EmployeeSealed",
        "PayslipIssued",
        "WageDataDue",
        "PolicyChanged",
        "PolicyReleaseAnnounced",
        "DeadlineAtRisk",
        *_ANOMALIES,
        *_TICKETS,
    ),
    "portal-svc": tuple(
        cls.event_name() for cls in EVENTS.values() if cls.event_name() not in _NOT_SHOWN
    ),
}
"""What each service listens to. The contract tests compare it with its consumers.py."""

DATA_CLASSES = {
    "payroll.events": "pay amounts by employee id; no names, no identity numbers;"
    " tax declarations and replies sealed",
    "payroll.identities": "sealed personal data; bureau-sync-svc, notify-svc, portal-svc open it",
    "contribution.events": "contribution amounts by employee id; no names, no identity numbers",
    "contribution.policies": "none: published rates, bounds and days",
    "bureau-sync.events": "contribution records by employee id; no names, no identity numbers",
    "reconciliation.events": "verdicts by employee id; no names, no identity numbers",
    "ticket.events": "tickets by employee id; no names and no conversation",
    "notify.events": "deliveries by recipient id; no addresses and no text",
}

_MILLISECONDS_A_DAY = 86_400_000

_HEADERS: dict[str, Any] = {
    "type": "object",
    "required": [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_subject",
        "ce_time",
        "content-type",
    ],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {
            "type": "string",
            "format": "uuid",
            "description": "Derived: told again, the event has the same id.",
        },
        "ce_source": {"type": "string", "description": "The service that owns the fact."},
        "ce_type": {"type": "string", "pattern": r"^daozhang\.[A-Za-z0-9]+\.v1$"},
        "ce_subject": {
            "type": "string",
            "description": "The aggregate that the body is the state of.",
        },
        "ce_time": {"type": "string", "format": "date-time", "description": "Business time, UTC."},
        "content-type": {"const": "application/json"},
        "traceparent": {
            "type": "string",
            "description": "W3C trace context, where there is a trace.",
        },
    },
}


def document() -> dict[str, Any]:
    """The whole document, as plain dicts and lists."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Daozhang events",
            "version": "1.0.0",
            "description": (
                "CloudEvents 1.0 over Apache Kafka, binary mode, JSON. Every event is the full"
                " state of its aggregate with a version that grows; a reader that sees it twice or"
                " late keeps the newest. Delivery is at least once, in order per key. Readers"
                " ignore fields that they do not know."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in _event_topics()},
        "operations": dict(_operations()),
        "components": {
            "messages": {cls.event_name(): _message(cls) for cls in EVENTS.values()},
            "schemas": {"CloudEventsHeaders": _HEADERS},
        },
    }


def rendered_document() -> str:
    """The document as YAML, in a fixed order."""
    yaml = YAML()
    yaml.width = 110
    # A shared part is written out each time: anchors help no reader.
    yaml.representer.ignore_aliases = lambda _data: True
    out = io.StringIO()
    yaml.dump(document(), out)
    return out.getvalue()


def _event_topics() -> list[Topic]:
    return [topic for topic in wanted_topics("production") if topic.name in OWNERS]


def _told_on(topic: str) -> list[type[Event]]:
    return [cls for cls in EVENTS.values() if topic == cls.TOPIC]


def _channel(topic: Topic) -> dict[str, Any]:
    told = _told_on(topic.name)
    keys = sorted({attributes_of(cls)["key"] for cls in told})
    return {
        "address": topic.name,
        "description": f"Told by {OWNERS[topic.name]}. Keyed by: {'; '.join(keys)}.",
        "messages": {cls.event_name(): _component("messages", cls) for cls in told},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": _binding_config(topic),
                "bindingVersion": "0.5.0",
            }
        },
        "x-owner": OWNERS[topic.name],
        "x-retention": _retention(topic),
        "x-personal-data": DATA_CLASSES[topic.name],
    }


def _binding_config(topic: Topic) -> dict[str, Any]:
    config: dict[str, Any] = {"cleanup.policy": [topic.config["cleanup.policy"]]}
    for name in ("retention.ms", "delete.retention.ms"):
        if name in topic.config:
            config[name] = int(topic.config[name])
    return config


def _retention(topic: Topic) -> str:
    if topic.config["cleanup.policy"] == "compact":
        return "the newest event of each key, until its tombstone"
    days = int(topic.config["retention.ms"]) // _MILLISECONDS_A_DAY
    return f"{days} days; older facts come back by the owner's replay command"


def _operations() -> Iterable[tuple[str, dict[str, Any]]]:
    for service, heard in HEARS.items():
        for topic in _event_topics():
            told = _told_on(topic.name)
            if OWNERS[topic.name] == service:
                yield _operation(service, "send", topic.name, told)
            received = [cls for cls in told if cls.event_name() in heard]
            if received:
                yield _operation(service, "receive", topic.name, received)


def _operation(
    service: str, action: str, topic: str, messages: list[type[Event]]
) -> tuple[str, dict[str, Any]]:
    return f"{service}.{action}.{topic}", {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [
            {"$ref": f"#/channels/{topic}/messages/{cls.event_name()}"} for cls in messages
        ],
        "tags": [{"name": service}],
    }


def _component(kind: str, cls: type[Event]) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{cls.event_name()}"}


def _message(cls: type[Event]) -> dict[str, Any]:
    described = attributes_of(cls)
    return {
        "name": described["type"],
        "title": cls.event_name(),
        "summary": (cls.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/CloudEventsHeaders"},
        "payload": {"$ref": f"./{file_name(cls)}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": described["key"]},
                "bindingVersion": "0.5.0",
            }
        },
    }
