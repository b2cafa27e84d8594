"""The days that deferrals (缓缴) move, put on assessments and declarations before they are told."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from msgspec import structs

from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.late_fee import Deferral, due_after_deferral
from contribution_svc.store import deferrals
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.declarations import Declaration
from shared.db import Connection
from shared.values import Insurance, LevyPeriod


async def with_deferred(conn: Connection, rows: Sequence[Assessment]) -> list[Assessment]:
    """Each row with the last days of debiting what a deferral covers."""
    found = await deferrals.of_accounts(conn, {row.account_id for row in rows})
    return [_moved(row, found[row.account_id]) if row.account_id in found else row for row in rows]


def _moved(row: Assessment, deferred: Sequence[Deferral]) -> Assessment:
    period = LevyPeriod.parse(row.levy_period)
    days = {one: due_after_deferral(row.debit_by, one, period, deferred) for one in Insurance}

    def moved(line: SupplementLine) -> SupplementLine:
        day = line.debit_by and max(line.debit_by, days[line.insurance])
        return replace(line, debit_by=day)

    return structs.replace(
        row,
        deferred={one: day for one, day in days.items() if day > row.debit_by},
        supplements=tuple(map(moved, row.supplements)),
    )


async def debited_later(
    conn: Connection, declaration: Declaration, insurances: Iterable[Insurance]
) -> Declaration:
    """The declaration with the first day on which something of it may still be debited."""
    deferred = await deferrals.approved(conn, declaration.account_id, declaration.levy_period)
    period, own = LevyPeriod.parse(declaration.levy_period), declaration.debit_by
    days = (due_after_deferral(own, one, period, deferred) for one in insurances)
    return replace(declaration, debit_by=min(days, default=own))
