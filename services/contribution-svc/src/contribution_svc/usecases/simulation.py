"""Simulating a proposed pack: everyone insured in its city calculated, as assessments are, with the
pack in force and with the proposed one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from contribution_svc.domain.batch import standing
from contribution_svc.domain.calculation import Columns
from contribution_svc.domain.pack_changes import changed_periods, first_changed_day
from contribution_svc.domain.policy import Pack
from contribution_svc.domain.release import ProposalState, first_reached
from contribution_svc.domain.simulation import effects as effects_of
from contribution_svc.policy import Policies
from contribution_svc.store import effects, proposals
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.effects import EffectRow, RosterRow
from contribution_svc.store.proposals import Proposal
from contribution_svc.usecases.grounds import Grounds, grounds_of, schemes_of
from contribution_svc.usecases.library import Library, read
from shared.clock import china_day
from shared.db import Connection
from shared.logs import get_logger
from shared.values import LevyPeriod

BATCH = 2_000
"""Employees per transaction, as assessments have it."""
_MONTHS_AHEAD = 24
"""How far ahead of the open levy period a change is looked for: notices name the next year."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Packs:
    """The pack in force (None: the city is new) and the proposed one, as known when the latter may
    come into force.
    """

    before: Pack | None
    after: Pack
    known_on: date


async def simulate_next(conn: Connection, library: Library, now: datetime) -> int:
    """Simulates one batch of one proposal; the last one sums it up. 0 when none waits."""
    proposal = await proposals.to_simulate(conn, now)
    if proposal is None:
        return 0
    packs = _Packs(
        before=(await library.in_force(conn)).pack(proposal.city),
        after=await read(proposal.city, proposal.content),
        known_on=max(china_day(now), proposal.known_since),
    )
    if not proposal.simulated_through:
        proposal = await _begin(conn, proposal, packs)
    people = await _people(conn, proposal)
    if people:
        await effects.add(conn, await _effects(conn, proposal, packs, people))
        through = people[-1].employee_id
        await proposals.save(conn, proposal.proposal_id, simulated_through=through)
        return len(people)
    await _sum_up(conn, proposal, now)
    return 1


async def _begin(conn: Connection, proposal: Proposal, packs: _Packs) -> Proposal:
    """Decides which levy periods change, and on which of them the effect is shown."""
    first = first_changed_day(packs.before, packs.after)
    assert first is not None, "a proposal differs from the pack in force"
    text = await proposals.open_from(conn, proposal.city)
    open_from = LevyPeriod.parse(text) if text else LevyPeriod.of(packs.known_on).shifted(1)
    start = LevyPeriod.of(first)
    months = start.through(max(start, open_from).shifted(_MONTHS_AHEAD))
    changed = changed_periods(packs.before, packs.after, months, packs.known_on)
    periods = list(dict.fromkeys(period for _, period in changed))
    reached = first_reached(periods, open_from)
    declared = [str(period) for period in periods if period < open_from.shifted(_MONTHS_AHEAD)]
    await proposals.save(
        conn,
        proposal.proposal_id,
        levy_period=str(reached or ""),
        changed_periods=declared,
    )
    found = await proposals.proposal(conn, proposal.proposal_id)
    assert found is not None
    return found


async def _people(conn: Connection, proposal: Proposal) -> list[RosterRow]:
    if not proposal.levy_period:
        return []
    period = LevyPeriod.parse(proposal.levy_period)
    days = (period.first_day(), period.last_day())
    return await effects.roster(conn, proposal.city, days, proposal.simulated_through, BATCH)


async def _effects(
    conn: Connection, proposal: Proposal, packs: _Packs, people: Sequence[RosterRow]
) -> list[EffectRow]:
    rows = [_as_assessed(person, proposal) for person in people]
    grounds = await grounds_of(conn, rows)
    before, after = (
        _columns(pack, packs.known_on, rows, grounds) for pack in (packs.before, packs.after)
    )
    return [
        EffectRow(
            proposal_id=proposal.proposal_id,
            employee_id=people[place].employee_id,
            employer_id=people[place].employer_id,
            employer_fen_before=effect.before[0],
            employer_fen_after=effect.after[0],
            employee_fen_before=effect.before[1],
            employee_fen_after=effect.after[1],
            insurances={str(name): pair for name, pair in effect.insurances.items()},
        )
        for place, effect in effects_of(before, after)
    ]


def _columns(
    pack: Pack | None, known_on: date, rows: Sequence[Assessment], grounds: Grounds
) -> Columns:
    """The rows of one city and levy period under a pack; nothing is due where it says nothing of
    the period.
    """
    schemes = schemes_of(Policies({pack.city: pack} if pack is not None else {}), rows, known_on)
    if not schemes:
        return Columns({}, np.zeros(len(rows), dtype=np.intp), {})
    [scheme] = schemes.values()
    people = [grounds.person(row, scheme) for row in rows]
    return standing(people, scheme.kinds, scheme.terms).columns


def _as_assessed(person: RosterRow, proposal: Proposal) -> Assessment:
    """The assessment that the employee will have in the levy period, before anything is known of
    it.
    """
    day = LevyPeriod.parse(proposal.levy_period).first_day()
    return Assessment(
        employee_id=person.employee_id,
        levy_period=proposal.levy_period,
        employer_id=person.employer_id,
        account_id=person.account_id,
        department_id=person.department_id,
        city=proposal.city,
        version=0,
        rests_on="",
        contribution_year="",
        lines=[],
        base_explanation="",
        policy_known_since="",
        file_by=day,
        debit_by=day,
    )


async def _sum_up(conn: Connection, proposal: Proposal, now: datetime) -> None:
    total = await effects.sum_up(
        conn, proposal.proposal_id, proposal.city, proposal.changed_periods
    )
    await proposals.save(
        conn,
        proposal.proposal_id,
        state=ProposalState.SIMULATED,
        simulated_at=now,
        simulate_at=None,
        **total,
    )
    _log.info("policy_simulated", proposal_id=proposal.proposal_id, **total)
