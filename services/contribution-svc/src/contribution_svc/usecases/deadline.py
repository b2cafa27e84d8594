"""Deadlines at risk: what is not approved, or whose data are missing, two working days before the
last day of filing.
"""

from datetime import datetime

from contribution_svc.domain.declaration import Member, blocked_reasons
from contribution_svc.store import declarations
from contribution_svc.store.declarations import AtRisk, Members, RiskBody
from contribution_svc.usecases.told import deadline_at_risk
from shared import outbox
from shared.db import Connection

_BATCH = 50
_MAX_NAMED = 2_000
"""A message stays far below 1 MB; whoever has more people missing looks at the declaration
itself.
"""


async def look_at_deadlines(conn: Connection, now: datetime) -> int:
    """Tells each deadline whose risk is new or has changed, also that it is over; returns how many
    were looked at.
    """
    due = await declarations.at_risk(conn, now, _BATCH)
    for risk in due:
        declaration = risk.declaration
        found = await declarations.members(conn, declaration.account_id, declaration.levy_period)
        body = RiskBody(declaration.is_approved(), _missing(found, declaration.is_approved()))
        if _is_news(risk, body, any(member.is_due() for member in found.members)):
            version = risk.risk_version + 1
            await declarations.risk_seen(conn, declaration.declaration_id, version, body)
            await outbox.add(conn, [deadline_at_risk(declaration, version, body)], now)
        else:
            version = risk.risk_version
            await declarations.risk_seen(conn, declaration.declaration_id, version, risk.told)
    return len(due)


def _is_news(risk: AtRisk, body: RiskBody, anything_due: bool) -> bool:
    """A draft with nobody due needs no approval: an account that is new, or only exempt people."""
    if risk.told is None:
        return bool(body.missing) or (not body.approved and anything_due)
    return body != risk.told


def _missing(found: Members, approved: bool) -> tuple[tuple[str, str], ...]:
    """Who is not in the declaration, and why: not assessed yet, blocked, or due but come too late
    for it.
    """
    waiting = set(found.waiting)
    named = [
        (member.employee_id, reason)
        for member in found.members
        if (reason := _reason(member, member.employee_id in waiting, approved))
    ]
    return tuple(named[:_MAX_NAMED])


def _reason(member: Member, waits: bool, approved: bool) -> str:
    if waits:
        return "not_assessed"
    blocked = "; ".join(blocked_reasons(member.lines))
    return blocked or ("not_declared" if approved and member.is_due() else "")
