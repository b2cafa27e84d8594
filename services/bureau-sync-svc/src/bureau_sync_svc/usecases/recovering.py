"""A restored store takes back what it told, and sends nothing before it has asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bureau_sync_svc.domain.authority import AuthorityState
from bureau_sync_svc.domain.lines import Rows
from bureau_sync_svc.domain.recovering import lines_of
from bureau_sync_svc.store import copies, months, parties, submissions
from bureau_sync_svc.store.months import Month
from bureau_sync_svc.usecases import plan
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class ToldMonth:
    """An employee's row at the bureaus as it was told."""

    employer_id: str
    account_id: str
    employee_id: str
    levy_period: str
    version: int
    rows: Rows


@dataclass(frozen=True, slots=True)
class ToldState:
    """A party's state as it was told."""

    party: str
    city: str
    version: int
    state: AuthorityState
    closures: Sequence[tuple[str, str]]


async def keep_months(conn: Connection, told: Sequence[ToldMonth]) -> None:
    """Months are what readers know, with the facts that this shows."""
    scopes: dict[tuple[str, str, str], dict[str, ToldMonth]] = {}
    for one in told:
        scope = (one.employer_id, one.account_id, one.levy_period)
        scopes.setdefault(scope, {})[one.employee_id] = one
    for scope, of_scope in sorted(scopes.items()):
        known = await months.locked(conn, *scope, of_scope)
        await months.save(conn, [_taken_back(one, of_scope[one.employee_id]) for one in known])


def _taken_back(known: Month, told: ToldMonth) -> Month:
    if known.version > told.version:
        return known
    return replace(
        known,
        account_id=told.account_id,
        lines=lines_of(known.lines, told.rows),
        told=told.rows,
        version=told.version,
    )


async def keep_states(conn: Connection, told: Sequence[ToldState]) -> None:
    """Parties are in the state that readers know."""
    for one in told:
        await parties.keep_told(conn, one.party, one.city, one.state, one.closures, one.version)


async def ask_before_sending(conn: Connection, now: datetime) -> Sequence[str]:
    """The lost store may have sent whatever can be sent now: each party is asked by its serial."""
    await copies.ask_first(conn)
    while await plan.plan_next(conn, now):
        continue
    await submissions.ask_before_sending(conn, plan.ASKS_FIRST, now)
    return ["requests and replies since the backup are lost from the sync log; facts are told"]
