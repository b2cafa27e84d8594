"""Requests with one idempotency key take turns before they touch anything."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends

from shared.http_writes import Write, idempotent
from shared.refusal import Refusal
from shared.serve import make_app

Once = Annotated[Write, Depends(idempotent)]


@dataclass
class Desk:
    """An endpoint whose handler runs until it is let go; `most` ever ran at once."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    inside: int = 0
    most: int = 0
    done: list[str] = field(default_factory=list)

    def routes(self) -> APIRouter:
        router = APIRouter()

        @router.post("/orders")
        async def order(write: Once) -> str:
            self.inside += 1
            self.most = max(self.most, self.inside)
            try:
                await self.go.wait()
                if write.key == "refused":
                    raise Refusal("not today")
            finally:
                self.inside -= 1
            self.done.append(write.key)
            return write.body_hash.hex()

        @router.post("/others")
        async def other(write: Once) -> str:
            return write.key

        return router


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app("desk", "", [desk.routes()], None)
    address = "http://desk/api/v1"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=address) as made:
        yield made


async def post(client: httpx.AsyncClient, path: str, key: str, by: str = "li") -> httpx.Response:
    headers = {"Idempotency-Key": key, "Authorization": f"Bearer {by}"}
    return await client.post(path, json={}, headers=headers)


async def until_inside(desk: Desk, number: int) -> None:
    for _ in range(10_000):
        if desk.inside == number:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"{desk.inside} are inside, not {number}")


async def test_fifty_sends_of_one_key_go_in_one_by_one(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    sends = [asyncio.create_task(post(client, "/orders", "key")) for _ in range(50)]
    await until_inside(desk, 1)
    desk.go.set()
    answers = await asyncio.gather(*sends)
    assert {answer.status_code for answer in answers} == {200}
    assert (desk.most, desk.done) == (1, ["key"] * 50)


async def test_other_keys_and_other_callers_do_not_wait(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    held = [asyncio.create_task(post(client, "/orders", "key")) for _ in range(5)]
    await until_inside(desk, 1)
    assert (await post(client, "/others", "key-2")).json() == "key-2"
    assert (await post(client, "/others", "key", "wang")).json() == "key"
    desk.go.set()
    await asyncio.gather(*held)
    assert desk.most == 1


async def test_a_refused_request_gives_its_turn_on(desk: Desk, client: httpx.AsyncClient) -> None:
    desk.go.set()
    answers = await asyncio.gather(*(post(client, "/orders", "refused") for _ in range(3)))
    assert [answer.status_code for answer in answers] == [409] * 3
    assert (desk.most, desk.inside) == (1, 0)


async def test_a_send_that_is_given_up_gives_its_turn_on(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    first = asyncio.create_task(post(client, "/orders", "key"))
    await until_inside(desk, 1)
    waiting = [asyncio.create_task(post(client, "/orders", "key")) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    first.cancel()
    desk.go.set()
    answers = await asyncio.gather(*waiting[1:])
    assert [answer.status_code for answer in answers] == [200, 200]
