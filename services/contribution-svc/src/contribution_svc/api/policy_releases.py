"""Releases of policy as HR sees them: what changes for their own employer, and for whom."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from contribution_svc.api.callers import Cursor, EmployerId, Hr, Limit, of_employer
from contribution_svc.api.policy_proposals import (
    ChangeOut,
    EffectOut,
    ProposalId,
    changes_out,
    effect_out,
    next_of,
    place_of,
)
from contribution_svc.files.listing import MEDIA_TYPES, Cell, ListingFormat, written
from contribution_svc.store.effects import EffectRow
from contribution_svc.usecases import release_views as views
from contribution_svc.usecases.release_views import Release
from shared.db import Connection, Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values
from shared.values import INSURANCE_WORDS

_TITLES = (
    "工号",
    "员工编号",
    "费款所属期",
    "涉及险种",
    "单位原缴费",
    "单位新缴费",
    "单位增减",
    "个人原缴费",
    "个人新缴费",
    "个人增减",
)


class ReleaseOut(BaseModel):
    """A release as it affects one employer: simulated, approved (in force from `known_since`, or at
    once), or effective.
    """

    proposal_id: str
    city: str = Field(examples=["990200"])
    city_name: str = Field(examples=["示例乙市"])
    state: str = Field(examples=["approved"])
    known_since: date
    changes: list[ChangeOut]
    effect: EffectOut


class SidesOut(BaseModel):
    employer_fen: int = Field(examples=[384_000])
    employee_fen: int = Field(examples=[192_000])


class InsuranceEffectOut(BaseModel):
    before: SidesOut
    after: SidesOut


class PersonEffectOut(BaseModel):
    """What changes for one employee in the release's levy period."""

    employee_id: str
    employee_no: str = Field(examples=["A0017"])
    before: SidesOut
    after: SidesOut
    insurances: dict[str, InsuranceEffectOut]


def routes(engine: Engine) -> APIRouter:
    router = APIRouter(tags=["policy releases"])

    @router.get("/policy-releases")
    async def list_releases(
        caller: Hr, employer_id: EmployerId, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[ReleaseOut]:
        """Of cities in which the employer has an account, the newest first."""
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await views.releases(conn, employer_id, place_of(cursor), limit)
        cursor_after = next_of([one.proposal for one in found], limit)
        return Page(items=[_release(one) for one in found], next_cursor=cursor_after)

    @router.get("/policy-releases/{proposal_id}/people")
    async def list_people(
        proposal_id: ProposalId,
        caller: Hr,
        employer_id: EmployerId,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[PersonEffectOut]:
        """The employer's employees whom it affects, by employee id."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await views.people(
                conn, proposal_id, employer_id, place[0] if place else "", limit
            )
        last = found[-1] if len(found) == limit else None
        return Page(
            items=[_person(one) for one in found],
            next_cursor=cursor_of(last.employee_id) if last else None,
        )

    @router.get("/policy-releases/{proposal_id}/people/file", response_class=Response)
    async def download_people(
        proposal_id: ProposalId,
        caller: Hr,
        employer_id: EmployerId,
        form: Annotated[ListingFormat, Query(alias="format")] = ListingFormat.XLSX,
    ) -> Response:
        """The same whole, for a spreadsheet; sums in yuan."""
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            release = await views.release_of(conn, proposal_id, employer_id)
            file = await written(form, _TITLES, _rows(conn, release, employer_id))
        name = f"policy-release-{proposal_id[:8]}.{form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(file, media_type=MEDIA_TYPES[form], headers=headers)

    return router


async def _rows(
    conn: Connection, release: Release, employer_id: str
) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    proposal = release.proposal
    async for page in views.all_people(conn, proposal.proposal_id, employer_id):
        yield [_cells(one, proposal.levy_period) for one in page]


def _cells(one: EffectRow, levy_period: str) -> list[Cell]:
    return [
        one.employee_no,
        one.employee_id,
        levy_period,
        "、".join(INSURANCE_WORDS[name] for name in one.insurances),
        one.employer_fen_before,
        one.employer_fen_after,
        one.employer_fen_after - one.employer_fen_before,
        one.employee_fen_before,
        one.employee_fen_after,
        one.employee_fen_after - one.employee_fen_before,
    ]


def _release(release: Release) -> ReleaseOut:
    proposal = release.proposal
    return ReleaseOut(
        proposal_id=proposal.proposal_id,
        city=proposal.city,
        city_name=proposal.city_name,
        state=proposal.state,
        known_since=proposal.known_since,
        changes=changes_out(proposal),
        effect=effect_out(release.effect, proposal.levy_period),
    )


def _person(one: EffectRow) -> PersonEffectOut:
    return PersonEffectOut(
        employee_id=one.employee_id,
        employee_no=one.employee_no,
        before=_sides((one.employer_fen_before, one.employee_fen_before)),
        after=_sides((one.employer_fen_after, one.employee_fen_after)),
        insurances={
            name: InsuranceEffectOut(before=_sides(before), after=_sides(after))
            for name, (before, after) in one.insurances.items()
        },
    )


def _sides(fen: tuple[int, int]) -> SidesOut:
    return SidesOut(employer_fen=fen[0], employee_fen=fen[1])
