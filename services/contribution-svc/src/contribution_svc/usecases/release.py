"""Releasing a pack: proposed, approved by a second person, announced to whom it affects, and in
force from the day on which it is known.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec

from contribution_svc.domain.pack_changes import changes, known_since
from contribution_svc.domain.policy import Pack
from contribution_svc.domain.release import Origin, ProposalState, check_approval, check_open
from contribution_svc.errors import (
    AnotherReleaseApproved,
    NothingToRelease,
    PolicyInvalid,
    ProposalEnded,
    ProposalUnknown,
)
from contribution_svc.policy.lint import rewritten
from contribution_svc.policy.national import with_catalogue
from contribution_svc.store import assessments, campaigns, effects, proposals, supplements
from contribution_svc.store import policies as policy_store
from contribution_svc.store.policies import PackFile
from contribution_svc.store.proposals import Proposal
from contribution_svc.usecases.library import Library, read
from contribution_svc.usecases.told import policy_changed, policy_release
from shared import outbox
from shared.clock import china_day, china_time
from shared.db import Connection
from shared.logs import get_logger
from shared.refusal import FieldFault
from shared.values import LevyPeriod, derived_id

_MAX_PACK_BYTES = 256 * 1024
"""PolicyChanged carries the pack's text and its scheme, and must fit one message of 900,000
bytes.
"""
_EMPLOYERS_AT_ONCE = 1_000

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """A pack's file as somebody proposes it: by whom, from where, with what to say about it."""

    content: bytes
    name: str
    note: str
    origin: Origin
    by: str


async def propose(conn: Connection, library: Library, draft: Draft, now: datetime) -> Proposal:
    """Takes a pack in as a proposal, with the catalogue of this version of the service, compared
    with the pack in force; its simulation follows.

    Raises PolicyInvalid with every fault of the file, or where nothing would have been known of a
    declared month; NothingToRelease.
    """
    await read(draft.name, draft.content)
    if len(draft.content) > _MAX_PACK_BYTES:
        fault = FieldFault(f"{draft.name}:1", f"{len(draft.content)} bytes", "expected 256 KiB")
        raise PolicyInvalid.of([fault])
    content = with_catalogue(draft.content, library.shipped.catalogue)
    pack = await read(draft.name, content)
    before = (await library.in_force(conn)).pack(pack.city)
    differing = changes(before, pack)
    if not differing:
        raise NothingToRelease(f"the pack of {pack.city} differs in nothing from that in force")
    if before is not None and draft.origin is not Origin.SHIPPED:
        await _check_history(conn, draft, before, pack)
    against = before.sha256 if before is not None else ""
    proposal = Proposal(
        proposal_id=str(derived_id("policy-proposal", pack.city, pack.sha256, against, now)),
        city=pack.city,
        city_name=pack.name,
        sha256=pack.sha256,
        content=content,
        note=draft.note,
        origin=draft.origin,
        proposed_by=draft.by,
        proposed_at=now,
        state=ProposalState.PROPOSED,
        against_sha256=against,
        changes=differing,
        known_since=known_since(before, pack),
        simulate_at=now,
    )
    if not await proposals.add(conn, proposal):
        raise NothingToRelease(f"this very pack of {pack.city} is proposed already")
    return proposal


async def _check_history(conn: Connection, draft: Draft, before: Pack, pack: Pack) -> None:
    """PolicyInvalid for a pack that would have known nothing of a declared month, as when an old
    figure is closed where the new one opens: what was in force, as known then, has to stay. What
    ships was read by whoever released this version.
    """
    open_from = await proposals.open_from(conn, pack.city)
    if open_from:
        through = LevyPeriod.parse(open_from).shifted(-1)
        lost = rewritten(draft.name, draft.content, before, pack, through, lost_alone=True)
        if faults := list(lost):
            raise PolicyInvalid.of(faults)


async def proposal_of(conn: Connection, proposal_id: str) -> Proposal:
    return _known(await proposals.proposal(conn, proposal_id), proposal_id)


def _known(found: Proposal | None, proposal_id: str) -> Proposal:
    if found is None:
        raise ProposalUnknown(f"no policy proposal {proposal_id}")
    return found


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approves which content, and whether changing declared months is meant."""

    by: str
    sha256: str
    retroactive: bool


async def approve(
    conn: Connection, proposal_id: str, approval: Approval, now: datetime
) -> Proposal:
    """Raises what `check_approval` raises, with the months that are declared by now,
    ProposalUnknown, and AnotherReleaseApproved while the city's last release is not in force yet.
    """
    proposal = _known(await proposals.locked(conn, proposal_id), proposal_id)
    declared = await effects.declared_months(conn, proposal.city, proposal.changed_periods)
    proposal = replace(proposal, declared_months=declared)
    check_approval(proposal.review(), approval.by, approval.sha256, approval.retroactive)
    if await proposals.is_approved(conn, proposal.city):
        raise AnotherReleaseApproved(
            f"a release of {proposal.city} is approved and not in force yet; reject it, or wait"
        )
    await proposals.save(
        conn,
        proposal_id,
        state=ProposalState.APPROVED,
        approved_by=approval.by,
        approved_sha256=approval.sha256,
        approved_at=now,
        declared_months=declared,
        release_at=now,
    )
    return await proposal_of(conn, proposal_id)


async def reject(
    conn: Connection, proposal_id: str, reason: str, by: str, now: datetime
) -> Proposal:
    """Ends a proposal; an approved one that was announced is withdrawn. Raises ProposalUnknown,
    ProposalEnded.
    """
    proposal = _known(await proposals.locked(conn, proposal_id), proposal_id)
    check_open(proposal_id, proposal.state)
    await _end(conn, proposal, ProposalState.REJECTED, (by, reason), now)
    return await proposal_of(conn, proposal_id)


async def simulate_again(conn: Connection, proposal_id: str, now: datetime) -> Proposal:
    """Has an open proposal simulated on the roster as it is now. Raises ProposalUnknown, and
    ProposalEnded once it is approved: what was approved rests on what was seen.
    """
    proposal = _known(await proposals.locked(conn, proposal_id), proposal_id)
    if proposal.state not in (ProposalState.PROPOSED, ProposalState.SIMULATED):
        raise ProposalEnded(f"proposal {proposal_id} is {proposal.state}; it is simulated before")
    await effects.forget(conn, proposal_id)
    await proposals.save(
        conn,
        proposal_id,
        state=ProposalState.PROPOSED,
        simulate_at=now,
        simulated_through="",
        simulated_at=None,
    )
    return await proposal_of(conn, proposal_id)


async def release_next(conn: Connection, library: Library, now: datetime) -> int:
    """Takes one release on: announces it, puts it into force when its day has come, or withdraws
    it. 0 when none waits.
    """
    proposal = await proposals.to_release(conn, now)
    if proposal is None:
        return 0
    if proposal.state is not ProposalState.APPROVED:
        await _tell(conn, proposal, "withdrawn", now)
        await proposals.save(conn, proposal.proposal_id, release_at=None)
        return 1
    unfit = await _unfit(conn, library, proposal)
    if unfit:
        _log.error("policy_release_refused", proposal_id=proposal.proposal_id, reason=unfit)
        await _end(conn, proposal, ProposalState.SUPERSEDED, ("contribution-svc", unfit), now)
        return 1
    known_at = china_time(proposal.known_since, "00:00")
    if known_at > now:
        await _tell(conn, proposal, "announced", now)
        await proposals.save(conn, proposal.proposal_id, release_at=known_at)
        return 1
    await _release(conn, proposal, now)
    return 1


async def _unfit(conn: Connection, library: Library, proposal: Proposal) -> str:
    """Why an approved proposal may not come into force; empty if it may."""
    if hashlib.sha256(proposal.content).hexdigest() != proposal.approved_sha256:
        return "edited after approval: its content is not what was approved"
    held = (await library.in_force(conn)).pack(proposal.city)
    if held is not None and held.sha256 not in (proposal.against_sha256, proposal.sha256):
        return "another pack came into force since it was compared"
    return ""


async def _release(conn: Connection, proposal: Proposal, now: datetime) -> None:
    pack = await read(proposal.city, proposal.content)
    file = PackFile(proposal.city, proposal.sha256, proposal.content)
    # A store that was restored may have taken the pack back from what it told.
    if await put_into_force(conn, file, pack, proposal.proposal_id, now):
        await _tell(conn, proposal, "effective", now)
    await proposals.save(
        conn,
        proposal.proposal_id,
        state=ProposalState.EFFECTIVE,
        effective_at=now,
        release_at=None,
    )
    why = ("contribution-svc", f"proposal {proposal.proposal_id} came into force")
    for other in await proposals.open_of(conn, proposal.city, proposal.proposal_id):
        await _end(conn, other, ProposalState.SUPERSEDED, why, now)
    _log.info(
        "policy_released",
        city=proposal.city,
        proposal_id=proposal.proposal_id,
        people=proposal.people,
    )


async def put_into_force(
    conn: Connection, file: PackFile, pack: Pack, proposal_id: str, now: datetime
) -> bool:
    """Stores and tells the pack, and has what rests on it assessed again. False where it is in
    force, and was told since all that is known of it today was.
    """
    today = china_day(now)
    known = pack.known_since(today)
    known_at = china_time(known, "00:00") if known <= today else datetime.min.replace(tzinfo=UTC)
    body: object = msgspec.to_builtins(pack)
    version = await policy_store.publish(conn, file, body, proposal_id, (known_at, now))
    if version is None:
        return False
    told = policy_changed(pack, version, today, proposal_id, file.content.decode())
    await outbox.add(conn, [told], now)
    await assessments.mark_city(conn, pack.city, now)
    await campaigns.mark_city(conn, pack.city, now)
    await supplements.compare_city(conn, pack.city, now)
    return True


async def _end(
    conn: Connection,
    proposal: Proposal,
    state: ProposalState,
    why: tuple[str, str],
    now: datetime,
) -> None:
    """`why`: by whom, and for which reason. What was announced is to be withdrawn."""
    await proposals.save(
        conn,
        proposal.proposal_id,
        state=state,
        ended_by=why[0],
        ended_reason=why[1],
        simulate_at=None,
        release_at=now if proposal.told else None,
    )


async def _tell(conn: Connection, proposal: Proposal, state: str, now: datetime) -> None:
    """Tells every employer with an account in the city how it is affected."""
    version, after = proposal.told + 1, ""
    while True:
        found: Sequence[effects.EmployerEffect] = await effects.employers(
            conn, proposal.proposal_id, after, _EMPLOYERS_AT_ONCE
        )
        events = [policy_release(proposal, one, state, version) for one in found]
        await outbox.add(conn, events, now)
        if len(found) < _EMPLOYERS_AT_ONCE:
            break
        after = found[-1].employer_id
    await proposals.save(conn, proposal.proposal_id, told=version)
