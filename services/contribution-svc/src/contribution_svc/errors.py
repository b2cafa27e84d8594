"""What contribution-svc refuses, each a statement with its facts and what to do."""

from datetime import date
from typing import ClassVar, Self

from shared.refusal import FieldFault, NotFound, Refusal
from shared.values import LevyPeriod


class PolicyInvalid(Refusal):
    """A policy file is wrong: every fault with file, line, key, what was found and what was
    expected.
    """

    code = "policy-invalid"
    status = 422
    title = "The policy file is refused"

    @classmethod
    def of(cls, faults: list[FieldFault]) -> Self:
        said = "; ".join(f"{fault.where}: found {fault.value}, {fault.reason}" for fault in faults)
        return cls(said, tuple(faults))


class PolicyUnknown(NotFound):
    """No policy pack covers this city, or none of its figures covers this levy period."""

    code = "policy-unknown"

    @classmethod
    def of(cls, city: str, period: str = "", known_on: date | None = None) -> Self:
        if not period:
            return cls(f"no policy for city {city}; add its dated file to the policy folder")
        return cls(
            f"no policy for city {city} in {period}, as known on {known_on}; "
            "add the figures of that month, with their notice, to the city's file"
        )


class InsuranceNotInScheme(Refusal):
    """The city has no line for this insurance: it is not in its scheme, or within another one."""

    code = "insurance-not-in-scheme"
    status = 422
    title = "The city has no such insurance"

    @classmethod
    def of(cls, city: str, insurance: str, merged_into: str) -> Self:
        where = f"is collected within {merged_into}; ask for that" if merged_into else "is not"
        tail = "" if merged_into else " in its scheme"
        return cls(f"city {city}: {insurance} {where}{tail}")


class LineDisagreesWithPolicy(Refusal):
    """A line has another rate, base or amount than the policy that is in force for it."""

    code = "line-disagrees-with-policy"
    status = 409
    title = "The line disagrees with the policy"

    @classmethod
    def of(cls, employee_id: str, insurance: str, what: str, expected: str, found: str) -> Self:
        return cls(
            f"employee {employee_id}, {insurance}: {what} expected {expected}, found {found}; "
            "correct the figure or the policy",
            (FieldFault(f"/{insurance}/{what.replace(' ', '_')}", found, f"expected {expected}"),),
        )


class EmployeeUnknown(NotFound):
    """No such employee for this caller."""

    code = "employee-unknown"


class LineUnknown(NotFound):
    """Nothing was assessed for this employee, levy period and insurance."""

    code = "line-unknown"


class BaseUnknown(Refusal):
    """There is no wage, or no employment, that a base could rest on."""

    code = "base-unknown"
    status = 409
    title = "There is no base to explain"


class CampaignUnknown(NotFound):
    """No such campaign, or no member of it, for this caller."""

    code = "campaign-unknown"


class CampaignClosed(Refusal):
    """The campaign was closed: what was declared stays as it was."""

    code = "campaign-closed"


class AnswersOpen(Refusal):
    """Somebody in the campaign still waits for a base or an answer."""

    code = "answers-open"


class ConfirmationClosed(Refusal):
    """The day by which bases are confirmed or disputed is over."""

    code = "confirmation-closed"


class BaseChangedMeanwhile(Refusal):
    """The base was computed anew since the caller saw it."""

    code = "base-changed-meanwhile"


class AnswerNotPossible(Refusal):
    """The member is in a state that does not take this answer."""

    code = "answer-not-possible"


class StatedLinesDisagree(LineDisagreesWithPolicy):
    """Lines that another system computed differ from what the policy in force makes of them."""

    title = "The lines disagree with the policy"

    @classmethod
    def named(cls, said: str, count: int, faults: list[FieldFault]) -> Self:
        """`said` is the first disagreement, of `count` in all."""
        more = f"; {count - 1} more" if count > 1 else ""
        return cls(f"{said}{more}; correct the figures or the policy", tuple(faults[:MAX_FAULTS]))


class LinesFileInvalid(Refusal):
    """A file of lines cannot be read: all its faults in one report."""

    code = "lines-file-invalid"
    status = 422
    title = "The file of lines is refused"

    @classmethod
    def of(cls, faults: list[FieldFault]) -> Self:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        return cls(f"{count}; correct the file and send it again", tuple(faults[:MAX_FAULTS]))


class DeclarationUnknown(NotFound):
    """No such declaration for this caller."""

    code = "declaration-unknown"


class DeclarationApprovedAlready(Refusal):
    """The declaration was approved before; what it declared stays as it was."""

    code = "declaration-approved-already"


class DeclarationNotReady(Refusal):
    """Employees of the declaration are still being assessed."""

    code = "declaration-not-ready"


class NothingToDeclare(Refusal):
    """No employee of the declaration has a line that is due."""

    code = "nothing-to-declare"


class DeclarationNotApproved(Refusal):
    """The regular declaration of the levy period is still a draft: it takes in whoever comes."""

    code = "declaration-not-approved"


class AccountUnknown(NotFound):
    """No such insurance account for this caller."""

    code = "account-unknown"


class DeferralUnknown(NotFound):
    """No such deferral for this caller."""

    code = "deferral-unknown"


class DeferralRecordedAlready(Refusal):
    """The same grant was recorded before."""

    code = "deferral-recorded-already"


class DeferralApprovedAlready(Refusal):
    """The deferral was approved before."""

    code = "deferral-approved-already"


class DeferralRefusedAlready(Refusal):
    """The deferral was refused before, and has no effect."""

    code = "deferral-refused-already"


class NothingToRefund(Refusal):
    """Nothing was paid too much, or all of it is applied for already."""

    code = "nothing-to-refund"


class RefundNotReady(Refusal):
    """Employees of whom too much was paid are still being compared with what is known now."""

    code = "refund-not-ready"


class RefundUnknown(NotFound):
    """No such refund for this caller."""

    code = "refund-unknown"


class RefundDayToCome(Refusal):
    """A refund is answered when it has come, with the day on which it did."""

    code = "refund-day-to-come"
    status = 422


class RefundAnsweredAlready(Refusal):
    """Everything was refunded."""

    code = "refund-answered-already"


class SecondPersonNeeded(Refusal):
    """Whoever recorded it cannot approve it."""

    code = "second-person-needed"


class WithholdMonthPassed(Refusal):
    """The payroll that should withhold the employees' part is over, or years away."""

    code = "withhold-month-passed"
    status = 422

    @classmethod
    def of(cls, found: str, first: LevyPeriod, last: LevyPeriod) -> Self:
        reason = f"expected {first} to {last}"
        return cls(
            f"no payroll of {found} can withhold this; name a month from {first} to {last}",
            (FieldFault("/withhold_in", found, reason),),
        )


class SpanReversed(Refusal):
    """The span ends before it begins."""

    code = "span-reversed"
    status = 422


class StatementFileInvalid(Refusal):
    """A bank file is wrong: all its faults in one report, and nothing of it was applied."""

    code: ClassVar[str] = "statement-file-invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The bank file is refused"

    @classmethod
    def of(cls, faults: list[FieldFault]) -> Self:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        return cls(f"{count}; nothing of the file was applied", tuple(faults[:MAX_FAULTS]))


class WebhookRefused(Refusal):
    """The webhook's signature, time or content is not the bank's."""

    code = "webhook-refused"
    status = 401
    title = "The webhook is refused"


class BankAnswerInvalid(Refusal):
    """The bank answered with something that is not what its interface says."""

    code = "bank-answer-invalid"
    status = 502
    title = "The bank's answer cannot be read"


class ProposalUnknown(NotFound):
    """No such policy proposal for this caller."""

    code = "proposal-unknown"


class ProposalEnded(Refusal):
    """The proposal was decided before: effective, rejected or superseded."""

    code = "proposal-ended"


class NothingToRelease(Refusal):
    """The pack is in force as it stands, or open as a proposal already."""

    code = "nothing-to-release"


class ProposedByYourself(Refusal):
    """Two people release a pack: whoever proposed it cannot approve it."""

    code = "proposed-by-yourself"


class ProposedContentDiffers(Refusal):
    """What is approved is not what the proposal holds."""

    code = "proposed-content-differs"


class ProposalNotSimulated(Refusal):
    """Nobody knows yet whom the proposal affects."""

    code = "proposal-not-simulated"


class AnotherReleaseApproved(Refusal):
    """The city has an approved release that has not come into force."""

    code = "another-release-approved"


class DeclaredMonthsTouched(Refusal):
    """The pack changes months that were declared, and the approval does not say that it means
    to.
    """

    code = "declared-months-touched"
    title = "The change reaches back to declared months"

    @classmethod
    def of(cls, months: int) -> Self:
        return cls(
            f"{months} declared months of employees are changed; they keep what they used, and the"
            " difference is made up by difference lines: approve it as retroactive if this is meant"
        )


class BundleRefused(Refusal):
    """A policy bundle is not taken in: unsigned by a known key, old, altered, or too large."""

    code = "policy-bundle-refused"
    status = 422
    title = "The policy bundle is refused"


class UpdatesUnreachable(Refusal):
    """The update address gives no bundle; it is asked again later."""

    code = "policy-updates-unreachable"
    status = 502
    title = "The update address cannot be read"


MAX_FAULTS = 1_000
"""A report stays readable and bounded: reliability.md section 4."""
