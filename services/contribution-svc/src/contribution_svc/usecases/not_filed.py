"""社会保险法 art. 62: an account that did not file by its day is assessed for the time being, and
its late filing settles that.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

from contribution_svc.domain.figures import figure_at
from contribution_svc.domain.late_fee import due_after_deferral
from contribution_svc.domain.not_filed import provisional, settled
from contribution_svc.errors import PolicyUnknown
from contribution_svc.policy import Policies
from contribution_svc.store import declarations, deferrals, not_filed, roster
from contribution_svc.store.declarations import Declaration
from contribution_svc.usecases.allocation import Rules, allocate_waiting, post_again
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.told_arrears import provisionally_assessed
from shared import outbox
from shared.clock import china_day, china_time
from shared.db import Connection
from shared.values import LevyPeriod

_MIDNIGHT = "00:00"


async def next_missed(conn: Connection) -> datetime | None:
    """When the next declaration that is still a draft will have missed its day."""
    due_on = await not_filed.next_missed(conn)
    return china_time(due_on + timedelta(days=1), _MIDNIGHT) if due_on is not None else None


async def assess_provisionally(conn: Connection, library: Library, now: datetime) -> int:
    """Notes for one declaration that missed its day what the collector assesses, or that its day is
    later; 0 when there is none.
    """
    today = china_day(now)
    declaration = await not_filed.take_missed(conn, today)
    if declaration is None:
        return 0
    due_on = await _due_after_deferral(conn, declaration)
    if due_on > declaration.due_on:
        await not_filed.due_later(conn, declaration.declaration_id, due_on)
        return 1
    period = LevyPeriod.parse(declaration.levy_period)
    rate_ppm = _rate_ppm(await library.in_force(conn), declaration)
    last = str(period.shifted(-1))
    last_fen = await not_filed.last_total(conn, declaration.account_id, last)
    found = provisional(period, last_fen if rate_ppm else None, rate_ppm)
    row = await not_filed.add(conn, declaration, found, today)
    await outbox.add(conn, [provisionally_assessed(row)], now)
    account = await roster.account(conn, declaration.account_id)
    await allocate_waiting(conn, await library.rules(conn), {account.bank_account_ref}, now)
    return 1


async def _due_after_deferral(conn: Connection, declaration: Declaration) -> date:
    """Its last day, or the first of theirs where everything that is due of it is deferred."""
    account_id, period = declaration.account_id, declaration.levy_period
    deferred = await deferrals.approved(conn, account_id, period)
    if not deferred:
        return declaration.due_on
    found = await declarations.members(conn, account_id, period)
    due = {line.insurance for member in found.members for line in member.lines if line.is_due()}
    parsed, own = LevyPeriod.parse(period), declaration.due_on
    return min((due_after_deferral(own, one, parsed, deferred) for one in due), default=own)


def _rate_ppm(policies: Policies, declaration: Declaration) -> int:
    """The pack's part of last month's amount; 0 where it does not say."""
    try:
        pack = policies.of(declaration.city)
    except PolicyUnknown:
        return 0
    figure = figure_at(pack.not_filed, declaration.due_on, declaration.due_on)
    return (figure.value or 0) if figure is not None else 0


async def settle_provisional(
    conn: Connection, rules: Rules, declaration: Declaration, now: datetime
) -> None:
    """The declaration was filed late after all: what was assessed for the time being is settled,
    and what was debited for that pays its lines.
    """
    found = await not_filed.of_declaration(conn, declaration.declaration_id)
    if found is not None:
        rest_fen, settlement = settled(found.assessed_fen, declaration.total_fen)
        await not_filed.settle(conn, declaration.declaration_id, rest_fen, settlement, now)
        done = replace(found, settled_at=now, settled_fen=rest_fen, settlement=settlement)
        await outbox.add(conn, [provisionally_assessed(done)], now)
        await post_again(conn, rules, declaration.account_id, [declaration.levy_period], now)
