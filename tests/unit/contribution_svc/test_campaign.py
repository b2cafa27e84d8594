"""年度基数申报: what computing, confirming, disputing and answering make of a member, and why a
verified base may differ.
"""

from dataclasses import replace
from datetime import date

import pytest

from contribution_svc.domain.base import Bound
from contribution_svc.domain.campaign import (
    DeclaredBase,
    Member,
    MemberState,
    answer,
    computed,
    confirm,
    declared_base,
    dispute,
    verified_differs,
)
from contribution_svc.domain.wage_basis import BaseRule, WageBasis
from contribution_svc.errors import AnswerNotPossible, BaseChangedMeanwhile, ConfirmationClosed
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod, fen_text
from tests.support.bases import bases

PACK = load_policies().packs["990100"]
TERMS = PACK.terms(LevyPeriod(2024, 7), date(2024, 6, 1))
MEDICAL = Insurance.MEDICAL
FIGURES = PACK.insurances[MEDICAL].figures_at(date(2024, 7, 1), date(2024, 6, 1))
SCHEME = [one.insurance for one in TERMS]
REGULAR = PACK.person_kinds["regular"]
UNTIL, TODAY = date(2024, 6, 20), date(2024, 6, 20)


def base_of(wage_fen: int) -> DeclaredBase:
    basis = WageBasis(wage_fen, 12, BaseRule.LAST_YEAR_AVERAGE)
    found = declared_base(REGULAR, SCHEME, bases(basis, TERMS))
    assert isinstance(found, DeclaredBase)
    return found


NEW = computed(Member(), base_of(950_000))


def test_a_computed_member_is_to_be_confirmed() -> None:
    assert (NEW.state, NEW.version) == (MemberState.TO_CONFIRM, 1)
    assert confirm(NEW, 1, UNTIL, TODAY).state is MemberState.CONFIRMED


def test_the_same_base_again_leaves_the_answer() -> None:
    confirmed = confirm(NEW, 1, UNTIL, TODAY)
    assert computed(confirmed, base_of(950_000)) == confirmed


def test_another_base_is_to_be_confirmed_again() -> None:
    confirmed = confirm(NEW, 1, UNTIL, TODAY)
    again = computed(confirmed, base_of(960_000))
    assert (again.state, again.version) == (MemberState.TO_CONFIRM, 2)
    with pytest.raises(BaseChangedMeanwhile):
        confirm(again, 1, UNTIL, TODAY)


def test_another_wage_above_the_same_ceiling_leaves_the_answer() -> None:
    confirmed = confirm(computed(Member(), base_of(3_000_000)), 1, UNTIL, TODAY)
    again = computed(confirmed, base_of(4_000_000))
    assert again.state is MemberState.CONFIRMED
    assert again.base is not None
    assert again.base.average_fen == 4_000_000


@pytest.mark.parametrize(
    ("kind", "found", "reason"),
    [
        ("regular", "wage_history_missing", "wage_history_missing"),
        ("retired_rehired", base_of, "retired_rehired"),
        ("retired_rehired", "wage_history_missing", "retired_rehired"),
        ("astronaut", base_of, "person_kind_unknown"),
    ],
)
def test_whoever_has_no_base_has_a_reason(kind: str, found: object, reason: str) -> None:
    basis = WageBasis(950_000, 12, BaseRule.LAST_YEAR_AVERAGE)
    what = found if isinstance(found, str) else bases(basis, TERMS)
    member = computed(Member(), declared_base(PACK.person_kinds.get(kind), SCHEME, what))
    assert (member.state, member.reason, member.base) == (MemberState.NO_BASE, reason, None)
    assert computed(member, reason) == member


def test_part_time_work_declares_work_injury_only() -> None:
    found = declared_base(
        PACK.person_kinds["part_time"],
        SCHEME,
        bases(WageBasis(950_000, 12, BaseRule.LAST_YEAR_AVERAGE), TERMS),
    )
    assert isinstance(found, DeclaredBase)
    assert list(found.bases_fen) == [Insurance.WORK_INJURY]


def test_a_dispute_that_holds_waits_for_the_corrected_wages() -> None:
    disputed = dispute(NEW, 1, "三月奖金没有计入", UNTIL, TODAY)
    accepted = answer(disputed, True, "已补报", "hr-li")
    assert (accepted.state, accepted.answers.words) == (MemberState.TO_CORRECT, "三月奖金没有计入")
    assert computed(accepted, base_of(950_000)) == accepted
    corrected = computed(accepted, base_of(1_000_000))
    assert (corrected.state, corrected.version) == (MemberState.TO_CONFIRM, 2)
    assert corrected.answers.reason == "已补报"


def test_a_correction_that_stays_at_the_ceiling_is_confirmed_again_all_the_same() -> None:
    disputed = dispute(computed(Member(), base_of(3_000_000)), 1, "少了", UNTIL, TODAY)
    accepted = answer(disputed, True, "已补报", "hr-li")
    assert computed(accepted, base_of(3_100_000)).state is MemberState.TO_CONFIRM


def test_wages_that_were_to_be_corrected_and_turn_out_right_keep_the_base() -> None:
    """Else the member waited for good for another wage, and the campaign with it."""
    accepted = answer(dispute(NEW, 1, "少了", UNTIL, TODAY), True, "请核对", "hr-li")
    kept = answer(accepted, False, "核对无误", "hr-wang")
    assert (kept.state, kept.answers.reason) == (MemberState.KEPT, "核对无误")
    assert (kept.answers.words, kept.answers.answered_by) == ("少了", "hr-wang")
    with pytest.raises(AnswerNotPossible):
        answer(accepted, True, "再次", "hr-li")


def test_a_dispute_that_does_not_hold_keeps_the_base_for_a_reason() -> None:
    kept = answer(dispute(NEW, 1, "少了", UNTIL, TODAY), False, "差旅费不计入工资", "hr-li")
    assert (kept.state, kept.answers.reason) == (MemberState.KEPT, "差旅费不计入工资")
    assert confirm(kept, 1, UNTIL, TODAY).state is MemberState.CONFIRMED


def test_what_cannot_be_answered_is_refused() -> None:
    late = date(2024, 6, 21)
    with pytest.raises(ConfirmationClosed):
        confirm(NEW, 1, UNTIL, late)
    with pytest.raises(ConfirmationClosed):
        dispute(NEW, 1, "少了", UNTIL, late)
    with pytest.raises(AnswerNotPossible):
        answer(NEW, True, "", "hr-li")
    with pytest.raises(AnswerNotPossible):
        confirm(computed(Member(), "wage_history_missing"), 1, UNTIL, TODAY)


@pytest.mark.parametrize(
    ("wage_fen", "verified_fen", "last_year_fen", "why"),
    [
        pytest.param(950_000, 900_000, 900_000, "last_year", id="the collector kept last year's"),
        pytest.param(950_049, 950_000, None, "whole_yuan", id="cut to whole yuan"),
        pytest.param(950_000, 500_000, None, "at_bound", id="held at the floor"),
        pytest.param(3_000_000, 3_000_000, None, "not_held", id="not held at the ceiling"),
        pytest.param(3_000_000, 2_100_000, None, "other_bounds", id="a ceiling not known here"),
        pytest.param(950_000, 880_000, 900_000, "other_wage", id="another wage"),
    ],
)
def test_a_verified_base_that_differs_says_by_how_much_and_why(
    wage_fen: int, verified_fen: int, last_year_fen: int | None, why: str
) -> None:
    found = verified_differs(MEDICAL, FIGURES, base_of(wage_fen), verified_fen, last_year_fen)
    assert found is not None
    assert found.why == why
    assert found.difference_fen() == verified_fen - found.ours_fen


@pytest.mark.parametrize(
    ("wage_fen", "key", "bound_fen", "verified_fen", "named"),
    [
        pytest.param(450_000, "floor", 540_000, 540_000, "下限", id="the floor rose under a base"),
        pytest.param(520_000, "floor", 540_000, 540_000, "下限", id="the floor rose over a wage"),
        pytest.param(450_000, "floor", 400_000, 450_000, "下限", id="the floor fell below it"),
        pytest.param(3_000_000, "ceiling", 2_550_000, 2_550_000, "上限", id="the ceiling rose"),
        pytest.param(3_000_000, "ceiling", 3_100_000, 3_000_000, "上限", id="it rose over a wage"),
        pytest.param(2_300_000, "ceiling", 2_200_000, 2_200_000, "上限", id="it fell on a wage"),
    ],
)
def test_a_bound_that_moved_since_is_named_with_its_notice(
    wage_fen: int, key: str, bound_fen: int, verified_fen: int, named: str
) -> None:
    """The declared wage has arrived: a bound of October is not the one of July."""
    october, published = date(2024, 10, 1), date(2024, 11, 5)
    moved = replace(
        FIGURES[key], value=bound_fen, effective_from=october, known_since=published, source="通知"
    )
    now = {**FIGURES, key: moved}
    # That a base of last year happens to be the same explains nothing.
    found = verified_differs(MEDICAL, now, base_of(wage_fen), verified_fen, verified_fen)
    assert found is not None
    assert found.why == "bound_moved"
    said = f"基数{named}自2024-10-01起为{fen_text(bound_fen)}元（通知，2024-11-05公布）"
    assert found.said.startswith(said)
    assert "未收到" not in found.said


def test_another_bound_than_the_one_that_moved_is_not_blamed_on_it() -> None:
    moved = {**FIGURES, "floor": replace(FIGURES["floor"], value=540_000)}
    found = verified_differs(MEDICAL, moved, base_of(950_000), 540_000, None)
    assert found is not None
    assert found.why == "at_bound"


def test_a_verified_base_that_agrees_is_no_difference() -> None:
    assert verified_differs(MEDICAL, FIGURES, base_of(950_000), 950_000, 900_000) is None


def test_bounds_that_no_pack_published_hold_no_verified_base() -> None:
    unbounded = {key: replace(figure, value=None) for key, figure in FIGURES.items()}
    base = replace(base_of(950_000), bounds=dict.fromkeys(Insurance, Bound.WITHIN))
    found = verified_differs(MEDICAL, unbounded, base, 960_000, None)
    assert found is not None
    assert found.why == "other_wage"
