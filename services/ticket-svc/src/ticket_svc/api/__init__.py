"""HTTP door: employees give feedback, HR works on tickets, operators see numbers."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from shared.clock import Clock
from shared.db import Connection, Engine, tenant, transaction
from shared.http_writes import Page, Write, cursor_of, cursor_values, idempotent, once
from shared.refusal import FieldFault, Forbidden, Malformed
from shared.serve import Caller, require
from shared.values import derived_id
from ticket_svc import store
from ticket_svc.api.views import (
    AssignBody,
    FeedbackBody,
    FeedbackTaken,
    IncidentView,
    ReplyBody,
    ResolveBody,
    TicketCounts,
    TicketDetail,
    TicketView,
    detail_of,
    view_of,
)
from ticket_svc.domain.facts import Feedback
from ticket_svc.domain.office import Office
from ticket_svc.domain.ticket import Ticket
from ticket_svc.errors import EmployeeUnknown
from ticket_svc.store.tickets import Message
from ticket_svc.usecases import gathering, people

Employee = Annotated[Caller, Depends(require("employee"))]
Hr = Annotated[Caller, Depends(require("hr"))]
Operator = Annotated[Caller, Depends(require("operator"))]
Person = Annotated[Caller, Depends(require("employee", "hr"))]
Keyed = Annotated[Write, Depends(idempotent)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=500)]
Filter = Annotated[str, Query(max_length=100)]


def routes(engine: Engine, worker: Engine, office: Office, clock: Clock) -> APIRouter:
    """All of ticket-svc's endpoints; `worker` is read for numbers that concern no person."""
    router = APIRouter(tags=["tickets"])
    _add_feedback(router, engine, office, clock)
    _add_lists(router, engine)
    _add_conversation(router, engine, office, clock)
    _add_decisions(router, engine, office, clock)

    @router.get("/ticket-counts")
    async def count_tickets(_: Operator) -> TicketCounts:
        async with transaction(worker) as conn:
            return TicketCounts(states=await store.tickets.counts(conn))

    return router


def _add_feedback(router: APIRouter, engine: Engine, office: Office, clock: Clock) -> None:
    @router.post("/feedback", status_code=201)
    async def give_feedback(body: FeedbackBody, caller: Employee, write: Keyed) -> FeedbackTaken:
        """Joins the open ticket that has one of these insurances of this month, or opens one."""

        async def act() -> FeedbackTaken:
            now = clock.now()
            feedback = Feedback(
                feedback_id=str(derived_id("feedback", caller.sub, write.key)),
                employer_id=await _own_employer(conn, caller),
                employee_id=caller.employee_id,
                at=now,
                levy_period=body.levy_period,
                insurances=tuple(dict.fromkeys(name.value for name in body.insurances)),
                kind=body.kind,
            )
            message = Message(
                feedback.feedback_id,
                now,
                "employee",
                caller.sub,
                body.text,
                feedback_id=feedback.feedback_id,
            )
            ticket, joined = await gathering.give_feedback(conn, office, feedback, message)
            return FeedbackTaken(
                ticket_id=ticket.ticket_id,
                number=ticket.number,
                joined=joined,
                reply_due_at=ticket.reply_due_at,
            )

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, FeedbackTaken, act)


async def _own_employer(conn: Connection, caller: Caller) -> str:
    """Whose employee the caller is: by the roster, or by the token while the roster is on
    its way.
    """
    if not caller.employee_id:
        raise Forbidden("Feedback is for employees; your token names none, or has other roles.")
    known = await store.copies.employer_of(conn, caller.employee_id)
    if known is None and len(caller.employer_ids) != 1:
        raise EmployeeUnknown("Your employee record is not known here yet; try again later.")
    return known or caller.employer_ids[0]


def _add_lists(router: APIRouter, engine: Engine) -> None:
    @router.get("/tickets")
    async def list_tickets(
        caller: Person,
        employer_id: Filter = "",
        state: Filter = "",
        assignee: Filter = "",
        employee_id: Filter = "",
        incident_id: Filter = "",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[TicketView]:
        """Newest first; an employee sees their own, HR their employers'."""
        if employer_id:
            caller.must_act_for(employer_id)
        asked = {
            "employer_id": employer_id,
            "state": state,
            "assignee": assignee,
            "employee_id": employee_id,
            "incident_id": incident_id,
        }
        filters = {name: value for name, value in asked.items() if value}
        async with tenant(engine, caller) as conn:
            tickets = await store.tickets.page(conn, filters, _after(cursor), limit + 1)
        shown = tickets[:limit]
        more = len(tickets) > limit
        last = cursor_of(shown[-1].opened_at.isoformat(), shown[-1].ticket_id) if more else None
        return Page(items=[view_of(ticket) for ticket in shown], next_cursor=last)

    @router.get("/incidents")
    async def list_incidents(
        caller: Hr,
        employer_id: Annotated[str, Query(max_length=100)],
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[IncidentView]:
        """Causes that two or more employees share, newest first."""
        caller.must_act_for(employer_id)
        async with tenant(engine, caller) as conn:
            rows = await store.facts.incidents(conn, employer_id, _after(cursor), limit + 1)
        shown = [IncidentView.model_validate(row, from_attributes=True) for row in rows[:limit]]
        more = len(rows) > limit
        last = shown[-1] if more else None
        next_cursor = (
            cursor_of(last.first_raised_at.isoformat(), last.incident_id) if last else None
        )
        return Page(items=shown, next_cursor=next_cursor)


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    values = cursor_values(cursor, 2)
    if values is None:
        return None
    try:
        return datetime.fromisoformat(values[0]), values[1]
    except ValueError:
        fault = FieldFault("query:cursor", "", "not a cursor of this list", "leave the cursor out")
        raise Malformed("The cursor is not one that this list gave out.", (fault,)) from None


def _add_conversation(router: APIRouter, engine: Engine, office: Office, clock: Clock) -> None:
    @router.get("/tickets/{ticket_id}")
    async def get_ticket(ticket_id: str, caller: Person) -> TicketDetail:
        """One ticket with its timeline and conversation."""
        async with tenant(engine, caller) as conn:
            return await _detail(conn, ticket_id)

    @router.post("/tickets/{ticket_id}/replies", status_code=201)
    async def reply_to_ticket(
        ticket_id: str, body: ReplyBody, caller: Person, write: Keyed
    ) -> TicketDetail:
        """HR's first reply ends the reply clock."""
        by_hr = "hr" in caller.roles

        async def act() -> TicketDetail:
            message = Message(
                str(derived_id("reply", caller.sub, write.key)),
                clock.now(),
                "hr" if by_hr else "employee",
                caller.sub,
                body.text,
                body.waiting_on if by_hr else "",
            )
            await people.reply(conn, office, ticket_id, message)
            return await _detail(conn, ticket_id)

        async with tenant(engine, caller) as conn:
            return await once(conn, caller, write, TicketDetail, act)


async def _detail(conn: Connection, ticket_id: str) -> TicketDetail:
    return detail_of(
        await store.tickets.ticket(conn, ticket_id),
        await store.tickets.changes(conn, ticket_id),
        await store.tickets.messages(conn, ticket_id),
    )


def _add_decisions(router: APIRouter, engine: Engine, office: Office, clock: Clock) -> None:
    async def decided(
        caller: Caller, write: Write, decide: Callable[[Connection], Awaitable[Ticket]]
    ) -> TicketView:
        async with tenant(engine, caller) as conn:

            async def act() -> TicketView:
                return view_of(await decide(conn))

            return await once(conn, caller, write, TicketView, act)

    @router.post("/tickets/{ticket_id}/assign")
    async def assign_ticket(
        ticket_id: str, body: AssignBody, caller: Hr, write: Keyed
    ) -> TicketView:
        """Gives the ticket to another of the HR staff."""
        at, by = clock.now(), caller.sub
        return await decided(
            caller, write, lambda conn: people.assign(conn, office, ticket_id, body.sub, at, by)
        )

    @router.post("/tickets/{ticket_id}/resume")
    async def resume_ticket(ticket_id: str, caller: Hr, write: Keyed) -> TicketView:
        """Ends the waiting; the resolution clock runs on."""
        at, by = clock.now(), caller.sub
        return await decided(
            caller, write, lambda conn: people.resume(conn, office, ticket_id, at, by)
        )

    @router.post("/tickets/{ticket_id}/resolve")
    async def resolve_ticket(
        ticket_id: str, body: ResolveBody, caller: Hr, write: Keyed
    ) -> TicketView:
        """Resolves the ticket with a reason, whether or not its records have arrived."""
        at, by = clock.now(), caller.sub
        return await decided(
            caller, write, lambda conn: people.resolve(conn, office, ticket_id, body.reason, at, by)
        )

    @router.post("/tickets/{ticket_id}/reopen")
    async def reopen_ticket(ticket_id: str, caller: Person, write: Keyed) -> TicketView:
        """The employee or HR opens a resolved ticket again."""
        at, by = clock.now(), caller.sub
        return await decided(
            caller, write, lambda conn: people.reopen(conn, office, ticket_id, at, by)
        )
