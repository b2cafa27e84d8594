"""年度基数申报, as an employee sees it: their own base, to confirm or to dispute."""

from typing import Annotated

from fastapi import APIRouter, Query

from contribution_svc.api.callers import Employee, HrOrEmployee, Once
from contribution_svc.api.campaign_views import ConfirmIn, DisputeIn, MemberOut, member_out
from contribution_svc.api.campaigns import CampaignId
from contribution_svc.usecases import campaign as usecases
from contribution_svc.usecases import views
from shared.clock import Clock
from shared.db import Engine, tenant
from shared.http_writes import Page, once


def routes(engine: Engine, clock: Clock) -> APIRouter:
    router = APIRouter(tags=["base campaigns"])

    @router.get("/base-confirmations")
    async def list_confirmations(
        caller: HrOrEmployee, employee_id: Annotated[str, Query(max_length=64)]
    ) -> Page[MemberOut]:
        """An employee's bases to confirm, the latest year first."""
        async with tenant(engine, caller) as conn:
            rows = await views.confirmations(conn, employee_id)
        return Page(items=[member_out(row) for row in rows])

    @router.post("/base-confirmations/{campaign_id}/confirm")
    async def confirm(
        campaign_id: CampaignId, body: ConfirmIn, caller: Employee, write: Once
    ) -> MemberOut:
        """The caller's own base is right."""
        async with tenant(engine, caller) as conn:

            async def act() -> MemberOut:
                return member_out(
                    await usecases.confirm_base(
                        conn, campaign_id, caller.employee_id, body.version, clock.now()
                    )
                )

            return await once(conn, caller, write, MemberOut, act)

    @router.post("/base-confirmations/{campaign_id}/dispute")
    async def dispute(
        campaign_id: CampaignId, body: DisputeIn, caller: Employee, write: Once
    ) -> MemberOut:
        """The caller's own base is wrong, and why."""
        async with tenant(engine, caller) as conn:

            async def act() -> MemberOut:
                return member_out(
                    await usecases.dispute_base(
                        conn,
                        campaign_id,
                        caller.employee_id,
                        body.version,
                        body.words,
                        clock.now(),
                    )
                )

            return await once(conn, caller, write, MemberOut, act)

    return router
