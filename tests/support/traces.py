"""Searching raw bytes for people: every way in which an identity may be spelled, and where one
may lie.

What is searched for are the invented people of the case's rosters. A search that finds nothing
proves nothing by itself: tests/e2e/test_traces.py plants what it looks for and has it found.
"""

import base64
import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from python_calamine import CalamineWorkbook

from sandbox.case.roster import ROSTERS
from tests.support import wal

KINDS = {
    "证件号码": "identity number",
    "手机": "phone",
    "银行账号": "bank account",
    "邮箱": "address",
    "姓名": "name",
}
"""Column of a roster to what it holds."""

PLANTED = "planted"
"""How the names of topics and databases begin that a test of this search makes."""

_SHORTEST = 6
"""In bytes: four of them, a name of two characters in UTF-16, are found in any binary by chance."""
_READ_AT_ONCE = 64 << 20


@dataclass(frozen=True, slots=True)
class Trace:
    """A person's data where they should not be: what, in which spelling, and where."""

    kind: str
    value: str
    spelling: str
    where: str


def people() -> list[tuple[str, str]]:
    """(kind, value) of everything personal in the case's rosters."""
    [workbook] = [file for file in ROSTERS if file.suffix == ".xlsx"]
    [text] = [file for file in ROSTERS if file.suffix == ".csv"]
    sheet = CalamineWorkbook.from_path(workbook).get_sheet_by_index(0).to_python()
    header, *rows = [[str(cell) for cell in row] for row in sheet]
    named: list[Mapping[str, str]] = [dict(zip(header, row, strict=True)) for row in rows]
    named += csv.DictReader(text.read_text("gb18030").splitlines())
    return [(kind, row[column]) for row in named for column, kind in KINDS.items() if row[column]]


class Search:
    """Finds any of the values in any spelling, in one pass over the bytes."""

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        self._meanings = {
            spelled: (kind, value, spelling)
            for kind, value in values
            for spelling, spelled in _spellings(value)
            if len(spelled) >= _SHORTEST
        }
        self._pattern = re.compile(_alternatives(sorted(self._meanings)), re.DOTALL)

    def within(self, data: bytes, where: str) -> list[Trace]:
        return [Trace(*self._meanings[found], where) for _, found in self.places(data)]

    def places(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(offset, bytes found), in order."""
        for match in self._pattern.finditer(data):
            yield match.start(), match.group()

    def meant(self, found: bytes, where: str) -> Trace:
        return Trace(*self._meanings[found], where)


def _spellings(value: str) -> Iterator[tuple[str, bytes]]:
    plain = value.encode()
    yield "UTF-8", plain
    # Without its outer zeros, it is in little and in big endian text alike if it is ASCII.
    yield "UTF-16", value.encode("utf-16-le").rstrip(b"\0")
    yield "hex", plain.hex().encode()
    yield "HEX", plain.hex().upper().encode()
    for shift in range(3):
        # The characters that do not depend on what stands before and behind.
        coded = base64.b64encode(b"\0" * shift + plain)
        whole = (len(plain) + shift) // 3 * 4
        yield f"base64+{shift}", coded[(shift * 8 + 5) // 6 : whole]
    if not value.isascii():
        yield "UTF-16-BE", value.encode("utf-16-be")
        yield "GB18030", value.encode("gb18030")
        yield "JSON", value.encode("ascii", "backslashreplace")
        yield "URL", quote(value).encode()


def _alternatives(words: list[bytes]) -> bytes:
    """Sorted words as a pattern that shares their beginnings: thousands cost little more than
    one.
    """
    heads: dict[bytes, list[bytes]] = {}
    for word in words:
        heads.setdefault(word[:1], []).append(word[1:])
    parts = []
    for head, tails in heads.items():
        if len(tails) == 1 or b"" in tails:
            rest = b"|".join(re.escape(tail) for tail in sorted(tails, reverse=True))
        else:
            rest = _alternatives(tails)
        parts.append(re.escape(head) + (b"(?:%b)" % rest if len(tails) > 1 else rest))
    return b"(?:%b)" % b"|".join(parts)


async def in_dump(search: Search, database_url: str) -> list[Trace]:
    """Every row of every table of the database, as COPY writes it: all of a logical dump."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname NOT LIKE 'pg\\_%' AND schemaname <> 'information_schema'"
        )
        traces = []
        for schema, table in tables:
            rows = bytearray()
            await connection.copy_from_table(table, schema_name=schema, output=_into(rows))
            traces += search.within(bytes(rows), f"table {table} at {database_url[-20:]}")
        return traces
    finally:
        await connection.close()


def _into(target: bytearray) -> Any:
    async def write(data: bytes) -> None:
        target.extend(data)

    return write


async def in_files(search: Search, superuser_url: str, databases: Iterable[str]) -> list[Trace]:
    """The databases' data files as they lie on disk after a checkpoint, deleted rows among them.

    Read through the server, wherever it runs. A value of more than 2 kB is compressed there; the
    dump has it plain.
    """
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute("CHECKPOINT")
        traces = []
        for oid, name in await _oids(connection, databases):
            folder = f"base/{oid}"
            for (file,) in await connection.fetch("SELECT pg_ls_dir($1)", folder):
                data = await _read(connection, f"{folder}/{file}")
                traces += search.within(data, f"{name} {folder}/{file}")
        return traces
    finally:
        await connection.close()


async def in_wal(search: Search, superuser_url: str, databases: Iterable[str]) -> list[Trace]:
    """The write-ahead log as far as it is kept: records of these databases, and of none at all."""
    connection = await asyncpg.connect(superuser_url)
    try:
        ours = dict(await _oids(connection, databases)) | {0: "no database"}
        names = await connection.fetch("SELECT name FROM pg_ls_waldir() ORDER BY name")
        traces = []
        for run in wal.runs([row["name"] for row in names]):
            segments = [await _read(connection, f"pg_wal/{name}") for name in run]
            log = wal.Log(segments)
            for at, found in search.places(log.stream):
                oid = log.database_at(at)
                if oid in ours:
                    traces.append(search.meant(found, f"WAL of {ours[oid]}"))
        return traces
    finally:
        await connection.close()


async def _oids(connection: asyncpg.Connection, names: Iterable[str]) -> list[tuple[int, str]]:
    query = "SELECT oid, datname FROM pg_database WHERE datname = ANY($1)"
    return [(row["oid"], row["datname"]) for row in await connection.fetch(query, list(names))]


async def _read(connection: asyncpg.Connection, path: str) -> bytes:
    """Empty when it is gone by now: files come and go."""
    query = "SELECT pg_read_binary_file($1, 0, $2, true)"
    return await connection.fetchval(query, path, _READ_AT_ONCE) or b""


async def in_topics(search: Search, bootstrap: str, *, planted: bool = False) -> list[Trace]:
    """Every record of every topic: key, value and headers, decompressed; of those that a test
    planted alone, or of all others.
    """
    # Not by a seek alone: the reset to the end, which is the default, was seen to come after it.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await consumer.start()
    await admin.start()
    try:
        names = [one for one in await admin.list_topics() if one.startswith(PLANTED) is planted]
        traces = []
        for topic in await admin.describe_topics(names):
            numbers = [one["partition"] for one in topic["partitions"]]
            for data in await _records(consumer, topic["topic"], numbers):
                traces += search.within(data, f"topic {topic['topic']}")
        return traces
    finally:
        await admin.close()
        await consumer.stop()


async def _records(
    consumer: AIOKafkaConsumer, topic: str, partitions: Iterable[int]
) -> list[bytes]:
    wanted = [TopicPartition(topic, number) for number in partitions]
    consumer.assign(wanted)
    ends = await consumer.end_offsets(wanted)
    await consumer.seek_to_beginning(*wanted)
    found: list[bytes] = []
    while any([await consumer.position(one) < ends[one] for one in wanted]):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                headers = [part for name, raw in record.headers for part in (name.encode(), raw)]
                found.append(b"\n".join([record.key or b"", record.value or b"", *headers]))
    return found
