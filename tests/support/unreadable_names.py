"""Records whose headers have names that are not UTF-8: a broker takes them, and every producer's
library refuses to write them.
"""

from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBase, _DefaultRecordBatchBuilderPy

NONE, ZSTD = DefaultRecordBase.CODEC_NONE, DefaultRecordBase.CODEC_ZSTD
_AT_MS = 1_727_658_000_000
_ALL_IN_SYNC, _TIMEOUT_MS = -1, 30_000
_MOST_BYTES = 1_000_000


class Unreadable(str):
    """A header's name that travels as the bytes FF FE."""

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


async def publish(
    bootstrap: str,
    topic: str,
    partition: int,
    records: Sequence[dict[str, Any]],
    compression: int = NONE,
) -> None:
    """As one batch, on one partition; each has a key, a value and headers."""
    batch = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, -1, _MOST_BYTES)
    for place, one in enumerate(records):
        assert batch.append(place, _AT_MS, one["key"], one["value"], one["headers"])
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        client.set_topics([topic])
        await client.force_metadata_update()
        leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
        wanted = [(topic, [(partition, bytes(batch.build()))])]
        request = ProduceRequest(None, _ALL_IN_SYNC, _TIMEOUT_MS, wanted)
        answer = await client.send(leader, request)
        [[_, [[_, error, *_]]]] = answer.topics
        if error:
            raise for_code(error)(topic)
    finally:
        await client.close()
