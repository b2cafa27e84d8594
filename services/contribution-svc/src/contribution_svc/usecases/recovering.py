"""A restored store takes back what it told: nothing is approved, posted or told a second time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from msgspec import structs

from contribution_svc.domain.campaign import DISPUTES
from contribution_svc.domain.refund import Refund
from contribution_svc.policy import Policies
from contribution_svc.store import (
    base_members,
    campaigns,
    deferrals,
    not_filed,
    refunds,
    told_before,
)
from contribution_svc.store import policies as policy_store
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.base_members import MemberRow
from contribution_svc.store.bases import BaseRow
from contribution_svc.store.campaigns import Campaign
from contribution_svc.store.deferrals import RecordedDeferral
from contribution_svc.store.not_filed import ProvisionalRow
from contribution_svc.store.policies import PackFile
from contribution_svc.store.postings import Posted
from contribution_svc.store.told_before import Approved, Risk
from contribution_svc.usecases.assessment import content_of
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.period import open_next_period
from contribution_svc.usecases.told import policy_changed
from shared.clock import china_day
from shared.contracts import PolicyChanged, PolicyReleaseAnnounced
from shared.db import Connection
from shared.values import LevyPeriod

UPLOADS_ARE_LOST = (
    "statement files that HR uploaded since the backup are lost; the bank is asked for its own"
)
PROPOSALS_ARE_LOST = (
    "policy packs that were proposed, and bundles that were taken in since the backup are lost;"
    " what came into force is here, the rest is to be proposed again"
)


@dataclass
class ToldBefore:
    """What was told since the backup, the newest of each, and every policy with the moment at which
    it was told; kept when the roster has caught up, since a levy period that was opened since is
    opened anew first.
    """

    policies: list[tuple[PolicyChanged, datetime]] = field(default_factory=list)
    releases: list[PolicyReleaseAnnounced] = field(default_factory=list)
    bases: list[BaseRow] = field(default_factory=list)
    assessments: list[Assessment] = field(default_factory=list)
    approvals: list[Approved] = field(default_factory=list)
    postings: list[Posted] = field(default_factory=list)
    risks: list[Risk] = field(default_factory=list)
    deferrals: list[RecordedDeferral] = field(default_factory=list)
    provisional: list[ProvisionalRow] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    answers: list[MemberRow] = field(default_factory=list)


async def keep_told(
    conn: Connection, library: Library, told: ToldBefore, now: datetime
) -> Sequence[str]:
    """Opens what has to be open, and brings the rows to what readers know. Gives what is lost."""
    for event, told_at in told.policies:
        await _keep_policy(conn, library.shipped, event, told_at)
    for release in told.releases:
        await told_before.keep_release(conn, release.proposal_id, release.version)
    policies = await library.in_force(conn)
    while await open_next_period(conn, policies, library.work_days, now):
        continue
    await told_before.keep_bases(conn, told.bases)
    assessed = [
        structs.replace(one, told=content_of(one), contribution_year=_year(policies, one))
        for one in told.assessments
    ]
    await told_before.keep_assessments(conn, assessed, now)
    unclear = [
        f"declaration {approved.declaration_id} was approved, and whom it holds is in no event"
        for approved in sorted(told.approvals, key=lambda one: one.number)
        if not await told_before.keep_approval(conn, approved)
    ]
    await told_before.keep_postings(conn, told.postings)
    for risk in told.risks:
        await told_before.keep_risk(conn, risk)
    await deferrals.keep(conn, told.deferrals)
    await not_filed.keep(conn, told.provisional)
    await refunds.put(conn, told.refunds)
    lost = await _keep_campaigns(conn, told, now)
    return [UPLOADS_ARE_LOST, PROPOSALS_ARE_LOST, *lost, *unclear]


async def _keep_campaigns(conn: Connection, told: ToldBefore, now: datetime) -> list[str]:
    """Campaigns with their answers; whoever had not answered is taken from the roster again."""
    await campaigns.keep(conn, [replace(one, fill_at=now) for one in told.campaigns])
    await base_members.keep(conn, told.answers, now)
    disputes = sum(one.member.state in DISPUTES for one in told.answers)
    return [f"{disputes} disputes of bases are known, their words are lost"] if disputes else []


async def _keep_policy(
    conn: Connection, shipped: Policies, event: PolicyChanged, told_at: datetime
) -> None:
    """The pack that was told, in force as it was; of what an older release told, which did not tell
    the file, ours if it says the same.
    """
    content = event.pack.encode()
    sha256 = hashlib.sha256(content).hexdigest() if content else _sha256(shipped, event, told_at)
    await told_before.keep_policy(conn, event.city, event.version, sha256, told_at)
    if content:
        file = PackFile(event.city, sha256, content)
        await policy_store.keep_file(conn, file, told_at, event.proposal_id)


def _year(policies: Policies, one: Assessment) -> str:
    """The contribution year of its levy period; empty where the city's pack is not here."""
    pack = policies.pack(one.city)
    return str(pack.contribution_year(LevyPeriod.parse(one.levy_period))) if pack else ""


def _sha256(policies: Policies, event: PolicyChanged, told_at: datetime) -> str:
    """The hash of our pack if it is what was told."""
    pack = policies.packs.get(event.city)
    if pack is None:
        return ""
    ours = policy_changed(pack, event.version, china_day(told_at))
    return pack.sha256 if ours == event else ""
