"""退费: what the collector answers, to the fen, and the sentence that says who has to do what."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.difference import Kind, SupplementLine
from contribution_svc.domain.refund import Refund, RefundState
from contribution_svc.errors import RefundAnsweredAlready
from shared.values import Insurance

AT = datetime(2026, 9, 8, 1, tzinfo=UTC)
LATER = datetime(2026, 10, 21, 1, tzinfo=UTC)
CAME_ON = date(2026, 10, 20)


def line(insurance: Insurance, employer_fen: int, employee_fen: int) -> SupplementLine:
    kind, base_fen = Kind.DIFFERENCE, -500_000
    return SupplementLine(insurance, kind, "a", base_fen, 0, 0, employer_fen, employee_fen, "")


LINES = [line(Insurance.PENSION, -80_000, -40_000), line(Insurance.WORK_INJURY, -1_000, 0)]
ASKED = Refund("r-1", "e-1", "a-1", "wang", "2026-08", 1, LINES, "合税退7号", "hr-li", AT)


def answered(refunded_fen: int | None, reason: str = "") -> Refund:
    day = CAME_ON if refunded_fen is not None else None
    return ASKED.answered(refunded_fen, day, reason, "hr-li", AT)


@given(st.integers(1, 10**9))
def test_only_the_sum_that_was_applied_for_settles_it(refunded_fen: int) -> None:
    expected = RefundState.REFUNDED if refunded_fen == 121_000 else RefundState.DIFFERS
    assert answered(refunded_fen).state is expected


def test_each_state_says_who_has_to_do_what() -> None:
    assert ASKED.sentence() == (
        "2026-08费款多缴1,210.00元，已申请退费（合税退7号），等待征收机构答复；收到后登记到账金额和日期"
    )
    assert answered(121_000).sentence() == (
        "2026-08费款多缴1,210.00元，2026-10-20退回1,210.00元，与申请一致，"
        "其中个人400.00元应由单位退还员工"
    )
    for came_fen, said in ((100_000, "1,000.00"), (0, "0.00")):
        differs = answered(came_fen).sentence()
        assert f"退回{said}元，与申请不符；请向征收机构核实" in differs
    assert "不予退费（资料不齐）；核对资料后可重新申请" in answered(None, "资料不齐").sentence()


@pytest.mark.parametrize(
    ("employee_fen", "said"), [(1, "，其中个人0.01元应由单位退还员工"), (0, "")]
)
def test_the_employee_is_owed_what_they_paid_too_much_and_is_named_then_alone(
    employee_fen: int, said: str
) -> None:
    asked = replace(ASKED, lines=[line(Insurance.PENSION, -80_000, -employee_fen)])
    came = asked.answered(asked.requested_fen(), CAME_ON, "", "hr-li", LATER).sentence()
    assert came.endswith(f"与申请一致{said}")


def test_an_answer_is_corrected_until_everything_has_come() -> None:
    corrected = answered(100_000).answered(121_000, CAME_ON, "", "hr-zhao", LATER)
    assert (corrected.state, corrected.version) == (RefundState.REFUNDED, 3)
    assert (corrected.answered_by, corrected.answered_at) == ("hr-zhao", LATER)
    with pytest.raises(
        RefundAnsweredAlready, match=r"^1,210\.00 yuan of 2026-08 .* nothing is left"
    ):
        corrected.answered(None, None, "资料不齐", "hr-li", AT)


def test_what_was_refused_is_applied_for_again() -> None:
    again = answered(None, "资料不齐").requested_again(LINES[:1], "合税退9号", "hr-zhao", LATER)
    assert again == Refund(
        *("r-1", "e-1", "a-1", "wang", "2026-08", 1),
        lines=LINES[:1],
        document_no="合税退9号",
        requested_by="hr-zhao",
        requested_at=LATER,
        version=3,
    )
    assert (again.state, again.requested_fen()) == (RefundState.REQUESTED, 120_000)
    assert again.is_waiting_for([replace(LINES[0], known_since="2026-09-07")])
    assert not again.is_waiting_for(LINES)
