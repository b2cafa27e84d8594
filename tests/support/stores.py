"""Canonical dumps of stores: every row of every table, but for what is bookkeeping by name."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

from deploy.databases import SERVICES

Rows = Counter[str]
Store = dict[str, Rows]
"""Rows as JSON text, by table."""

LEFT_OUT_TABLES = {
    "alembic_version": "says which migrations ran",
    "inbox": "what was heard how often; the effects are in the other tables",
    "relay_lease": "who publishes just now",
    "http_writes": "answers kept for repeated requests",
}
LEFT_OUT_COLUMNS = {
    "outbox_queue": {"seq": "the order of publishing", "since": "system time"},
    "outbox": {
        "seq": "the order of publishing",
        "created_at": "system time",
        "traceparent": "which run caused it",
    },
    "parked": {"seq": "order", "parked_at": "system time", "copied_at": "system time"},
}


async def dump(postgres_url: str, package: str) -> Store:
    """One service's store as it is now."""
    address = postgres_url.rpartition("/")[0] + f"/{package}"
    connection = await asyncpg.connect(address)
    try:
        names = [
            row["table_name"]
            for row in await connection.fetch(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            )
            if row["table_name"] not in LEFT_OUT_TABLES
        ]
        return {name: await _rows(connection, name) for name in sorted(names)}
    finally:
        await connection.close()


async def _rows(connection: asyncpg.Connection, table: str) -> Rows:
    left_out = list(LEFT_OUT_COLUMNS.get(table, ()))
    # The name is the catalogue's own, and quoted.
    query = f'SELECT CAST(to_jsonb(t) - CAST($1 AS text[]) AS text) FROM "{table}" t'  # noqa: S608
    return Counter(row[0] for row in await connection.fetch(query, left_out))


async def dump_all(postgres_url: str) -> dict[str, Store]:
    """All seven stores, and that of the parties that are not ours: their journals tell what we
    sent.
    """
    return {name: await dump(postgres_url, name) for name in (*SERVICES, "sandbox")}


_NEWEST = """
    SELECT DISTINCT ON (aggregatetype, family, subject) CAST(id AS text) AS id FROM outbox
     ORDER BY aggregatetype, family, subject, version DESC
"""


async def newest_told(postgres_url: str) -> set[str]:
    """The ids of the newest event of every aggregate of every service."""
    found: set[str] = set()
    for package in SERVICES:
        connection = await asyncpg.connect(postgres_url.rpartition("/")[0] + f"/{package}")
        try:
            found |= {row["id"] for row in await connection.fetch(_NEWEST)}
        finally:
            await connection.close()
    return found


LeftOut = Mapping[tuple[str, str], frozenset[str]]
"""Columns to leave out, by (store, table); no columns: the whole table."""


def without(stores: Mapping[str, Store], left_out: LeftOut) -> dict[str, Store]:
    """The stores, with what is known to differ taken out of their rows."""
    return {
        store: {
            table: _without(rows, left_out.get((store, table))) for table, rows in tables.items()
        }
        for store, tables in stores.items()
    }


def _without(rows: Rows, columns: frozenset[str] | None) -> Rows:
    if columns is None:
        return rows
    if not columns:
        return Counter()
    kept: Rows = Counter()
    for row, times in rows.items():
        values = {name: value for name, value in json.loads(row).items() if name not in columns}
        kept[json.dumps(values, sort_keys=True, ensure_ascii=False)] += times
    return kept


@dataclass(frozen=True, slots=True)
class Difference:
    """What one table lacks, and what it has that it had not."""

    store: str
    table: str
    gone: Rows = field(default_factory=Counter)
    new: Rows = field(default_factory=Counter)

    def __str__(self) -> str:
        gone, new = list(self.gone.elements())[:2], list(self.new.elements())[:2]
        return (
            f"{self.store}.{self.table}: {self.gone.total()} gone, {self.new.total()} new;"
            f" gone {[row[:600] for row in gone]} new {[row[:600] for row in new]}"
        )


def differences(
    before: Mapping[str, Store], after: Mapping[str, Store], left_out: LeftOut | None = None
) -> list[str]:
    """Where they differ, table by table; empty when they are the same."""
    was, now = without(before, left_out or {}), without(after, left_out or {})
    found = []
    for store, tables in was.items():
        for table, rows in tables.items():
            gone, new = rows - now[store][table], now[store][table] - rows
            if gone or new:
                found.append(str(Difference(store, table, gone, new)))
    return found
