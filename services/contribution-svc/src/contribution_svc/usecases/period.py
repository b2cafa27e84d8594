"""Opening levy periods: on its day an account's declaration is made, and everyone on the roster is
due for assessment.
"""

from datetime import date, datetime, timedelta

from contribution_svc.domain.calendar import WorkDays, account_days, day_of, risk_day
from contribution_svc.domain.policy import Days
from contribution_svc.errors import PolicyUnknown
from contribution_svc.policy import Policies
from contribution_svc.store import assessments, declarations, roster
from contribution_svc.store.declarations import Declaration
from contribution_svc.store.roster import Account
from shared.clock import CalendarYearUnknown, china_day, china_time
from shared.db import Connection
from shared.logs import get_logger
from shared.values import LevyPeriod, derived_id

RISK_TIME = "09:00"
_TRY_AGAIN = timedelta(days=1)
"""A missing policy or calendar is a person's work: looked at once a day."""

_log = get_logger(__name__)


async def open_next_period(
    conn: Connection, policies: Policies, work_days: WorkDays, now: datetime
) -> int:
    """Looks at one account that is due: opens its next levy period if that has come. 0 when none is
    due.
    """
    account = await roster.account_to_open(conn, now)
    if account is None:
        return 0
    period = LevyPeriod.parse(account.next_period)
    try:
        days = _days(policies, account, period, china_day(now))
        opens_at = china_time(day_of(period.shifted(-1), days.open_day), days.open_at)
        if opens_at > now:
            await roster.opens_next(conn, account.account_id, str(period), opens_at)
            return 1
        await _open(conn, account, period, days, work_days, now)
    except (PolicyUnknown, CalendarYearUnknown) as missing:
        await _postpone(conn, policies, account, period, now, missing)
    return 1


def _days(policies: Policies, account: Account, period: LevyPeriod, today: date) -> Days:
    days = policies.pack_for(account.city, period, today).days_at(period)
    assert days is not None
    return days


async def _open(
    conn: Connection,
    account: Account,
    period: LevyPeriod,
    days: Days,
    work_days: WorkDays,
    now: datetime,
) -> None:
    rolled = account_days(days, period, account.auto_debit, work_days)
    declaration = Declaration(
        declaration_id=str(derived_id("declaration", account.account_id, period)),
        employer_id=account.employer_id,
        account_id=account.account_id,
        levy_period=str(period),
        city=account.city,
        file_by=rolled.file_by,
        debit_by=rolled.debit_by,
        due_on=rolled.due_on,
    )
    risk_at = china_time(risk_day(rolled.file_by, work_days), RISK_TIME)
    await declarations.open_declaration(conn, declaration, now, risk_at)
    people = await assessments.mark_period(
        conn, account.employer_id, str(period), declaration.declaration_id, now
    )
    await roster.opens_next(conn, account.account_id, str(period.shifted(1)), now)
    _log.info(
        "levy_period_opened",
        account_id=account.account_id,
        levy_period=str(period),
        people=people,
    )


async def _postpone(
    conn: Connection,
    policies: Policies,
    account: Account,
    period: LevyPeriod,
    now: datetime,
    missing: Exception,
) -> None:
    """A levy period before the first figure of the pack will never open; anything else is asked
    again.
    """
    pack = policies.pack(account.city)
    never = pack is not None and period.first_day() < pack.first_day()
    _log.warning(
        "levy_period_not_opened",
        account_id=account.account_id,
        levy_period=str(period),
        reason=str(missing),
        passed_over=never,
    )
    following, at = (period.shifted(1), now) if never else (period, now + _TRY_AGAIN)
    await roster.opens_next(conn, account.account_id, str(following), at)
