"""Reading employees."""

from collections.abc import Sequence

from payroll_svc.domain.people import Person, department_in
from payroll_svc.store import people as people_store
from shared.db import Connection
from shared.values import LevyPeriod


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


async def departments_of(
    conn: Connection, employee_ids: set[str], levy_periods: set[str]
) -> dict[tuple[str, str], str]:
    """Where each is employed in each period, by (employee id, levy period)."""
    people = await people_store.people_by_id(conn, employee_ids)
    return departments_in(list(people.values()), levy_periods)


def departments_in(people: Sequence[Person], levy_periods: set[str]) -> dict[tuple[str, str], str]:
    """As `departments_of`, for people at hand."""
    found: dict[tuple[str, str], str] = {}
    for text in levy_periods:
        period = LevyPeriod.parse(text)
        first, last = period.first_day(), period.last_day()
        for person in people:
            department_id = department_in(person, first, last)
            if department_id is not None:
                found[person.employee_id, text] = department_id
    return found
