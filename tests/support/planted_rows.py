"""Rows of two employers with two employees each, in every table that names an employer: made from
the catalog, so that a new table is planted too.
"""

import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import asyncpg

A, B = "employer-a", "employer-b"
PEOPLE = {A: ("employee-a1", "employee-a2"), B: ("employee-b1", "employee-b2")}

_TABLES = """
SELECT c.relname AS name, c.relkind::text AS kind, c.relrowsecurity AS secured,
       c.relforcerowsecurity AS forced, pg_get_userbyid(c.relowner) AS owner,
       coalesce(c.reloptions, '{}') AS options,
       array(SELECT a.attname FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
 ORDER BY c.relname
"""
_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type
  FROM pg_attribute a
 WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attidentity = '' AND a.attgenerated = ''
"""
_CHECKS = """
SELECT c.relname AS "table", k.conname AS name
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
 WHERE k.contype IN ('c', 'f') AND k.connamespace = 'public'::regnamespace
"""

_VALUES = {
    "text": "'{column}-{n}'",
    "text[]": "'{{}}'",
    "bigint": "{n}",
    "integer": "{n}",
    "smallint": "{n}",
    "boolean": "{n} % 2 = 0",
    "date": "date '2024-01-01' + {n}",
    "timestamp with time zone": "timestamptz '2024-01-01Z' + interval '{n} s'",
    "jsonb": "'{{}}'",
    "bytea": "''",
    "uuid": "'00000000-0000-0000-0000-{n:012d}'",
}
"""Different in every row, since any column may be in a unique key."""


@dataclass(frozen=True)
class Table:
    """A relation of the public schema."""

    name: str
    kind: str
    secured: bool
    forced: bool
    owner: str
    options: Sequence[str]
    columns: Sequence[str]

    @property
    def names_an_employer(self) -> bool:
        return "employer_id" in self.columns

    @property
    def names_an_employee(self) -> bool:
        return self.names_an_employer and "employee_id" in self.columns


async def tables_of(connection: asyncpg.Connection) -> list[Table]:
    """Every table, partition, view and foreign table, by name."""
    return [Table(**row) for row in await connection.fetch(_TABLES)]


async def plant(superuser: asyncpg.Connection, tables: Sequence[Table]) -> None:
    """One row per person in each table. Check constraints and foreign keys of this database go:
    they would need true rows, and who may see a row does not hang on them.
    """
    for check in await superuser.fetch(_CHECKS):
        await superuser.execute(
            f'ALTER TABLE "{check["table"]}" DROP CONSTRAINT IF EXISTS "{check["name"]}" CASCADE'
        )
    numbers = itertools.count(1)
    for table in tables:
        columns = await superuser.fetch(_COLUMNS, table.name)
        for employer_id, people in PEOPLE.items():
            for employee_id in people:
                ids = {"employer_id": employer_id, "employee_id": employee_id}
                await _plant_row(superuser, table.name, columns, ids, next(numbers))


async def _plant_row(
    superuser: asyncpg.Connection,
    table: str,
    columns: Sequence[asyncpg.Record],
    ids: dict[str, str],
    number: int,
) -> None:
    values = [
        f"'{ids[name]}'"
        if (name := column["name"]) in ids
        else _VALUES[column["type"]].format(column=name, n=number)
        for column in columns
    ]
    names = ", ".join(f'"{column["name"]}"' for column in columns)
    # Tables that keep one row per employer take the first of theirs.
    with suppress(asyncpg.UniqueViolationError):
        await superuser.execute(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(values)})')  # noqa: S608
