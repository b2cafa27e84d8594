"""What was in force, as known on a day: worked examples, and what must hold for every city, day and
insurance.
"""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.figures import Confidence, Figure, figure_at
from contribution_svc.domain.in_force import in_force
from contribution_svc.domain.policy import InsuranceRules, Pack, Terms
from contribution_svc.domain.rounding import Rounding
from contribution_svc.errors import InsuranceNotInScheme, PolicyUnknown
from shared.values import Insurance, LevyPeriod
from tests.support.shipped_policies import POLICIES

PACKS = sorted(POLICIES, key=lambda pack: pack.city)
DAYS = st.dates(date(2023, 1, 1), date(2028, 6, 30))
HEFEI = POLICIES.packs["340100"]
MARCH = LevyPeriod(2026, 3)


def test_the_late_notice_of_hefei_holds_from_the_day_on_which_it_is_known() -> None:
    """domain.md section 17, 12: levied on 4,311 from January to August, 4,354 by the notice of
    2026-09-07.
    """
    before = in_force(HEFEI, Insurance.PENSION, MARCH, date(2026, 9, 6))
    after = in_force(HEFEI, Insurance.PENSION, MARCH, date(2026, 9, 7))
    assert (before.terms.floor_fen, after.terms.floor_fen) == (431_100, 435_400)
    assert before.terms.warnings == (
        "养老险基数下限、基数上限、单位费率、个人费率：新标准尚未公布，暂按原标准执行，公布后补差",
    )
    assert after.terms.warnings == ()
    assert before.sentence == (
        "合肥2026年3月养老险：基数下限4,311.00元、上限21,556.00元，单位16 %，个人8 %；"
        "2026-01-01至2026-12-31执行，依据皖人社秘〔2025〕154号，2025-09-19公布，尚无新公告，"
        "暂沿用（截至2026-09-06所知）"
    )
    assert "五部门 2026-09-07 通知" in after.sentence


def test_bounds_of_one_city_change_on_different_days() -> None:
    """Kunming, January to August 2026: pension on the new bounds, medical on the old ones."""
    known = date(2026, 11, 22)
    terms = {
        one.insurance: (one.floor_fen, one.ceiling_fen)
        for one in POLICIES.packs["530100"].terms(LevyPeriod(2026, 8), known)
    }
    assert terms[Insurance.PENSION] == (440_300, 2_201_700)
    assert terms[Insurance.MEDICAL] == terms[Insurance.MATERNITY] == (435_700, 2_178_900)


def test_beijing_adds_three_yuan_to_the_medical_of_employees() -> None:
    found = in_force(
        POLICIES.packs["110000"], Insurance.MEDICAL, LevyPeriod(2026, 7), date(2026, 11, 22)
    )
    assert (found.terms.employer_fixed_fen, found.terms.employee_fixed_fen) == (0, 300)
    assert "单位9.8 %，个人2 %另加3.00元" in found.sentence
    assert any("SF 另载 10" in warning for warning in found.terms.warnings)


def test_what_was_not_published_and_what_is_each_employers_own_is_said() -> None:
    shenzhen, known = POLICIES.packs["440300"], date(2026, 11, 22)
    injury = in_force(shenzhen, Insurance.WORK_INJURY, LevyPeriod(2026, 10), known)
    assert "未公布基数上下限，单位费率由各单位自定（0.14 %起），个人0 %" in injury.sentence
    fund = in_force(shenzhen, Insurance.HOUSING_FUND, LevyPeriod(2025, 10), known)
    assert "单位费率由各单位自定（5 %至12 %），个人费率由各单位自定（5 %至12 %）" in fund.sentence
    assert "公布日不详" in fund.sentence
    assert any("44265" in warning for warning in fund.terms.warnings)


def test_an_insurance_within_another_is_asked_for_there() -> None:
    with pytest.raises(InsuranceNotInScheme, match="within medical"):
        in_force(HEFEI, Insurance.MATERNITY, MARCH, date(2026, 9, 7))
    with pytest.raises(InsuranceNotInScheme, match="not in its scheme"):
        in_force(HEFEI, Insurance.SUPPLEMENTARY_PENSION, MARCH, date(2026, 9, 7))


@pytest.mark.parametrize(
    ("period", "known_on"),
    [(LevyPeriod(2023, 12), date(2026, 9, 7)), (LevyPeriod(2024, 3), date(2024, 8, 20))],
    ids=["before the first figure", "before anything was published"],
)
def test_what_nobody_knew_is_unknown(period: LevyPeriod, known_on: date) -> None:
    with pytest.raises(PolicyUnknown, match=str(period)):
        in_force(HEFEI, Insurance.PENSION, period, known_on)


def test_what_ended_is_carried_over_for_a_year_and_no_longer() -> None:
    chengdu, known = POLICIES.packs["510100"], date(2026, 12, 1)
    carried = in_force(chengdu, Insurance.PENSION, LevyPeriod(2026, 12), known)
    assert carried.terms.floor_fen == 458_800
    assert carried.terms.warnings
    with pytest.raises(PolicyUnknown):
        in_force(chengdu, Insurance.PENSION, LevyPeriod(2027, 1), known)


@given(pack=st.sampled_from(PACKS), day=DAYS, known_on=DAYS)
def test_nobody_sees_the_future(pack: Pack, day: date, known_on: date) -> None:
    for rules in pack.insurances.values():
        for figure in rules.figures_at(day, known_on).values():
            assert figure.known_since <= known_on
    for terms in pack.terms_on(day, known_on):
        assert terms.known_since <= known_on


@given(pack=st.sampled_from(PACKS), day=DAYS, known_on=DAYS, later=DAYS)
def test_what_was_known_on_a_day_never_changes(
    pack: Pack, day: date, known_on: date, later: date
) -> None:
    """Without the figures of later notices the answer is the same: they cannot reach back in
    time.
    """
    for rules in pack.insurances.values():
        for series in rules.series().values():
            then = tuple(f for f in series if f.known_since <= max(known_on, later))
            assert figure_at(series, day, known_on, 12) == figure_at(then, day, known_on, 12)


@given(pack=st.sampled_from(PACKS), day=DAYS, known_on=DAYS)
def test_a_day_has_one_figure_a_key_and_one_set_of_terms_an_insurance(
    pack: Pack, day: date, known_on: date
) -> None:
    found = [terms.insurance for terms in pack.terms_on(day, known_on)]
    assert len(found) == len(set(found))
    for rules in pack.insurances.values():
        for series in rules.series().values():
            youngest = max(
                (f.known_since for f in series if f.covers(day) and f.known_since <= known_on),
                default=None,
            )
            holding = [f for f in series if f.covers(day) and f.known_since == youngest]
            assert len(holding) <= 1


@given(pack=st.sampled_from(PACKS), day=DAYS, known_on=DAYS)
def test_terms_hold_from_their_first_day_to_their_last_and_not_a_day_longer(
    pack: Pack, day: date, known_on: date
) -> None:
    for terms in pack.terms_on(day, known_on):
        rules = pack.insurances[terms.insurance]
        assert terms.effective_from <= day
        assert rules.figures_at(terms.effective_from, known_on) == rules.figures_at(day, known_on)
        before = terms.effective_from - timedelta(days=1)
        assert rules.figures_at(before, known_on) != rules.figures_at(day, known_on)
        if terms.effective_to is None:
            assert rules.figures_at(date(2099, 1, 1), known_on) == rules.figures_at(day, known_on)
            continue
        assert day <= terms.effective_to
        assert rules.figures_at(terms.effective_to, known_on) == rules.figures_at(day, known_on)
        after = terms.effective_to + timedelta(days=1)
        assert rules.figures_at(after, known_on) != rules.figures_at(day, known_on)


@given(pack=st.sampled_from(PACKS), day=DAYS, known_on=DAYS)
def test_a_doubtful_figure_is_never_used_without_a_warning(
    pack: Pack, day: date, known_on: date
) -> None:
    for terms in pack.terms_on(day, known_on):
        figures = pack.insurances[terms.insurance].figures_at(day, known_on).values()
        doubtful = {Confidence.DISPUTED, Confidence.DERIVED, Confidence.UNVERIFIED}
        doubts = [f for f in figures if f.confidence in doubtful or f.provisional or f.dispute]
        assert bool(doubts) == bool(terms.warnings)
        for figure in doubts:
            assert any(figure.dispute in warning for warning in terms.warnings)


def figure(starts: int, ends: int | None, known: int, value: int) -> Figure:
    origin = date(2024, 1, 1)
    return Figure(
        value=value,
        effective_from=origin + timedelta(days=starts),
        effective_to=origin + timedelta(days=ends) if ends is not None else None,
        known_since=origin + timedelta(days=known),
        source="a notice",
    )


FIGURES = st.lists(
    st.tuples(st.integers(0, 800), st.none() | st.integers(0, 400), st.integers(-100, 900)),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one[2],
).map(
    lambda drawn: tuple(
        figure(starts, starts + length if length is not None else None, known, value)
        for value, (starts, length, known) in enumerate(drawn)
    )
)


@given(series=FIGURES, day=st.integers(-50, 2_000), known=st.integers(-150, 1_000))
def test_any_series_answers_as_a_person_would_read_it(
    series: tuple[Figure, ...], day: int, known: int
) -> None:
    """The youngest notice that was known and covers the day; whatever the order of the file."""
    that_day, known_on = (date(2024, 1, 1) + timedelta(days=n) for n in (day, known))
    covering = [f for f in series if f.covers(that_day) and f.known_since <= known_on]
    covering.sort(key=lambda f: f.known_since)
    expected = covering[-1] if covering else None
    assert figure_at(series, that_day, known_on) == expected
    assert figure_at(tuple(reversed(series)), that_day, known_on) == expected


@given(series=FIGURES, day=st.integers(-50, 2_000), known=st.integers(-150, 1_000))
def test_the_stretches_of_any_rules_lie_apart_and_are_whole(
    series: tuple[Figure, ...], day: int, known: int
) -> None:
    rules = InsuranceRules(
        insurance=Insurance.PENSION,
        authority="hrss-990300",
        floor=series,
        ceiling=(figure(0, None, -200, 99),),
        employer_rate=(figure(0, None, -200, 1),),
        employee_rate=(figure(0, None, -200, 1),),
        employer_rounding=Rounding.FEN_HALF_UP,
        employee_rounding=Rounding.FEN_HALF_UP,
        carried_over_months=6,
    )
    that_day, known_on = (date(2024, 1, 1) + timedelta(days=n) for n in (day, known))
    stretches: list[Terms] = list(rules.stretches(known_on))
    for earlier, later in pairwise(stretches):
        assert earlier.effective_to is not None
        assert earlier.effective_to < later.effective_from
    holding = [
        one
        for one in stretches
        if one.effective_from <= that_day
        and (one.effective_to is None or that_day <= one.effective_to)
    ]
    figures = rules.figures_at(that_day, known_on)
    assert len(holding) == (1 if figures else 0)
    if figures:
        assert holding[0].floor_fen == figures["floor"].value
