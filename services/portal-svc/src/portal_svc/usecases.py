"""One function per verb: take facts in, or put together what a person asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal_svc.domain import counts, evidence, facts, steps
from portal_svc.domain.months import MonthCard, month_card
from portal_svc.errors import EmployeeUnknown, EmployerUnknown, MonthUnknown, TicketUnknown
from portal_svc.store import keeping, reading
from shared.db import Connection
from shared.sealed import SealBroken, Sealer
from shared.values import ERASED_WORD, Insurance

Row = Mapping[str, Any]
OpenSealer = Callable[[], Sealer]


@dataclass(frozen=True, slots=True)
class MonthDetail:
    card: MonthCard
    steps: tuple[steps.InsuranceSteps, ...]
    advice: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who a row is about, for HR; `name` is 已删除 once the identity was erased."""

    employee_id: str
    employee_no: str
    name: str
    department: str = ""


@dataclass(frozen=True, slots=True)
class TicketCard:
    ticket: facts.Ticket
    person: Person
    evidence: tuple[evidence.Chain, ...]


@dataclass(frozen=True, slots=True)
class TicketDetail(TicketCard):
    anomalies: tuple[facts.Anomaly, ...] = ()
    notifications: tuple[facts.Notification, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthNumbers:
    """A month's cells, with what threatens it and whether it is closed."""

    cells: counts.MonthCells
    risks: tuple[facts.DeadlineRisk, ...] = ()
    close: facts.PeriodClose | None = None


@dataclass(frozen=True, slots=True)
class Bridge:
    sums_fen: Mapping[str, Mapping[Insurance, counts.Sums]]
    steps: tuple[counts.Step, ...] = field(default=())


async def keep_newest(
    conn: Connection, table: str, key: Sequence[str], rows: Sequence[Row]
) -> None:
    """Keeps the newest of each aggregate; `rows` are columns with `version`, in any order."""
    await keeping.keep(conn, table, newest(key, rows))


async def keep_side(conn: Connection, side: str, rows: Sequence[Row]) -> None:
    """Keeps the newest of one side of employees' months."""
    await keeping.keep_side(conn, side, newest(("employee_id", "levy_period"), rows))


async def keep_identities(conn: Connection, changes: Mapping[str, Row | None]) -> None:
    """Keeps sealed identities by employee id; None deletes one."""
    gone = [employee_id for employee_id, row in changes.items() if row is None]
    await keeping.forget_identities(conn, gone)
    await keeping.keep(conn, "identities", [row for row in changes.values() if row is not None])


def newest(key: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    """One row per key: a batch may hold several versions, a statement touches a row once."""
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        place = tuple(row[name] for name in key)
        if place not in kept or kept[place]["version"] < row["version"]:
            kept[place] = row
    return list(kept.values())


async def list_months(
    conn: Connection, employee_id: str, before: str | None, limit: int
) -> list[MonthCard]:
    """The employee's cards before period `before`, newest first; EmployeeUnknown for another's."""
    months = await reading.months(conn, employee_id, before, limit)
    if not months and await reading.employee(conn, employee_id) is None:
        raise EmployeeUnknown(f"No employee {employee_id} is known to you.")
    employer = await reading.employer(conn, months[0].employer_id) if months else None
    authorities = await reading.authorities(conn)
    return [month_card(month, employer, authorities) for month in months]


async def show_month(conn: Connection, employee_id: str, levy_period: str) -> MonthDetail:
    """One month with its steps and advice; MonthUnknown when no fact about it has come."""
    found = await reading.months_of(conn, [(employee_id, levy_period)])
    if not found:
        raise MonthUnknown(
            f"Nothing is known of {levy_period} yet; months begin with the cut-over."
        )
    month = found[0]
    authorities = await reading.authorities(conn)
    return MonthDetail(
        month_card(month, await reading.employer(conn, month.employer_id), authorities),
        steps.month_steps(month, await _declaration(conn, month), await _policy(conn, month)),
        steps.advice(
            month,
            await reading.tickets_of_employee(conn, employee_id),
            authorities,
        ),
    )


async def _policy(conn: Connection, month: facts.Month) -> facts.Policy | None:
    return await reading.policy(conn, month.assessed.city) if month.assessed else None


async def _declaration(conn: Connection, month: facts.Month) -> facts.Declaration | None:
    if month.posted is not None and month.posted.declaration_id:
        return await reading.declaration(conn, month.posted.declaration_id)
    if month.assessed is None:
        return None
    return await reading.declaration_of_account(conn, month.assessed.account_id, month.levy_period)


async def list_open_tickets(
    conn: Connection,
    open_sealer: OpenSealer,
    employer_id: str,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[TicketCard]:
    """The employer's open tickets with their evidence, the longest open first."""
    tickets = await reading.open_tickets(conn, employer_id, after, limit)
    people = await _people(conn, open_sealer, employer_id, tickets)
    keys = {(one.employee_id, item.levy_period) for one in tickets for item in one.items}
    months = await reading.months_of(conn, sorted(keys))
    return [
        TicketCard(
            ticket,
            people[ticket.employee_id],
            evidence.chains(
                ticket, (month for month in months if month.employee_id == ticket.employee_id)
            ),
        )
        for ticket in tickets
    ]


async def show_ticket(conn: Connection, open_sealer: OpenSealer, ticket_id: str) -> TicketDetail:
    """A ticket with evidence, anomalies and who was told; TicketUnknown for another's."""
    ticket = await reading.ticket(conn, ticket_id)
    if ticket is None:
        raise TicketUnknown(f"No ticket {ticket_id} is known to you.")
    people = await _people(conn, open_sealer, ticket.employer_id, [ticket])
    keys = {(ticket.employee_id, item.levy_period) for item in ticket.items}
    months = await reading.months_of(conn, sorted(keys))
    anomaly_ids = sorted({item.anomaly_id for item in ticket.items if item.anomaly_id})
    return TicketDetail(
        ticket,
        people[ticket.employee_id],
        evidence.chains(ticket, months),
        tuple(await reading.anomalies(conn, anomaly_ids)),
        tuple(await reading.notifications_of_ticket(conn, ticket_id)),
    )


async def _people(
    conn: Connection, open_sealer: OpenSealer, employer_id: str, tickets: Sequence[facts.Ticket]
) -> dict[str, Person]:
    ids = sorted({ticket.employee_id for ticket in tickets})
    departments = await _department_names(conn, employer_id)
    numbers = {one.employee_id: one.employee_no for one in await reading.employees(conn, ids)}
    names = await _names(conn, open_sealer, ids)
    return {
        ticket.employee_id: Person(
            ticket.employee_id,
            numbers.get(ticket.employee_id, ""),
            names.get(ticket.employee_id, ""),
            departments.get(ticket.department_id, ""),
        )
        for ticket in tickets
    }


async def _department_names(conn: Connection, employer_id: str) -> dict[str, str]:
    employer = await reading.employer(conn, employer_id)
    return {one.department_id: one.name for one in (employer.departments if employer else ())}


async def _names(
    conn: Connection, open_sealer: OpenSealer, employee_ids: Sequence[str]
) -> dict[str, str]:
    """Names by employee id. A seal that does not open hides a name, never the ticket."""
    names: dict[str, str] = {}
    sealer = open_sealer()
    for owner, sealed in await reading.identities(conn, employee_ids):
        if not sealed.sealed:
            names[owner.employee_id] = ERASED_WORD
            continue
        try:
            opened = sealer.open(owner.employer_id, owner.employee_id, sealed)
        except SealBroken:
            continue
        names[owner.employee_id] = opened.get("name", "")
    return names


async def count_cells(
    conn: Connection, employer_id: str, levy_period: str, *, may_see_persons: bool
) -> MonthNumbers:
    """The month's cells by state, insurance and department; EmployerUnknown for another's."""
    departments = await _department_names(conn, employer_id)
    if not departments and await reading.employer(conn, employer_id) is None:
        raise EmployerUnknown(f"No employer {employer_id} is known to you.")
    cells = counts.month_cells(
        await reading.cell_counts(conn, employer_id, levy_period),
        await reading.people_by_department(conn, employer_id, levy_period),
        departments,
    )
    if not may_see_persons:
        return MonthNumbers(counts.without_small_groups(cells))
    return MonthNumbers(
        cells,
        tuple(await reading.deadline_risks(conn, employer_id, levy_period)),
        await reading.period_close(conn, employer_id, levy_period),
    )


async def sum_sides(conn: Connection, employer_id: str, levy_period: str) -> Bridge:
    """Fen per side and insurance, and what each side has more than the next."""
    sums = await reading.sums(conn, employer_id, levy_period)
    return Bridge({side: sums.get(side, {}) for side in counts.SIDES}, counts.bridge_steps(sums))


async def list_authorities(conn: Connection) -> list[facts.Authority]:
    """Collectors and authorities, and until when each is closed."""
    return await reading.authorities(conn)
