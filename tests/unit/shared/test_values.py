"""Levy periods, fen and derived ids: written one way, read back the same, refused otherwise."""

import uuid
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.values import (
    ANOMALIES,
    INSURANCE_WORDS,
    OUTCOME_WORDS,
    Insurance,
    LevyPeriod,
    Outcome,
    derived_id,
    fen_text,
    parse_fen,
)

periods = st.builds(LevyPeriod, st.integers(2000, 2099), st.integers(1, 12))
OCTOBER = LevyPeriod(2024, 10)


@given(periods)
def test_a_levy_period_reads_back_what_it_writes(period: LevyPeriod) -> None:
    assert LevyPeriod.parse(str(period)) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-13",
        "2024-00",
        "2024-1",
        "202410",
        "2024/10",
        "1999-10",
        "2024-10\n",
        "２０２４-10",
    ],
)
def test_anything_else_is_not_a_levy_period(text: str) -> None:
    with pytest.raises(ValueError, match="written YYYY-MM"):
        LevyPeriod.parse(text)


@given(periods, st.integers(-300, 300))
def test_shifting_forth_and_back_ends_where_it_began(period: LevyPeriod, months: int) -> None:
    assert period.shifted(months).shifted(-months) == period
    assert (period.shifted(months) > period) == (months > 0)


@given(periods)
def test_a_levy_period_ends_the_day_before_the_next_begins(period: LevyPeriod) -> None:
    assert LevyPeriod.of(period.first_day()) == LevyPeriod.of(period.last_day()) == period
    assert (period.shifted(1).first_day() - period.last_day()).days == 1


def test_through_names_both_ends_and_crosses_the_year() -> None:
    through = [str(period) for period in OCTOBER.through(LevyPeriod(2025, 1))]
    assert through == ["2024-10", "2024-11", "2024-12", "2025-01"]
    assert list(OCTOBER.through(LevyPeriod(2024, 9))) == []


def test_a_leap_february_has_29_days() -> None:
    assert LevyPeriod(2024, 2).last_day() == date(2024, 2, 29)


@given(st.integers(-(10**14), 10**14))
@example(76_000)
@example(-5)
def test_fen_read_back_what_they_write(fen: int) -> None:
    assert parse_fen(fen_text(fen).replace(",", "")) == fen


def test_fen_are_shown_as_yuan() -> None:
    assert [fen_text(fen) for fen in (76_000, 5, -5, 123_456_789)] == [
        "760.00",
        "0.05",
        "-0.05",
        "1,234,567.89",
    ]


@pytest.mark.parametrize(("text", "fen"), [("760", 76_000), ("760.5", 76_050), ("-3.00", -300)])
def test_plain_yuan_are_read_as_fen(text: str, fen: int) -> None:
    assert parse_fen(text) == fen


@pytest.mark.parametrize(
    "text",
    ["", "1,000.00", "1e3", "¥5", "５", "+5", "1.005", ".5", "5.", "760\n", " 760", "NaN", "−5"],
)
def test_anything_else_is_not_an_amount(text: str) -> None:
    with pytest.raises(ValueError, match="at most two decimals"):
        parse_fen(text)


@given(st.lists(st.text(alphabet="abc/0", max_size=5), min_size=1, max_size=4))
def test_the_same_parts_give_the_same_id_and_others_another(parts: list[str]) -> None:
    assert derived_id(*parts) == derived_id(*parts)
    assert derived_id(*parts) != derived_id(*parts, "more")
    assert derived_id(*parts).version == 5


def test_parts_are_not_run_together() -> None:
    assert derived_id("ab", "c") != derived_id("a", "bc")


def test_an_id_is_the_same_in_every_release() -> None:
    """Events already told carry such ids: another way to make them would tell everything twice."""
    expected = uuid.UUID("e3f490eb-6421-574c-a4f9-1d1ba2ea0570")
    assert derived_id("daozhang.SalaryComputed.v1", "employee-1/2024-10/run", 1) == expected


def test_every_insurance_and_outcome_has_its_word() -> None:
    assert set(INSURANCE_WORDS) == set(Insurance)
    assert set(OUTCOME_WORDS) == set(Outcome)
    assert all(OUTCOME_WORDS.values())


def test_no_two_outcomes_read_alike() -> None:
    assert len(set(OUTCOME_WORDS.values())) == len(Outcome)


def test_stations_on_the_way_are_no_anomalies() -> None:
    assert Outcome.RECORD_MISSING in ANOMALIES
    assert ANOMALIES.isdisjoint({Outcome.ARRIVED, Outcome.AWAITING_RECORD, Outcome.NOT_LOOKED_UP})
