"""The AsyncAPI document: its references lead somewhere, and who hears what is as in the code."""

import ast
import io
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.topics import TOPICS_FILE
from shared.contracts import ANOMALY_EVENTS, EVENTS
from tests.support.schemas.asyncapi import ENTERED, HEARS, document, rendered_document
from tests.support.schemas.events import OWNERS, file_name
from tests.support.schemas.history import ROOT

CLASSES = {cls.event_name(): cls for cls in EVENTS.values()}
every_service = pytest.mark.parametrize("service", HEARS)


def test_it_reads_back_as_it_was_made() -> None:
    assert YAML(typ="safe").load(io.StringIO(rendered_document())) == document()


def test_every_reference_leads_somewhere() -> None:
    made = document()
    for reference in references(made):
        if reference.startswith("#/"):
            node: Any = made
            for part in reference[2:].split("/"):
                assert part in node, reference
                node = node[part]
        else:
            assert (ROOT / "docs" / "events" / reference).is_file(), reference


def test_every_event_is_sent_by_one_service() -> None:
    sent = messages_of("send")
    assert set(sent) == set(CLASSES)
    assert len(sent) == len(set(sent))


def test_every_event_is_heard_by_a_service() -> None:
    """All but what assessments carry as far as our services need it, and what people entered:
    others want the whole, and so does a store that was restored.
    """
    for_others = {
        "BaseChanged",
        "BaseCampaignChanged",
        "BaseAnswered",
        "DeferralChanged",
        "ProvisionallyAssessed",
        "RefundChanged",
    }
    assert set(messages_of("receive")) == set(CLASSES) - {*for_others, *ENTERED}


def messages_of(action: str) -> list[str]:
    return [
        message["$ref"].rsplit("/", 1)[1]
        for operation in document()["operations"].values()
        if operation["action"] == action
        for message in operation["messages"]
    ]


def test_every_event_has_one_message_with_its_schema() -> None:
    assert {file_name(cls) for cls in EVENTS.values()} == {
        message["payload"]["$ref"].removeprefix("./")
        for message in document()["components"]["messages"].values()
    }


@every_service
def test_it_subscribes_to_the_topics_of_what_it_hears(service: str) -> None:
    subscribed = tomllib.loads(TOPICS_FILE.read_text())["subscriptions"][service]
    assert {CLASSES[name].TOPIC for name in HEARS[service]} == set(subscribed)


@every_service
def test_its_handlers_are_for_what_the_document_says(service: str) -> None:
    assert names_in_consumers(service) == set(HEARS[service])


@every_service
def test_a_restored_store_takes_back_all_that_it_said(service: str) -> None:
    """ADR 0017: what has no keeper would be told a second time under a version that others know."""
    said = {name for name, cls in CLASSES.items() if OWNERS[cls.TOPIC] == service}
    assert names_in_consumers(service, own=True) == said


def names_in_consumers(service: str, *, own: bool = False) -> set[str]:
    """Event classes that the service's Kafka door imports; all anomalies if it has their table.

    With `own` those that it takes back after a restore.
    """
    package = ROOT / "services" / service / "src" / service.replace("-", "_")
    rooms = [path for path in _rooms(package, "consumers") if (path.name == "own.py") is own]
    imported = {name for path in rooms for name in _imported(path)}
    if "ANOMALY_EVENTS" in imported:
        imported |= ANOMALY_EVENTS.keys()
    return imported & CLASSES.keys()


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for part in node.values() for found in references(part)]
    if isinstance(node, list):
        return [found for part in node for found in references(part)]
    return []


def _rooms(package: Path, room: str) -> list[Path]:
    found = [*package.glob(f"{room}.py"), *package.glob(f"{room}/*.py")]
    assert found, f"{package} has no {room}"
    return found


def _imported(path: Path) -> set[str]:
    return {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shared.contracts")
        for alias in node.names
    }
