"""Proposals of policy packs, for the operators who release them: two people, and numbers without
persons.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, File, Form, Path, UploadFile
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contribution_svc.api.callers import Cursor, Limit, Once, Operator
from contribution_svc.api.campaign_views import writing
from contribution_svc.domain.release import Origin, effect_sentence
from contribution_svc.store.effects import EmployerEffect
from contribution_svc.store.proposals import Proposal
from contribution_svc.usecases import release_views as views
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.release import (
    Approval,
    Draft,
    approve,
    proposal_of,
    propose,
    reject,
    simulate_again,
)
from shared.clock import Clock
from shared.db import Connection, Engine, transaction
from shared.http_writes import Page, Write, cursor_of, cursor_values, once
from shared.refusal import FieldFault, Malformed
from shared.serve import Caller

ProposalId = Annotated[str, Path(max_length=64)]


class ChangeOut(BaseModel):
    """One figure that differs from the pack in force."""

    key: str = Field(examples=["insurances.medical.ceiling"])
    effective_from: date | None = Field(examples=["2024-07-01"])
    before: str = Field(examples=["24,000.00"])
    after: str = Field(examples=["25,500.00"])
    source: str


class EffectOut(BaseModel):
    """What a pack changes, in fen a month, new less old, from `levy_period` on (empty: nothing that
    is due changes).
    """

    levy_period: str = Field(examples=["2024-07"])
    people: int = Field(examples=[1_203])
    employer_fen: int = Field(examples=[3_220_681])
    employee_fen: int = Field(examples=[1_610_341])
    declared_months: int = Field(
        description="Months of employees that were declared: they get difference lines."
    )
    sentence: str = Field(
        examples=[
            "1,203人，自2024年7月起每月增加48,310.22元（单位增加32,206.81元，个人增加16,103.41元）"
        ]
    )


class ProposalOut(BaseModel):
    """A pack on its way into force; `sha256` names its content, and is what an approval names."""

    proposal_id: str
    city: str = Field(examples=["990200"])
    city_name: str = Field(examples=["示例乙市"])
    sha256: str
    note: str
    origin: str = Field(examples=["uploaded"])
    proposed_by: str
    proposed_at: datetime
    state: str = Field(examples=["simulated"])
    known_since: date = Field(description="Not in force before this day.")
    changes: list[ChangeOut]
    simulated_at: datetime | None
    effect: EffectOut | None = Field(description="Of everyone insured there; null until simulated.")
    retroactive: bool = Field(description="Declared months are changed.")
    approved_by: str
    approved_at: datetime | None
    effective_at: datetime | None
    ended_by: str
    ended_reason: str


class EmployerEffectOut(EffectOut):
    employer_id: str


class ApprovalIn(BaseModel):
    """What is approved, by its hash; `retroactive` says that changing declared months is meant."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    retroactive: bool = False


class RejectionIn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    reason: str = Field(min_length=2, max_length=500)


def routes(worker: Engine, clock: Clock, library: Library) -> APIRouter:
    """Packs are nobody's data, and whom they affect is counted over all employers: the worker role
    works here.
    """
    router = APIRouter(tags=["policy releases"])
    _add_reading(router, worker)
    _add_deciding(router, worker, clock)

    @router.post("/policy-proposals", status_code=201)
    async def propose_policy(
        caller: Operator,
        write: Once,
        file: Annotated[UploadFile, File(description="A policy pack, YAML.")],
        note: Annotated[str, Form(max_length=500), AfterValidator(writing)] = "",
    ) -> ProposalOut:
        """Takes a pack in, compared with the one in force; all faults of a broken one are told at
        once. Its simulation follows.
        """
        content = await file.read()
        draft = Draft(content, file.filename or "pack.yaml", note, Origin.UPLOADED, caller.sub)

        async def act(conn: Connection) -> Proposal:
            return await propose(conn, library, draft, clock.now())

        return await _written(worker, caller, write.of_content(content, note.encode()), act)

    return router


def _add_reading(router: APIRouter, worker: Engine) -> None:
    @router.get("/policy-proposals")
    async def list_proposals(
        _: Operator, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[ProposalOut]:
        """The newest first."""
        async with transaction(worker) as conn:
            found = await views.proposals_page(conn, place_of(cursor), limit)
        return Page(items=[_out(one) for one in found], next_cursor=next_of(found, limit))

    @router.get("/policy-proposals/{proposal_id}")
    async def get_proposal(proposal_id: ProposalId, _: Operator) -> ProposalOut:
        async with transaction(worker) as conn:
            return _out(await proposal_of(conn, proposal_id))

    @router.get("/policy-proposals/{proposal_id}/employers")
    async def list_employers(
        proposal_id: ProposalId, _: Operator, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[EmployerEffectOut]:
        """How many people of each employer, and by how much."""
        place = cursor_values(cursor, 1)
        async with transaction(worker) as conn:
            proposal = await proposal_of(conn, proposal_id)
            found = await views.employer_effects(
                conn, proposal_id, place[0] if place else "", limit
            )
        last = found[-1] if len(found) == limit else None
        items = [
            EmployerEffectOut(
                employer_id=one.employer_id, **effect_out(one, proposal.levy_period).model_dump()
            )
            for one in found
        ]
        return Page(items=items, next_cursor=cursor_of(last.employer_id) if last else None)


def _add_deciding(router: APIRouter, worker: Engine, clock: Clock) -> None:
    @router.post("/policy-proposals/{proposal_id}/simulate")
    async def simulate(proposal_id: ProposalId, caller: Operator, write: Once) -> ProposalOut:
        """Simulates it again, on the roster as it is now."""

        async def act(conn: Connection) -> Proposal:
            return await simulate_again(conn, proposal_id, clock.now())

        return await _written(worker, caller, write, act)

    @router.post("/policy-proposals/{proposal_id}/approve")
    async def approve_(
        proposal_id: ProposalId, body: ApprovalIn, caller: Operator, write: Once
    ) -> ProposalOut:
        """By a second person. HR hears whom it affects; it comes into force on the day on which it
        is known.
        """
        approval = Approval(caller.sub, body.sha256, body.retroactive)

        async def act(conn: Connection) -> Proposal:
            return await approve(conn, proposal_id, approval, clock.now())

        return await _written(worker, caller, write, act)

    @router.post("/policy-proposals/{proposal_id}/reject")
    async def reject_(
        proposal_id: ProposalId, body: RejectionIn, caller: Operator, write: Once
    ) -> ProposalOut:
        """Ends it; a release that was announced is withdrawn."""

        async def act(conn: Connection) -> Proposal:
            return await reject(conn, proposal_id, body.reason, caller.sub, clock.now())

        return await _written(worker, caller, write, act)


async def _written(
    worker: Engine,
    caller: Caller,
    write: Write,
    act: Callable[[Connection], Awaitable[Proposal]],
) -> ProposalOut:
    async with transaction(worker) as conn:

        async def done() -> ProposalOut:
            return _out(await act(conn))

        return await once(conn, caller, write, ProposalOut, done)


def place_of(cursor: str | None) -> tuple[datetime, str] | None:
    """The place after which a list of proposals goes on."""
    place = cursor_values(cursor, 2)
    if place is None:
        return None
    try:
        return datetime.fromisoformat(place[0]).astimezone(UTC), place[1]
    except (ValueError, OverflowError):
        fault = FieldFault("query:cursor", "", "not a cursor of this list")
        raise Malformed("The cursor is not one that this list gave out.", (fault,)) from None


def next_of(found: list[Proposal], limit: int) -> str | None:
    if len(found) < limit:
        return None
    return cursor_of(found[-1].proposed_at.isoformat(), found[-1].proposal_id)


def effect_out(effect: Proposal | EmployerEffect, levy_period: str) -> EffectOut:
    sides = (effect.employer_fen, effect.employee_fen)
    return EffectOut(
        levy_period=levy_period,
        people=effect.people,
        employer_fen=sides[0],
        employee_fen=sides[1],
        declared_months=effect.declared_months,
        sentence=effect_sentence(effect.people, *sides, levy_period),
    )


def changes_out(proposal: Proposal) -> list[ChangeOut]:
    return [ChangeOut.model_validate(one, from_attributes=True) for one in proposal.changes]


def _out(proposal: Proposal) -> ProposalOut:
    is_simulated = proposal.simulated_at is not None
    return ProposalOut(
        proposal_id=proposal.proposal_id,
        city=proposal.city,
        city_name=proposal.city_name,
        sha256=proposal.sha256,
        note=proposal.note,
        origin=proposal.origin,
        proposed_by=proposal.proposed_by,
        proposed_at=proposal.proposed_at,
        state=proposal.state,
        known_since=proposal.known_since,
        changes=changes_out(proposal),
        simulated_at=proposal.simulated_at,
        effect=effect_out(proposal, proposal.levy_period) if is_simulated else None,
        retroactive=proposal.declared_months > 0,
        approved_by=proposal.approved_by,
        approved_at=proposal.approved_at,
        effective_at=proposal.effective_at,
        ended_by=proposal.ended_by,
        ended_reason=proposal.ended_reason,
    )
