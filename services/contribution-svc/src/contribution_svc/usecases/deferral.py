"""缓缴: recording a deferral that the collector granted, and approving it by a second person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import count

from contribution_svc.errors import (
    AccountUnknown,
    DeferralApprovedAlready,
    DeferralRecordedAlready,
    DeferralRefusedAlready,
    DeferralUnknown,
    SecondPersonNeeded,
    SpanReversed,
)
from contribution_svc.store import deferrals, roster
from contribution_svc.store.deferrals import RecordedDeferral
from contribution_svc.usecases.allocation import Rules, post_again
from contribution_svc.usecases.told_arrears import deferral_changed
from shared import outbox
from shared.clock import china_day
from shared.db import Connection
from shared.refusal import FieldFault
from shared.values import Insurance, LevyPeriod, derived_id


@dataclass(frozen=True, slots=True)
class Grant:
    """What the collector's document says."""

    account_id: str
    insurances: Sequence[Insurance]
    first_period: LevyPeriod
    last_period: LevyPeriod
    until: date
    ground: str
    document_no: str
    granted_by: str

    def facts(self) -> tuple[object, ...]:
        """All of it, in order: the same grant is the same deferral."""
        return (
            self.account_id,
            self.document_no,
            self.granted_by,
            self.ground,
            self.first_period,
            self.last_period,
            self.until,
            *self.insurances,
        )


async def record_deferral(
    conn: Connection, grant: Grant, by: str, now: datetime
) -> RecordedDeferral:
    """Without effect until it is approved.

    What was refused may be recorded again. Raises AccountUnknown, SpanReversed,
    DeferralRecordedAlready.
    """
    _check_span(grant)
    account = await roster.account_seen(conn, grant.account_id)
    if account is None:
        raise AccountUnknown(f"no insurance account {grant.account_id}")
    made = RecordedDeferral(
        deferral_id=await _free_id(conn, grant),
        employer_id=account.employer_id,
        account_id=grant.account_id,
        insurances=[str(one) for one in grant.insurances],
        first_period=str(grant.first_period),
        last_period=str(grant.last_period),
        until=grant.until,
        ground=grant.ground,
        document_no=grant.document_no,
        granted_by=grant.granted_by,
        recorded_by=by,
        recorded_at=now,
    )
    if not await deferrals.add(conn, made):
        raise _recorded(grant)
    await outbox.add(conn, [deferral_changed(made)], now)
    return made


async def _free_id(conn: Connection, grant: Grant) -> str:
    """Made of the grant, and of how often it was refused."""
    for refused in count():
        found = str(derived_id("deferral", *grant.facts(), *([refused] if refused else [])))
        before = await deferrals.locked(conn, found)
        if before is None:
            return found
        if before.state != "refused":
            break
    raise _recorded(grant)


def _recorded(grant: Grant) -> DeferralRecordedAlready:
    return DeferralRecordedAlready(
        f"all that {grant.document_no} grants was recorded before; approve that one"
    )


def _check_span(grant: Grant) -> None:
    if grant.last_period < grant.first_period:
        reason = f"expected {grant.first_period} or later"
        fault = FieldFault("/last_period", str(grant.last_period), reason)
        raise SpanReversed("the deferral ends before it begins", (fault,))
    if grant.until < grant.first_period.first_day():
        reason = f"expected {grant.first_period.first_day()} or later"
        raise SpanReversed(
            "the deferral's last day of paying is before what it defers",
            (FieldFault("/until", str(grant.until), reason),),
        )


async def approve_deferral(
    conn: Connection, rules: Rules, deferral_id: str, by: str, now: datetime
) -> RecordedDeferral:
    """From now on nothing of its span is late before `until`: days of debiting and late fees that
    were posted are told anew, and deadlines looked at again.

    Raises DeferralUnknown, DeferralApprovedAlready, DeferralRefusedAlready, SecondPersonNeeded.
    """
    deferral = await _proposed(conn, deferral_id)
    if deferral.recorded_by == by:
        raise SecondPersonNeeded(
            "whoever recorded a deferral cannot approve it; ask a colleague to do it"
        )
    await deferrals.approve(conn, deferral_id, by, now)
    approved = replace(deferral, state="approved", approved_by=by, approved_at=now)
    await outbox.add(conn, [deferral_changed(approved)], now)
    span = LevyPeriod.parse(deferral.first_period).through(LevyPeriod.parse(deferral.last_period))
    periods = [str(period) for period in span]
    await deferrals.tell_days_again(conn, deferral.account_id, periods, now)
    await deferrals.risks_again(conn, deferral.account_id, periods, now, china_day(now))
    await post_again(conn, rules, deferral.account_id, periods, now)
    return approved


async def refuse_deferral(
    conn: Connection, deferral_id: str, reason: str, by: str, now: datetime
) -> RecordedDeferral:
    """By a second person, or by whoever recorded it. What is in force cannot be refused any more.

    Raises DeferralUnknown, DeferralApprovedAlready, DeferralRefusedAlready.
    """
    deferral = await _proposed(conn, deferral_id)
    await deferrals.refuse(conn, deferral_id, by, reason, now)
    refused = replace(deferral, state="refused", refused_by=by, refused_at=now, reason=reason)
    await outbox.add(conn, [deferral_changed(refused)], now)
    return refused


async def _proposed(conn: Connection, deferral_id: str) -> RecordedDeferral:
    """Locked."""
    deferral = await deferrals.locked(conn, deferral_id)
    if deferral is None:
        raise DeferralUnknown(f"no deferral {deferral_id}")
    if deferral.state == "approved":
        raise DeferralApprovedAlready(f"it was approved before, by {deferral.approved_by}")
    if deferral.state == "refused":
        raise DeferralRefusedAlready(
            f"it was refused before, by {deferral.refused_by}: {deferral.reason}; record it again"
        )
    return deferral
