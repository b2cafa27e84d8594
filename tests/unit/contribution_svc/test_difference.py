"""补差, 补缴 and 退费 as lines beside what was declared."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from contribution_svc.domain.difference import (
    Counted,
    Kind,
    Month,
    SupplementLine,
    counted,
    differences,
    never_declared,
)
from contribution_svc.domain.lines import Line, LineState, due_line
from contribution_svc.domain.policy import Terms
from contribution_svc.domain.rounding import Rounding
from contribution_svc.policy import read_pack
from contribution_svc.policy.national import national
from shared.values import Insurance, LevyPeriod
from tests.support.hefei import LATE_NOTICE, LATE_NOTICE_ON, hefei_pack

PENSION = Insurance.PENSION
SOURCES = f"{LATE_NOTICE}; 国办发〔2019〕13号"


def hefei(period: LevyPeriod, known_on: date) -> Terms:
    [terms] = read_pack("340100.yaml", hefei_pack()).terms(period, known_on)
    return terms


def test_example_12_a_late_notice_in_hefei() -> None:
    """Filed on 4,311 from January to August 2026; the notice of 7 September sets 4,354."""
    found = []
    for period in LevyPeriod(2026, 1).through(LevyPeriod(2026, 8)):
        used = hefei(period, LATE_NOTICE_ON - timedelta(days=1))
        now = hefei(period, LATE_NOTICE_ON)
        old, new = (due_line(terms, terms.floor_fen or 0) for terms in (used, now))
        assert (old.employee_fen, new.employee_fen) == (344_88, 348_32)
        assert (old.employer_fen, new.employer_fen) == (689_76, 696_64)
        month = Month(period, date(period.year, period.month, 15), "2025-09-01")
        found += differences(month, [old], [new], {PENSION: now})
    assert len(found) == 8
    assert {(line.employee_fen, line.employer_fen) for line in found} == {(3_44, 6_88)}
    assert {line.base_fen for line in found} == {43_00}
    assert {line.kind for line in found} == {Kind.DIFFERENCE}
    assert sum(line.employee_fen for line in found) == 27_52
    assert sum(line.employer_fen for line in found) == 55_04
    assert found[0].reason == (
        f"2026-01费款养老险依{SOURCES}（2026-09-07公布，2026-01-01起执行），"
        "缴费基数由4,311.00元改为4,354.00元，单位补6.88元，个人补3.44元"
    )
    assert {line.due_on for line in found} == {None}, "nobody was late"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param(
            {"employer_fixed_fen": 3_00},
            "定额或取整方式改变，缴费比例仍为单位16 %、个人8 %，单位补3.00元，个人补0.00元",
            id="a fixed sum alone",
        ),
        pytest.param(
            {"employer_ppm": 170_000},
            "缴费比例改为单位17 %、个人8 %，单位补50.00元，个人补0.00元",
            id="a rate alone",
        ),
        pytest.param(
            {"employer_ppm": 170_000, "floor_fen": 600_000},
            "缴费基数由5,000.00元改为6,000.00元，缴费比例改为单位17 %、个人8 %，"
            "单位补220.00元，个人补80.00元",
            id="a rate and the base",
        ),
    ],
)
def test_a_difference_says_what_has_changed_and_nothing_else(
    changed: dict[str, Any], said: str
) -> None:
    now = replace(terms_of(PENSION), **changed)
    new = due_line(now, max(500_000, now.floor_fen or 0))
    [line] = differences(MONTH, [due(PENSION, 500_000)], [new], {PENSION: now})
    assert line.reason == f"2026-03费款养老险依公告（2026-09-07公布，2026-01-01起执行），{said}"


PERIOD = LevyPeriod(2026, 3)
MONTH = Month(PERIOD, date(2026, 3, 16), "2025-09-01")
INSURANCES = (PENSION, Insurance.MEDICAL, Insurance.UNEMPLOYMENT, Insurance.WORK_INJURY)


def terms_of(
    insurance: Insurance, employer_ppm: int = 160_000, employee_ppm: int = 80_000
) -> Terms:
    return Terms(
        insurance=insurance,
        authority="hrss-340100",
        floor_fen=431_100,
        ceiling_fen=2_177_000,
        employer_ppm=employer_ppm,
        employee_ppm=employee_ppm,
        employer_rounding=Rounding.FEN_HALF_UP,
        employee_rounding=Rounding.FEN_HALF_UP,
        effective_from=date(2026, 1, 1),
        effective_to=None,
        known_since=date(2026, 9, 7),
        source="公告",
        invented=False,
    )


def due(insurance: Insurance, base_fen: int) -> Line:
    return due_line(terms_of(insurance), base_fen)


def exempt(insurance: Insurance) -> Line:
    return Line(insurance, LineState.EXEMPT, "hrss-340100", "retired_rehired")


def blocked(insurance: Insurance) -> Line:
    return Line(insurance, LineState.BLOCKED, "hrss-340100", "wage_history_missing")


TERMS = {insurance: terms_of(insurance) for insurance in INSURANCES}


def of(insurance: Insurance) -> st.SearchStrategy[Line]:
    bases = st.integers(431_100, 2_177_000)
    return st.one_of(bases.map(lambda base: due(insurance, base)), st.just(exempt(insurance)))


months_of_lines = st.tuples(*(of(insurance) for insurance in INSURANCES)).map(list)


@given(old=months_of_lines, notices=st.lists(months_of_lines, min_size=1, max_size=4))
def test_old_lines_and_all_difference_lines_are_the_new_lines(
    old: list[Line], notices: list[list[Line]]
) -> None:
    """To the fen and per side, after each of several notices over the same month."""
    so_far: list[Line | SupplementLine] = list(old)
    for new in notices:
        so_far += differences(MONTH, so_far, new, TERMS)
        sums = counted(so_far)
        assert sums == {line.insurance: Counted().plus(line) for line in new}
        assert differences(MONTH, so_far, new, TERMS) == [], "once is enough"


@given(
    old=st.tuples(st.integers(0, 300_000), st.integers(0, 300_000), st.integers(0, 10**6)),
    new=st.tuples(st.integers(0, 300_000), st.integers(0, 300_000), st.integers(1, 10**6)),
)
def test_a_side_that_is_owed_is_no_part_of_a_refund(
    old: tuple[int, int, int], new: tuple[int, int, int]
) -> None:
    """Whatever rates and base change: what is owed is declared, and the rest is applied for."""
    before, now = (due_line(terms_of(PENSION, *rates), base) for *rates, base in (old, new))
    found = differences(MONTH, [before], [now], TERMS)
    for line in found:
        assert line.is_refund() is (min(line.employer_fen, line.employee_fen) < 0)
        assert line.employer_fen * line.employee_fen >= 0
    assert counted([before, *found]) == counted([now])


def test_of_a_rate_that_moves_from_one_side_to_the_other_each_side_is_told() -> None:
    """0.8 % and 0.2 % become 0.7 % and 0.3 %, with a higher base."""
    before = due_line(terms_of(PENSION, 8_000, 2_000), 500_000)
    now = due_line(terms_of(PENSION, 7_000, 3_000), 510_000)
    owed, refund = differences(MONTH, [before], [now], TERMS)
    assert (owed.employer_fen, owed.employee_fen, owed.base_fen) == (0, 530, 10_000)
    assert (refund.employer_fen, refund.employee_fen, refund.base_fen) == (-430, 0, 0)
    assert (owed.is_refund(), refund.is_refund()) == (False, True)
    assert owed.reason.endswith("单位补0.00元，个人补5.30元")
    assert refund.reason.endswith("单位退4.30元，个人补0.00元")
    for first, second in ((owed, refund), (refund, owed)):
        [left] = differences(MONTH, [before, first], [now], TERMS)
        assert replace(left, reason="") == replace(second, reason=""), "either may come first"


def test_a_difference_line_has_every_figure_of_what_is_due_now() -> None:
    new = structs.replace(due(PENSION, 600_000), authority="hrss-other")
    [line] = differences(MONTH, [due(PENSION, 500_000)], [new], TERMS)
    assert replace(line, reason="") == SupplementLine(
        insurance=PENSION,
        kind=Kind.DIFFERENCE,
        authority="hrss-other",
        base_fen=100_000,
        employer_ppm=160_000,
        employee_ppm=80_000,
        employer_fen=16_000,
        employee_fen=8_000,
        reason="",
        known_since="2026-09-07",
    )
    assert line.total_fen() == 24_000


@pytest.mark.parametrize(
    ("employer_fen", "employee_fen", "is_refund"),
    [(1, 0, False), (0, 1, False), (-1, 0, True), (0, -1, True), (-1, 5, True), (5, -1, True)],
)
def test_a_side_that_paid_too_much_makes_a_refund(
    employer_fen: int, employee_fen: int, is_refund: bool
) -> None:
    [line] = differences(MONTH, [], [due(PENSION, 500_000)], TERMS)
    one = replace(line, employer_fen=employer_fen, employee_fen=employee_fen)
    assert one.is_refund() is is_refund


@pytest.mark.parametrize(
    ("known_since", "due_on"),
    [
        pytest.param(MONTH.due_on, MONTH.due_on, id="known on the due day: owed since then"),
        pytest.param(MONTH.due_on + timedelta(days=1), None, id="known a day later: nobody late"),
    ],
)
def test_a_notice_after_the_due_day_makes_nobody_late(
    known_since: date, due_on: date | None
) -> None:
    notice = {PENSION: replace(TERMS[PENSION], known_since=known_since)}
    [line] = differences(MONTH, [due(PENSION, 500_000)], [due(PENSION, 600_000)], notice)
    assert line.due_on == due_on


@pytest.mark.parametrize(
    ("today", "kind"),
    [
        pytest.param(MONTH.due_on, Kind.REGULAR, id="on the due day it comes in time"),
        pytest.param(MONTH.due_on + timedelta(days=1), Kind.BACK_PAYMENT, id="a day later: late"),
    ],
)
def test_what_was_never_declared_comes_in_time_until_its_due_day(today: date, kind: Kind) -> None:
    lines = [due(PENSION, 500_000), exempt(Insurance.MEDICAL), blocked(Insurance.UNEMPLOYMENT)]
    [found] = never_declared(MONTH, lines, TERMS, today)
    [owed] = differences(MONTH, [], lines, TERMS)
    assert found == replace(owed, kind=kind)


@given(
    old=months_of_lines,
    notices=st.lists(st.tuples(months_of_lines, st.booleans(), st.booleans()), min_size=1),
)
def test_lines_supplements_and_refunds_are_the_newest_reckoning(
    old: list[Line], notices: list[tuple[list[Line], bool, bool]]
) -> None:
    """However many supplementary declarations are approved, and refunds come, between the notices:
    what counts as declared and what is still proposed make the newest lines.
    """
    declared: list[Line | SupplementLine] = list(old)
    for new, approved, refunded in notices:
        proposed = differences(MONTH, declared, new, TERMS)
        sums = counted([*declared, *proposed])
        assert sums == {line.insurance: Counted().plus(line) for line in new}
        declared += [one for one in proposed if (refunded if one.is_refund() else approved)]


def test_what_was_never_declared_is_a_back_payment_by_the_policy_of_its_month() -> None:
    [line] = differences(MONTH, [], [due(PENSION, 500_000)], TERMS)
    assert (line.kind, line.due_on) == (Kind.BACK_PAYMENT, date(2026, 3, 16))
    assert (line.base_fen, line.employer_fen, line.employee_fen) == (500_000, 80_000, 40_000)
    assert line.reason == (
        "2026-03费款养老险未曾申报，按当月政策（公告）以5,000.00元基数、单位16 %、个人8 %补缴，"
        "单位补800.00元，个人补400.00元"
    )
    [joined] = differences(MONTH, [exempt(PENSION)], [due(PENSION, 500_000)], TERMS)
    assert joined.kind is Kind.BACK_PAYMENT


def test_what_was_refunded_and_is_due_after_all_is_not_said_to_be_never_declared() -> None:
    before, none = due(PENSION, 500_000), exempt(PENSION)
    back = differences(MONTH, [before], [none], TERMS)
    [owed] = differences(MONTH, [before, *back], [before], TERMS)
    assert owed.kind is Kind.BACK_PAYMENT
    assert (owed.employer_fen, owed.employee_fen) == (before.employer_fen, before.employee_fen)
    assert "养老险原申报的已全部退费，按当月政策" in owed.reason
    [first] = differences(MONTH, [none], [before], TERMS)
    assert "养老险未曾申报，按当月政策" in first.reason


def test_what_turned_out_not_to_be_due_is_a_refund_with_its_reason() -> None:
    month = replace(MONTH, reasons=national().reasons)
    [line] = differences(month, [due(PENSION, 500_000)], [exempt(PENSION)], TERMS)
    assert line.is_refund()
    assert (line.base_fen, line.employer_fen, line.employee_fen) == (-500_000, -80_000, -40_000)
    assert line.reason == (
        "2026-03费款养老险现为无需缴纳（退休返聘，无需参保），原按5,000.00元基数申报，"
        "单位退800.00元，个人退400.00元"
    )


def test_what_is_blocked_now_differs_from_nothing() -> None:
    assert differences(MONTH, [due(PENSION, 500_000)], [blocked(PENSION)], TERMS) == []


def test_a_correction_of_our_own_data_is_owed_since_the_month_was_due() -> None:
    own = {PENSION: replace(TERMS[PENSION], known_since=date(2025, 9, 1))}
    [line] = differences(MONTH, [due(PENSION, 500_000)], [due(PENSION, 600_000)], own)
    assert (line.kind, line.due_on) == (Kind.DIFFERENCE, date(2026, 3, 16))
    assert line.reason == (
        "2026-03费款养老险因资料更正，缴费基数由5,000.00元改为6,000.00元，"
        "单位补160.00元，个人补80.00元"
    )


def test_base_and_rate_are_both_named_when_both_change() -> None:
    """Otherwise nobody could reckon the sums again from the sentence."""
    new = due_line(terms_of(PENSION, employer_ppm=170_000), 510_000)
    [line] = differences(MONTH, [due(PENSION, 500_000)], [new], TERMS)
    assert (line.employer_fen, line.employee_fen) == (6_700, 800)
    assert line.reason == (
        "2026-03费款养老险依公告（2026-09-07公布，2026-01-01起执行），"
        "缴费基数由5,000.00元改为5,100.00元，缴费比例改为单位17 %、个人8 %，"
        "单位补67.00元，个人补8.00元"
    )
    so_far: list[Line | SupplementLine] = [due(PENSION, 500_000), line]
    [later] = differences(MONTH, so_far, [replace_base(new, 520_000)], TERMS)
    assert "缴费比例" not in later.reason, "the line before it has said so"


def replace_base(line: Line, base_fen: int) -> Line:
    """The same rates on another base."""
    return due_line(terms_of(line.insurance, line.employer_ppm, line.employee_ppm), base_fen)


def test_another_rate_is_named_when_the_base_stays() -> None:
    new = due_line(terms_of(PENSION, employer_ppm=150_000), 500_000)
    [line] = differences(MONTH, [due(PENSION, 500_000)], [new], TERMS)
    assert (line.base_fen, line.employer_fen, line.employee_fen) == (0, -5_000, 0)
    assert line.reason == (
        "2026-03费款养老险依公告（2026-09-07公布，2026-01-01起执行），"
        "缴费比例改为单位15 %、个人8 %，单位退50.00元，个人补0.00元"
    )
    half_a_yuan = due_line(terms_of(PENSION, employer_ppm=160_001), 500_000)
    [one] = differences(MONTH, [due(PENSION, 500_000)], [half_a_yuan], TERMS)
    assert one.reason.endswith("单位补0.01元，个人补0.00元")
