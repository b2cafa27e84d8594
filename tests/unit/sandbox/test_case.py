"""The October case: what it counts from its files, when it takes everything to be at rest, and
that it can fail.
"""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from sandbox.case.conductor import is_quiet, next_due
from sandbox.case.files import people
from sandbox.case.report import Verdicts
from sandbox.case.roster import Case

CLOCK = datetime(2024, 10, 17, 0, 0, tzinfo=UTC)


def report(**changed: Any) -> dict[str, Any]:
    """A process at rest, but for what the test changes."""
    calm = {
        "business_time": CLOCK.isoformat(),
        "consumer_lag": 0,
        "outbox_unsent": 0,
        "jobs_due": 0,
        "next_due_at": None,
    }
    return calm | changed


def test_k_is_sixty_people_times_the_five_insurances_of_their_city() -> None:
    assert Case().count_cells() == 300


def test_the_roster_has_the_people_whom_the_story_needs() -> None:
    everyone = Case().people
    assert len(everyone) == 60
    assert [person.kind for person in everyone].count("退休返聘") == 1
    assert [person.missing for person in everyone if person.missing] == ["工作许可证"]
    assert [person for person in everyone if person.joined > date(2024, 9, 1)] != []
    assert Case().xiaowang.city == "990100"


def test_the_committed_roster_is_what_the_generator_writes() -> None:
    assert [person.row[0] for person in people()] == [p.employee_no for p in Case().people]
    assert [person.name for person in people()] == [p.name for p in Case().people]


def test_xiaowang_earned_nine_thousand_five_hundred_a_month_last_year() -> None:
    wages = [wage for wage in people()[0].wages if wage is not None]
    assert sum(wages) == 9_500 * 12


@pytest.mark.parametrize(
    "busy",
    [
        pytest.param({"consumer_lag": 1}, id="an event is not handled yet"),
        pytest.param({"consumer_lag": None}, id="nobody knows the lag"),
        pytest.param({"outbox_unsent": 2}, id="an event is not published yet"),
        pytest.param({"jobs_due": 1}, id="a job is due"),
        pytest.param({"business_time": "2024-10-16T23:00:00+00:00"}, id="its time is behind"),
    ],
)
def test_a_process_that_still_has_something_to_do_is_not_at_rest(busy: dict[str, Any]) -> None:
    assert is_quiet(report(), CLOCK)
    assert not is_quiet(report(**busy), CLOCK)


def test_a_process_that_does_not_answer_is_not_at_rest() -> None:
    assert not is_quiet({"ready": False}, CLOCK)


def test_the_next_moment_is_the_earliest_that_anybody_waits_for() -> None:
    reports = [
        report(),
        report(next_due_at="2024-10-18T00:00:00+00:00"),
        report(next_due_at="2024-10-17T08:00:00+08:00"),
    ]
    assert next_due(reports) == CLOCK
    assert next_due([report()]) is None


def test_a_figure_that_differs_is_reported_with_both_values() -> None:
    verdicts = Verdicts()
    verdicts.equal("小王, base_fen", 950_000, 950_000)
    verdicts.equal("cells add up to K", 299, 300)
    assert verdicts.made == 2
    assert verdicts.failed == ["cells add up to K: expected 300, found 299"]
