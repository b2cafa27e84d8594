"""Which stage follows from what is known of a line, whatever the order in which it became known."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bureau_sync_svc.domain.lines import (
    ACCEPTED_WITHOUT_RECORD,
    Line,
    LookedUp,
    Observation,
    Row,
    Submitted,
    Sums,
    must_tell,
    observed,
    row_of,
    rows_of,
    stage_of,
)

DUE = Sums(950_000, 76_000, 19_000)
T0 = datetime(2024, 10, 8, 1, tzinfo=UTC)


def at(hours: int) -> datetime:
    return T0 + timedelta(hours=hours)


def sent(state: str, hours: int = 0, **more: object) -> Submitted:
    return replace(Submitted(at(hours), state, DUE), **more)  # type: ignore[arg-type]


def looked(state: str, hours: int = 0, **more: object) -> LookedUp:
    return replace(LookedUp(at(hours), state), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        (Line("medical", filing=sent("unknown")), "unknown"),
        (Line("medical", filing=sent("taken")), "filed"),
        (Line("medical", filing=sent("verified")), "verified"),
        (Line("medical", filing=sent("rejected")), "rejected"),
        (Line("medical", filing=sent("verified"), look_up=looked("absent", 1)), "absent"),
        (Line("medical", filing=sent("verified", 2), look_up=looked("absent", 1)), "verified"),
        (Line("medical", filing=sent("verified"), detail=sent("taken", 1)), "accepted"),
        (Line("medical", filing=sent("verified"), detail=sent("unknown", 1)), "unknown"),
        (Line("medical", detail=sent("rejected", 1), look_up=looked("absent", 2)), "rejected"),
        (Line("medical", detail=sent("rejected", 1), look_up=looked("recorded", 2)), "recorded"),
        (Line("medical", detail=sent("taken", 3), look_up=looked("absent", 2)), "accepted"),
        (Line("medical", detail=sent("taken", 1), look_up=looked("in_transit", 2)), "in_transit"),
        (Line("medical", look_up=looked("interrupted")), "interrupted"),
        (Line("medical", look_up=looked("unknown")), "unknown"),
        (Line("medical", look_up=looked("absent")), "absent"),
    ],
)
def test_stage(line: Line, stage: str) -> None:
    assert stage_of(line)[0] == stage


def test_accepted_and_then_absent_keeps_why() -> None:
    line = Line("medical", detail=sent("taken", 1), look_up=looked("absent", 2))
    assert stage_of(line) == ("absent", ACCEPTED_WITHOUT_RECORD)


def test_being_asked_about_daily_does_not_make_an_acceptance_newer_than_a_look_up() -> None:
    lines = observed({}, [Observation("medical", "a", "detail", sent("taken", 1))])
    lines = observed(lines, [Observation("medical", "a", "look_up", looked("absent", 2))])
    lines = observed(lines, [Observation("medical", "a", "detail", sent("taken", 3))])
    assert stage_of(lines["medical"])[0] == "absent"


def test_only_a_filing_that_the_collector_holds_counts_as_filed() -> None:
    for state, filed in (("unknown", None), ("rejected", None), ("taken", 76_000)):
        assert row_of(Line("medical", filing=sent(state))).filed_employer_fen == filed


def test_a_row_that_could_not_be_read_is_no_look_up() -> None:
    row = row_of(Line("medical", look_up=looked("unknown", reason="AAE078 未知到账标志: 9")))
    assert (row.looked_up_at, row.reason) == ("", "AAE078 未知到账标志: 9")


FACTS = st.lists(
    st.one_of(
        st.builds(
            Submitted,
            st.integers(0, 5).map(at),
            st.sampled_from(["unknown", "taken", "verified", "rejected"]),
            st.just(DUE),
            st.integers(1, 2),
            evidence_id=st.sampled_from(["x", "y"]),
        ),
        st.builds(
            LookedUp,
            st.integers(0, 5).map(at),
            st.sampled_from(["recorded", "in_transit", "interrupted", "absent", "unknown"]),
            evidence_id=st.sampled_from(["x", "y"]),
        ),
    ).flatmap(
        lambda fact: st.builds(
            Observation,
            st.sampled_from(["medical", "maternity"]),
            st.just("medical-990100"),
            st.just("look_up")
            if isinstance(fact, LookedUp)
            else st.sampled_from(["filing", "detail"]),
            st.just(fact),
        )
    ),
    min_size=1,
    max_size=4,
)


@given(FACTS)
def test_every_order_and_repetition_of_facts_ends_alike(facts: list[Observation]) -> None:
    ends = {
        repr(rows_of(observed({}, order))) for order in itertools.permutations([*facts, facts[0]])
    }
    assert len(ends) == 1


WINDOW_END = datetime(2024, 10, 16, 16, tzinfo=UTC)


def absent(looked_up_at: str) -> dict[str, Row]:
    return {"medical": Row("medical", "absent", looked_up_at=looked_up_at)}


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        ("2024-10-14T00:00:00Z", "2024-10-15T00:00:00Z", False),
        ("2024-10-14T00:00:00Z", "2024-10-17T00:00:00Z", True),
        ("2024-10-17T00:00:00Z", "2024-10-18T00:00:00Z", False),
        ("", "2024-10-17T00:00:00Z", True),
    ],
)
def test_a_look_up_is_news_once_after_the_window(before: str, after: str, news: bool) -> None:
    assert must_tell(absent(before), absent(after), {"medical": [WINDOW_END]}) is news


def test_a_recorded_line_is_not_told_again_after_the_window() -> None:
    told = {"medical": Row("medical", "recorded", looked_up_at="2024-10-11T00:00:00Z")}
    rows = {"medical": Row("medical", "recorded", looked_up_at="2024-10-17T00:00:00Z")}
    assert not must_tell(told, rows, {"medical": [WINDOW_END]})


def test_a_change_of_amounts_is_news() -> None:
    told = {"medical": Row("medical", "recorded", record_employer_fen=1)}
    rows = {"medical": Row("medical", "recorded", record_employer_fen=2)}
    assert must_tell(told, rows, {})
