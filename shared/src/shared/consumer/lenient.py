"""Records whose headers' names are not UTF-8: Kafka's own client reads them, aiokafka's raises and
hands over nothing of the batch that they are in (tried with 0.14).
"""

from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

_MOST_BYTES = 1024 * 1024
"""Of a partition at once, as the client itself fetches; the broker sends a larger batch whole."""


class _Lenient(bytearray):
    """Bytes whose every part is some text."""

    def __getitem__(self, part: Any) -> Any:
        found = super().__getitem__(part)
        return found if isinstance(found, int) else _Lenient(found)

    def decode(self, *_: Any) -> str:
        return super().decode("utf-8", "replace")


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka has no types
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _Lenient(self._buffer)


class _Batches(_MemoryRecordsPy):  # type: ignore[misc]
    def next_batch(self) -> _Batch:
        batch = _Batch(self._next_slice)
        self._cache_next()
        return batch


async def read_leniently(
    client: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]
) -> dict[TopicPartition, list[Any]]:
    """What `getmany` would give from these offsets on; the client goes on behind it. The names that
    are not UTF-8 have U+FFFD in them, and nothing else differs.
    """
    found = {}
    for partition, offset in offsets.items():
        wanted = [(partition.topic, [(partition.partition, offset, _MOST_BYTES)])]
        request = FetchRequest(0, 1, _MOST_BYTES, READ_COMMITTED, wanted)
        leader = client._client.cluster.leader_for_partition(partition)
        answer = await client._client.send(leader, request)
        [[_, [[_, error, *_, aborted, _, raw]]]] = answer.topics
        if error:
            raise for_code(error)(f"{partition} from {offset} on")
        records = PartitionRecords(
            partition, _Batches(raw), aborted, offset, None, None, True, READ_COMMITTED
        )
        found[partition] = list(records)
        client.seek(partition, records.next_fetch_offset)
    return {partition: records for partition, records in found.items() if records}
