"""The events of sums that are not paid by their day, made from what was just stored."""

from contribution_svc.domain.refund import Refund
from contribution_svc.store.deferrals import RecordedDeferral
from contribution_svc.store.not_filed import ProvisionalRow
from contribution_svc.usecases.told import supplement_line
from shared.contracts import DeferralChanged, ProvisionallyAssessed, RefundChanged
from shared.values import Insurance


def deferral_changed(deferral: RecordedDeferral) -> DeferralChanged:
    """Version 1 is proposed, 2 approved or refused."""
    approved_at = deferral.approved_at.isoformat() if deferral.approved_at is not None else ""
    refused_at = deferral.refused_at.isoformat() if deferral.refused_at is not None else ""
    return DeferralChanged(
        version=2 if approved_at or refused_at else 1,
        deferral_id=deferral.deferral_id,
        employer_id=deferral.employer_id,
        account_id=deferral.account_id,
        insurances=tuple(Insurance(one) for one in deferral.insurances),
        first_period=deferral.first_period,
        last_period=deferral.last_period,
        until=str(deferral.until),
        ground=deferral.ground,
        document_no=deferral.document_no,
        granted_by=deferral.granted_by,
        state=deferral.state,
        recorded_by=deferral.recorded_by,
        recorded_at=deferral.recorded_at.isoformat(),
        approved_by=deferral.approved_by,
        approved_at=approved_at,
        refused_by=deferral.refused_by,
        refused_at=refused_at,
        reason=deferral.reason,
    )


def provisionally_assessed(row: ProvisionalRow) -> ProvisionallyAssessed:
    """Version 1 is assessed, 2 settled."""
    settled_at = row.settled_at.isoformat() if row.settled_at is not None else ""
    return ProvisionallyAssessed(
        version=2 if settled_at else 1,
        declaration_id=row.declaration_id,
        employer_id=row.employer_id,
        account_id=row.account_id,
        levy_period=row.levy_period,
        assessed_on=str(row.assessed_on),
        last_fen=row.last_fen,
        assessed_fen=row.assessed_fen,
        explanation=row.explanation,
        settled_fen=row.settled_fen,
        settled_at=settled_at,
        settlement=row.settlement,
    )


def refund_changed(refund: Refund) -> RefundChanged:
    return RefundChanged(
        version=refund.version,
        employee_id=refund.employee_id,
        employer_id=refund.employer_id,
        levy_period=refund.levy_period,
        refund_id=refund.refund_id,
        account_id=refund.account_id,
        number=refund.number,
        state=refund.state,
        lines=tuple(map(supplement_line, refund.lines)),
        document_no=refund.document_no,
        requested_by=refund.requested_by,
        requested_at=refund.requested_at.isoformat(),
        answered_by=refund.answered_by,
        answered_at=refund.answered_at.isoformat() if refund.answered_at is not None else "",
        refunded_fen=refund.refunded_fen,
        refunded_on=str(refund.refunded_on or ""),
    )
