"""The case that started the project: one authority drops the detail."""

from shared.contracts import Anomaly, AnomalyCleared, CellsJudged, RecordMissing
from shared.values import Outcome
from tests.support.reconciling import at
from tests.support.reconciling_events import (
    AMOUNTS,
    HEALTH,
    INJURY,
    MATERNITY,
    MEDICAL,
    PENSION,
    PERIOD,
    UNEMPLOYMENT,
    acked,
    assessed,
    authority,
    employee,
    employer,
    payslip,
    policy,
    posted,
)
from tests.support.reconciling_service import Reconciliation

PEOPLE = ("wang", "li", "zhao")
AT_HRSS = (PENSION, UNEMPLOYMENT, INJURY)


async def up_to_the_debit(service: Reconciliation) -> None:
    """20 September to 10 October: roster, assessment, payslip, filing, verification."""
    await service.tell(employer(), policy(), *(employee(name) for name in PEOPLE))
    await service.until(at(25, "06:00", month=9))
    assert list((await service.cells()).values()) == [Outcome.NOT_ASSESSED] * 15
    await service.tell(*(assessed(name) for name in PEOPLE))
    await service.tell(*(payslip(name) for name in PEOPLE))
    await service.until(at(8, "10:00"))
    assert set((await service.cells()).values()) == {Outcome.AWAITING_FILING}
    await service.tell(*(acked(name, 1, "filed") for name in PEOPLE))
    await service.tell(*(acked(name, 2, "verified") for name in PEOPLE))
    upgrade = ("2024-10-10T00:00:00+08:00", "2024-10-13T00:00:00+08:00")
    await service.tell(authority(MEDICAL, 1, "degraded", *upgrade))
    await service.until(at(10, "18:05"))
    assert set((await service.cells()).values()) == {Outcome.AWAITING_DEBIT}


async def up_to_the_window(service: Reconciliation) -> None:
    """10 to 16 October: debited, half recorded, and nothing said of the other half yet."""
    await service.tell(*(posted(name) for name in PEOPLE))
    await service.until(at(11, "08:00"))
    looked = "2024-10-11T00:00:00Z"
    await service.tell(*(acked(name, 3, "absent", looked, AT_HRSS) for name in PEOPLE))
    await service.until(at(16, "23:59"))
    cells = await service.cells()
    assert cells["wang", PERIOD, PENSION] is Outcome.ARRIVED
    assert cells["wang", PERIOD, HEALTH] is Outcome.AWAITING_RECORD
    await service.until(at(17, "07:59"))
    assert (await service.cells())["wang", PERIOD, HEALTH] is Outcome.NOT_LOOKED_UP
    assert await service.told(Anomaly) == []


async def test_a_dropped_detail_is_told_on_the_17th_and_cleared_on_2_november(
    service: Reconciliation,
) -> None:
    await up_to_the_debit(service)
    await up_to_the_window(service)
    await service.until(at(17, "08:00"))
    for name in PEOPLE:
        await service.tell(acked(name, 4, "absent", "2024-10-17T00:00:00Z", AT_HRSS))
        await service.work()
    assert (await service.cells())["wang", PERIOD, HEALTH] is Outcome.RECORD_MISSING
    await service.until(at(17, "08:10"))

    missing = await service.told(Anomaly)
    assert [(type(one), one.insurances) for one in missing] == [
        (RecordMissing, (HEALTH, MATERNITY))
    ] * 3
    causes = {(one.likely_cause, one.spread, one.authority, one.cause_id) for one in missing}
    assert causes == {("authority", 3, MEDICAL, missing[0].cause_id)}
    assert {one.raised_at for one in missing} == {"2024-10-17T00:00:00Z"}

    await service.until(at(2, "08:00", month=11))
    for name in PEOPLE:
        await service.tell(acked(name, 5, "recorded", "2024-11-02T00:00:00Z"))
    await service.work()
    october = [outcome for key, outcome in (await service.cells()).items() if key[1] == PERIOD]
    assert october == [Outcome.ARRIVED] * 15
    await cleared_once_each(service, missing)


async def cleared_once_each(service: Reconciliation, missing: list[Anomaly]) -> None:
    assert await service.open_anomalies() == set()
    cleared = await service.told(AnomalyCleared)
    assert {one.anomaly_id for one in cleared} == {one.anomaly_id for one in missing}
    assert [(one.version, one.kind, one.cleared_at) for one in cleared] == [
        (2, "RecordMissing", "2024-11-02T00:00:00Z")
    ] * 3
    assert cleared[0].outcomes == {HEALTH: Outcome.ARRIVED, MATERNITY: Outcome.ARRIVED}


async def test_verdicts_are_told_in_versions_without_a_gap(service: Reconciliation) -> None:
    await service.tell(employer(), policy(), employee("wang"))
    await service.until(at(25, "06:00", month=9))
    await service.tell(assessed("wang"))
    await service.tell(assessed("wang"), assessed("wang"))
    await service.until(at(16))
    judged = [one for one in await service.told(CellsJudged, "wang") if one.levy_period == PERIOD]
    assert [one.version for one in judged] == list(range(1, len(judged) + 1))
    newest = judged[-1]
    assert [cell.outcome for cell in newest.cells] == [Outcome.NOT_FILED] * 5
    assert [cell.insurance for cell in newest.cells] == list(AMOUNTS)
    assert newest.cells[0].window_ends_at == "2024-10-09T16:00:00Z"
