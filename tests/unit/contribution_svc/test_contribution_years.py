"""An insurance with a contribution year of its own: its base rests on the year before that one, and
all else is as in a city where everything has that year.
"""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from contribution_svc.domain.base import Bases, BaseWages, base_wages, bases_of
from contribution_svc.domain.lines import Insured, Line, LineState, assess
from contribution_svc.domain.policy import AfterRaise, OwnRates, Pack
from contribution_svc.domain.wage_basis import BaseRule, WageFacts
from shared.values import Insurance, LevyPeriod, fen_text
from tests.support.shipped_policies import POLICIES

TODAY = date(2026, 11, 22)
LONG_AGO = ((date(2015, 3, 1), None),)
GUANGZHOU, HANGZHOU = POLICIES.packs["440100"], POLICIES.packs["330100"]


def own_starts(pack: Pack) -> dict[Insurance, int]:
    """The month in which a year of its own begins, of each insurance that has one."""
    rules = pack.insurances.values()
    return {one.insurance: one.year_starts for one in rules if one.year_starts is not None}


OWN_YEARS = [pack for pack in POLICIES if own_starts(pack)]
OWN_RATES: OwnRates = {
    Insurance.HOUSING_FUND: (120_000, 120_000),
    Insurance.WORK_INJURY: (2_000, 0),
}
RAISED = WageFacts(
    LONG_AGO, {2024: dict.fromkeys(range(1, 13), 1_000_000), 2025: {6: 1_100_000, 7: 1_300_000}}
)
"""10,000.00 in each month of 2024, 12,000.00 on average in 2025, of which two months were told."""


def found_in(pack: Pack, period: LevyPeriod, facts: WageFacts) -> Bases | str:
    terms = pack.by_base_year(pack.terms(period, TODAY), period)
    return bases_of(facts, terms, period, pack.after_raise)


def bases_in(pack: Pack, period: LevyPeriod, facts: WageFacts = RAISED) -> Bases:
    found = found_in(pack, period, facts)
    assert isinstance(found, Bases), found
    return found


def lines_in(pack: Pack, period: LevyPeriod, facts: WageFacts) -> dict[Insurance, Line]:
    insured = Insured("example", "regular", (), own_rates=OWN_RATES)
    found = found_in(pack, period, facts)
    lines = assess(insured, pack.person_kinds, pack.terms(period, TODAY), found)
    return {line.insurance: line for line in lines}


def with_one_year(pack: Pack, starts: int) -> Pack:
    """The city as it would be if everything began its contribution year in that month."""
    rules = {name: replace(one, year_starts=None) for name, one in pack.insurances.items()}
    return replace(pack, contribution_year_starts=starts, insurances=rules)


@pytest.mark.parametrize(
    ("pack", "insurance", "base", "employee", "employer"),
    [
        pytest.param(GUANGZHOU, "pension", "10,000.00", "800.00", "1,600.00", id="gz: 2024"),
        pytest.param(GUANGZHOU, "unemployment", "10,000.00", "20.00", "80.00", id="gz: as pension"),
        pytest.param(GUANGZHOU, "medical", "12,000.00", "240.00", "660.00", id="gz: 2025"),
        pytest.param(GUANGZHOU, "maternity", "12,000.00", "0.00", "102.00", id="gz: as medical"),
        pytest.param(HANGZHOU, "pension", "12,000.00", "960.00", "1,920.00", id="hz: 2025"),
        pytest.param(HANGZHOU, "medical", "12,000.00", "240.00", "1,140.00", id="hz: as pension"),
        pytest.param(HANGZHOU, "housing_fund", "10,000.00", "1,200.00", "1,200.00", id="hz: 2024"),
    ],
)
def test_march_2026_rests_on_two_years(
    pack: Pack, insurance: str, base: str, employee: str, employer: str
) -> None:
    """Guangzhou's medical insurance began its year in January and the others theirs in July;
    Hangzhou's housing fund the other way round.
    """
    line = lines_in(pack, LevyPeriod(2026, 3), RAISED)[Insurance(insurance)]
    said = (line.base_fen, line.employee_fen, line.employer_fen)
    assert tuple(fen_text(fen) for fen in said) == (base, employee, employer)


def test_the_sentence_of_such_a_month_names_each_year() -> None:
    assert bases_in(HANGZHOU, LevyPeriod(2026, 3)).explanation == (
        "2026缴费年度：上年度月均工资12,000.00元"
        "（缺1月、2月、3月、4月、5月、8月、9月、10月、11月、12月工资，按有工资的2个月平均），"
        "养老险、医疗险、失业险、工伤险在下限4,986.00元与上限25,299.00元之间；"
        "2025缴费年度：上年度月均工资10,000.00元，"
        "住房公积金在下限2,490.00元与上限40,694.00元之间"
    )


@pytest.mark.parametrize("pack", OWN_YEARS, ids=lambda pack: pack.name)
def test_a_month_in_which_all_share_a_year_reads_as_if_they_had_but_one(pack: Pack) -> None:
    shared = 0
    for month in range(1, 13):
        period = LevyPeriod(2025, month)
        if len(pack.by_base_year(pack.terms(period, TODAY), period)) == 1:
            shared += 1
            alone = with_one_year(pack, pack.contribution_year_starts)
            assert found_in(pack, period, RAISED) == found_in(alone, period, RAISED)
    assert shared >= 4


def test_what_has_no_wage_of_its_year_waits_and_the_others_do_not() -> None:
    of_2025 = structs.replace(RAISED, by_year_fen={2025: RAISED.by_year_fen[2025]})
    lines = lines_in(HANGZHOU, LevyPeriod(2026, 3), of_2025)
    fund = lines.pop(Insurance.HOUSING_FUND)
    assert (fund.state, fund.reason) == (LineState.BLOCKED, "wage_history_missing")
    assert {line.state for line in lines.values()} == {LineState.DUE}
    assert found_in(HANGZHOU, LevyPeriod(2026, 3), WageFacts(LONG_AGO)) == "wage_history_missing"


def test_a_newcomer_is_new_until_the_insurances_own_year_has_passed() -> None:
    """Hired in February 2025: for the fund's year of 2025 newly hired, for the others' of 2026 in
    their second year.
    """
    hired = WageFacts([(date(2025, 2, 3), None)], {2025: {2: 900_000, 3: 1_300_000}}, {}, 900_000)
    found = bases_in(HANGZHOU, LevyPeriod(2026, 3), hired)
    assert found.rests_on[Insurance.PENSION].rule is BaseRule.LAST_YEAR_AVERAGE
    assert found.rests_on[Insurance.HOUSING_FUND].rule is BaseRule.FIRST_MONTH_WAGE
    assert found.bases_fen[Insurance.PENSION] == 1_100_000
    assert found.bases_fen[Insurance.HOUSING_FUND] == 900_000


@pytest.mark.parametrize(
    ("pack", "period", "years"),
    [
        (GUANGZHOU, "2026-03", {"2025": {"pension", "housing_fund"}, "2026-01": {"medical"}}),
        (GUANGZHOU, "2026-08", {"2026": {"pension", "housing_fund"}, "2026-01": {"medical"}}),
        (HANGZHOU, "2026-03", {"2026": {"pension", "medical"}, "2025-07": {"housing_fund"}}),
        (HANGZHOU, "2025-08", {"2025": {"pension", "medical"}, "2025-07": {"housing_fund"}}),
        (POLICIES.packs["310000"], "2026-03", {"2025": {"pension", "housing_fund"}}),
    ],
)
def test_a_contribution_year_is_named_by_its_beginning(
    pack: Pack, period: str, years: dict[str, set[str]]
) -> None:
    """So that each has a row of bases of its own, and never two beginnings one."""
    month = LevyPeriod.parse(period)
    found = pack.by_contribution_year(pack.terms(month, TODAY), month)
    assert found.keys() == years.keys()
    for year, insurances in years.items():
        assert insurances <= {terms.insurance for terms in found[year]}


FEN = st.integers(min_value=0, max_value=5_000_000)
YEAR = st.dictionaries(st.integers(1, 12), FEN, max_size=12)
HIRED = st.dates(date(2022, 1, 1), date(2026, 6, 1))


@given(
    st.sampled_from([pack.city for pack in OWN_YEARS]),
    st.integers(0, 22),
    st.dictionaries(st.sampled_from([2023, 2024, 2025]), YEAR),
    HIRED,
    st.dictionaries(st.integers(0, 12), FEN, max_size=3),
    st.booleans(),
    st.sampled_from(AfterRaise),
)
def test_the_wages_of_bases_are_those_that_the_bases_rest_on(
    city: str,
    months: int,
    wages: dict[int, dict[int, int]],
    hired: date,
    runs: dict[int, int],
    is_first_fund_member: bool,
    after_raise: AfterRaise,
) -> None:
    """Found before they are held within bounds and explained, for many people at once."""
    pack, period = POLICIES.packs[city], LevyPeriod(2025, 1).shifted(months)
    since = min(hired, period.last_day())
    paid = {str(LevyPeriod(2025, 6).shifted(month)): fen for month, fen in runs.items()}
    facts = WageFacts([(since, None)], wages, paid, 900_000, is_first_fund_member)
    terms = pack.by_base_year(pack.terms(period, TODAY), period)
    found, wage = (of(facts, terms, period, after_raise) for of in (bases_of, base_wages))
    assert isinstance(wage, BaseWages)
    if isinstance(found, Bases):
        assert (wage.rests_on, wage.not_yet) == (found.rests_on, found.not_yet)
        assert wage.unknown == found.unknown
    else:
        assert wage.rests_on == {}
        assert wage.unknown.keys() == {one.insurance for part in terms.values() for one in part}
        assert found in wage.unknown.values()


def test_a_raise_at_once_moves_these_wages_as_well() -> None:
    period, paid = LevyPeriod(2026, 3), structs.replace(RAISED, runs_fen={"2026-01": 2_000_000})
    terms = HANGZHOU.by_base_year(HANGZHOU.terms(period, TODAY), period)
    for rule, expected in (
        (AfterRaise.AT_ONCE, BaseRule.RAISED_WAGE),
        (AfterRaise.FIXED_FOR_THE_YEAR, BaseRule.LAST_YEAR_AVERAGE),
    ):
        found = base_wages(paid, terms, period, rule)
        assert {basis.rule for basis in found.rests_on.values()} == {expected}


def test_bases_of_some_insurances_say_what_they_say_of_these_alone() -> None:
    period = LevyPeriod(2026, 3)
    whole, terms = bases_in(HANGZHOU, period), HANGZHOU.terms(period, TODAY)
    for years, part in HANGZHOU.by_base_year(terms, period).items():
        found = whole.of(part)
        alone = bases_of(RAISED, {years: part}, period, HANGZHOU.after_raise)
        assert found == alone
        assert found.basis() == next(iter(found.rests_on.values()))
    of_none = whole.of([replace(one, insurance=Insurance.SUPPLEMENTARY_PENSION) for one in terms])
    assert (of_none.rests_on, of_none.bases_fen, of_none.explanation) == ({}, {}, "")


@given(
    st.sampled_from([pack.city for pack in OWN_YEARS]),
    st.integers(0, 22),
    st.fixed_dictionaries(dict.fromkeys((2023, 2024, 2025), YEAR)),
    HIRED,
    st.dictionaries(st.integers(0, 12), FEN, max_size=3),
    FEN,
    st.booleans(),
)
# No wage at all: each insurance says what its own year lacks.
@example("320100", 0, {2023: {}, 2024: {}, 2025: {}}, date(2024, 1, 1), {}, 0, False)
def test_a_base_is_that_of_a_city_with_this_year_for_everything(
    city: str,
    months: int,
    wages: dict[int, dict[int, int]],
    hired: date,
    runs: dict[int, int],
    agreed_fen: int,
    is_first_fund_member: bool,
) -> None:
    pack, period = POLICIES.packs[city], LevyPeriod(2025, 1).shifted(months)
    facts = WageFacts(
        [(min(hired, period.last_day()), None)],
        wages,
        {str(LevyPeriod(2025, 6).shifted(month)): fen for month, fen in runs.items()},
        agreed_fen,
        is_first_fund_member,
    )
    found = lines_in(pack, period, facts)
    for starts in {pack.contribution_year_starts, *own_starts(pack).values()}:
        alone = lines_in(with_one_year(pack, starts), period, facts)
        for insurance, line in alone.items():
            if own_starts(pack).get(insurance, pack.contribution_year_starts) == starts:
                assert found[insurance] == line
