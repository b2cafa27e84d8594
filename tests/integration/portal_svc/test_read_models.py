"""Events to read models: newest wins, for every order and repetition, and a tombstone deletes."""

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import asyncpg
import msgspec
import pytest
from sqlalchemy import text

from shared.contracts import EmployeeSealed, TicketResolved
from shared.contracts.event import IDENTITIES
from shared.db import transaction
from tests.support.portal import Portal, golden_records, record_of
from tests.support.service_databases import ServiceDatabase

Clone = Callable[[str], Awaitable[ServiceDatabase]]

TABLES = (
    "months",
    "employers",
    "employees",
    "identities",
    "policies",
    "authorities",
    "declarations",
    "deadline_risks",
    "anomalies",
    "period_closes",
    "tickets",
    "notifications",
)


async def kept(portal: Portal) -> dict[str, list[str]]:
    """Every read model's rows as text, in a fixed order."""
    async with transaction(portal.worker) as conn:
        return {
            table: [
                row[0]
                for row in await conn.execute(
                    text(f"SELECT CAST(to_jsonb(t) AS text) FROM {table} t ORDER BY 1")  # noqa: S608
                )
            ]
            for table in TABLES
        }


async def test_an_event_of_every_kind_finds_its_table(portal: Portal) -> None:
    await portal.take_in(golden_records())
    found = await kept(portal)
    assert all(found[table] for table in TABLES)
    assert len(found["months"]) == 1
    assert len(found["tickets"]) == 1


@pytest.mark.parametrize("seed", range(5))
async def test_any_order_and_repetition_ends_alike(portal: Portal, seed: int) -> None:
    shuffled = golden_records() * 2
    random.Random(seed).shuffle(shuffled)
    for start in range(0, len(shuffled), 7):
        await portal.take_in(shuffled[start : start + 7])
    mixed = await kept(portal)
    await portal.take_in(golden_records())
    assert await kept(portal) == mixed


async def test_the_newest_ticket_wins(portal: Portal) -> None:
    await portal.take_in(golden_records())
    async with transaction(portal.worker) as conn:
        row = (await conn.execute(text("SELECT version, open, payload FROM tickets"))).one()
    assert (row.version, row.open) == (4, False)
    assert msgspec.convert(row.payload, TicketResolved).state == "resolved"


async def test_a_tombstone_deletes_the_identity(portal: Portal) -> None:
    await portal.take_in(golden_records())
    (sealed,) = [one for one in golden_records() if one.topic == IDENTITIES]
    await portal.take_in([replace(sealed, value=None, headers=[])])
    [left] = (await kept(portal))["identities"]
    row = json.loads(left)
    assert (row["sealed"], row["wrapped_key"], row["root_key_id"]) == ("", "", "")
    assert row["employer_id"], "HR of the employer sees that it was erased"


@pytest.mark.parametrize("batches", [1, 3])
async def test_what_was_erased_stays_erased_whatever_comes_late(
    portal: Portal, batches: int
) -> None:
    first = EmployeeSealed(
        version=1,
        employee_id="e-1",
        employer_id="x-1",
        sealed="AQ==",
        wrapped_key="AQ==",
        root_key_id="k",
    )
    (told,) = [one for one in golden_records() if one.topic == IDENTITIES]
    deleted = replace(told, key=b"e-1", value=None, headers=[])
    late = msgspec.structs.replace(first, version=2)
    records = [record_of(first), deleted, record_of(late)]
    for start in range(0, 3, 3 // batches):
        await portal.take_in(records[start : start + 3 // batches])
    [left] = (await kept(portal))["identities"]
    assert json.loads(left)["sealed"] == ""


async def test_a_reader_may_not_write(service_database: Clone) -> None:
    database = await service_database("portal_svc")
    connection = await asyncpg.connect(database.api_url.replace("+asyncpg", ""))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM months")
        assert await connection.fetchval("SELECT count(*) FROM months") == 0
    finally:
        await connection.close()
