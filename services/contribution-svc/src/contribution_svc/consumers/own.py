"""Our own events, taken back by a store that was restored."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from contribution_svc.domain.base import Bound
from contribution_svc.domain.campaign import Answers, DeclaredBase, Member, MemberState
from contribution_svc.domain.difference import Kind, SupplementLine
from contribution_svc.domain.lines import Line
from contribution_svc.domain.refund import Refund, RefundState
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.base_members import MemberRow
from contribution_svc.store.bases import BaseBody, BaseRow
from contribution_svc.store.campaigns import Campaign
from contribution_svc.store.declarations import RiskBody
from contribution_svc.store.deferrals import RecordedDeferral
from contribution_svc.store.not_filed import ProvisionalRow
from contribution_svc.store.postings import Posted, PostedRow
from contribution_svc.store.told_before import Approved, Risk
from contribution_svc.usecases.recovering import ToldBefore
from shared.codec import Received
from shared.contracts import (
    AssessedLine,
    BaseAnswered,
    BaseCampaignChanged,
    BaseChanged,
    ContributionAssessed,
    ContributionPosted,
    DeadlineAtRisk,
    DeclarationApproved,
    DeferralChanged,
    Event,
    PolicyChanged,
    PolicyReleaseAnnounced,
    ProvisionallyAssessed,
    RefundChanged,
)
from shared.db import Connection
from shared.serve import Keeper, newest_of
from shared.values import Insurance


def keepers(into: ToldBefore) -> Mapping[type[Event], Keeper]:
    """What we say, by its event; gathered in `into`."""

    async def on_told(_: Connection, told: Sequence[Received]) -> None:
        for event in newest_of(told):
            _GATHERED[type(event)](into, event)

    async def on_policies(_: Connection, told: Sequence[Received]) -> None:
        # Not the newest alone: what declared months rest on comes back as well.
        into.policies += [
            (one.event, datetime.fromisoformat(one.time))
            for one in sorted(told, key=lambda one: one.event.version)
            if isinstance(one.event, PolicyChanged)
        ]

    return {**dict.fromkeys(_GATHERED, on_told), PolicyChanged: on_policies}


def _base(into: ToldBefore, event: BaseChanged) -> None:
    body = BaseBody(
        average_fen=event.average_fen,
        months=event.months,
        rule=event.rule,
        bases_fen=event.bases_fen,
        bounds=event.bounds,
        explanation=event.explanation,
    )
    into.bases.append(
        BaseRow(
            event.employee_id,
            event.contribution_year,
            event.employer_id,
            event.version,
            event.levy_period,
            body,
        )
    )


def _assessment(into: ToldBefore, event: ContributionAssessed) -> None:
    into.assessments.append(
        Assessment(
            employee_id=event.employee_id,
            levy_period=event.levy_period,
            employer_id=event.employer_id,
            account_id=event.account_id,
            department_id=event.department_id,
            city=event.city,
            version=event.version,
            rests_on="",
            contribution_year="",
            lines=msgspec.convert(msgspec.to_builtins(_regular(event)), list[Line]),
            supplements=[_supplement(one) for one in event.lines if one.declaration_id],
            deferred={x.insurance: day for x in _regular(event) if (day := _day(x.debit_by))},
            declared_version=max((one.declared_version for one in _regular(event)), default=0),
            base_explanation=event.base_explanation,
            policy_known_since=event.policy_known_since,
            policy_warnings=list(event.policy_warnings),
            file_by=date.fromisoformat(event.file_by),
            debit_by=date.fromisoformat(event.debit_by),
        )
    )


def _regular(event: ContributionAssessed) -> list[AssessedLine]:
    return [line for line in event.lines if not line.declaration_id]


def _supplement(line: AssessedLine) -> SupplementLine:
    return SupplementLine(
        insurance=line.insurance,
        kind=Kind(line.kind),
        authority=line.authority,
        base_fen=line.base_fen,
        employer_ppm=line.employer_ppm,
        employee_ppm=line.employee_ppm,
        employer_fen=line.employer_fen,
        employee_fen=line.employee_fen,
        reason=line.reason,
        declaration_id=line.declaration_id,
        declared_version=line.declared_version,
        withhold_in=line.withhold_in,
        debit_by=_day(line.debit_by),
        due_on=_day(line.due_on),
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _approval(into: ToldBefore, event: DeclarationApproved) -> None:
    into.approvals.append(
        Approved(
            declaration_id=event.declaration_id,
            account_id=event.account_id,
            levy_period=event.levy_period,
            version=event.version,
            people=event.people,
            sums=event.sums_fen,
            total_fen=event.total_fen,
            lines_hash=event.lines_hash,
            approved_by=event.approved_by,
            approved_at=datetime.fromisoformat(event.approved_at),
            number=event.number,
            file_by=date.fromisoformat(event.file_by),
            debit_by=date.fromisoformat(event.debit_on),
        )
    )


def _posting(into: ToldBefore, event: ContributionPosted) -> None:
    into.postings.append(
        Posted(
            employee_id=event.employee_id,
            levy_period=event.levy_period,
            employer_id=event.employer_id,
            account_id=event.account_id,
            declaration_id=event.declaration_id,
            city=event.city,
            lines=msgspec.convert(msgspec.to_builtins(event.lines), tuple[PostedRow, ...]),
            version=event.version,
        )
    )


def _risk(into: ToldBefore, event: DeadlineAtRisk) -> None:
    missing = tuple((fact.employee_id, fact.reason) for fact in event.missing)
    body = RiskBody(event.approved, missing)
    into.risks.append(Risk(event.account_id, event.levy_period, event.version, body))


def _release(into: ToldBefore, event: PolicyReleaseAnnounced) -> None:
    into.releases.append(event)


def _deferral(event: DeferralChanged) -> RecordedDeferral:
    return RecordedDeferral(
        deferral_id=event.deferral_id,
        employer_id=event.employer_id,
        account_id=event.account_id,
        insurances=[str(one) for one in event.insurances],
        first_period=event.first_period,
        last_period=event.last_period,
        until=date.fromisoformat(event.until),
        ground=event.ground,
        document_no=event.document_no,
        granted_by=event.granted_by,
        recorded_by=event.recorded_by,
        recorded_at=datetime.fromisoformat(event.recorded_at),
        state=event.state,
        approved_by=event.approved_by,
        approved_at=_moment(event.approved_at),
        refused_by=event.refused_by,
        refused_at=_moment(event.refused_at),
        reason=event.reason,
    )


def _provisional(event: ProvisionallyAssessed) -> ProvisionalRow:
    return ProvisionalRow(
        declaration_id=event.declaration_id,
        employer_id=event.employer_id,
        account_id=event.account_id,
        levy_period=event.levy_period,
        last_fen=event.last_fen,
        assessed_fen=event.assessed_fen,
        assessed_on=date.fromisoformat(event.assessed_on),
        explanation=event.explanation,
        settled_at=_moment(event.settled_at),
        settled_fen=event.settled_fen,
        settlement=event.settlement,
    )


def _refund(event: RefundChanged) -> Refund:
    return Refund(
        refund_id=event.refund_id,
        employer_id=event.employer_id,
        account_id=event.account_id,
        employee_id=event.employee_id,
        levy_period=event.levy_period,
        number=event.number,
        lines=[_supplement(line) for line in event.lines],
        document_no=event.document_no,
        requested_by=event.requested_by,
        requested_at=datetime.fromisoformat(event.requested_at),
        state=RefundState(event.state),
        version=event.version,
        answered_by=event.answered_by,
        answered_at=_moment(event.answered_at),
        refunded_fen=event.refunded_fen,
        refunded_on=_day(event.refunded_on),
    )


def _campaign(event: BaseCampaignChanged) -> Campaign:
    return Campaign(
        campaign_id=event.campaign_id,
        employer_id=event.employer_id,
        contribution_year=event.contribution_year,
        confirm_by=date.fromisoformat(event.confirm_by),
        opened_by=event.opened_by,
        opened_at=datetime.fromisoformat(event.opened_at),
        fill_at=None,
        closed_at=_moment(event.closed_at),
    )


def _answer(event: BaseAnswered) -> MemberRow:
    return MemberRow(
        campaign_id=event.campaign_id,
        employee_id=event.employee_id,
        employer_id=event.employer_id,
        account_id=event.account_id,
        city=event.city,
        levy_period=event.levy_period,
        confirm_by=date.fromisoformat(event.confirm_by),
        member=Member(
            state=MemberState(event.state),
            version=event.base_version,
            base=_answered_base(event),
            reason=event.reason,
            answers=Answers(answered_by=event.answered_by),
        ),
        told=event.version,
    )


def _answered_base(event: BaseAnswered) -> DeclaredBase | None:
    if not event.bases_fen:
        return None
    return DeclaredBase(
        average_fen=event.average_fen,
        months=event.months,
        rule=event.rule,
        bases_fen={Insurance(one): fen for one, fen in event.bases_fen.items()},
        bounds={Insurance(one): Bound(bound) for one, bound in event.bounds.items()},
        explanation=event.explanation,
        warnings=event.warnings,
        since={Insurance(one): period for one, period in event.since.items()},
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_GATHERED: Mapping[type[Event], Callable[[ToldBefore, Any], None]] = {
    PolicyReleaseAnnounced: _release,
    BaseChanged: _base,
    ContributionAssessed: _assessment,
    DeclarationApproved: _approval,
    ContributionPosted: _posting,
    DeadlineAtRisk: _risk,
    DeferralChanged: lambda into, event: into.deferrals.append(_deferral(event)),
    ProvisionallyAssessed: lambda into, event: into.provisional.append(_provisional(event)),
    RefundChanged: lambda into, event: into.refunds.append(_refund(event)),
    BaseCampaignChanged: lambda into, event: into.campaigns.append(_campaign(event)),
    BaseAnswered: lambda into, event: into.answers.append(_answer(event)),
}
