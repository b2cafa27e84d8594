"""The events that this service tells, made from what was just stored."""

from collections.abc import Sequence
from datetime import date, datetime

from contribution_svc.domain.campaign import DeclaredBase
from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.lines import Line, LineState
from contribution_svc.domain.policy import Days, Pack
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.base_members import MemberRow
from contribution_svc.store.bases import BaseRow
from contribution_svc.store.campaigns import Campaign
from contribution_svc.store.declarations import Declaration, RiskBody
from contribution_svc.store.effects import EmployerEffect
from contribution_svc.store.postings import Posted, PostedRow
from contribution_svc.store.proposals import Proposal
from contribution_svc.store.roster import Account
from shared.contracts import (
    AssessedLine,
    BaseAnswered,
    BaseCampaignChanged,
    BaseChanged,
    ContributionAssessed,
    ContributionPosted,
    DeadlineAtRisk,
    DeclarationApproved,
    PolicyChanged,
    PolicyReleaseAnnounced,
    PostedLine,
    RiskFact,
    SchemeFact,
)
from shared.values import Insurance


def policy_changed(
    pack: Pack, version: int, today: date, proposal_id: str = "", text: str = ""
) -> PolicyChanged:
    """The pack as known today, with the days that are in force, and with its file's text."""
    days = in_force(pack.days, today)
    return PolicyChanged(
        version=version,
        city=pack.city,
        city_name=pack.name,
        known_since=str(pack.known_since(today)),
        collector=pack.collector,
        passes_detail_on=pack.passes_detail_on,
        filing_day=days.filing_day,
        debit_day=days.debit_day,
        record_working_days=days.record_working_days,
        roll=days.roll,
        look_up_at=days.look_up_at,
        scheme=tuple(
            SchemeFact(
                insurance=terms.insurance,
                effective_from=str(terms.effective_from),
                ends_on=str(terms.effective_to or ""),
                authority=terms.authority,
                floor_fen=terms.floor_fen or 0,
                ceiling_fen=terms.ceiling_fen or 0,
                employer_ppm=terms.employer_ppm or 0,
                employee_ppm=terms.employee_ppm or 0,
                source=terms.source,
                invented=terms.invented,
                employer_own_rate=terms.employer_ppm is None,
                employee_own_rate=terms.employee_ppm is None,
                employer_fixed_fen=terms.employer_fixed_fen,
                employee_fixed_fen=terms.employee_fixed_fen,
                warnings=terms.warnings,
            )
            for terms in pack.stretches(today)
        ),
        person_kinds_exempt={
            kind.code: {str(insurance): reason for insurance, reason in kind.exempt.items()}
            for kind in pack.person_kinds.values()
        },
        proposal_id=proposal_id,
        pack=text,
        months_after=days.months_after,
    )


def policy_release(
    proposal: Proposal, effect: EmployerEffect, state: str, version: int
) -> PolicyReleaseAnnounced:
    return PolicyReleaseAnnounced(
        version=version,
        proposal_id=proposal.proposal_id,
        employer_id=effect.employer_id,
        city=proposal.city,
        city_name=proposal.city_name,
        state=state,
        effective_on=str(proposal.known_since),
        levy_period=proposal.levy_period,
        people=effect.people,
        employer_fen=effect.employer_fen,
        employee_fen=effect.employee_fen,
        declared_months=effect.declared_months,
    )


def base_changed(row: BaseRow) -> BaseChanged:
    return BaseChanged(
        version=row.version,
        employee_id=row.employee_id,
        employer_id=row.employer_id,
        contribution_year=row.contribution_year,
        average_fen=row.body.average_fen,
        months=row.body.months,
        rule=row.body.rule,
        bases_fen=row.body.bases_fen,
        bounds=row.body.bounds,
        explanation=row.body.explanation,
        levy_period=row.levy_period,
    )


def campaign_changed(campaign: Campaign) -> BaseCampaignChanged:
    """Version 1 is opened, 2 closed."""
    closed_at = campaign.closed_at.isoformat() if campaign.closed_at is not None else ""
    return BaseCampaignChanged(
        version=2 if closed_at else 1,
        campaign_id=campaign.campaign_id,
        employer_id=campaign.employer_id,
        contribution_year=campaign.contribution_year,
        confirm_by=str(campaign.confirm_by),
        opened_by=campaign.opened_by,
        opened_at=campaign.opened_at.isoformat(),
        closed_at=closed_at,
    )


def base_answered(row: MemberRow) -> BaseAnswered:
    base = row.member.base
    figures = {name: getattr(base, name) for name in DeclaredBase.__slots__} if base else {}
    return BaseAnswered(
        version=row.told,
        employee_id=row.employee_id,
        employer_id=row.employer_id,
        campaign_id=row.campaign_id,
        account_id=row.account_id,
        city=row.city,
        levy_period=row.levy_period,
        confirm_by=str(row.confirm_by),
        state=row.member.state,
        base_version=row.member.version,
        reason=row.member.reason,
        answered_by=row.member.answers.answered_by,
        **figures,
    )


def contribution_assessed(assessment: Assessment) -> ContributionAssessed:
    days = deferred_lines(assessment)
    return ContributionAssessed(
        version=assessment.version,
        employee_id=assessment.employee_id,
        employer_id=assessment.employer_id,
        levy_period=assessment.levy_period,
        city=assessment.city,
        account_id=assessment.account_id,
        department_id=assessment.department_id,
        file_by=str(assessment.file_by),
        debit_by=str(assessment.debit_by),
        lines=(
            *(
                _assessed_line(line, assessment.declared_version, days.get(line.insurance))
                for line in assessment.lines
            ),
            *(supplement_line(line) for line in assessment.supplements),
        ),
        base_explanation=assessment.base_explanation,
        policy_known_since=assessment.policy_known_since,
        policy_warnings=tuple(assessment.policy_warnings),
    )


def deferred_lines(assessment: Assessment) -> dict[Insurance, date]:
    """The lines that may be debited later than the rest, with their last day."""
    if not assessment.deferred:
        return {}
    due = [line.insurance for line in assessment.lines if line.is_due()]
    return {one: assessment.deferred[one] for one in due if one in assessment.deferred}


def _assessed_line(line: Line, declared_version: int, deferred: date | None) -> AssessedLine:
    return AssessedLine(
        insurance=line.insurance,
        state=line.state,
        authority=line.authority,
        reason=line.reason,
        base_fen=line.base_fen,
        employer_ppm=line.employer_ppm,
        employee_ppm=line.employee_ppm,
        employer_fen=line.employer_fen,
        employee_fen=line.employee_fen,
        declared_version=declared_version,
        debit_by=str(deferred or ""),
    )


def supplement_line(line: SupplementLine) -> AssessedLine:
    return AssessedLine(
        insurance=line.insurance,
        state=LineState.DUE,
        authority=line.authority,
        reason=line.reason,
        kind=line.kind,
        base_fen=line.base_fen,
        employer_ppm=line.employer_ppm,
        employee_ppm=line.employee_ppm,
        employer_fen=line.employer_fen,
        employee_fen=line.employee_fen,
        declaration_id=line.declaration_id,
        declared_version=line.declared_version,
        withhold_in=line.withhold_in,
        debit_by=str(line.debit_by or ""),
        due_on=str(line.due_on or ""),
    )


def declaration_approved(
    declaration: Declaration, account: Account, at: datetime
) -> DeclarationApproved:
    """An approved declaration as it was frozen."""
    return DeclarationApproved(
        version=declaration.version,
        declaration_id=declaration.declaration_id,
        account_id=declaration.account_id,
        account_no=account.account_no,
        employer_id=declaration.employer_id,
        city=declaration.city,
        collector=account.collector,
        levy_period=declaration.levy_period,
        people=declaration.people,
        sums_fen=declaration.sums,
        total_fen=declaration.total_fen,
        lines_hash=declaration.lines_hash,
        file_by=str(declaration.file_by),
        debit_on=str(declaration.debit_by),
        approved_by=declaration.approved_by,
        approved_at=at.isoformat(),
        number=declaration.number,
    )


def contribution_posted(posted: Posted) -> ContributionPosted:
    return ContributionPosted(
        version=posted.version,
        employee_id=posted.employee_id,
        employer_id=posted.employer_id,
        levy_period=posted.levy_period,
        city=posted.city,
        account_id=posted.account_id,
        declaration_id=posted.declaration_id,
        lines=tuple(_posted_line(line) for line in posted.lines),
    )


def _posted_line(line: PostedRow) -> PostedLine:
    return PostedLine(**{name: getattr(line, name) for name in PostedRow.__slots__})


def deadline_at_risk(declaration: Declaration, version: int, body: RiskBody) -> DeadlineAtRisk:
    return DeadlineAtRisk(
        version=version,
        account_id=declaration.account_id,
        employer_id=declaration.employer_id,
        levy_period=declaration.levy_period,
        file_by=str(declaration.file_by),
        approved=body.approved,
        missing=tuple(RiskFact(employee_id, reason) for employee_id, reason in body.missing),
    )


def in_force(days: Sequence[Days], today: date) -> Days:
    """The days in force today; before the first ones, those that come first."""
    begun = [one for one in days if one.effective_from <= today]
    return begun[-1] if begun else days[0]
