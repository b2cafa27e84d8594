"""Our own events, taken back by a store that was restored."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from bureau_sync_svc.domain.authority import AuthorityState
from bureau_sync_svc.domain.lines import Row
from bureau_sync_svc.usecases import recovering
from bureau_sync_svc.usecases.recovering import ToldMonth, ToldState
from shared.codec import Received
from shared.contracts import AuthorityStateChanged, BureauAck, Event
from shared.db import Connection
from shared.serve import Keeper, newest_of


def keepers() -> Mapping[type[Event], Keeper]:
    """What we say, by its event."""
    return {BureauAck: _on_rows, AuthorityStateChanged: _on_states}


async def _on_rows(conn: Connection, told: Sequence[Received]) -> None:
    await recovering.keep_months(conn, [_month(event) for event in newest_of(told)])


def _month(event: BureauAck) -> ToldMonth:
    rows = msgspec.convert(msgspec.to_builtins(event.rows), tuple[Row, ...])
    return ToldMonth(
        employer_id=event.employer_id,
        account_id=event.account_id,
        employee_id=event.employee_id,
        levy_period=event.levy_period,
        version=event.version,
        rows={row.insurance: row for row in rows},
    )


async def _on_states(conn: Connection, told: Sequence[Received]) -> None:
    await recovering.keep_states(conn, [_state(event) for event in newest_of(told)])


def _state(event: AuthorityStateChanged) -> ToldState:
    return ToldState(
        party=event.authority,
        city=event.city,
        version=event.version,
        state=AuthorityState(
            state=event.state,
            since=datetime.fromisoformat(event.since),
            until=datetime.fromisoformat(event.until) if event.until else None,
            reason=event.reason,
            announced=event.announced,
            changes_at=None,
        ),
        closures=event.closures,
    )
