"""Topics read as a whole, from their first record to their end, by whoever has to catch up."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.clock import stopped_within
from shared.consumer.lenient import read_leniently

_SILENCE_SECONDS = 30.0
_STOP_SECONDS = 10
_ASK_AGAIN_SECONDS = 0.5
_GROUP_ENDS_ASKED = 30
"""For longer than a session: the broker then gives up on a member that was killed."""


class GroupRuns(Exception):
    """A member of the consumer group lives: a store must not be changed under it."""


@dataclass(slots=True)
class Whole:
    """All records of some topics, in the order of their partitions, and where these end."""

    records: dict[str, list[Any]] = field(default_factory=dict)
    ends: dict[TopicPartition, int] = field(default_factory=dict)


async def read_whole(bootstrap: str, topics: Sequence[str]) -> Whole:
    """Reads them to the ends that they have now. They are held in memory: a month of events of ten
    thousand employees takes some hundred MB.
    """
    found = Whole({topic: [] for topic in topics})
    if not topics:
        return found
    client = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await client.start()
    try:
        # Without a group the client takes all partitions, once it knows of them.
        async with asyncio.timeout(_SILENCE_SECONDS):
            while {partition.topic for partition in client.assignment()} != set(topics):
                await client.getmany(timeout_ms=100)
        partitions = sorted(client.assignment())
        found.ends = await client.end_offsets(partitions)
        await client.seek_to_beginning(*partitions)
        await _read(client, found)
    finally:
        await stopped_within(_STOP_SECONDS, client.stop())
    for records in found.records.values():
        records.sort(key=lambda record: (record.partition, record.offset))
    return found


async def _read(client: AIOKafkaConsumer, found: Whole) -> None:
    left = {one: await client.position(one) for one in found.ends}
    while left:
        async with asyncio.timeout(_SILENCE_SECONDS):
            try:
                batches = await client.getmany(*left, timeout_ms=500)
            except UnicodeDecodeError:
                batches = await read_leniently(client, left)
        for partition, records in batches.items():
            end = found.ends[partition]
            found.records[partition.topic] += [one for one in records if one.offset < end]
        # Compaction and retention leave holes: the position tells the end, not the last record.
        at = {one: await client.position(one) for one in left}
        left = {one: offset for one, offset in at.items() if offset < found.ends[one]}


async def await_no_member(bootstrap: str, group: str) -> None:
    """Returns once the group has no member; GroupRuns if one goes on living."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for _ in range(_GROUP_ENDS_ASKED):
            if await _state_of(admin, group) in ("Empty", "Dead"):
                return
            await asyncio.sleep(_ASK_AGAIN_SECONDS)
    finally:
        await admin.close()
    raise GroupRuns(f"{group} is running; stop all its processes first")


async def _state_of(admin: AIOKafkaAdminClient, group: str) -> str:
    for answer in await admin.describe_consumer_groups([group]):
        for _, name, state, *_ in answer.groups:
            if name == group:
                return str(state)
    return "Dead"


async def commit_ends(bootstrap: str, group: str, ends: dict[TopicPartition, int]) -> None:
    """The group, which has no member, goes on from these ends."""
    if not ends:
        return
    client = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await client.start()
    try:
        client.assign(list(ends))
        async with asyncio.timeout(_SILENCE_SECONDS):
            await client.commit(ends)
    finally:
        await stopped_within(_STOP_SECONDS, client.stop())
