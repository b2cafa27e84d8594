"""Lines that come from elsewhere: each figure that disagrees is named, as people write it."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.lines import (
    Disagreement,
    Line,
    LineState,
    StatedLine,
    check_lines,
    disagreements,
    due_line,
    percent_text,
)
from contribution_svc.domain.policy import Terms
from contribution_svc.errors import LineDisagreesWithPolicy
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod

MEDICAL = next(
    terms
    for terms in load_policies().packs["990100"].terms(LevyPeriod(2024, 10), date(2024, 12, 31))
    if terms.insurance is Insurance.MEDICAL
)
LINE = due_line(MEDICAL, 950_000)
"""760.00 and 190.00."""


def refusal(line: Line, terms: Terms = MEDICAL) -> str:
    with pytest.raises(LineDisagreesWithPolicy) as refused:
        check_lines("xiaowang", [line], {Insurance.MEDICAL: terms}, {})
    return str(refused.value)


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        pytest.param({}, [], id="nothing stated, nothing wrong"),
        pytest.param(
            {
                "base_fen": 950_000,
                "employer_ppm": 80_000,
                "employee_ppm": 20_000,
                "employer_fen": 76_000,
                "employee_fen": 19_000,
            },
            [],
            id="all as assessed",
        ),
        pytest.param(
            {"employer_ppm": 70_000, "employer_fen": 66_500},
            [
                Disagreement("employer_ppm", "8 %", "7 %"),
                Disagreement("employer_fen", "760.00", "665.00"),
            ],
            id="the article's 7 %, and what follows from it",
        ),
        pytest.param(
            {"employee_ppm": 25_000, "base_fen": 0, "employee_fen": 0},
            [
                Disagreement("employee_ppm", "2 %", "2.5 %"),
                Disagreement("base_fen", "9,500.00", "0.00"),
                Disagreement("employee_fen", "190.00", "0.00"),
            ],
            id="nothing is a figure too",
        ),
    ],
)
def test_every_stated_figure_that_differs_is_named(
    stated: dict[str, int], found: list[Disagreement]
) -> None:
    line = StatedLine("1001", Insurance.MEDICAL, **stated)
    assert list(disagreements(line, LINE)) == found


def test_a_rate_that_only_the_account_can_know_is_refused_until_it_is_known() -> None:
    own = replace(MEDICAL, employer_ppm=None)
    said = "employee xiaowang, medical: employer rate expected own_rate_unknown, found 8 %;"
    assert refusal(LINE, own).startswith(said)
    check_lines("xiaowang", [LINE], {Insurance.MEDICAL: own}, {"medical": (80_000, 20_000)})


def test_a_base_over_the_ceiling_is_refused_and_a_bound_that_was_not_published_is_any() -> None:
    assert MEDICAL.ceiling_fen is not None
    over = due_line(MEDICAL, MEDICAL.ceiling_fen + 1)
    assert "base expected 5,000.00 to 20,000.00, found 20,000.01" in refusal(over)
    open_floor = replace(MEDICAL, floor_fen=None)
    assert "base expected any to 20,000.00, found 20,000.01" in refusal(over, open_floor)
    check_lines("xiaowang", [over], {Insurance.MEDICAL: replace(MEDICAL, ceiling_fen=None)}, {})


def test_what_is_not_due_has_no_figures_to_check() -> None:
    exempt = Line(Insurance.MEDICAL, LineState.EXEMPT, "", "retired_rehired", employer_fen=1)
    check_lines("xiaowang", [exempt], {}, {})


@given(st.integers(min_value=0, max_value=1_000_000))
def test_a_rate_is_written_without_idle_zeros_and_reads_back(rate_ppm: int) -> None:
    number, sign = percent_text(rate_ppm).split(" ")
    whole, _, tail = number.partition(".")
    assert (sign, tail[-1:] == "0") == ("%", False)
    assert int(whole) * 10_000 + int(tail.ljust(4, "0")) == rate_ppm
