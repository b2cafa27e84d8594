"""Clock door: waiting tickets are assigned, late ones go up."""

from datetime import datetime

from shared.db import Engine, transaction
from shared.serve import Job
from ticket_svc import store
from ticket_svc.domain.office import Office
from ticket_svc.usecases import due


def jobs(engine: Engine, office: Office) -> list[Job]:
    """Each does one bounded batch in one transaction."""

    async def assign(now: datetime) -> int:
        async with transaction(engine) as conn:
            return await due.assign_waiting(conn, office, now)

    async def escalate(now: datetime) -> int:
        async with transaction(engine) as conn:
            return await due.escalate_late(conn, office, now)

    return [
        Job("assign_tickets", store.tickets.first_unassigned, assign),
        Job("escalate_tickets", store.tickets.first_escalation, escalate),
    ]
