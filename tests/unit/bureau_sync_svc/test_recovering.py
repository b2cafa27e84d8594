"""Facts taken back from a row that was told: what the bureaus say next is no news."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bureau_sync_svc.domain.lines import (
    Line,
    LookedUp,
    Observation,
    Submitted,
    Sums,
    must_tell,
    observed,
    rows_of,
)
from bureau_sync_svc.domain.recovering import lines_of

DUE = Sums(950_000, 76_000, 19_000)
T0 = datetime(2024, 10, 8, 4, tzinfo=UTC)


def at(hours: int) -> datetime:
    return T0 + timedelta(hours=hours)


FILED = Submitted(at(0), "verified", DUE, verified=DUE, evidence_id="the filing")
PASSED_ON = Submitted(at(54), "taken", DUE, evidence_id="the detail")
ABSENT = LookedUp(at(68), "absent", evidence_id="a look-up")
RECORDED = LookedUp(at(600), "recorded", DUE, records=1, recorded_on="2024-11-02")


@pytest.mark.parametrize(
    "line",
    [
        Line("medical", "medical-990100", filing=FILED),
        Line("medical", "medical-990100", filing=FILED, detail=PASSED_ON),
        Line("medical", "medical-990100", filing=FILED, detail=PASSED_ON, look_up=ABSENT),
        Line("medical", "medical-990100", filing=FILED, detail=PASSED_ON, look_up=RECORDED),
        Line("medical", "medical-990100", look_up=RECORDED),
    ],
)
def test_a_line_comes_back_from_its_row(line: Line) -> None:
    told = rows_of({"medical": line})
    lines = lines_of({}, told)
    assert rows_of(lines).keys() == told.keys()
    assert not must_tell(told, rows_of(lines), {})


def test_what_was_there_and_is_further_stays() -> None:
    """The backup knows of the detail what no row tells; the row knows of the record."""
    known = Line("medical", "medical-990100", filing=FILED, detail=replace(PASSED_ON, round=2))
    told = rows_of({"medical": replace(known, look_up=RECORDED)})
    [line] = lines_of({"medical": known}, told).values()
    assert line.detail == replace(PASSED_ON, round=2, state="verified", evidence_id="")
    assert line.look_up == RECORDED


def test_asked_again_of_what_it_passed_on_the_authority_says_nothing_new() -> None:
    whole = Line("medical", "medical-990100", filing=FILED, detail=PASSED_ON, look_up=RECORDED)
    told = rows_of({"medical": whole})
    lines = lines_of({}, told)
    later = replace(PASSED_ON, at=at(700), state="verified")
    again = [
        Observation("medical", "medical-990100", "detail", later),
        Observation("medical", "medical-990100", "look_up", replace(RECORDED, at=at(700))),
    ]
    assert not must_tell(told, rows_of(observed(lines, again)), {})


def test_a_row_that_does_not_make_its_line_leaves_the_known_one() -> None:
    """A refusal's own submission is in no row: what is known stays, and the bureau is asked."""
    refused = Line("medical", "medical-990100", filing=replace(FILED, state="rejected"))
    known = {"medical": Line("medical", "medical-990100", filing=replace(FILED, state="taken"))}
    assert lines_of(known, rows_of({"medical": refused})) == known
