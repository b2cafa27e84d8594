"""What people ask to see of releases: proposals whole for whoever decides, and for HR what they
change for their own employer.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from contribution_svc.errors import ProposalUnknown
from contribution_svc.store import effects, proposals
from contribution_svc.store.effects import EffectRow, EmployerEffect
from contribution_svc.store.proposals import Proposal
from shared.db import Connection

_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Release:
    """A proposal that was simulated, with what it changes for one employer."""

    proposal: Proposal
    effect: EmployerEffect


async def proposals_page(
    conn: Connection, after: tuple[datetime, str] | None, limit: int
) -> list[Proposal]:
    return await proposals.page(conn, after, limit)


async def employer_effects(
    conn: Connection, proposal_id: str, after: str, limit: int
) -> list[EmployerEffect]:
    """By employer id; numbers of people, and no person."""
    return await effects.employers(conn, proposal_id, after, limit)


async def releases(
    conn: Connection, employer_id: str, after: tuple[datetime, str] | None, limit: int
) -> list[Release]:
    """Simulated, approved and effective proposals of cities in which the employer has an account,
    the newest first.
    """
    found = await proposals.page_of(conn, employer_id, after, limit)
    named = await effects.of_employer(conn, employer_id, [one.proposal_id for one in found])
    return [Release(one, named[one.proposal_id]) for one in found]


async def people(
    conn: Connection, proposal_id: str, employer_id: str, after: str, limit: int
) -> list[EffectRow]:
    """The employer's employees whom the proposal affects; ProposalUnknown where it was not
    simulated for this employer.
    """
    await release_of(conn, proposal_id, employer_id)
    return await effects.people(conn, proposal_id, employer_id, after, limit)


async def release_of(conn: Connection, proposal_id: str, employer_id: str) -> Release:
    found = await proposals.proposal(conn, proposal_id)
    named = await effects.of_employer(conn, employer_id, [proposal_id])
    if found is None or proposal_id not in named:
        raise ProposalUnknown(f"no policy release {proposal_id} of employer {employer_id}")
    return Release(found, named[proposal_id])


async def all_people(
    conn: Connection, proposal_id: str, employer_id: str
) -> AsyncIterator[Sequence[EffectRow]]:
    """The same, all of them, in pages."""
    after = ""
    while page := await effects.people(conn, proposal_id, employer_id, after, _PAGE):
        yield page
        after = page[-1].employee_id
