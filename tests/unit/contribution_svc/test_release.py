"""The states of a release: who may approve what, and what a change is for one employee."""

from dataclasses import replace

import pytest

from contribution_svc.domain.lines import Line, LineState
from contribution_svc.domain.release import (
    ProposalState,
    Review,
    check_approval,
    effect_sentence,
    first_reached,
)
from contribution_svc.errors import (
    DeclaredMonthsTouched,
    ProposalEnded,
    ProposalNotSimulated,
    ProposedByYourself,
    ProposedContentDiffers,
)
from shared.refusal import Refusal
from shared.values import Insurance, LevyPeriod

SIMULATED = Review("p-1", ProposalState.SIMULATED, "op-1", "aa" * 32, 0)


def due(insurance: Insurance, employer_fen: int, employee_fen: int) -> Line:
    return Line(
        insurance,
        LineState.DUE,
        "hrss-990200",
        employer_fen=employer_fen,
        employee_fen=employee_fen,
    )


def test_a_second_person_approves_what_they_have_read() -> None:
    check_approval(SIMULATED, "op-2", "aa" * 32, retroactive=False)


@pytest.mark.parametrize(
    ("review", "by", "sha256", "refusal"),
    [
        (SIMULATED, "op-1", "aa" * 32, ProposedByYourself),
        (SIMULATED, "op-2", "bb" * 32, ProposedContentDiffers),
        (replace(SIMULATED, state=ProposalState.PROPOSED), "op-2", "aa" * 32, ProposalNotSimulated),
        (replace(SIMULATED, state=ProposalState.APPROVED), "op-2", "aa" * 32, ProposalNotSimulated),
        (replace(SIMULATED, state=ProposalState.REJECTED), "op-2", "aa" * 32, ProposalEnded),
        (replace(SIMULATED, state=ProposalState.EFFECTIVE), "op-2", "aa" * 32, ProposalEnded),
        (replace(SIMULATED, declared_months=8), "op-2", "aa" * 32, DeclaredMonthsTouched),
    ],
    ids=["own", "other content", "unsimulated", "twice", "rejected", "in force", "declared months"],
)
def test_an_approval_is_refused(
    review: Review, by: str, sha256: str, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        check_approval(review, by, sha256, retroactive=False)


def test_declared_months_are_changed_only_by_whoever_says_so() -> None:
    check_approval(replace(SIMULATED, declared_months=8), "op-2", "aa" * 32, retroactive=True)


def test_the_sentence_of_the_issue() -> None:
    assert effect_sentence(1_203, 3_220_681, 1_610_341, "2025-07") == (
        "1,203人，自2025年7月起每月增加48,310.22元（单位增加32,206.81元，个人增加16,103.41元）"
    )
    assert "减少1.00元（单位不变，个人减少1.00元）" in effect_sentence(1, 0, -100, "2025-07")
    assert effect_sentence(0, 0, 0, "") == "无人的缴费金额因此变化"


def test_the_first_levy_period_that_nobody_declared_is_simulated() -> None:
    months = list(LevyPeriod(2026, 1).through(LevyPeriod(2026, 12)))
    assert first_reached(months, LevyPeriod(2026, 9)) == LevyPeriod(2026, 9)
    assert first_reached(months[:8], LevyPeriod(2026, 9)) == LevyPeriod(2026, 8)
    assert first_reached(months[10:], LevyPeriod(2026, 9)) == LevyPeriod(2026, 11)
    assert first_reached([], LevyPeriod(2026, 9)) is None
