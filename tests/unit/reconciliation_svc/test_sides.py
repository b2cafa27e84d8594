"""Events into sides: lines of all kinds add up, and what is nonsense is refused before it is
stored.
"""

from datetime import date

import msgspec
import pytest

from reconciliation_svc.consumers import arrival_of
from reconciliation_svc.consumers.references import authority_of
from reconciliation_svc.domain.sides import AssessedSide, BureauSide, PostedSide, WithheldSide
from reconciliation_svc.domain.windows import Closure
from shared.values import Insurance, LevyPeriod
from tests.support.reconciling import at
from tests.support.reconciling_events import (
    HEALTH,
    MEDICAL,
    acked,
    assessed,
    authority,
    payslip,
    posted,
)

replace = msgspec.structs.replace


def test_each_event_is_one_side_of_a_month() -> None:
    events = (assessed("wang"), posted("wang"), acked("wang", 3, "filed"), payslip("wang"))
    found = [arrival_of(event) for event in events]
    assert [(one.name, type(one.side), one.version) for one in found] == [
        ("assessed", AssessedSide, 1),
        ("posted", PostedSide, 1),
        ("bureau", BureauSide, 3),
        ("withheld", WithheldSide, 1),
    ]
    assert {one.key for one in found} == {("wang", LevyPeriod(2024, 10))}


def test_a_regular_line_and_its_difference_add_up() -> None:
    event = assessed("wang")
    regular = event.lines[1]
    difference = replace(
        regular, kind="difference", base_fen=50_000, employer_fen=4_000, employee_fen=1_000
    )
    for lines in ((regular, difference), (difference, regular)):
        side = arrival_of(replace(event, lines=lines)).side
        assert isinstance(side, AssessedSide)
        line = side.lines[HEALTH]
        assert (line.base_fen, line.employer_fen, line.employee_fen) == (950_000, 80_000, 20_000)


def test_a_deferral_gives_its_line_a_later_day_and_a_supplement_keeps_its_own() -> None:
    event = assessed("wang")
    regular = replace(event.lines[1], debit_by="2024-12-31")
    difference = replace(regular, kind="difference", declaration_id="s-1", debit_by="2024-11-15")
    side = arrival_of(replace(event, lines=(event.lines[0], regular, difference))).side
    assert isinstance(side, AssessedSide)
    assert side.deferred == {HEALTH: date(2024, 12, 31)}
    assert [one.debit_by for one in side.lines[HEALTH].supplements] == [date(2024, 11, 15)]


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (("exempt", "due"), "due"),
        (("blocked", "due"), "due"),
        (("exempt", "blocked"), "blocked"),
        (("blocked", "exempt"), "blocked"),
    ],
)
def test_due_wins_over_blocked_over_exempt(states: tuple[str, str], state: str) -> None:
    event = assessed("wang")
    lines = tuple(replace(event.lines[1], state=one) for one in states)
    side = arrival_of(replace(event, lines=lines)).side
    assert isinstance(side, AssessedSide)
    assert side.lines[HEALTH].state == state


def test_posted_lines_of_one_cell_add_up_and_a_refused_one_stands_back() -> None:
    event = posted("wang")
    regular = event.lines[1]
    later = replace(regular, employer_fen=1_000, employee_fen=500, debited_on="2024-10-11")
    refused = replace(regular, debit_state="refused", debits=0, reason="余额不足")
    side = arrival_of(replace(event, lines=(refused, regular, later))).side
    assert isinstance(side, PostedSide)
    line = side.lines[HEALTH]
    assert (line.debit_state, line.debits) == ("posted", 1)
    assert (line.employer_fen, line.employee_fen) == (77_000, 19_500)
    assert line.debited_on == date(2024, 10, 11)
    alone = arrival_of(replace(event, lines=(replace(refused, debited_on="", record_by=""),))).side
    assert isinstance(alone, PostedSide)
    assert (alone.lines[HEALTH].debit_state, alone.lines[HEALTH].debited_on) == ("refused", None)


def test_amounts_that_no_bureau_has_shown_are_not_zero() -> None:
    side = arrival_of(acked("wang", 1, "filed")).side
    assert isinstance(side, BureauSide)
    line = side.lines[Insurance.MEDICAL]
    assert (line.filed_fen, line.verified_fen, line.record_fen) == ((76_000, 19_000), None, None)


@pytest.mark.parametrize(
    "event",
    [
        replace(assessed("wang"), levy_period="2024-13"),
        replace(assessed("wang"), file_by="9 October"),
        replace(acked("wang", 1, "filed", "yesterday")),
    ],
    ids=["a month that is none", "a day in words", "a moment in words"],
)
def test_nonsense_is_refused(event: object) -> None:
    with pytest.raises(ValueError, match=r"levy period|isoformat"):
        arrival_of(event)  # type: ignore[arg-type]


def test_only_closures_close() -> None:
    degraded = authority_of(authority(MEDICAL, state="degraded"))
    assert (degraded.state, degraded.closures) == ("degraded", ())
    closed = authority_of(authority(MEDICAL))
    assert closed.closures == (Closure(at(14, "00:00"), at(16, "00:00")),)
    unannounced = authority_of(authority(MEDICAL, until=""))
    assert unannounced.closures == (Closure(at(14, "00:00"), None),)
