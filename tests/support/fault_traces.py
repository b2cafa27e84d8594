"""What faults leave behind: counted in the logs, which outlive a process, and on the topics."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.embedded.stack import Stack
from deploy.topics import wanted_topics
from sandbox.case.tally import TOPICS

_COUNTED = (
    "consumer_client_replaced",
    "partition_was_lost",
    "batch_waits_for_outage",
    "batch_failed_goes_one_by_one",
    "relay_retries",
    "job_failed",
    "event_parked",
    "consumer_halted",
)


@dataclass
class Traces:
    """`told_twice` records are on a topic a second time; `inbox_hits` events came to a consumer
    that knew them; the others are counts of log entries by name.
    """

    told_twice: int = 0
    inbox_hits: int = 0
    logged: Counter[str] = field(default_factory=Counter)

    @property
    def redeliveries(self) -> int:
        """What was delivered again, by a relay or by the broker."""
        return self.told_twice + self.inbox_hits

    @property
    def replaced_clients(self) -> int:
        return self.logged["consumer_client_replaced"]

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {self.logged[name]}" for name in _COUNTED if self.logged[name])
        return (
            f"redeliveries {self.redeliveries} (told twice {self.told_twice}),"
            f" inbox hits {self.inbox_hits}, replaced clients {self.replaced_clients}; {counts}"
        )

    @classmethod
    async def of(cls, installation: Stack) -> "Traces":
        """All that the installation has left so far."""
        traces = cls(told_twice=await _told_twice(installation.kafka_bootstrap))
        for log in installation.layout.run_dir.glob("*-svc*.log"):
            for entry in entries(log):
                if entry["event"] in _COUNTED:
                    traces.logged[entry["event"]] += 1
                elif entry["event"] == "inbox_knew":
                    traces.inbox_hits += entry["events"]
        return traces


async def mails_twice(installation: Stack) -> dict[str, int]:
    """Message ids that the mail server took more than once, and how often."""
    url = installation.postgres_url.rsplit("/", 1)[0]
    connection = await asyncpg.connect(f"{url}/sandbox")
    try:
        rows = await connection.fetch(
            "SELECT message_id, count(*) AS times FROM mails GROUP BY 1 HAVING count(*) > 1"
        )
    finally:
        await connection.close()
    return {row["message_id"]: row["times"] for row in rows}


def entries(log: Path, after: int = 0) -> Iterator[dict[str, Any]]:
    """The JSON entries of a log after a position; a line cut short by a kill is passed over."""
    with log.open("rb") as file:
        file.seek(after)
        lines = file.read().decode(errors="replace").splitlines()
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "event" in entry:
            yield entry


async def _told_twice(bootstrap: str) -> int:
    """Records on the topics whose event id an earlier record has."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = [
            TopicPartition(topic.name, number)
            for topic in wanted_topics("sandbox")
            for number in range(topic.partitions)
            if topic.name in TOPICS
        ]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        seen: Counter[tuple[str, bytes]] = Counter()
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                ids = [dict(record.headers).get("ce_id") for record in records]
                seen.update((partition.topic, event_id) for event_id in ids if event_id)
        return sum(count - 1 for count in seen.values())
    finally:
        await consumer.stop()
