"""Deadlines at risk: what is not approved or not filed, or whose data are missing, two working
days before the last day of filing.
"""

from datetime import datetime, timedelta

from contribution_svc.domain.declaration import Member, blocked_reasons
from contribution_svc.domain.late_fee import due_after_deferral
from contribution_svc.domain.lines import FACTS_PARKED
from contribution_svc.store import declarations, deferrals, roster, supplements
from contribution_svc.store.declarations import AtRisk, Declaration, Members, RiskBody
from contribution_svc.usecases.period import RISK_TIME
from contribution_svc.usecases.told import deadline_at_risk
from shared import outbox
from shared.clock import china_time
from shared.contracts import EmployeeChanged
from shared.db import Connection
from shared.values import Insurance, LevyPeriod

_BATCH = 50
_FILED_WITHIN = timedelta(hours=1)
"""An approved declaration is filed within minutes; what is not by then may miss its day."""
NOT_DECLARED = "not_declared"
_BEFORE_DEFERRED_DAY = timedelta(days=4)
"""Two working days, whatever weekend lies between."""
_MAX_NAMED = 2_000
"""A message stays far below 1 MB; whoever has more people missing looks at the declaration
itself.
"""


async def look_at_deadlines(conn: Connection, now: datetime) -> int:
    """Tells each deadline whose risk is new or has changed, also that it is over, and opens a
    supplementary declaration for whoever came too late for theirs; returns how many were looked at.
    """
    due = await declarations.at_risk(conn, now, _BATCH)
    for risk in due:
        await _look_at(conn, risk, now)
    return len(due)


async def _look_at(conn: Connection, risk: AtRisk, now: datetime) -> None:
    declaration = risk.declaration
    version, told = risk.risk_version, risk.told
    found = await declarations.members(conn, declaration.account_id, declaration.levy_period)
    put_off = await _put_off_to(conn, declaration, found)
    if put_off is not None and put_off > now:
        await declarations.risk_seen(conn, declaration.declaration_id, version, told, put_off)
        return
    named = _missing(found, declaration.is_approved())
    if any(reason == NOT_DECLARED for _, reason in named):
        # They can still be filed in time; after the day each is told as not filed.
        await supplements.open_next(conn, declaration, now)
    named += [(one, FACTS_PARKED) for one in await _parked_newcomers(conn, declaration)]
    again_at = _filed_by(declaration)
    if again_at is not None and again_at <= now:
        unfiled = await declarations.unfiled(conn, declaration.declaration_id)
        named += [(one, "not_filed") for one in unfiled]
        again_at = None
    body = RiskBody(declaration.is_approved(), tuple(named[:_MAX_NAMED]))
    if _is_news(risk, body, any(member.is_due() for member in found.members)):
        version, told = version + 1, body
        await outbox.add(conn, [deadline_at_risk(declaration, version, body)], now)
    await declarations.risk_seen(conn, declaration.declaration_id, version, told, again_at)


async def _put_off_to(
    conn: Connection, declaration: Declaration, found: Members
) -> datetime | None:
    """When to look at a deadline of which everything is deferred (缓缴): as it comes near again."""
    deferred = await deferrals.approved(conn, declaration.account_id, declaration.levy_period)
    due = {line.insurance for member in found.members for line in member.lines if line.is_due()}
    due |= {Insurance(insurance) for insurance in declaration.sums}
    period, day = LevyPeriod.parse(declaration.levy_period), declaration.file_by
    until = min((due_after_deferral(day, one, period, deferred) for one in due), default=day)
    return china_time(until - _BEFORE_DEFERRED_DAY, RISK_TIME) if until > day else None


def _is_news(risk: AtRisk, body: RiskBody, anything_due: bool) -> bool:
    """A draft with nobody due needs no approval: an account that is new, or only exempt people."""
    if risk.told is None:
        return bool(body.missing) or (not body.approved and anything_due)
    return body != risk.told


def _filed_by(declaration: Declaration) -> datetime | None:
    """When an approved declaration must have been filed."""
    return declaration.approved_at and declaration.approved_at + _FILED_WITHIN


async def _parked_newcomers(conn: Connection, declaration: Declaration) -> list[str]:
    period = LevyPeriod.parse(declaration.levy_period)
    return await roster.parked_newcomers(
        conn,
        declaration.account_id,
        EmployeeChanged.ce_type(),
        period.first_day(),
        period.shifted(1).first_day(),
    )


def _missing(found: Members, approved: bool) -> list[tuple[str, str]]:
    """Who is not in the declaration, and why: not assessed yet, blocked, due but come too late for
    it, or assessed without what is parked.
    """
    waiting = set(found.waiting)
    return [
        (member.employee_id, reason)
        for member in found.members
        if (reason := _reason(member, member.employee_id in waiting, approved))
    ]


def _reason(member: Member, waits: bool, approved: bool) -> str:
    if waits:
        return "not_assessed"
    if blocked := "; ".join(blocked_reasons(member.lines)):
        return blocked
    if approved and member.is_due():
        return NOT_DECLARED
    return FACTS_PARKED if member.facts_parked else ""
