"""Proposals of packs, from the first reading to the day on which they come into force."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Select, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from contribution_svc.domain.pack_changes import Change
from contribution_svc.domain.release import OPEN_STATES, ProposalState, Review
from contribution_svc.store.values import from_json
from contribution_svc.tables.releases import policy_employer_effects as _employers
from contribution_svc.tables.releases import policy_proposals as _table
from shared.db import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A pack on its way into force. Its simulation is of `levy_period` (empty: nothing that is due
    changes): people and fen a month of all employers, new less old; `declared_months` of employees
    lie in `changed_periods`. `told` is the version of its announcements, 0 before the first.
    """

    proposal_id: str
    city: str
    city_name: str
    sha256: str
    content: bytes
    note: str
    origin: str
    proposed_by: str
    proposed_at: datetime
    state: ProposalState
    against_sha256: str
    changes: Sequence[Change]
    known_since: date
    simulate_at: datetime | None = None
    simulated_through: str = ""
    simulated_at: datetime | None = None
    levy_period: str = ""
    changed_periods: Sequence[str] = ()
    people: int = 0
    employer_fen: int = 0
    employee_fen: int = 0
    declared_months: int = 0
    approved_by: str = ""
    approved_sha256: str = ""
    approved_at: datetime | None = None
    release_at: datetime | None = None
    effective_at: datetime | None = None
    told: int = 0
    ended_by: str = ""
    ended_reason: str = ""

    def review(self) -> Review:
        return Review(
            self.proposal_id, self.state, self.proposed_by, self.sha256, self.declared_months
        )


_NAMES = tuple(field.name for field in fields(Proposal))


def _proposal(row: Row[Any]) -> Proposal:
    values = {name: row._mapping[name] for name in _NAMES}
    return Proposal(
        **{
            **values,
            "content": bytes(values["content"]),
            "state": ProposalState(values["state"]),
            "changes": from_json(values["changes"], list[Change]),
        }
    )


async def add(conn: Connection, proposal: Proposal) -> bool:
    """False where the very same pack is open as a proposal already."""
    values = {name: getattr(proposal, name) for name in _NAMES}
    new = insert(_table).values({**values, "changes": msgspec.to_builtins(proposal.changes)})
    done = await conn.execute(new.on_conflict_do_nothing().returning(_table.c.proposal_id))
    return done.first() is not None


async def proposal(conn: Connection, proposal_id: str) -> Proposal | None:
    return await _first(conn, select(_table).where(_table.c.proposal_id == proposal_id))


async def locked(conn: Connection, proposal_id: str) -> Proposal | None:
    wanted = select(_table).where(_table.c.proposal_id == proposal_id)
    return await _first(conn, wanted.with_for_update())


async def _first(conn: Connection, wanted: Select[Any]) -> Proposal | None:
    row = (await conn.execute(wanted)).first()
    return _proposal(row) if row is not None else None


async def page(conn: Connection, after: tuple[datetime, str] | None, limit: int) -> list[Proposal]:
    """The newest first, before `after`."""
    return await _page(conn, select(_table), after, limit)


_SHOWN_TO_HR = ("simulated", "approved", "effective")


async def page_of(
    conn: Connection, employer_id: str, after: tuple[datetime, str] | None, limit: int
) -> list[Proposal]:
    """Those that were simulated for the employer and stand, the newest first, before `after`."""
    concerned = select(_employers.c.proposal_id).where(_employers.c.employer_id == employer_id)
    wanted = select(_table).where(
        _table.c.proposal_id.in_(concerned), _table.c.state.in_(_SHOWN_TO_HR)
    )
    return await _page(conn, wanted, after, limit)


async def _page(
    conn: Connection, wanted: Select[Any], after: tuple[datetime, str] | None, limit: int
) -> list[Proposal]:
    if after is not None:
        wanted = wanted.where(tuple_(_table.c.proposed_at, _table.c.proposal_id) < after)
    order = (_table.c.proposed_at.desc(), _table.c.proposal_id.desc())
    return [_proposal(row) for row in await conn.execute(wanted.order_by(*order).limit(limit))]


async def save(conn: Connection, proposal_id: str, **changed: object) -> None:
    """Brings a locked proposal's columns to these values."""
    await conn.execute(update(_table).where(_table.c.proposal_id == proposal_id).values(**changed))


async def open_of(conn: Connection, city: str, but: str) -> list[Proposal]:
    """The city's open proposals but one, locked."""
    wanted = select(_table).where(
        _table.c.city == city, _table.c.state.in_(OPEN_STATES), _table.c.proposal_id != but
    )
    rows = await conn.execute(wanted.order_by(_table.c.proposal_id).with_for_update())
    return [_proposal(row) for row in rows]


# Approvals of a city take turns: the later one sees the first.
_APPROVE_IN_TURN = text("SELECT pg_advisory_xact_lock(7263, hashtext(:city))")


async def is_approved(conn: Connection, city: str) -> bool:
    """Whether a release of the city is approved and not in force yet; nobody else approves one
    until conn's transaction ends.
    """
    await conn.execute(_APPROVE_IN_TURN, {"city": city})
    wanted = select(func.count()).where(_table.c.city == city, _table.c.state == "approved")
    return bool((await conn.execute(wanted)).scalar_one())


async def next_simulation(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(select(func.min(_table.c.simulate_at)))).scalar()
    return found


async def to_simulate(conn: Connection, now: datetime) -> Proposal | None:
    """One that waits for its simulation, locked; another replica's is passed over."""
    wanted = select(_table).where(_table.c.simulate_at <= now)
    order = wanted.order_by(_table.c.simulate_at, _table.c.proposal_id).limit(1)
    return await _first(conn, order.with_for_update(skip_locked=True))


async def next_release(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(select(func.min(_table.c.release_at)))).scalar()
    return found


async def to_release(conn: Connection, now: datetime) -> Proposal | None:
    """One that is to be announced, withdrawn or put into force, locked."""
    wanted = select(_table).where(_table.c.release_at <= now)
    order = wanted.order_by(_table.c.release_at, _table.c.proposal_id).limit(1)
    return await _first(conn, order.with_for_update(skip_locked=True))


_OPEN_FROM = text(
    """
    SELECT coalesce(
        (SELECT to_char(to_date(max(levy_period), 'YYYY-MM') + interval '1 month', 'YYYY-MM')
           FROM declarations WHERE city = :city AND state = 'approved'),
        (SELECT min(levy_period) FROM declarations WHERE city = :city),
        (SELECT min(next_period) FROM accounts WHERE city = :city AND next_period <> ''), '')
    """
)


async def open_from(conn: Connection, city: str) -> str:
    """The first levy period that nobody in the city has declared; empty where nobody is there."""
    found: str = (await conn.execute(_OPEN_FROM, {"city": city})).scalar_one()
    return found
