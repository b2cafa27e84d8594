"""应缴明细: the worked example, states with their reasons, and the check against the policy's own
rates.
"""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contribution_svc.domain.base import BaseRule, Bases, WageBasis, bases
from contribution_svc.domain.lines import Insured, Line, LineState, assess, check_lines
from contribution_svc.errors import LineDisagreesWithPolicy
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod

PACK = load_policies().packs["990100"]
SCHEME = PACK.terms(LevyPeriod(2024, 10), date(2024, 9, 25))
TERMS = {terms.insurance: terms for terms in SCHEME}


def with_wage(wage_fen: int) -> Bases:
    return bases(WageBasis(wage_fen, 12, BaseRule.LAST_YEAR_AVERAGE), SCHEME)


def lines(kind: str = "regular", *missing: str, on_roster: bool = True) -> list[Line]:
    insured = Insured("xiaowang", kind, missing, on_roster)
    return assess(insured, PACK.person_kinds, SCHEME, with_wage(950_000))


def test_xiaowang_pays_in_the_order_of_the_scheme() -> None:
    assert [(x.insurance.value, x.employer_fen, x.employee_fen) for x in lines()] == [
        ("pension", 152_000, 76_000),
        ("medical", 76_000, 19_000),
        ("unemployment", 4_750, 4_750),
        ("work_injury", 3_800, 0),
        ("maternity", 7_600, 0),
    ]
    assert {x.authority for x in lines()} == {"hrss-990100", "medical-990100"}


@pytest.mark.parametrize(
    ("found", "state", "reason"),
    [
        pytest.param(lines("retired_rehired"), "exempt", "retired_rehired", id="retired, re-hired"),
        pytest.param(
            lines("foreigner", "work_permit"),
            "blocked",
            "documents_missing:work_permit",
            id="no work permit",
        ),
        pytest.param(
            lines("regular", "visa", "passport"),
            "blocked",
            "documents_missing:passport,visa",
            id="two papers",
        ),
        pytest.param(lines("martian"), "blocked", "person_kind_unknown:martian", id="unknown kind"),
        pytest.param(lines(on_roster=False), "exempt", "not_on_roster", id="left before"),
        pytest.param(
            assess(Insured("x", "regular", ()), PACK.person_kinds, SCHEME, "first_wage_unknown"),
            "blocked",
            "first_wage_unknown",
            id="no wage yet",
        ),
    ],
)
def test_what_is_not_due_says_why(found: list[Line], state: str, reason: str) -> None:
    assert [(x.state, x.reason, x.base_fen, x.employer_fen) for x in found] == [
        (state, reason, 0, 0)
    ] * 5


def test_part_time_work_has_work_injury_only() -> None:
    assert {x.insurance: x.state for x in lines("part_time")} == {
        insurance: LineState.DUE if insurance is Insurance.WORK_INJURY else LineState.EXEMPT
        for insurance in TERMS
    }


def test_our_own_lines_agree_with_the_policy() -> None:
    check_lines("xiaowang", lines(), TERMS, {})
    check_lines("xiaowang", lines("retired_rehired"), TERMS, {})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param(
            {"employer_ppm": 70_000, "employer_fen": 66_500},
            "employee xiaowang, medical: employer rate expected 8 %, found 7 %",
            id="the article's 7 % where the policy says 8 %",
        ),
        pytest.param(
            {"employee_ppm": 25_000},
            "employee xiaowang, medical: employee rate expected 2 %, found 2.5 %",
            id="the other side",
        ),
        pytest.param(
            {"employer_fen": 76_001},
            "employee xiaowang, medical: employer amount expected 760.00, found 760.01",
            id="one fen more",
        ),
        pytest.param(
            {"employee_fen": 18_999},
            "employee xiaowang, medical: employee amount expected 190.00, found 189.99",
            id="one fen less",
        ),
        pytest.param(
            {"base_fen": 400_000, "employer_fen": 32_000, "employee_fen": 8_000},
            "employee xiaowang, medical: base expected 5,000.00 to 20,000.00, found 4,000.00",
            id="a base under the floor",
        ),
    ],
)
def test_a_line_that_disagrees_is_refused_by_name(wrong: dict[str, Any], message: str) -> None:
    medical = next(x for x in lines() if x.insurance is Insurance.MEDICAL)
    with pytest.raises(LineDisagreesWithPolicy) as refused:
        check_lines("xiaowang", [replace(medical, **wrong)], TERMS, {})
    assert message in str(refused.value)
    assert refused.value.faults[0].where.startswith("/medical/")
