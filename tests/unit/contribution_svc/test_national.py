"""Kinds of employees as data: who is exempt from what, by which law, in words that everyone
uses; and lines of cities that do it in their own way.
"""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.lines import Insured, Line, LineState, assess, check_lines
from contribution_svc.domain.policy import OwnRates
from contribution_svc.domain.wage_basis import BaseRule, WageBasis
from contribution_svc.errors import LineDisagreesWithPolicy
from contribution_svc.policy.national import national, read_national
from payroll_svc.domain.people import PERSON_KINDS
from reconciliation_svc.domain.reasons import MISSING_WORDS
from shared.values import Insurance, LevyPeriod
from tests.support.bases import bases
from tests.support.shipped_policies import POLICIES

KNOWN = date(2026, 11, 22)
OWN: OwnRates = {"work_injury": (2_000, 0), "housing_fund": (70_000, 70_000)}


def lines(
    city: str,
    period: LevyPeriod,
    wage_fen: int,
    kind: str = "regular",
    own: OwnRates = OWN,
) -> dict[Insurance, Line]:
    pack = POLICIES.packs[city]
    terms = pack.terms(period, KNOWN)
    found = bases(WageBasis(wage_fen, 12, BaseRule.LAST_YEAR_AVERAGE), terms)
    insured = Insured("someone", kind, (), own_rates=own)
    made = assess(insured, pack.person_kinds, terms, found)
    check_lines("someone", made, {one.insurance: one for one in terms}, own)
    return {line.insurance: line for line in made}


def not_due(city: str, kind: str) -> dict[str, str]:
    made = lines(city, LevyPeriod(2026, 8), 1_000_000, kind)
    return {
        line.insurance.value: line.reason
        for line in made.values()
        if line.state is not LineState.DUE
    }


def test_every_reason_has_one_word_for_people_and_a_law() -> None:
    for code, reason in national().reasons.items():
        assert MISSING_WORDS[code] == reason.words, code
        assert "法" in reason.source or "〔" in reason.source or "条例" in reason.source, code


def test_every_kind_that_a_roster_may_name_is_in_the_catalogue_of_every_city() -> None:
    for pack in POLICIES:
        assert set(PERSON_KINDS.values()) <= set(pack.person_kinds), pack.city


@pytest.mark.parametrize(
    ("kind", "due"),
    [
        ("retired_rehired", set()),
        ("intern", set()),
        ("dispatched", set()),
        ("part_time", {"work_injury"}),
        ("insured_elsewhere", {"work_injury"}),
        ("foreigner", {"pension", "medical", "unemployment", "work_injury"}),
        ("foreigner_treaty", {"medical", "work_injury"}),
        ("hk_macao_taiwan", {"pension", "medical", "unemployment", "work_injury", "housing_fund"}),
        ("hk_macao_taiwan_insured", {"medical", "work_injury", "housing_fund"}),
        ("regular", {"pension", "medical", "unemployment", "work_injury", "housing_fund"}),
    ],
)
def test_each_kind_pays_what_the_law_has_it_pay(kind: str, due: set[str]) -> None:
    every = {insurance.value for insurance in POLICIES.packs["110000"].insurances}
    assert every - set(not_due("110000", kind)) == due


def test_the_extra_pension_of_shenzhen_is_for_local_households() -> None:
    assert not_due("440300", "local_household") == {}
    assert not_due("440300", "non_local_household") == {
        "supplementary_pension": "not_local_household"
    }
    assert not_due("440300", "regular") == {"supplementary_pension": "household_unknown"}
    made = lines("440300", LevyPeriod(2026, 8), 1_000_000, "local_household")
    extra = made[Insurance.SUPPLEMENTARY_PENSION]
    assert (extra.employer_fen, extra.employee_fen) == (10_000, 0)


def test_a_fault_of_the_catalogue_has_its_place() -> None:
    with pytest.raises(Exception, match=r"national.yaml:1:reasons: found nothing"):
        read_national(b"schema_version: 1\nsources: {A: b}\n")


def test_shanghai_by_hand_at_the_ceiling() -> None:
    """domain.md section 17, 2: December 2025, wage 50,000."""
    made = lines("310000", LevyPeriod(2025, 12), 5_000_000)
    assert {line.base_fen for line in made.values()} == {3_730_200}
    assert {name.value: (line.employee_fen, line.employer_fen) for name, line in made.items()} == {
        "pension": (298_416, 596_832),
        "medical": (74_604, 335_718),
        "unemployment": (18_651, 18_651),
        "work_injury": (0, 7_460),
        "housing_fund": (261_100, 261_100),
    }


def test_beijing_by_hand_with_three_yuan_more() -> None:
    """domain.md section 17, 4: base 30,000, fund 12 %."""
    own = {**OWN, "housing_fund": (120_000, 120_000)}
    made = lines("110000", LevyPeriod(2026, 8), 3_000_000, own=own)
    employee = {name.value: line.employee_fen for name, line in made.items()}
    assert employee == {
        "pension": 240_000,
        "medical": 60_300,
        "unemployment": 15_000,
        "work_injury": 0,
        "housing_fund": 360_000,
    }
    assert made[Insurance.MEDICAL].employer_fen == 294_000


def test_kunming_by_hand_with_other_floors_for_each_insurance() -> None:
    """domain.md section 17, 5: January 2026, wage 4,000, fund 12 %."""
    own = {**OWN, "housing_fund": (120_000, 120_000)}
    made = lines("530100", LevyPeriod(2026, 1), 400_000, own=own)
    assert {name.value: (line.employee_fen, line.employer_fen) for name, line in made.items()} == {
        "pension": (35_224, 70_448),
        "medical": (8_714, 30_499),
        "maternity": (0, 3_921),
        "unemployment": (1_321, 3_082),
        "work_injury": (0, 881),
        "housing_fund": (48_000, 48_000),
    }
    assert sum(line.employee_fen for line in made.values()) == 93_259


def test_half_a_fen_by_hand() -> None:
    """domain.md section 17, 6: Shanghai from July 2026, base 37,731."""
    made = lines("310000", LevyPeriod(2026, 7), 5_000_000)
    assert made[Insurance.UNEMPLOYMENT].employee_fen == 18_866
    assert made[Insurance.UNEMPLOYMENT].employer_fen == 18_866
    assert made[Insurance.WORK_INJURY].employer_fen == 7_546


@pytest.mark.parametrize(
    ("period", "wage_fen", "percent", "both_yuan"),
    [
        ((2025, 12), 5_000_000, 7, 5_222),
        ((2025, 12), 1, 7, 376),
        ((2026, 7), 5_000_000, 7, 5_282),
        ((2026, 7), 1, 7, 384),
        ((2026, 7), 1, 5, 274),
        ((2026, 7), 5_000_000, 5, 3_774),
        ((2025, 12), 2_175_000, 7, 3_046),
    ],
)
def test_fund_limits_by_hand(
    period: tuple[int, int], wage_fen: int, percent: int, both_yuan: int
) -> None:
    """domain.md section 17, 7: rounded per side, never the sum."""
    own = {**OWN, "housing_fund": (percent * 10_000, percent * 10_000)}
    fund = lines("310000", LevyPeriod(*period), wage_fen, own=own)[Insurance.HOUSING_FUND]
    assert fund.employer_fen + fund.employee_fen == both_yuan * 100


@given(
    city=st.sampled_from(sorted(POLICIES.packs)),
    injury=st.integers(0, 30_000),
    fund=st.integers(0, 150_000),
    wage_fen=st.integers(0, 10_000_000),
)
def test_own_rates_are_used_where_the_city_allows_them_and_nowhere_else(
    city: str, injury: int, fund: int, wage_fen: int
) -> None:
    own = {"work_injury": (injury, 0), "housing_fund": (fund, fund)}
    terms = {t.insurance: t for t in POLICIES.packs[city].terms(LevyPeriod(2026, 8), KNOWN)}
    for insurance, line in lines(city, LevyPeriod(2026, 8), wage_fen, own=own).items():
        allowed = terms[insurance].employer_own
        if allowed is not None:
            is_due = line.state is LineState.DUE
            assert is_due == allowed.has(own[insurance][0])
            assert is_due or line.reason == "own_rate_outside_policy"


def test_a_due_line_at_a_rate_that_the_account_has_not_is_refused() -> None:
    made = lines("110000", LevyPeriod(2026, 8), 1_000_000)
    terms = {t.insurance: t for t in POLICIES.packs["110000"].terms(LevyPeriod(2026, 8), KNOWN)}
    with pytest.raises(LineDisagreesWithPolicy, match=r"work_injury: employer rate expected 0.4 %"):
        check_lines("x", [made[Insurance.WORK_INJURY]], terms, {**OWN, "work_injury": (4_000, 0)})
    with pytest.raises(LineDisagreesWithPolicy, match="own_rate_unknown"):
        check_lines("x", [made[Insurance.WORK_INJURY]], terms, {})
