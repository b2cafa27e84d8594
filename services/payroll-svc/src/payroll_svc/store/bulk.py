"""Many rows in one statement: COPY into a temporary table, then one insert from it."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, MetaData, Table, Text, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from shared.db import Connection, copy_rows


def among(column: Column[str], values: Iterable[str]) -> ColumnElement[bool]:
    """The column is one of the values: one parameter however many; IN would run out of them."""
    return column == any_(literal(list(values), ARRAY(Text)))


async def merge(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, only_newer: bool = False
) -> None:
    """Inserts the rows, or brings those with the same primary key to these values.

    PostgreSQL refuses COPY into a table with row security, hence the detour. All rows have the same
    keys, which name columns of `table`. `only_newer` leaves a stored row alone unless its version
    is lower.
    """
    if not rows:
        return
    names = list(rows[0])
    incoming = Table(
        f"incoming_{table.name}",
        MetaData(),
        *(Column(name, table.c[name].type) for name in names),
        prefixes=["TEMPORARY"],
    )
    await conn.run_sync(incoming.create)
    is_json = {name: isinstance(table.c[name].type, JSONB) for name in names}
    await copy_rows(
        conn,
        incoming.name,
        names,
        (tuple(_wire(row[name], is_json[name]) for name in names) for row in rows),
    )
    statement = insert(table).from_select(names, select(incoming))
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    fence = table.c.version < statement.excluded.version if only_newer else None
    await conn.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=changed, where=fence)
    )
    await conn.run_sync(incoming.drop)


async def insert_new(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows whose keys are new, for tables whose rows may not be updated."""
    if rows:
        await conn.execute(table.insert(), [dict(row) for row in rows])


async def next_versions_of(
    conn: Connection, table: Table, employer_id: str, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Counts on the version of each row of `table`, whose primary key is a pair, and gives it; its
    lock orders what is told of the pair.
    """
    first, second = (column.name for column in table.primary_key)
    statement = text(
        f"""
        INSERT INTO {table.name} AS known ({first}, {second}, employer_id, version)
        SELECT w.first, w.second, :employer_id, 1
          FROM unnest(CAST(:firsts AS text[]), CAST(:seconds AS text[])) AS w(first, second)
        ON CONFLICT ({first}, {second}) DO UPDATE SET version = known.version + 1
        RETURNING known.{first}, known.{second}, known.version
        """  # noqa: S608 - names of our own tables
    )
    pairs = sorted(wanted)
    values = {"firsts": [one for one, _ in pairs], "seconds": [other for _, other in pairs]}
    rows = await conn.execute(statement, {"employer_id": employer_id, **values})
    return {(row[0], row[1]): row.version for row in rows}


def _wire(value: Any, is_json: bool) -> Any:
    return json.dumps(value, ensure_ascii=False) if is_json and value is not None else value
