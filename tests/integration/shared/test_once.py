"""Idempotency keys: one effect and one answer per key, whatever comes when."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import asyncpg
import pytest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db import Engine, connect, tenant
from shared.http_writes import IdempotencyKeyReused, Write, once
from tests.support.service_databases import ServiceDatabase

EFFECTS = """
CREATE TABLE effects (number bigint GENERATED ALWAYS AS IDENTITY, body text NOT NULL);
GRANT SELECT, INSERT ON effects TO ticket_svc_api;
"""


class Answer(BaseModel):
    number: int
    body: str


@dataclass(frozen=True)
class Person:
    """Who writes, and for whom they may."""

    sub: str
    employer_ids: tuple[str, ...] = ("employer-1",)
    employee_id: str = ""


LI, WANG = Person("li"), Person("wang")


class BrokeOff(Exception):
    """What stops a request before its commit."""


@dataclass(frozen=True)
class Desk:
    """A service's writing endpoint, without the HTTP."""

    engine: Engine

    async def send(
        self,
        key: str,
        body: str = "a",
        *,
        by: Person = LI,
        pause: float = 0,
        fails: bool = False,
    ) -> Answer:
        write = Write(key, "POST /api/v1/feedback", hashlib.sha256(body.encode()).digest())
        async with tenant(self.engine, by) as conn:

            async def act() -> Answer:
                statement = text("INSERT INTO effects (body) VALUES (:body) RETURNING number")
                number = (await conn.execute(statement, {"body": body})).scalar_one()
                await asyncio.sleep(pause)
                return Answer(number=number, body=body)

            answer = await once(conn, by, write, Answer, act)
            if fails:
                raise BrokeOff
            return answer

    async def effects(self) -> int:
        async with tenant(self.engine, LI) as conn:
            return int((await conn.execute(text("SELECT count(*) FROM effects"))).scalar_one())


@pytest.fixture
async def desk(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> AsyncIterator[Desk]:
    database = await service_database("ticket_svc")
    superuser = await asyncpg.connect(database.superuser_url)
    await superuser.execute(EFFECTS)
    await superuser.close()
    engine = connect(database.api_url, "test", 10)
    yield Desk(engine)
    await engine.dispose()


async def test_fifty_sends_at_once_have_one_effect_and_fifty_equal_answers(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.send("key-1", pause=0.05) for _ in range(50)))
    assert len({answer.model_dump_json() for answer in answers}) == 1
    assert await desk.effects() == 1


async def test_the_answer_is_the_first_one_however_late_it_is_asked_for(desk: Desk) -> None:
    first = await desk.send("key-1")
    await desk.send("key-2")
    assert await desk.send("key-1") == first
    assert await desk.effects() == 2


async def test_another_body_under_the_same_key_is_refused(desk: Desk) -> None:
    await desk.send("key-1", "a")
    with pytest.raises(IdempotencyKeyReused, match="key-1 was first used") as refusal:
        await desk.send("key-1", "b")
    assert refusal.value.status == 422
    assert await desk.effects() == 1


async def test_a_send_that_rolled_back_frees_its_key(desk: Desk) -> None:
    with pytest.raises(BrokeOff):
        await desk.send("key-1", "a", fails=True)
    assert (await desk.send("key-1", "b")).body == "b"
    assert await desk.effects() == 1


async def test_who_waits_for_a_send_that_rolls_back_goes_next(desk: Desk) -> None:
    first, second = await asyncio.gather(
        desk.send("key-1", pause=0.3, fails=True),
        desk.send("key-1"),
        return_exceptions=True,
    )
    assert isinstance(first, BrokeOff)
    assert isinstance(second, Answer)
    assert await desk.effects() == 1


async def test_two_people_may_choose_the_same_key(desk: Desk) -> None:
    await desk.send("key-1", "a", by=LI)
    assert (await desk.send("key-1", "b", by=WANG)).body == "b"
    assert await desk.effects() == 2


async def test_more_rights_get_the_same_answer_and_fewer_get_none(desk: Desk) -> None:
    both = replace(LI, employer_ids=("employer-1", "employer-2"))
    first = await desk.send("key-1", by=both)
    more = replace(LI, employer_ids=("employer-3", "employer-2", "employer-1"))
    assert await desk.send("key-1", by=more) == first
    for fewer in (LI, replace(LI, employer_ids=()), replace(both, employee_id="employee-1")):
        with pytest.raises(IdempotencyKeyReused, match="with other rights"):
            await desk.send("key-1", by=fewer)
    assert await desk.effects() == 1


async def test_a_kept_answer_is_not_changed(desk: Desk) -> None:
    await desk.send("key-1")
    async with tenant(desk.engine, LI) as conn:
        changed = await conn.execute(text("UPDATE http_writes SET answer = 'forged'"))
        assert changed.rowcount == 0
    for statement in (
        "UPDATE http_writes SET caller = 'wang'",
        "UPDATE http_writes SET employer_ids = ''",
        "DELETE FROM http_writes",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with tenant(desk.engine, LI) as conn:
                await conn.execute(text(statement))
