"""One question to one database: which facts its rows are."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import asyncpg

from tests.support.invariants.facts import Row


class Query(NamedTuple):
    """`kind` is made of the database's name and the row's columns, in the order of its fields."""

    kind: type[Row]
    sql: str


Queries = Mapping[str, tuple[Query, ...]]
"""By database."""


async def fetch(
    connection: asyncpg.Connection, database: str, query: Query, *values: object
) -> list[Row]:
    make: Callable[..., Any] = query.kind
    return [make(database, *row) for row in await connection.fetch(query.sql, *values)]
