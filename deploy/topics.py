"""Create the topics of deploy/topics.toml: idempotent; a difference is refused, not repaired."""

import argparse
import asyncio
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

TOPICS_FILE = Path(__file__).with_name("topics.toml")
NO_ERROR, UNKNOWN_TOPIC, TOPIC_EXISTS = 0, 3, 36
"""Kafka's error codes that this module tells apart."""
METADATA_TRIES = 100
METADATA_PAUSE_SECONDS = 0.1


class TopicsDiffer(Exception):
    """Topics exist with other partitions or settings than the file says; nothing was changed."""


@dataclass(frozen=True)
class Topic:
    """A topic as it must be; `config` holds only what we set, all else is the broker's."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


def wanted_topics(profile: str) -> list[Topic]:
    """All topics of the file; `sandbox.clock` in the sandbox profile only."""
    plan = tomllib.loads(TOPICS_FILE.read_text())
    groups = ["events", "identities", "policies", *(["clock"] if profile == "sandbox" else [])]
    topics = [
        Topic(name, plan[group]["partitions"], plan[group]["config"])
        for group in groups
        for name in plan[group]["names"]
    ]
    letters = plan["dead_letters"]
    return topics + [
        Topic(f"{topic}.{service}.dlq", letters["partitions"], letters["config"])
        for service, subscribed in plan["subscriptions"].items()
        for topic in subscribed
    ]


async def create_topics(bootstrap: str, topics: Sequence[Topic], *, replication: int = 1) -> int:
    """Create the missing ones and return how many; ready to be written to when this returns.

    Raises TopicsDiffer, naming each difference, before anything is created.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        existing = await _partitions(admin, topics)
        if wrong := await _differences(admin, topics, existing):
            raise TopicsDiffer("; ".join(wrong))
        missing = [topic for topic in topics if topic.name not in existing]
        if missing:
            await _create(admin, missing, replication)
            await _await_leaders(admin, missing)
        return len(missing)
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, missing: Sequence[Topic], replication: int) -> None:
    asked = [
        NewTopic(topic.name, topic.partitions, replication, topic_configs=topic.config)
        for topic in missing
    ]
    response = await admin.create_topics(asked, timeout_ms=60_000)
    for name, code, *message in response.topic_errors:
        # Another maker may have been faster; the next run compares what it made.
        if code not in (NO_ERROR, TOPIC_EXISTS):
            raise for_code(code)(f"{name}: {message}")


async def _partitions(
    admin: AIOKafkaAdminClient, topics: Sequence[Topic]
) -> dict[str, list[dict[str, Any]]]:
    """The partitions of those topics that exist, by topic name."""
    described = await admin.describe_topics([topic.name for topic in topics])
    return {
        topic["topic"]: topic["partitions"]
        for topic in described
        if topic["error_code"] != UNKNOWN_TOPIC
    }


async def _await_leaders(admin: AIOKafkaAdminClient, created: Sequence[Topic]) -> None:
    """A topic just made has no leader for a moment, and a producer's first send would fail."""
    for _ in range(METADATA_TRIES):
        found = await _partitions(admin, created)
        if all(_led(found.get(topic.name, []), topic.partitions) for topic in created):
            return
        await asyncio.sleep(METADATA_PAUSE_SECONDS)
    raise TimeoutError("Kafka created the topics but elected no leaders for them")


def _led(partitions: Sequence[dict[str, Any]], expected: int) -> bool:
    return len(partitions) == expected and all(each["leader"] >= 0 for each in partitions)


async def _differences(
    admin: AIOKafkaAdminClient,
    topics: Sequence[Topic],
    existing: dict[str, list[dict[str, Any]]],
) -> list[str]:
    present = [topic for topic in topics if topic.name in existing]
    config = await _config(admin, [topic.name for topic in present])
    return [
        *(
            f"{topic.name} has {len(existing[topic.name])} partitions, expected {topic.partitions}"
            for topic in present
            if len(existing[topic.name]) != topic.partitions
        ),
        *(
            f"{topic.name} has {key}={config[topic.name].get(key)}, expected {value}"
            for topic in present
            for key, value in topic.config.items()
            if config[topic.name].get(key) != value
        ),
    ]


async def _config(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for _code, _message, _type, name, entries in response.resources:
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found


def main() -> None:
    """`python -m deploy.topics --bootstrap HOST:PORT --profile sandbox|production`."""
    parser = argparse.ArgumentParser(prog="python -m deploy.topics", description=__doc__)
    parser.add_argument("--bootstrap", required=True, help="Kafka, host:port")
    parser.add_argument("--profile", choices=["sandbox", "production"], required=True)
    parser.add_argument("--replication", type=int, default=3, help="copies of each partition")
    chosen = parser.parse_args()
    topics = wanted_topics(chosen.profile)
    try:
        made = asyncio.run(create_topics(chosen.bootstrap, topics, replication=chosen.replication))
    except TopicsDiffer as difference:
        sys.exit(f"Nothing was changed, these topics differ from topics.toml: {difference}")
    sys.stdout.write(f"{made} topics created, {len(topics) - made} were there\n")


if __name__ == "__main__":
    main()
