"""Employers come to be."""

from datetime import datetime

from payroll_svc.domain.employers import Employer
from payroll_svc.errors import EmployerKnown
from payroll_svc.store import employers as employers_store
from payroll_svc.usecases.facts import employer_changed
from shared import outbox
from shared.db import Connection


async def create_employer(conn: Connection, employer: Employer, at: datetime) -> Employer:
    """Stores the employer and tells EmployerChanged; EmployerKnown if its USCC is taken."""
    if not await employers_store.add_employer(conn, employer):
        raise EmployerKnown(f"An employer with USCC {employer.uscc} exists already.")
    await outbox.add(conn, [employer_changed(employer)], at)
    return employer


async def employer_of(conn: Connection, employer_id: str) -> Employer:
    """The employer; NotFound if there is none that the caller may see."""
    return await employers_store.employer(conn, employer_id)


async def employers_of(conn: Connection) -> list[Employer]:
    """Every employer that the caller may see, by name."""
    ids = await employers_store.visible_employer_ids(conn)
    return [await employers_store.employer(conn, employer_id) for employer_id in ids]
