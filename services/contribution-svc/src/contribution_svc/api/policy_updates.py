"""Signed bundles of policy packs that an operator carries here as a file."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from pydantic import BaseModel, Field

from contribution_svc.api.callers import Once, Operator
from contribution_svc.domain.release import Origin
from contribution_svc.policy.bundle import MAX_BUNDLE_BYTES
from contribution_svc.usecases.updates import Carried, Trust, take_in
from shared.clock import Clock
from shared.db import Engine, transaction
from shared.http_writes import once


class TakenOut(BaseModel):
    """A bundle that was taken in, now or before: the proposals that it made."""

    sequence: int = Field(examples=[12])
    key_id: str = Field(examples=["publisher-2026"])
    note: str
    taken_at: datetime
    proposal_ids: list[str]


def routes(worker: Engine, clock: Clock, trust: Trust) -> APIRouter:
    router = APIRouter(tags=["policy releases"])

    @router.post("/policy-updates", status_code=201)
    async def take_in_bundle(
        caller: Operator,
        write: Once,
        file: Annotated[UploadFile, File(description="A signed bundle, JSON.")],
    ) -> TakenOut:
        """Each of its packs that differs from what is in force becomes a proposal, or nothing
        does; another operator approves them.
        """
        content = await file.read(MAX_BUNDLE_BYTES + 1)
        carried = Carried(content, Origin.CARRIED_FILE, caller.sub)
        async with transaction(worker) as conn:

            async def act() -> TakenOut:
                taken = await take_in(conn, trust, carried, clock.now())
                return TakenOut.model_validate(taken, from_attributes=True)

            return await once(conn, caller, write.of_content(content), TakenOut, act)

    return router
