"""Parked events by HTTP, for operators: list, show (personal data masked), replay in order, drop
with a reason.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from shared import consumer
from shared.consumer import Drop, Handlers, ParkedEvent, ParkedKey, Replay
from shared.db import Engine, transaction
from shared.serve.sign_in import Caller, require

Operator = Annotated[Caller, Depends(require("operator"))]


class DropRequest(BaseModel):
    reason: str = Field(
        min_length=5,
        max_length=500,
        examples=["duplicate of a fact entered by hand, ticket OPS-12"],
    )
    seq: int | None = Field(
        default=None,
        ge=1,
        lt=2**63,
        description="Only this event; those behind it wait until the key is replayed.",
    )


def routes(engine: Engine, handlers: Handlers, *, versioned: bool) -> APIRouter:
    """The same under every service: parked events are the worker role's business, and operators'
    only.
    """
    router = APIRouter(prefix="/dead-letters", tags=["dead letters"])

    @router.get("")
    async def list_dead_letters(_: Operator) -> list[ParkedKey]:
        """The keys with parked events, the longest waiting first."""
        async with transaction(engine) as conn:
            return await consumer.parked_keys(conn)

    @router.get("/{topic}/{key:path}")
    async def show_dead_letters(topic: str, key: str, _: Operator) -> list[ParkedEvent]:
        """The events of one key in the order of replay."""
        async with transaction(engine) as conn:
            return await consumer.parked_events(conn, topic, key)

    @router.post("/{topic}/{key:path}/replay")
    async def replay_dead_letters(topic: str, key: str, caller: Operator) -> Replay:
        """Runs the key's events again, in order, through the same handlers. Repeating it is
        harmless.
        """
        async with transaction(engine) as conn:
            return await consumer.replay_key(
                conn, handlers, topic, key, caller.sub, versioned=versioned
            )

    @router.post("/{topic}/{key:path}/drop")
    async def drop_dead_letters(topic: str, key: str, body: DropRequest, caller: Operator) -> Drop:
        """Gives the key's parked events up, or the one of number `seq`; the reason is kept."""
        async with transaction(engine) as conn:
            return await consumer.drop_key(conn, topic, key, caller.sub, body.reason, body.seq)

    return router
