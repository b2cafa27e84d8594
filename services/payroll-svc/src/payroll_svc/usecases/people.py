"""Reading employees."""

from payroll_svc.domain.people import Person
from payroll_svc.store import people as people_store
from shared.db import Connection


async def employee_of(conn: Connection, employee_id: str) -> tuple[str, Person]:
    """(employer id, employee); NotFound if there is none that the caller may see."""
    return await people_store.person(conn, employee_id)


async def employees_page(
    conn: Connection, employer_id: str, after_no: str | None, limit: int
) -> list[Person]:
    """One page by employee number."""
    return await people_store.people_page(conn, employer_id, after_no, limit)


async def numbers_of(conn: Connection, employer_id: str) -> dict[str, str]:
    """Employee ids by employee number."""
    return await people_store.employee_ids_by_number(conn, employer_id)
