"""Counts the events on every topic by type, as a subscriber from outside would see them."""

from collections import Counter

from aiokafka import AIOKafkaConsumer, TopicPartition

TOPICS = (
    "payroll.events",
    "payroll.identities",
    "contribution.events",
    "contribution.policies",
    "bureau-sync.events",
    "reconciliation.events",
    "ticket.events",
    "notify.events",
)


async def count_events(bootstrap: str) -> dict[str, int]:
    """Distinct events by name, from the first offset to the last at the time of the call."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        return await _count(consumer)
    finally:
        await consumer.stop()


async def _count(consumer: AIOKafkaConsumer) -> dict[str, int]:
    partitions = [
        TopicPartition(topic, number)
        for topic in TOPICS
        for number in consumer.partitions_for_topic(topic) or await _partitions(consumer, topic)
    ]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    await consumer.seek_to_beginning(*partitions)
    seen: set[tuple[str, str]] = set()
    while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                headers = {name: value.decode() for name, value in record.headers}
                seen.add(
                    (headers.get("ce_type", "tombstone"), headers.get("ce_id", str(record.offset)))
                )
    names = Counter(ce_type.removeprefix("daozhang.").removesuffix(".v1") for ce_type, _ in seen)
    return dict(sorted(names.items()))


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client.force_metadata_update()
    found: set[int] = consumer.partitions_for_topic(topic) or set()
    return found
