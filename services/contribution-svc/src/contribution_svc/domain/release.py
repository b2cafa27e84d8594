"""政策发布: how a changed pack comes into force. Proposed, simulated on everyone whom it concerns,
approved by a second person, effective when it is known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contribution_svc.errors import (
    DeclaredMonthsTouched,
    ProposalEnded,
    ProposalNotSimulated,
    ProposedByYourself,
    ProposedContentDiffers,
)
from shared.values import Insurance, LevyPeriod, fen_text


class ProposalState(StrEnum):
    """Where a proposal stands; it ends effective, rejected by a person, or superseded: another pack
    came into force, with which it was not compared.
    """

    PROPOSED = "proposed"
    SIMULATED = "simulated"
    APPROVED = "approved"
    EFFECTIVE = "effective"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


class Origin(StrEnum):
    """How a pack came here."""

    SHIPPED = "shipped"
    UPLOADED = "uploaded"
    UPDATE_ADDRESS = "update_address"
    CARRIED_FILE = "carried_file"


OPEN_STATES = (ProposalState.PROPOSED, ProposalState.SIMULATED, ProposalState.APPROVED)


def check_open(proposal_id: str, state: ProposalState) -> None:
    """ProposalEnded for one that is decided for good."""
    if state not in OPEN_STATES:
        raise ProposalEnded(f"proposal {proposal_id} is {state}; propose the pack anew instead")


@dataclass(frozen=True, slots=True)
class Review:
    """What an approval has to be held against: how the proposal stands, who proposed it, its hash,
    and how many declared months of employees it reaches back to.
    """

    proposal_id: str
    state: ProposalState
    proposed_by: str
    sha256: str
    declared_months: int


def check_approval(review: Review, by: str, sha256: str, retroactive: bool) -> None:
    """Whether `by` may approve the pack that they name by its hash.

    Raises ProposalEnded, ProposedByYourself, ProposedContentDiffers, ProposalNotSimulated, and
    DeclaredMonthsTouched where declared months are reached and `retroactive` does not say so.
    """
    check_open(review.proposal_id, review.state)
    if by == review.proposed_by:
        raise ProposedByYourself("a second person approves a pack; you proposed this one")
    if sha256 != review.sha256:
        raise ProposedContentDiffers(
            f"you name content {sha256[:12]}, the proposal holds {review.sha256[:12]}; read it"
            " again, and approve what you have read"
        )
    if review.state is not ProposalState.SIMULATED:
        raise ProposalNotSimulated(
            f"the proposal is {review.state}; it is approved once, when its simulation is there"
        )
    if review.declared_months and not retroactive:
        raise DeclaredMonthsTouched.of(review.declared_months)


Sides = tuple[int, int]
"""Fen of a month: employer, employee."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a pack changes for one employee in one levy period, in fen: both sides before and after,
    and the same for each insurance that changes (employer, employee).
    """

    before: Sides
    after: Sides
    insurances: dict[Insurance, tuple[Sides, Sides]]

    @classmethod
    def of(
        cls,
        before: Iterable[Sides],
        after: Iterable[Sides],
        insurances: dict[Insurance, tuple[Sides, Sides]],
    ) -> "Effect":
        """Its totals from the sides of all insurances, before and after."""
        return cls(_total(before), _total(after), insurances)


def _total(sides: Iterable[Sides]) -> Sides:
    pairs = list(sides)
    return sum(employer for employer, _ in pairs), sum(employee for _, employee in pairs)


def effect_sentence(people: int, employer_fen: int, employee_fen: int, period: str) -> str:
    """Whom it affects, by how much a month, and from which levy period: one sentence for people."""
    if not people:
        return "无人的缴费金额因此变化"
    since = LevyPeriod.parse(period)
    both = more_or_less(employer_fen + employee_fen)
    sides = f"单位{more_or_less(employer_fen)}，个人{more_or_less(employee_fen)}"
    return f"{people:,}人，自{since.year}年{since.month}月起每月{both}（{sides}）"


def more_or_less(fen: int) -> str:
    if not fen:
        return "不变"
    return f"{'增加' if fen > 0 else '减少'}{fen_text(abs(fen))}元"


def first_reached(changed: Sequence[LevyPeriod], open_from: LevyPeriod) -> LevyPeriod | None:
    """The levy period on which a change is simulated: the first changed one that is not declared
    yet; where only declared ones change, the last of them. None where none does.
    """
    later = [period for period in changed if period >= open_from]
    return min(later) if later else max(changed, default=None)
