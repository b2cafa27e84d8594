"""应缴明细: the worked example, states with their reasons, and the check against the policy's own
rates.
"""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from msgspec import structs

from contribution_svc.domain.base import Bases
from contribution_svc.domain.figures import Range
from contribution_svc.domain.lines import Insured, Line, LineState, assess, check_lines, due_line
from contribution_svc.domain.wage_basis import BaseRule, WageBasis
from contribution_svc.errors import LineDisagreesWithPolicy
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod
from tests.support.bases import bases

PACK = load_policies().packs["990100"]
SCHEME = PACK.terms(LevyPeriod(2024, 10), date(2024, 9, 25))
TERMS = {terms.insurance: terms for terms in SCHEME}


def with_wage(wage_fen: int) -> Bases:
    return bases(WageBasis(wage_fen, 12, BaseRule.LAST_YEAR_AVERAGE), SCHEME)


def insured(kind: str = "regular", *missing: str, on_roster: bool = True) -> Insured:
    return Insured("xiaowang", kind, missing, on_roster)


def lines(one: Insured | None = None, wage_fen: int = 950_000) -> list[Line]:
    return assess(one or insured(), PACK.person_kinds, SCHEME, with_wage(wage_fen))


def test_xiaowang_pays_in_the_order_of_the_scheme() -> None:
    assert {(x.state, x.reason, x.base_fen) for x in lines()} == {(LineState.DUE, "", 950_000)}
    assert [(x.insurance.value, x.employer_fen, x.employee_fen) for x in lines()] == [
        ("pension", 152_000, 76_000),
        ("medical", 76_000, 19_000),
        ("unemployment", 4_750, 4_750),
        ("work_injury", 3_800, 0),
        ("maternity", 7_600, 0),
    ]
    assert {x.authority for x in lines()} == {"hrss-990100", "medical-990100"}


NOT_DUE = [
    pytest.param(insured("retired_rehired"), "exempt", "retired_rehired", id="retired, re-hired"),
    pytest.param(
        insured("foreigner", "work_permit"),
        "blocked",
        "documents_missing:work_permit",
        id="no work permit",
    ),
    pytest.param(
        insured("regular", "visa", "passport"),
        "blocked",
        "documents_missing:passport,visa",
        id="two papers",
    ),
    pytest.param(insured("martian"), "blocked", "person_kind_unknown:martian", id="unknown kind"),
    pytest.param(insured(on_roster=False), "exempt", "not_on_roster", id="left before"),
]


@pytest.mark.parametrize(("one", "state", "reason"), NOT_DUE)
def test_what_is_not_due_says_why(one: Insured, state: str, reason: str) -> None:
    """With the insurance and the authority that it would be due to, and no figure at all."""
    assert lines(one) == [
        Line(terms.insurance, LineState(state), terms.authority, reason) for terms in SCHEME
    ]


@pytest.mark.parametrize(("one", "state", "reason"), NOT_DUE)
def test_what_is_blocked_while_facts_are_parked_says_so(
    one: Insured, state: str, reason: str
) -> None:
    head = "facts_parked:" if state == "blocked" else ""
    found = lines(structs.replace(one, facts_parked=True))
    assert {(line.state, line.reason) for line in found} == {(LineState(state), head + reason)}


@pytest.mark.parametrize("reason", ["first_wage_unknown", "wage_history_missing"])
def test_without_a_base_every_line_is_blocked_by_its_reason(reason: str) -> None:
    assert assess(insured(), PACK.person_kinds, SCHEME, reason) == [
        Line(terms.insurance, LineState.BLOCKED, terms.authority, reason) for terms in SCHEME
    ]


def test_a_question_of_the_kind_blocks_its_insurance_and_no_other() -> None:
    kind = replace(PACK.person_kinds["regular"], blocked={Insurance.PENSION: "treaty_unknown"})
    found = assess(insured(), {"regular": kind}, SCHEME, with_wage(950_000))
    pension = TERMS[Insurance.PENSION]
    assert found[0] == Line(
        pension.insurance, LineState.BLOCKED, pension.authority, "treaty_unknown"
    )
    assert found[1:] == lines()[1:]


def test_an_insurance_that_begins_later_is_exempt_until_then() -> None:
    not_yet = {Insurance.MEDICAL: "fund_from_second_month"}
    found = assess(
        insured(), PACK.person_kinds, SCHEME, structs.replace(with_wage(950_000), not_yet=not_yet)
    )
    medical = TERMS[Insurance.MEDICAL]
    assert found[1] == Line(
        medical.insurance, LineState.EXEMPT, medical.authority, "fund_from_second_month"
    )
    assert [line.is_due() for line in found] == [True, False, True, True, True]


@pytest.mark.parametrize("is_parked", [False, True])
def test_an_insurance_without_a_wage_of_its_own_year_is_blocked_and_no_other(
    is_parked: bool,
) -> None:
    """Pension has a base by its year's wages, medical none by those of another year."""
    unknown = {Insurance.MEDICAL: "wage_history_missing"}
    one = structs.replace(insured(), facts_parked=is_parked)
    found = assess(
        one, PACK.person_kinds, SCHEME, structs.replace(with_wage(950_000), unknown=unknown)
    )
    medical = TERMS[Insurance.MEDICAL]
    reason = "facts_parked:wage_history_missing" if is_parked else "wage_history_missing"
    assert found[1] == Line(medical.insurance, LineState.BLOCKED, medical.authority, reason)
    assert [line.state for line in found] == [
        LineState.BLOCKED if line.insurance is Insurance.MEDICAL else LineState.DUE
        for line in found
    ]


@pytest.mark.parametrize(
    ("rates", "reason"),
    [
        pytest.param({}, "own_rate_unknown", id="not told"),
        pytest.param({"work_injury": (4_000, 0)}, "", id="told"),
        pytest.param({"work_injury": (4_001, 0)}, "own_rate_outside_policy", id="not allowed"),
    ],
)
def test_a_rate_of_the_account_is_its_own_or_blocks_the_line(
    rates: dict[str, tuple[int, int]], reason: str
) -> None:
    terms = replace(
        TERMS[Insurance.WORK_INJURY], employer_ppm=None, employer_own=Range(2_000, 19_000, 2_000)
    )
    one = structs.replace(insured(), own_rates=rates)
    [found] = assess(one, PACK.person_kinds, [terms], with_wage(950_000))
    assert found == (
        Line(terms.insurance, LineState.BLOCKED, terms.authority, reason)
        if reason
        else due_line(replace(terms, employer_ppm=4_000), 950_000)
    )


@pytest.mark.parametrize(("employer_fen", "employee_fen"), [(0, 0), (0, 300), (700, 0)])
def test_a_fixed_sum_comes_on_top_of_its_own_side(employer_fen: int, employee_fen: int) -> None:
    medical = replace(
        TERMS[Insurance.MEDICAL], employer_fixed_fen=employer_fen, employee_fixed_fen=employee_fen
    )
    line = due_line(medical, 950_000)
    assert (line.employer_fen, line.employee_fen) == (76_000 + employer_fen, 19_000 + employee_fen)


def test_part_time_work_has_work_injury_only() -> None:
    assert {x.insurance: x.state for x in lines(insured("part_time"))} == {
        insurance: LineState.DUE if insurance is Insurance.WORK_INJURY else LineState.EXEMPT
        for insurance in TERMS
    }


def test_our_own_lines_agree_with_the_policy() -> None:
    check_lines("xiaowang", lines(), TERMS, {})
    check_lines("xiaowang", lines(insured("retired_rehired")), TERMS, {})


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
        check_lines("xiaowang", [structs.replace(medical, **wrong)], TERMS, {})
    assert message in str(refused.value)
    assert refused.value.faults[0].where.startswith("/medical/")
