"""HTTP door: who was told what and when, one's own inbox, and preferences."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from notify_svc import store
from notify_svc.api.views import NotificationView, Preferences, view_of
from notify_svc.store.notifications import Filters
from shared.db import Engine, tenant
from shared.http_writes import Page, cursor_of, cursor_values
from shared.refusal import FieldFault, Forbidden, Malformed
from shared.serve import Caller, require

Employee = Annotated[Caller, Depends(require("employee"))]
Hr = Annotated[Caller, Depends(require("hr"))]
Person = Annotated[Caller, Depends(require("employee", "hr"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=500)]
Filter = Annotated[str, Query(max_length=100)]


def routes(engine: Engine) -> APIRouter:
    """All of notify-svc's endpoints."""
    router = APIRouter(tags=["notifications"])
    _add_lists(router, engine)
    _add_preferences(router, engine)
    return router


def _add_lists(router: APIRouter, engine: Engine) -> None:
    async def shown(
        caller: Caller, filters: Filters, cursor: str | None, limit: int
    ) -> Page[NotificationView]:
        async with tenant(engine, caller) as conn:
            found = await store.notifications.page(conn, filters, _after(cursor), limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return Page(
            items=[view_of(notification) for notification in found[:limit]],
            next_cursor=cursor_of(last.at.isoformat(), last.notification_id) if last else None,
        )

    @router.get("/notifications")
    async def list_notifications(
        caller: Hr,
        employer_id: Annotated[str, Query(max_length=100)],
        recipient_kind: Filter = "",
        ticket_id: Filter = "",
        anomaly_id: Filter = "",
        employee_id: Filter = "",
        state: Filter = "",
        template: Filter = "",
        channel: Filter = "",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[NotificationView]:
        """Newest first; `state=failed` is the queue of those that a person has to look at."""
        caller.must_act_for(employer_id)
        equal = {
            "employer_id": employer_id,
            "recipient_kind": recipient_kind,
            "employee_id": employee_id,
            "state": state,
            "template": template,
            "channel": channel,
        }
        return await shown(caller, Filters(equal, ticket_id, anomaly_id), cursor, limit)

    @router.get("/me/notifications")
    async def list_my_notifications(
        caller: Person, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[NotificationView]:
        """The caller's own inbox, newest first."""
        own = (
            {"recipient_kind": "employee", "recipient": caller.employee_id}
            if caller.employee_id
            else {"recipient_kind": "hr", "recipient": caller.sub}
        )
        return await shown(caller, Filters({**own, "channel": "inbox"}), cursor, limit)


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    values = cursor_values(cursor, 2)
    if values is None:
        return None
    try:
        return datetime.fromisoformat(values[0]), values[1]
    except ValueError:
        fault = FieldFault("query:cursor", "", "not a cursor of this list", "leave the cursor out")
        raise Malformed("The cursor is not one that this list gave out.", (fault,)) from None


def _add_preferences(router: APIRouter, engine: Engine) -> None:
    @router.get("/preferences")
    async def get_preferences(caller: Employee) -> Preferences:
        """What the employee wants; everything until they say otherwise."""
        _only_employee(caller)
        async with tenant(engine, caller) as conn:
            return Preferences(email=await store.copies.preference(conn, caller.employee_id))

    @router.put("/preferences")
    async def put_preferences(body: Preferences, caller: Employee) -> Preferences:
        """Replaces what the employee wants; messages not sent yet go by it too."""
        employer_id = _only_employee(caller)
        async with tenant(engine, caller) as conn:
            await store.copies.save_preference(
                conn, employer_id, caller.employee_id, email=body.email
            )
        return body


def _only_employee(caller: Caller) -> str:
    """The employer of the employee; Forbidden for a token that is not of one employee of one
    employer.
    """
    if not caller.employee_id or len(caller.employer_ids) != 1:
        raise Forbidden("Preferences are an employee's; sign in as one employee of one employer.")
    return caller.employer_ids[0]
