"""Windows on the real database: closures stretch them, look-ups decide between missing and not
looked up.
"""

import msgspec

from shared.contracts import Anomaly, CellsJudged
from shared.values import Outcome
from tests.support.reconciling import at
from tests.support.reconciling_events import (
    HEALTH,
    HRSS,
    MATERNITY,
    MEDICAL,
    PENSION,
    PERIOD,
    acked,
    assessed,
    authority,
    employee,
    employer,
    policy,
    posted,
)
from tests.support.reconciling_service import Reconciliation


async def debited(service: Reconciliation) -> None:
    await service.tell(employer(), policy(), employee("wang"))
    await service.tell(assessed("wang"), acked("wang", 1, "verified"))
    await service.until(at(10, "18:00"))
    await service.tell(posted("wang"))
    await service.work()


async def outcome(service: Reconciliation, insurance: str = HEALTH) -> Outcome:
    return (await service.cells())["wang", PERIOD, insurance]


async def test_a_closed_authority_stretches_the_window_of_its_own_lines_only(
    service: Reconciliation,
) -> None:
    await debited(service)
    await service.until(at(14))
    await service.tell(authority(MEDICAL))
    await service.until(at(17, "00:00"))
    assert await outcome(service, PENSION) is Outcome.NOT_LOOKED_UP
    assert await outcome(service, HEALTH) is Outcome.AWAITING_RECORD
    await service.tell(acked("wang", 2, "absent", "2024-10-17T00:00:00Z"))
    await service.until(at(18, "23:59"))
    assert await outcome(service, PENSION) is Outcome.RECORD_MISSING
    assert await outcome(service, HEALTH) is Outcome.AWAITING_RECORD
    await service.until(at(19, "00:00"))
    assert await outcome(service, HEALTH) is Outcome.NOT_LOOKED_UP
    await service.tell(acked("wang", 3, "absent", "2024-10-19T00:00:00Z"))
    await service.until(at(19, "00:06"))
    assert {one.authority for one in await service.told(Anomaly)} == {HRSS, ""}


async def test_a_closure_that_is_heard_of_late_takes_a_missing_record_back(
    service: Reconciliation,
) -> None:
    await debited(service)
    await service.until(at(17, "08:00"))
    await service.tell(acked("wang", 2, "absent", "2024-10-17T00:00:00Z"))
    await service.work()
    assert await outcome(service) is Outcome.RECORD_MISSING
    await service.tell(authority(MEDICAL))
    await service.work()
    assert await outcome(service) is Outcome.AWAITING_RECORD
    await service.until(at(17, "08:06"))
    [missing] = await service.told(Anomaly)
    assert HEALTH not in missing.insurances
    assert MATERNITY not in missing.insurances


async def test_a_closure_without_an_announced_end_keeps_the_window_open(
    service: Reconciliation,
) -> None:
    await debited(service)
    await service.tell(authority(MEDICAL, until=""))
    await service.until(at(30, month=11))
    assert await outcome(service) is Outcome.AWAITING_RECORD
    await service.tell(authority(MEDICAL, 2))
    await service.work()
    assert await outcome(service) is Outcome.NOT_LOOKED_UP


async def test_not_looked_up_is_no_anomaly(service: Reconciliation) -> None:
    await debited(service)
    await service.until(at(20))
    assert await outcome(service) is Outcome.NOT_LOOKED_UP
    assert await service.open_anomalies() == set()
    assert await service.told(Anomaly) == []


async def test_a_missing_record_is_a_gap_when_its_month_is_over(
    service: Reconciliation,
) -> None:
    await debited(service)
    await service.tell(acked("wang", 2, "absent", "2024-10-17T00:00:00Z"))
    await service.until(at(31, "23:59"))
    assert len(await service.told(Anomaly)) == 1
    await service.until(at(1, "00:00", month=11))
    judged = [one for one in await service.told(CellsJudged, "wang") if one.levy_period == PERIOD]
    assert [cell.annotations for cell in judged[-1].cells] == [("CoverageGap",)] * 5
    assert len(await service.told(Anomaly)) == 1


async def test_nothing_is_late_before_the_month_in_which_the_city_is_paid(
    service: Reconciliation,
) -> None:
    paid_next_month = msgspec.structs.replace(policy(), months_after=1)
    await service.tell(employer(), paid_next_month, employee("wang"))
    await service.until(at(15, "23:59", month=11))
    assert await outcome(service) is Outcome.NOT_ASSESSED
    await service.until(at(16, "00:06", month=11))
    assert await outcome(service) is Outcome.NOT_ASSESSED_LATE
