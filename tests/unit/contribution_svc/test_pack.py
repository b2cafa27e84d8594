"""What a pack says of a day as a whole: its terms, own rates, days, years and late fees."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from contribution_svc.domain.figures import Confidence, Figure, Range
from contribution_svc.domain.policy import Days, InsuranceRules, Terms
from contribution_svc.domain.rounding import Rounding
from shared.values import Insurance, LevyPeriod
from tests.support.shipped_policies import POLICIES

SHANGHAI, NANJING, GUANGZHOU = (POLICIES.packs[c] for c in ("310000", "320100", "440100"))
EXAMPLE = POLICIES.packs["990100"]
FUND = Insurance.HOUSING_FUND
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
KNOWN = date(2026, 6, 30)


def figure(value: int | None, **changed: Any) -> Figure:
    return replace(Figure(value, FIRST, LAST, date(2024, 12, 1), "B"), **changed)


RULES = InsuranceRules(
    insurance=Insurance.MEDICAL,
    authority="medical-1",
    floor=(figure(500_000),),
    ceiling=(figure(None, known_since=date(2025, 2, 1), source="A"),),
    employer_rate=(figure(None, own=Range(50_000, 120_000), invented=True),),
    employee_rate=(figure(None, own=Range(20_000, 60_000, 10_000)),),
    employer_rounding=Rounding.FEN_HALF_UP,
    employee_rounding=Rounding.YUAN_HALF_UP,
    employer_fixed=(figure(700),),
    employee_fixed=(figure(300),),
    equal_sides=True,
    floats_percent=(50, 150),
)


def test_terms_have_every_figure_of_their_day_and_what_it_rests_on() -> None:
    assert list(RULES.stretches(KNOWN)) == [
        Terms(
            insurance=Insurance.MEDICAL,
            authority="medical-1",
            floor_fen=500_000,
            ceiling_fen=None,
            employer_ppm=None,
            employee_ppm=None,
            employer_rounding=Rounding.FEN_HALF_UP,
            employee_rounding=Rounding.YUAN_HALF_UP,
            effective_from=FIRST,
            effective_to=LAST,
            known_since=date(2025, 2, 1),
            source="A; B",
            invented=True,
            employer_fixed_fen=700,
            employee_fixed_fen=300,
            employer_own=Range(25_000, 180_000),
            employee_own=Range(20_000, 60_000, 10_000),
            equal_sides=True,
        )
    ]


OWN = replace(next(iter(RULES.stretches(KNOWN))), equal_sides=False)


@pytest.mark.parametrize(
    ("changed", "rates", "found"),
    [
        pytest.param({}, (30_000, 40_000), (30_000, 40_000), id="both sides' own"),
        pytest.param({}, (24_999, 40_000), "own_rate_outside_policy", id="employer's too low"),
        pytest.param({}, (30_000, 45_000), "own_rate_outside_policy", id="employee's off a step"),
        pytest.param({"equal_sides": True}, (40_000, 40_000), (40_000, 40_000), id="equal"),
        pytest.param(
            {"equal_sides": True}, (30_000, 40_000), "own_rate_outside_policy", id="not equal"
        ),
        pytest.param(
            {"employer_ppm": 98_000}, (98_000, 40_000), (98_000, 40_000), id="the city's and own"
        ),
        pytest.param(
            {"employee_ppm": 20_000}, (30_000, 20_000), (30_000, 20_000), id="own and the city's"
        ),
        pytest.param(
            {"employer_ppm": 98_000},
            (30_000, 40_000),
            "own_rate_outside_policy",
            id="not the city's",
        ),
        pytest.param({}, None, "own_rate_unknown", id="none told"),
        pytest.param({"employer_ppm": 98_000}, None, "own_rate_unknown", id="one side's not told"),
    ],
)
def test_an_account_pays_by_its_own_rate_where_the_city_leaves_it_to_it(
    changed: Mapping[str, Any],
    rates: tuple[int, int] | None,
    found: tuple[int, int] | str,
) -> None:
    terms = replace(OWN, **changed)
    own = terms.with_own({"medical": rates} if rates else {"pension": (40_000, 40_000)})
    assert (own if isinstance(own, str) else (own.employer_ppm, own.employee_ppm)) == found


def test_terms_hold_through_their_last_day() -> None:
    pack = replace(EXAMPLE, insurances={Insurance.MEDICAL: RULES})
    for day, count in ((FIRST - timedelta(days=1), 0), (FIRST, 1), (LAST, 1)):
        assert len(pack.terms_on(day, KNOWN)) == count
    assert pack.terms_on(LAST + timedelta(days=1), KNOWN) == ()
    assert [terms.insurance for terms in pack.stretches(KNOWN)] == [Insurance.MEDICAL]
    assert list(pack.stretches(date(2024, 11, 30))) == [], "nothing was known yet"


def test_a_pack_begins_with_the_last_of_its_insurances_to_begin() -> None:
    later = replace(RULES, floor=(figure(1, effective_from=date(2024, 7, 1)),))
    march: Any = {
        key: tuple(replace(one, effective_from=date(2025, 3, 1)) for one in series)
        for key, series in RULES.series().items()
    }
    latest = replace(RULES, **march)
    insurances = {Insurance.MEDICAL: later, Insurance.PENSION: latest}
    assert replace(EXAMPLE, insurances=insurances).first_day() == date(2025, 3, 1)
    assert replace(EXAMPLE, insurances={Insurance.MEDICAL: later}).first_day() == date(2024, 7, 1)


def days(begins: date, filing_day: int = 15) -> Days:
    return replace(
        EXAMPLE.days[0], effective_from=begins, known_since=begins, filing_day=filing_day
    )


def test_days_hold_from_their_first_day_until_the_next() -> None:
    pack = replace(EXAMPLE, days=(days(date(2025, 7, 1), 20), days(date(2025, 1, 1), 10)))
    found = {
        period: None if (one := pack.days_at(LevyPeriod.parse(period))) is None else one.filing_day
        for period in ("2024-12", "2025-01", "2025-06", "2025-07", "2026-07")
    }
    assert found == {
        "2024-12": None,
        "2025-01": 10,
        "2025-06": 10,
        "2025-07": 20,
        "2026-07": 20,
    }


def test_days_that_nobody_attested_are_warned_of_with_their_note() -> None:
    doubtful = replace(EXAMPLE.days[0], confidence=Confidence.UNVERIFIED, note="占位值")
    assert any("占位值" in warning for warning in doubtful.warnings())


def test_a_pack_is_known_since_the_youngest_of_its_publications_up_to_a_day() -> None:
    pack = replace(EXAMPLE, insurances={Insurance.MEDICAL: RULES}, days=(days(date(2025, 1, 15)),))
    known = {
        on: pack.known_since(on)
        for on in (
            date(2024, 11, 30),
            date(2024, 12, 1),
            date(2025, 1, 15),
            date(2025, 1, 31),
            date(2025, 2, 1),
            KNOWN,
        )
    }
    assert list(known.values()) == [
        date(2024, 12, 1),
        date(2024, 12, 1),
        date(2025, 1, 15),
        date(2025, 1, 15),
        date(2025, 2, 1),
        date(2025, 2, 1),
    ]


@pytest.mark.parametrize(
    ("insurance", "period", "year"),
    [
        pytest.param(None, "2025-01", 2025, id="the city's year begins in January"),
        pytest.param(None, "2025-12", 2025, id="and ends with December"),
        pytest.param(Insurance.PENSION, "2025-06", 2025, id="an insurance without its own"),
        pytest.param(FUND, "2025-06", 2024, id="the fund's begins in July"),
        pytest.param(FUND, "2025-07", 2025, id="the first month of it"),
        pytest.param(Insurance.SUPPLEMENTARY_PENSION, "2025-06", 2025, id="not in the scheme"),
    ],
)
def test_an_insurance_may_have_a_contribution_year_of_its_own(
    insurance: Insurance | None, period: str, year: int
) -> None:
    assert NANJING.contribution_year(LevyPeriod.parse(period), insurance) == year


def test_guangzhous_medical_year_is_the_calendar_year_and_the_citys_is_not() -> None:
    june = LevyPeriod(2026, 6)
    assert GUANGZHOU.contribution_year(june) == 2025
    assert GUANGZHOU.contribution_year(june, Insurance.MEDICAL) == 2026


def test_each_insurance_is_grouped_by_its_own_year() -> None:
    """In June Nanjing's year is that of 2026, and its fund's the one that began in July 2025."""
    june = LevyPeriod(2026, 6)
    terms = NANJING.terms(june, KNOWN)
    others = [one for one in terms if one.insurance is not FUND]
    [fund] = [one for one in terms if one.insurance is FUND]
    assert others
    assert NANJING.by_base_year(terms, june) == {2025: others, 2024: [fund]}
    assert NANJING.by_contribution_year(terms, june) == {"2026": others, "2025-07": [fund]}
    starts = NANJING.year_starts(2026)
    assert starts.pop(FUND) == LevyPeriod(2026, 7)
    assert set(starts.values()) == {LevyPeriod(2026, 1)}


def test_an_own_year_that_is_the_citys_is_the_citys() -> None:
    rules = {name: replace(one, year_starts=1) for name, one in NANJING.insurances.items()}
    same, june = replace(NANJING, insurances=rules), LevyPeriod(2026, 6)
    terms = NANJING.terms(june, KNOWN)
    assert same.by_contribution_year(terms, june) == {"2026": list(terms)}


def test_the_housing_fund_knows_no_late_fee() -> None:
    """住房公积金管理条例 art. 38."""
    assert SHANGHAI.late_fee_of(FUND) == ()
    assert SHANGHAI.late_fee_of(Insurance.PENSION) == SHANGHAI.late_fee != ()
    assert SHANGHAI.late_fee_of(Insurance.SUPPLEMENTARY_PENSION) == SHANGHAI.late_fee
