"""Set-based upserts in which the newest version wins: any order, any repetition, the same end."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Insert, Table, Text, bindparam, cast, column, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert

from portal_svc import tables
from shared.db import Connection

Row = Mapping[str, Any]


async def keep(conn: Connection, table: str, rows: Sequence[Row]) -> None:
    """Upserts rows (column to value, one per key) whose `version` is newer than the kept one."""
    if rows:
        await conn.execute(_merge_into(table), {"rows": _as_json(rows)})


async def keep_side(conn: Connection, side: str, rows: Sequence[Row]) -> None:
    """Upserts a side of months: the months' own columns, payload, version, event_id."""
    named = [
        {
            "employee_id": row["employee_id"],
            "levy_period": row["levy_period"],
            "employer_id": row["employer_id"],
            side: row["payload"],
            f"{side}_version": row["version"],
            f"{side}_event_id": row["event_id"],
        }
        for row in rows
    ]
    if named:
        await conn.execute(_merge_side(side), {"rows": _as_json(named)})


async def forget_identities(conn: Connection, employee_ids: Sequence[str]) -> None:
    """Deletes what these identities held: a tombstone came. A row without data stays, with a
    version that no late event can exceed.
    """
    if employee_ids:
        await conn.execute(_FORGET, {"ids": sorted(employee_ids)})


_FORGET = text(
    """
    INSERT INTO identities (employee_id, employer_id, version, sealed, wrapped_key, root_key_id)
    SELECT id, coalesce(e.employer_id, ''), 9223372036854775807, '', '', ''
      FROM unnest(CAST(:ids AS text[])) AS id LEFT JOIN employees e ON e.employee_id = id
     ORDER BY id
    ON CONFLICT (employee_id) DO UPDATE
       SET sealed = '', wrapped_key = '', root_key_id = '', version = excluded.version
    """
)


def _as_json(rows: Sequence[Row]) -> str:
    return msgspec.json.encode(rows).decode()


@cache
def _merge_into(name: str) -> Insert:
    table = tables.metadata.tables[name]
    return _merge(table, [one.name for one in table.columns], "version")


@cache
def _merge_side(side: str) -> Insert:
    own = [side, f"{side}_version", f"{side}_event_id"]
    return _merge(
        tables.months, ["employee_id", "levy_period", "employer_id", *own], f"{side}_version"
    )


def _merge(table: Table, names: Sequence[str], version: str) -> Insert:
    """INSERT ... SELECT of one JSON parameter, in key order: two batches cannot deadlock."""
    key = [one.name for one in table.primary_key.columns]
    fresh = (
        func.jsonb_to_recordset(cast(bindparam("rows", type_=Text), JSONB))
        .table_valued(*(column(name, table.c[name].type) for name in names))
        .render_derived(name="fresh", with_types=True)
    )
    statement = insert(table).from_select(
        list(names), select(*(fresh.c[name] for name in names)).order_by(*(fresh.c[k] for k in key))
    )
    newer = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=key,
        set_={name: newer[name] for name in names if name not in key},
        where=table.c[version] < newer[version],
    )
