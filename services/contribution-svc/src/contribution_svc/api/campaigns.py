"""年度基数申报: HR opens a campaign, watches it, answers, exports and compares it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from contribution_svc.api.callers import Cursor, EmployerId, Hr, Limit, Once, of_employer
from contribution_svc.api.campaign_views import (
    AnswerIn,
    CampaignIn,
    CampaignOut,
    ComparedOut,
    MemberOut,
    campaign_out,
    compared_out,
    member_out,
)
from contribution_svc.domain.campaign import MemberState
from contribution_svc.files.listing import MEDIA_TYPES, ListingFormat, written
from contribution_svc.usecases import campaign as usecases
from contribution_svc.usecases.campaign_export import campaign_export, exported_rows
from contribution_svc.usecases.library import Library
from shared.clock import Clock, china_day
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values, once

CampaignId = Annotated[str, Path(max_length=64)]
EmployeeIdPath = Annotated[str, Path(max_length=64)]


def routes(engine: Engine, clock: Clock, library: Library) -> APIRouter:
    router = APIRouter(tags=["base campaigns"])
    _add_campaigns(router, engine, clock)
    _add_members(router, engine, clock, library)
    return router


def _add_campaigns(router: APIRouter, engine: Engine, clock: Clock) -> None:
    @router.get("/base-campaigns")
    async def list_campaigns(
        caller: Hr, employer_id: EmployerId, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[CampaignOut]:
        """The latest contribution year first."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, of_employer(caller, employer_id)) as conn:
            found = await usecases.list_campaigns(
                conn, employer_id, place[0] if place else None, limit
            )
        last = found[-1].campaign if len(found) == limit else None
        return Page(
            items=[campaign_out(one) for one in found],
            next_cursor=cursor_of(last.contribution_year) if last else None,
        )

    @router.post("/base-campaigns", status_code=201)
    async def open_campaign(body: CampaignIn, caller: Hr, write: Once) -> CampaignOut:
        """Once for an employer and contribution year; asked again, it is the one that is there."""
        async with tenant(engine, of_employer(caller, body.employer_id)) as conn:

            async def act() -> CampaignOut:
                return campaign_out(
                    await usecases.open_campaign(
                        conn,
                        body.employer_id,
                        body.contribution_year,
                        body.confirm_by,
                        caller.sub,
                        clock.now(),
                    )
                )

            return await once(conn, caller, write, CampaignOut, act)

    @router.get("/base-campaigns/{campaign_id}")
    async def get_campaign(campaign_id: CampaignId, caller: Hr) -> CampaignOut:
        async with tenant(engine, caller) as conn:
            return campaign_out(await usecases.progress(conn, campaign_id))

    @router.post("/base-campaigns/{campaign_id}/close")
    async def close_campaign(campaign_id: CampaignId, caller: Hr, write: Once) -> CampaignOut:
        """Refused while somebody waits for a base or an answer."""
        async with tenant(engine, caller) as conn:

            async def act() -> CampaignOut:
                return campaign_out(await usecases.close_campaign(conn, campaign_id, clock.now()))

            return await once(conn, caller, write, CampaignOut, act)


def _add_members(router: APIRouter, engine: Engine, clock: Clock, library: Library) -> None:
    @router.get("/base-campaigns/{campaign_id}/members")
    async def list_members(
        campaign_id: CampaignId,
        caller: Hr,
        state: MemberState | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[MemberOut]:
        """By employee."""
        place = cursor_values(cursor, 1)
        async with tenant(engine, caller) as conn:
            rows = await usecases.list_members(
                conn, campaign_id, state or "", place[0] if place else "", limit
            )
        last = rows[-1] if len(rows) == limit else None
        return Page(
            items=[member_out(row) for row in rows],
            next_cursor=cursor_of(last.employee_id) if last else None,
        )

    @router.post("/base-campaigns/{campaign_id}/members/{employee_id}/answer")
    async def answer_dispute(
        campaign_id: CampaignId,
        employee_id: EmployeeIdPath,
        body: AnswerIn,
        caller: Hr,
        write: Once,
    ) -> MemberOut:
        """HR's answer to a dispute."""
        async with tenant(engine, caller) as conn:

            async def act() -> MemberOut:
                return member_out(
                    await usecases.answer_dispute(
                        conn,
                        campaign_id,
                        employee_id,
                        body.decision == "correct",
                        body.reason,
                        caller.sub,
                        clock.now(),
                    )
                )

            return await once(conn, caller, write, MemberOut, act)

    @router.get("/base-campaigns/{campaign_id}/verified")
    async def compare(
        campaign_id: CampaignId, caller: Hr, cursor: Cursor = None, limit: Limit = 200
    ) -> ComparedOut:
        """Whose verified bases (核定) are not the declared ones, by how much, and why that may
        be.
        """
        place = cursor_values(cursor, 1)
        async with tenant(engine, caller) as conn:
            found = await usecases.compare(
                conn,
                await library.in_force(conn),
                campaign_id,
                place[0] if place else "",
                limit,
                china_day(clock.now()),
            )
        return compared_out(found)

    # All pages show one moment: a base that is computed meanwhile may need another column.
    snapshots = engine.execution_options(isolation_level="REPEATABLE READ")

    @router.get("/base-campaigns/{campaign_id}/export", response_class=Response)
    async def export(
        campaign_id: CampaignId,
        caller: Hr,
        form: Annotated[ListingFormat, Query(alias="format")] = ListingFormat.XLSX,
    ) -> Response:
        """Everyone, to be filed: XLSX, or CSV in UTF-8 with BOM."""
        async with tenant(snapshots, caller) as conn:
            found = await campaign_export(conn, await library.in_force(conn), campaign_id)
            rows = exported_rows(conn, found)
            file = await written(form, found.titles(), rows, found.name())
        name = f"attachment; filename=base-campaign.{form}"
        return Response(file, media_type=MEDIA_TYPES[form], headers={"Content-Disposition": name})
