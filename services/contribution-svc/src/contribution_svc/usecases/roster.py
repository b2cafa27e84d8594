"""Taking in employers, employees, wages and the bureaus' rows; what rests on them is marked for
assessment.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from contribution_svc.store import (
    assessments,
    campaigns,
    declarations,
    postings,
    roster,
    supplements,
)
from contribution_svc.store import wages as wage_store
from shared.clock import china_day, china_time
from shared.db import Connection

LISTING_TIME = "19:00"
"""Banks publish a day's statement by 18:00; an hour later it is asked for, webhook or not."""


async def take_in_employers(
    conn: Connection, employers: Sequence[roster.Employer], now: datetime
) -> None:
    """Keeps the newest of each; a new account opens its levy periods from the cut-over on."""
    newest: dict[str, roster.Employer] = {}
    for employer in employers:
        known = newest.get(employer.employer_id)
        if known is None or known.version < employer.version:
            newest[employer.employer_id] = employer
    ordered = [newest[key] for key in sorted(newest)]
    await roster.put_employers(conn, ordered, now, next_listing(now))


def next_listing(now: datetime) -> datetime:
    """The next time at which the bank is asked for its statements."""
    today = china_time(china_day(now), LISTING_TIME)
    return today if now < today else china_time(china_day(now) + timedelta(days=1), LISTING_TIME)


async def take_in_employees(
    conn: Connection, employees: Sequence[roster.Employee], now: datetime
) -> None:
    """Keeps the newest of each, and marks every opened levy period of theirs: what was
    declared is compared, what was not is assessed.
    """
    newest: dict[str, roster.Employee] = {}
    for employee in employees:
        known = newest.get(employee.employee_id)
        if known is None or known.version < employee.version:
            newest[employee.employee_id] = employee
    await roster.share_employers(conn, {e.employer_id for e in newest.values()})
    changed = await roster.put_employees(conn, list(newest.values()))
    await assessments.mark_people(conn, changed, now)
    await campaigns.mark_people(conn, changed, now)
    await supplements.compare_people(conn, changed, now)


async def take_in_wages(conn: Connection, wages: Sequence[wage_store.Wage], now: datetime) -> None:
    """Keeps the newest of each month, and marks whoever rests on it."""
    newest: dict[tuple[str, str, str], wage_store.Wage] = {}
    for wage in wages:
        key = (wage.employee_id, wage.wage_month, wage.purpose)
        known = newest.get(key)
        if known is None or known.version < wage.version:
            newest[key] = wage
    await roster.share_employers(conn, {w.employer_id for w in newest.values()})
    history, runs = await wage_store.put(conn, list(newest.values()), now)
    await assessments.mark_wages(conn, history, runs, now)
    await campaigns.mark_people(conn, {*history, *runs}, now)
    await supplements.compare_people(conn, history, now)
    await supplements.compare_runs(conn, runs, now)


async def take_in_bureau_months(
    conn: Connection, months: Sequence[postings.BureauMonth], now: datetime
) -> None:
    """Keeps the newest row of each employee and levy period, to be shown beside what was assessed;
    a filing that was told to be late may have come.
    """
    newest: dict[tuple[str, str], postings.BureauMonth] = {}
    for month in months:
        known = newest.get((month.employee_id, month.levy_period))
        if known is None or known.version < month.version:
            newest[month.employee_id, month.levy_period] = month
    await postings.put_bureau_rows(conn, list(newest.values()))
    await declarations.risk_of_filing_again(conn, sorted(newest), now, china_day(now))
