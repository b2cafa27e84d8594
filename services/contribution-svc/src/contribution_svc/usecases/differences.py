"""Comparing what was declared with what is known now: what differs is proposed, and a supplementary
declaration opened for it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from msgspec import structs

from contribution_svc.domain.difference import Month, SupplementLine, differences
from contribution_svc.domain.lines import Line
from contribution_svc.store import refunds, supplements
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.supplements import Owed
from contribution_svc.usecases.assessment import BATCH, as_known_now, content_of
from contribution_svc.usecases.deferred import with_deferred
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.told import contribution_assessed
from shared import outbox
from shared.clock import china_day
from shared.db import Connection
from shared.logs import get_logger
from shared.values import LevyPeriod

_log = get_logger(__name__)


async def compare_declared(conn: Connection, library: Library, now: datetime) -> int:
    """Compares one batch of marked months; returns how many. What they used stays as it is."""
    owed = await supplements.to_compare(conn, now, BATCH)
    if not owed:
        return 0
    rows = [one.assessment for one in owed]
    await _tell_moved_days(conn, rows, now)
    policies = await library.in_force(conn)
    known = await as_known_now(conn, policies, rows, china_day(now))
    refunded = await refunds.refunded(conn, [(x.employee_id, x.levy_period) for x in rows])
    found = []
    for one in owed:
        row = one.assessment
        now_known = known.get((row.employee_id, row.levy_period))
        if now_known is not None:
            paid_back = refunded.get((row.employee_id, row.levy_period), [])
            so_far: list[Line | SupplementLine] = [*row.lines, *row.supplements, *paid_back]
            reasons = policies.of(row.city).national.reasons
            month = replace(month_of(one), reasons=reasons)
            lines = differences(month, so_far, now_known.lines, now_known.terms_of)
            found.append((row, lines))
    await supplements.propose(conn, found, now)
    await supplements.compared(conn, owed)
    months = {(row.account_id, row.levy_period) for row, lines in found if _to_declare(lines)}
    for account_id, period in sorted(months):
        regular = await supplements.regular(conn, account_id, period)
        if regular is not None:
            await supplements.open_next(conn, regular, now)
    if months:
        _log.info("differences_found", months=len(months), people=len(found))
    return len(owed)


async def _tell_moved_days(conn: Connection, rows: Sequence[Assessment], now: datetime) -> None:
    """What was declared stays as it was, but for the days that a deferral has moved since."""
    moved = [
        structs.replace(
            row,
            version=row.version + 1,
            declared_version=row.declared_version or row.version,
            told=content_of(row),
        )
        for row in await with_deferred(conn, rows)
        if row.deferred and content_of(row) != row.told
    ]
    await supplements.move_days(conn, moved)
    await outbox.add(conn, [contribution_assessed(row) for row in moved], now)


def month_of(owed: Owed) -> Month:
    """What a comparison needs of the month: known is what its last lines rest on."""
    row = owed.assessment
    known = max([row.policy_known_since, *(line.known_since for line in row.supplements)])
    return Month(LevyPeriod.parse(row.levy_period), owed.due_on, known)


def _to_declare(lines: list[SupplementLine]) -> bool:
    return any(not line.is_refund() for line in lines)
