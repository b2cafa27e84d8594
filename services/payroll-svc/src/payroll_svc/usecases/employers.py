"""Employers come to be, and change."""

from dataclasses import replace
from datetime import datetime

from payroll_svc.domain.employers import Employer
from payroll_svc.errors import EmployerInconsistent, EmployerKnown
from payroll_svc.store import employers as employers_store
from payroll_svc.usecases.facts import employer_changed
from shared import outbox
from shared.db import Connection
from shared.refusal import FieldFault

_KEEP = "keep it in the list, or move its people first"


async def create_employer(conn: Connection, employer: Employer, at: datetime) -> Employer:
    """Stores the employer and tells EmployerChanged; EmployerKnown if its USCC is taken."""
    if not await employers_store.add_employer(conn, employer):
        raise EmployerKnown(f"An employer with USCC {employer.uscc} exists already.")
    await outbox.add(conn, [employer_changed(employer)], at)
    return employer


async def change_employer(conn: Connection, wanted: Employer, at: datetime) -> Employer:
    """Brings the employer to what is wanted and tells it, unless it is that already.

    EmployerInconsistent when an account or a department would go that people are in.
    """
    known = await employers_store.employer(conn, wanted.employer_id, lock=True)
    changed = replace(wanted, version=known.version)
    if _ordered(changed) == _ordered(known):
        return known
    await _refuse_lost_places(conn, known, changed)
    changed = replace(changed, version=known.version + 1)
    await employers_store.change_employer(conn, changed)
    await outbox.add(conn, [employer_changed(changed)], at)
    return changed


def _ordered(employer: Employer) -> Employer:
    """The order in which parts are listed means nothing."""
    return replace(
        employer,
        accounts=tuple(sorted(employer.accounts, key=lambda one: one.account_id)),
        departments=tuple(sorted(employer.departments, key=lambda one: one.department_id)),
        hr_staff=tuple(sorted(employer.hr_staff, key=lambda one: one.sub)),
    )


async def _refuse_lost_places(conn: Connection, known: Employer, changed: Employer) -> None:
    kept = {one.account_id for one in changed.accounts}
    kept |= {one.department_id for one in changed.departments}
    lost = await employers_store.places_in_use(conn, known.employer_id) - kept
    faults = [
        FieldFault("body/accounts", one.account_no, "people are in this account", _KEEP)
        for one in known.accounts
        if one.account_id in lost
    ]
    faults += [
        FieldFault("body/departments", one.code, "people are in this department", _KEEP)
        for one in known.departments
        if one.department_id in lost
    ]
    if faults:
        detail = f"{known.name} still has people in what the change leaves out."
        raise EmployerInconsistent(detail, tuple(faults))


async def employer_of(conn: Connection, employer_id: str) -> Employer:
    """The employer; NotFound if there is none that the caller may see."""
    return await employers_store.employer(conn, employer_id)


async def employers_of(conn: Connection) -> list[Employer]:
    """Every employer that the caller may see, by name."""
    ids = await employers_store.visible_employer_ids(conn)
    return [await employers_store.employer(conn, employer_id) for employer_id in ids]
