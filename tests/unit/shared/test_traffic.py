"""How many requests a service holds at the same time."""

import pytest

from shared.serve.app import Busy, Traffic

JSON = {"content-type": "application/json"}
FILE = {"content-type": "multipart/form-data; boundary=x"}
API = {"path": "/api/v1/employers"}


def test_a_request_beyond_the_limit_is_told_to_come_again() -> None:
    traffic = Traffic(limit=2)
    traffic.admit(API, JSON)
    traffic.admit(API, JSON)
    with pytest.raises(Busy):
        traffic.admit(API, JSON)
    assert traffic.in_flight == 2


@pytest.mark.parametrize("path", ["/readyz", "/healthz", "/metrics"])
def test_health_and_metrics_answer_when_nothing_else_does(path: str) -> None:
    traffic = Traffic(limit=1, in_flight=1)
    assert traffic.admit({"path": path}, {}) == 0


def test_a_file_takes_the_room_of_twenty() -> None:
    traffic = Traffic(limit=39)
    assert traffic.admit(API, FILE) == 20
    with pytest.raises(Busy):
        traffic.admit(API, FILE)
    assert traffic.admit(API, JSON) == 1


def test_a_file_alone_is_taken_even_where_the_limit_is_small() -> None:
    assert Traffic(limit=1).admit(API, FILE) == 20
