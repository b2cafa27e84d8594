"""What people ask to see: bases, assessments, declarations, statements, suspense and sums."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from contribution_svc.domain.declaration import Member, blocked_reasons, declare
from contribution_svc.errors import EmployeeUnknown
from contribution_svc.store import assessed, base_members
from contribution_svc.store import bases as base_store
from contribution_svc.store import declarations as declaration_store
from contribution_svc.store import postings as posting_store
from contribution_svc.store import statements as statement_store
from contribution_svc.store.assessed import Listed
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.base_members import MemberRow
from contribution_svc.store.bases import BaseRow
from contribution_svc.store.declarations import Declaration
from contribution_svc.store.postings import InSuspense
from contribution_svc.store.statements import ListedStatement
from shared.db import Connection

Sides = Mapping[str, tuple[int, int]]
"""Fen per insurance: the employer's and the employees' part."""

_AFTER_ALL_YEARS = "9999"
_MAX_NAMED = 1_000
_MOST_CONFIRMATIONS = 50


@dataclass(frozen=True, slots=True)
class PeriodSums:
    assessed: Sides
    debited: Sides


@dataclass(frozen=True, slots=True)
class Blocked:
    employee_id: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class DeclarationView:
    """A declaration as it stands; of a draft the sums are those that an approval now would freeze.

    `blocked` names at most 1,000 employees who are left out; `waiting` counts those still to be
    assessed.
    """

    declaration: Declaration
    blocked: Sequence[Blocked]
    waiting: int


async def sums(conn: Connection, employer_id: str, period: str) -> PeriodSums:
    return PeriodSums(
        await assessed.sums(conn, employer_id, period),
        await posting_store.sums(conn, employer_id, period),
    )


async def bases(
    conn: Connection, employee_id: str, before: str | None, limit: int
) -> list[BaseRow]:
    """EmployeeUnknown for another's employee, as for one that does not exist."""
    rows = await base_store.of_employee(conn, employee_id, before or _AFTER_ALL_YEARS, limit)
    if not rows and not await base_store.is_employee(conn, employee_id):
        raise EmployeeUnknown(f"There is no employee {employee_id} that you may see.")
    return rows


async def confirmations(conn: Connection, employee_id: str) -> list[MemberRow]:
    """An employee's bases of campaigns, the latest year first; EmployeeUnknown as above."""
    rows = await base_members.of_employee(conn, employee_id, _MOST_CONFIRMATIONS)
    if not rows and not await base_store.is_employee(conn, employee_id):
        raise EmployeeUnknown(f"There is no employee {employee_id} that you may see.")
    return rows


async def assessments(
    conn: Connection, employer_id: str, period: str, after: str, limit: int
) -> list[Listed]:
    return await assessed.page(conn, employer_id, period, after, limit)


async def declarations(
    conn: Connection, employer_id: str, period: str, after: str, limit: int
) -> list[DeclarationView]:
    """Declarations of an employer's levy period by id, after `after`."""
    found = await declaration_store.of_employer(conn, employer_id, period, after, limit)
    return [await declaration_view(conn, one) for one in found]


async def declaration_view(conn: Connection, declaration: Declaration) -> DeclarationView:
    members = await declaration_store.members(conn, declaration.account_id, declaration.levy_period)
    return DeclarationView(
        declaration
        if declaration.is_approved()
        else declaration.with_sums(declare(members.members)),
        blocked_of(members.members),
        len(members.waiting),
    )


def blocked_of(months: Iterable[Member | Assessment]) -> list[Blocked]:
    """Whoever of them is left out, 1,000 at most."""
    named = (Blocked(month.employee_id, blocked_reasons(month.lines)) for month in months)
    return list(islice((one for one in named if one.reasons), _MAX_NAMED))


async def statements(
    conn: Connection, employer_id: str, after: tuple[date, str], limit: int
) -> list[ListedStatement]:
    return await statement_store.page(conn, employer_id, after, limit)


async def suspense(conn: Connection, employer_id: str, after: str, limit: int) -> list[InSuspense]:
    return await posting_store.suspense(conn, employer_id, after, limit)
