"""A party's state at a moment, from what it announced and what it said."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bureau_sync_svc.domain.authority import (
    Notice,
    backoff,
    closure_said,
    closures,
    read_notices,
    state_at,
)
from bureau_sync_svc.domain.wire import Answer, Unreadable

T0 = datetime(2024, 10, 10, tzinfo=UTC)


def notice(kind: str, since: int, until: int, notice_id: str = "n") -> Notice:
    hours = timedelta(hours=1)
    return Notice(notice_id, kind, T0 + since * hours, T0 + until * hours, kind)


def test_an_upgrade_degrades_and_a_closure_closes() -> None:
    notices = [notice("upgrade", 0, 10), notice("closure", 2, 4, "m")]
    states = [state_at(T0 + timedelta(hours=hour), notices).state for hour in (-1, 0, 2, 4, 10)]
    assert states == ["open", "degraded", "closed", "degraded", "open"]


def test_it_knows_when_it_changes_by_itself() -> None:
    notices = [notice("upgrade", 0, 10), notice("closure", 2, 4, "m")]
    assert state_at(T0, notices).changes_at == T0 + timedelta(hours=2)
    assert state_at(T0 + timedelta(hours=10), notices).changes_at is None


NOTICES = st.lists(
    st.tuples(st.sampled_from(["upgrade", "closure"]), st.integers(0, 9), st.integers(1, 9)).map(
        lambda drawn: notice(drawn[0], drawn[1], drawn[1] + drawn[2], f"{drawn}")
    ),
    max_size=5,
)


@given(NOTICES, st.integers(-1, 20), st.randoms(use_true_random=False))
def test_the_order_of_notices_does_not_matter(
    notices: list[Notice], hour: int, random: Random
) -> None:
    now = T0 + timedelta(hours=hour)
    shuffled = list(notices)
    random.shuffle(shuffled)
    assert state_at(now, notices) == state_at(now, shuffled)
    assert closures(notices, 2024) == closures(shuffled, 2024)


def test_closures_that_overlap_are_one() -> None:
    notices = [notice("closure", 0, 4), notice("closure", 3, 6, "m"), notice("upgrade", 5, 9, "u")]
    assert closures(notices, 2024) == (("2024-10-10T00:00:00+00:00", "2024-10-10T06:00:00+00:00"),)
    assert closures(notices, 2023) == ()


@pytest.mark.parametrize(
    ("until", "is_closed"),
    [
        ("2024-10-13T00:00:00+08:00", True),
        ("2024-10-09T00:00:00+08:00", False),
        ("2124-10-13T00:00:00+08:00", False),
        ("2024-10-13T00:00:00", False),
        ("soon", False),
    ],
)
def test_a_closure_is_believed_if_its_end_can_be(until: str, is_closed: bool) -> None:
    body = json.dumps({"code": "CLOSED", "until": until, "text": "升级维护"}).encode()
    assert (closure_said(Answer(503, body), T0) is not None) is is_closed
    assert closure_said(Answer(500, body), T0) is None


@pytest.mark.parametrize(
    "changes",
    [{"kind": "party"}, {"from": "2024-10-13T00:00:00"}, {"until": "2024-10-09T00:00:00Z"}],
)
def test_a_notice_that_makes_no_sense_is_not_believed(changes: dict[str, str]) -> None:
    raw = {
        "id": "n1",
        "kind": "upgrade",
        "from": "2024-10-10T00:00:00+08:00",
        "until": "2024-10-13T00:00:00+08:00",
        "text": "",
    }
    assert len(read_notices(json.dumps({"notices": [raw]}).encode())) == 1
    with pytest.raises(Unreadable):
        read_notices(json.dumps({"notices": [{**raw, **changes}]}).encode())


def test_waits_double_up_to_an_hour() -> None:
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 8, 100)] == [30, 60, 120, 3600, 3600]
