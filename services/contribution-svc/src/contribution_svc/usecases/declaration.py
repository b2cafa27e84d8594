"""Approving a declaration: what it declares is frozen, told, and from then on paid by what the bank
debits.
"""

from datetime import datetime

from contribution_svc.domain.declaration import declare
from contribution_svc.errors import (
    DeclarationApprovedAlready,
    DeclarationNotReady,
    DeclarationUnknown,
    NothingToDeclare,
)
from contribution_svc.store import declarations, roster
from contribution_svc.store.declarations import Declaration
from contribution_svc.usecases.allocation import Rules, allocate_waiting
from contribution_svc.usecases.deferred import debited_later
from contribution_svc.usecases.not_filed import settle_provisional
from contribution_svc.usecases.told import declaration_approved
from shared import outbox
from shared.clock import china_day
from shared.db import Connection


async def approve_declaration(
    conn: Connection, rules: Rules, declaration_id: str, by: str, now: datetime
) -> Declaration:
    """Freezes everyone who has a due line; the blocked stay out, and are named as a risk until
    their data come.

    Raises DeclarationUnknown, DeclarationApprovedAlready, DeclarationNotReady while somebody is
    still to be assessed, NothingToDeclare.
    """
    declaration = await declarations.locked(conn, declaration_id)
    if declaration is None or declaration.number:
        raise DeclarationUnknown(f"no declaration {declaration_id}")
    check_is_draft(declaration)
    period = declaration.levy_period
    found = await declarations.members(conn, declaration.account_id, period, lock=True)
    if found.waiting:
        raise DeclarationNotReady(
            f"{len(found.waiting)} employees of {period} are still being assessed; try again then"
        )
    sums = declare(found.members)
    if not sums.people:
        raise NothingToDeclare(
            f"nobody has anything due in {period} on this account; see who is blocked, and why"
        )
    declaration = await debited_later(conn, declaration, sums.by_insurance)
    approved = await declarations.approve(conn, declaration, sums, by, now)
    due = [member.employee_id for member in found.members if member.is_due()]
    await declarations.freeze(conn, declaration_id, period, due)
    account = await roster.account(conn, declaration.account_id)
    await outbox.add(conn, [declaration_approved(approved, account, now)], now)
    await settle_provisional(conn, rules, approved, now)
    pair = (declaration.account_id, period)
    await declarations.risk_again(conn, [pair], now, china_day(now))
    await allocate_waiting(conn, rules, {account.bank_account_ref}, now)
    return approved


def check_is_draft(declaration: Declaration) -> None:
    """DeclarationApprovedAlready: what was approved stays as it is."""
    if declaration.is_approved():
        raise DeclarationApprovedAlready(
            f"{declaration.levy_period} was approved before, by {declaration.approved_by}; "
            "a change now is a supplementary declaration: POST /supplementary-declarations"
        )
