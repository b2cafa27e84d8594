"""A restored store takes back what it told: nothing is approved, posted or told a second time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contribution_svc.policy import Policies
from contribution_svc.store import told_before
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.bases import BaseRow
from contribution_svc.store.postings import Posted
from contribution_svc.store.told_before import Approved, Risk
from contribution_svc.usecases.allocation import Rules
from contribution_svc.usecases.assessment import content_of
from contribution_svc.usecases.period import open_next_period
from contribution_svc.usecases.told import policy_changed
from shared.clock import china_day
from shared.contracts import PolicyChanged
from shared.db import Connection
from shared.values import LevyPeriod

UPLOADS_ARE_LOST = (
    "statement files that HR uploaded since the backup are lost; the bank is asked for its own"
)


@dataclass
class ToldBefore:
    """What was told since the backup, the newest of each; kept when the roster has caught up, since
    a levy period that was opened since is opened anew first.
    """

    policies: list[PolicyChanged] = field(default_factory=list)
    bases: list[BaseRow] = field(default_factory=list)
    assessments: list[Assessment] = field(default_factory=list)
    approvals: list[Approved] = field(default_factory=list)
    postings: list[Posted] = field(default_factory=list)
    risks: list[Risk] = field(default_factory=list)


async def keep_told(
    conn: Connection, rules: Rules, told: ToldBefore, now: datetime
) -> Sequence[str]:
    """Opens what has to be open, and brings the rows to what readers know. Gives what is lost."""
    for event in told.policies:
        sha256 = _sha256(rules.policies, event, now)
        await told_before.keep_policy(conn, event.city, event.version, sha256, now)
    while await open_next_period(conn, rules.policies, rules.work_days, now):
        continue
    await told_before.keep_bases(conn, told.bases)
    assessed = [
        replace(one, told=content_of(one), contribution_year=_year(rules.policies, one))
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
    return [UPLOADS_ARE_LOST, *unclear]


def _year(policies: Policies, one: Assessment) -> str:
    """The contribution year of its levy period; empty where the city's pack is not here."""
    pack = policies.pack(one.city)
    return str(pack.contribution_year(LevyPeriod.parse(one.levy_period))) if pack else ""


def _sha256(policies: Policies, event: PolicyChanged, now: datetime) -> str:
    """The hash of our pack if it is what was told."""
    pack = policies.packs.get(event.city)
    if pack is None:
        return ""
    return pack.sha256 if policy_changed(pack, event.version, china_day(now)) == event else ""
