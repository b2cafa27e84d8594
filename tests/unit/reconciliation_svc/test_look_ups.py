"""When a look-up that cells wait for is late: an hour after the city's next one was due."""

from datetime import datetime

import pytest

from reconciliation_svc.domain.roster import Policy
from reconciliation_svc.usecases.look_ups import late_at
from tests.support.reconciling import at

NINE = Policy("990100", 15, 10, (), "09:30")


@pytest.mark.parametrize(
    ("policy", "begun", "late"),
    [
        (None, at(17, "00:00"), at(17, "09:00")),
        (None, at(17, "08:00"), at(17, "09:00")),
        (None, at(17, "08:01"), at(18, "09:00")),
        (NINE, at(17, "08:01"), at(17, "10:30")),
        (NINE, at(31, "19:00"), at(1, "10:30", month=11)),
    ],
)
def test_a_look_up_is_late_an_hour_after_the_next_one_was_due(
    policy: Policy | None, begun: datetime, late: datetime
) -> None:
    assert late_at(policy, begun) == late
