"""When what was parked is a bad release, and when it is poison (R17)."""

import pytest

from shared.consumer import Alarm


class Seconds:
    """A clock that the test sets."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def alarm_after(keys: int, records: int, seconds: Seconds | None = None) -> Alarm:
    alarm = Alarm(seconds or Seconds())
    alarm.saw(records)
    for number in range(keys):
        alarm.parked(f"payroll.events/{number}")
    return alarm


@pytest.mark.parametrize(
    ("keys", "records", "rings"),
    [
        pytest.param(0, 0, False, id="nothing seen"),
        pytest.param(20, 100_000, False, id="twenty keys of many"),
        pytest.param(21, 100_000, True, id="one more than twenty"),
        pytest.param(5, 499, False, id="one in a hundred of few says nothing"),
        pytest.param(5, 500, False, id="one in a hundred"),
        pytest.param(6, 500, True, id="more than one in a hundred"),
    ],
)
def test_more_than_twenty_keys_or_one_in_a_hundred(keys: int, records: int, rings: bool) -> None:
    reason = alarm_after(keys, records).reason()
    assert bool(reason) is rings
    assert not rings or f"{keys} keys of {records} events" in reason


def test_a_key_counts_once() -> None:
    alarm = Alarm(Seconds())
    for _ in range(100):
        alarm.parked("payroll.events/sick")
    assert alarm.reason() == ""


def test_what_is_older_than_five_minutes_is_forgotten() -> None:
    seconds = Seconds()
    alarm = alarm_after(20, 100, seconds)
    seconds.now += 301
    alarm.saw(1)
    alarm.parked("payroll.events/another")
    assert alarm.reason() == ""
    seconds.now -= 2
    assert alarm_after(21, 100, seconds).reason() != ""
