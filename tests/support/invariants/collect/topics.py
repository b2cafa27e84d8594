"""Every record of every topic, and how far each group is; read without a group."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.topics import TOPICS_FILE, wanted_topics
from shared.clock import CLOCK_TOPIC
from shared.codec import Received, Undecodable, content_hash, decode
from shared.consumer import read_leniently
from tests.support.invariants.collect.canaries import Canaries, strays_of_record
from tests.support.invariants.facts import Offset, Record, Row, Stray

SUBSCRIPTIONS: dict[str, list[str]] = tomllib.loads(TOPICS_FILE.read_text())["subscriptions"]
"""Topics by consumer group, which is the service."""
_POLL_MS = 500
_MOST_SILENT_POLLS = 20
"""Ten seconds without a record though the log has some: the broker is not well, and says so."""


class TopicsNotRead(Exception):
    """The broker gave no more records before their end."""


class Topics:
    """What was read: rows by kind, and the sandbox's business time (None: it has no clock)."""

    def __init__(self, canaries: Canaries) -> None:
        self.records: list[Record] = []
        self.strays: set[Stray] = set()
        self.offsets: list[Offset] = []
        self.now: datetime | None = None
        self._canaries = canaries

    def rows(self) -> dict[type[Row], list[Row]]:
        return {Record: [*self.records], Stray: sorted(self.strays), Offset: [*self.offsets]}

    def take_all(self, records: Iterable[Any]) -> None:
        for record in records:
            self._take(record)

    def _take(self, record: Any) -> None:
        if record.topic == CLOCK_TOPIC:
            self.now = datetime.fromisoformat(json.loads(record.value)["at"])
            return
        text = (record.value or b"").decode("utf-8", "replace")
        self.strays.update(strays_of_record(record.topic, text, self._canaries))
        if not record.topic.endswith(".dlq"):
            self.records.append(_record(record))


def _record(record: Any) -> Record:
    received = _received(record)
    event = received.event if received else None
    return Record(
        store="topics",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at_ms=record.timestamp,
        key=(record.key or b"").decode("utf-8", "replace"),
        event_id=received.event_id if received else "",
        type=event.event_name() if event else "",
        family=event.family() if event else "",
        subject=event.aggregate() if event else "",
        version=event.version if event else 0,
        content=None if record.value is None else hashlib.sha256(record.value).digest(),
        inbox_hash=content_hash(record.value or b""),
    )


def _received(record: Any) -> Received | None:
    try:
        return decode(record.topic, record.key, record.value, record.headers)
    except Undecodable:
        return None


async def read_topics(bootstrap: str, canaries: Canaries) -> Topics:
    """All that the broker holds now; what is written while we read is left for the next look."""
    topics = Topics(canaries)
    partitions = [
        TopicPartition(topic.name, number)
        for topic in wanted_topics("sandbox")
        for number in range(topic.partitions)
    ]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        first = await consumer.beginning_offsets(partitions)
        end = await consumer.end_offsets(partitions)
        await _read(consumer, first, end, topics)
    finally:
        await consumer.stop()
    topics.offsets = await _offsets(bootstrap, first, end)
    return topics


async def _read(
    consumer: AIOKafkaConsumer,
    first: Mapping[TopicPartition, int],
    end: Mapping[TopicPartition, int],
    topics: Topics,
) -> None:
    left = {partition for partition in end if first[partition] < end[partition]}
    consumer.pause(*(end.keys() - left))
    for partition in left:
        consumer.seek(partition, first[partition])
    silent = 0
    while left:
        at = {partition: await consumer.position(partition) for partition in left}
        try:
            batches = await consumer.getmany(timeout_ms=_POLL_MS, max_records=20_000)
        except UnicodeDecodeError:
            batches = await read_leniently(consumer, at)
        for partition, records in batches.items():
            topics.take_all(record for record in records if record.offset < end[partition])
            # A compacted log may end before its end: the position tells, not the last record.
            if await consumer.position(partition) >= end[partition]:
                left.discard(partition)
                consumer.pause(partition)
        silent = 0 if batches else silent + 1
        if silent > _MOST_SILENT_POLLS:
            raise TopicsNotRead(f"no more records of {sorted(left)} came, though the log has some")


async def _offsets(
    bootstrap: str, first: Mapping[TopicPartition, int], end: Mapping[TopicPartition, int]
) -> list[Offset]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        found = []
        for group, topics in SUBSCRIPTIONS.items():
            committed = await admin.list_consumer_group_offsets(group)
            for partition in sorted(one for one in end if one.topic in topics):
                kept = committed.get(partition)
                found.append(
                    Offset(
                        "topics",
                        group,
                        partition.topic,
                        partition.partition,
                        first[partition],
                        end[partition],
                        kept.offset if kept and kept.offset >= 0 else None,
                    )
                )
        return found
    finally:
        await admin.close()
