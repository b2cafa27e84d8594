"""Parked events by HTTP, for operators: list, show (sealed data stays sealed), replay in order,
drop with a reason.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from shared import consumer
from shared.consumer import Handlers
from shared.db import Engine, transaction
from shared.serve.sign_in import Caller, require

Operator = Annotated[Caller, Depends(require("operator"))]


class ParkedKeyView(BaseModel):
    """A key whose events wait."""

    topic: str
    key: str
    events: int
    parked_at: datetime
    reason: str
    error: str


class ParkedEventView(BaseModel):
    """One waiting event, with its body as it came."""

    seq: int
    event_id: str
    type: str
    state: str
    reason: str
    error: str
    attempts: int
    parked_at: datetime
    body: str


class DropRequest(BaseModel):
    reason: str = Field(
        min_length=5,
        max_length=500,
        examples=["duplicate of a fact entered by hand, ticket OPS-12"],
    )


class Replayed(BaseModel):
    """How many events went through; `stopped_by` is the error of the first that did not."""

    replayed: int
    stopped_by: str = ""


class Dropped(BaseModel):
    dropped: int


def routes(engine: Engine, handlers: Handlers, *, versioned: bool) -> APIRouter:
    """The same under every service: parked events are the worker role's business, and operators'
    only.
    """
    router = APIRouter(prefix="/dead-letters", tags=["dead letters"])

    @router.get("")
    async def list_dead_letters(_: Operator) -> list[ParkedKeyView]:
        """The keys with parked events, the longest waiting first."""
        async with transaction(engine) as conn:
            return [
                ParkedKeyView.model_validate(key, from_attributes=True)
                for key in await consumer.parked_keys(conn)
            ]

    @router.get("/{topic}/{key}")
    async def show_dead_letters(topic: str, key: str, _: Operator) -> list[ParkedEventView]:
        """The events of one key in the order of replay."""
        async with transaction(engine) as conn:
            events = await consumer.parked_events(conn, topic, key)
        return [ParkedEventView.model_validate(event, from_attributes=True) for event in events]

    @router.post("/{topic}/{key}/replay")
    async def replay_dead_letters(topic: str, key: str, caller: Operator) -> Replayed:
        """Runs the key's events again, in order, through the same handlers. Repeating it is
        harmless.
        """
        async with transaction(engine) as conn:
            done, error = await consumer.replay_key(
                conn, handlers, topic, key, caller.sub, versioned=versioned
            )
        return Replayed(replayed=done, stopped_by=error)

    @router.post("/{topic}/{key}/drop")
    async def drop_dead_letters(
        topic: str, key: str, body: DropRequest, caller: Operator
    ) -> Dropped:
        """Gives the key's parked events up, with a reason that is kept."""
        async with transaction(engine) as conn:
            return Dropped(
                dropped=await consumer.drop_key(conn, topic, key, caller.sub, body.reason)
            )

    return router
