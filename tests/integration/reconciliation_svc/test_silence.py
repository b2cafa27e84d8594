"""Silence on the real database: what came and could not be taken in is said, and look-ups that do
not come raise one alarm.
"""

import httpx

from shared.consumer import Outcome as Applied
from shared.consumer import apply_batch, drop_key, replay_key
from shared.contracts import Anomaly, AnomalyCleared, Event
from shared.db import transaction
from shared.values import Outcome
from tests.support.reconciling import at
from tests.support.reconciling_events import (
    EMPLOYER,
    HEALTH,
    MEDICAL,
    acked,
    assessed,
    authority,
    employee,
    employer,
    policy,
    posted,
)
from tests.support.reconciling_service import Reconciliation, record_of
from tests.support.rejecting_trigger import plant, pull
from tests.support.service_databases import ServiceDatabase
from tests.support.standins import Issuer


async def opened(service: Reconciliation) -> None:
    await service.tell(employer(), policy(), employee("wang"), employee("li"))
    await service.until(at(25, "06:00", month=9))


async def hear(service: Reconciliation, *events: Event) -> Applied:
    """A batch of which some event may be parked."""
    records = [record_of(event) for event in events]
    return await apply_batch(
        service.worker, service.wiring.handlers, "reconciliation-svc", records, versioned=True
    )


async def outcomes(service: Reconciliation, employee_id: str) -> set[Outcome]:
    return {value for key, value in (await service.cells()).items() if key[0] == employee_id}


async def reasons(service: Reconciliation, employee_id: str) -> set[str]:
    async with transaction(service.worker) as conn:
        rows = await conn.exec_driver_sql(
            "SELECT c->>'reason' FROM months, jsonb_array_elements(cells) c WHERE employee_id = $1",
            (employee_id,),
        )
        return set(rows.scalars())


async def parked_assessment(service: Reconciliation, database: ServiceDatabase) -> None:
    await opened(service)
    of_wang = "NEW.employee_id = 'wang' AND NEW.assessed IS NOT NULL"
    await plant(database.superuser_url, "months", of_wang)
    applied = await hear(service, assessed("wang"), assessed("li"))
    assert (applied.parked, applied.handled) == (1, 1)
    await service.until(at(25, "06:06", month=9))


async def test_an_assessment_that_was_parked_is_said_to_wait_and_hr_is_told(
    service: Reconciliation, database: ServiceDatabase
) -> None:
    await parked_assessment(service, database)
    assert len(await service.cells()) == 10
    assert await outcomes(service, "wang") == {Outcome.ASSESSMENT_BLOCKED}
    assert await reasons(service, "wang") == {"无法核算：应缴数据已收到但未能入账，等待运维处理"}
    [told] = await service.told(Anomaly)
    assert (told.employee_id, told.event_name()) == ("wang", "AssessmentBlocked")
    assert "等待运维处理" in told.reason


async def test_after_the_replay_all_is_as_if_it_had_never_been_parked(
    service: Reconciliation, database: ServiceDatabase
) -> None:
    await parked_assessment(service, database)
    await pull(database.superuser_url, "months")
    async with transaction(service.worker) as conn:
        replay = await replay_key(
            conn, service.wiring.handlers, assessed("wang").TOPIC, "wang", "ops", versioned=True
        )
    assert (replay.replayed, replay.stopped_by) == (1, "")
    await service.work()
    assert await outcomes(service, "wang") == await outcomes(service, "li")
    assert await reasons(service, "wang") == await reasons(service, "li")
    [cleared] = await service.told(AnomalyCleared)
    assert set(cleared.outcomes.values()) == {Outcome.AWAITING_FILING}


async def test_a_parked_event_that_is_dropped_waits_for_nobody(
    service: Reconciliation, database: ServiceDatabase
) -> None:
    await parked_assessment(service, database)
    async with transaction(service.worker) as conn:
        await drop_key(conn, assessed("wang").TOPIC, "wang", "ops", "of a test tenant")
    await service.work()
    assert await outcomes(service, "wang") == {Outcome.NOT_ASSESSED}


async def test_a_newer_version_that_is_taken_in_supersedes_the_parked_one(
    service: Reconciliation, database: ServiceDatabase
) -> None:
    await parked_assessment(service, database)
    await pull(database.superuser_url, "months")
    await service.tell(assessed("wang", 2))
    assert await outcomes(service, "wang") == {Outcome.AWAITING_FILING}
    await service.work()
    assert await outcomes(service, "wang") == {Outcome.AWAITING_FILING}


async def test_a_posting_that_was_parked_is_an_unknown_debit_and_not_a_missing_one(
    service: Reconciliation, database: ServiceDatabase
) -> None:
    await opened(service)
    await service.tell(assessed("wang"), acked("wang", 1, "verified"))
    await plant(database.superuser_url, "months", "NEW.posted IS NOT NULL")
    assert (await hear(service, posted("wang"))).parked == 1
    await service.work()
    assert await outcomes(service, "wang") == {Outcome.OUTCOME_UNKNOWN}
    assert await reasons(service, "wang") == {
        "扣款结果尚未确认；扣款数据已收到但未能入账，等待运维处理"
    }


async def test_what_is_parked_before_the_roster_opens_is_seen_when_it_does(
    service: Reconciliation, database: ServiceDatabase
) -> None:
    await plant(database.superuser_url, "months", "NEW.assessed IS NOT NULL")
    assert (await hear(service, assessed("wang"))).parked == 1
    await service.work()
    await opened(service)
    assert await outcomes(service, "wang") == {Outcome.ASSESSMENT_BLOCKED}
    assert await outcomes(service, "li") == {Outcome.NOT_ASSESSED}


async def debited(service: Reconciliation) -> None:
    await opened(service)
    for who in ("wang", "li"):
        await service.tell(assessed(who), acked(who, 1, "verified"))
    await service.until(at(10, "18:00"))
    await service.tell(posted("wang"), posted("li"))


async def alarms(http: httpx.AsyncClient, issuer: Issuer) -> list[tuple[str, int]]:
    headers = {"Authorization": f"Bearer {issuer.token('operator', sub='operator-1')}"}
    answer = await http.get("/api/v1/look-up-alarms", headers=headers)
    assert answer.status_code == 200
    return [(one["authority"], one["cells"]) for one in answer.json()]


async def test_a_normal_look_up_day_raises_no_alarm(
    service: Reconciliation, http: httpx.AsyncClient, issuer: Issuer
) -> None:
    await debited(service)
    await service.until(at(17, "07:59"))
    assert await outcomes(service, "wang") == {Outcome.NOT_LOOKED_UP}
    assert await alarms(http, issuer) == []
    await service.until(at(17, "08:00"))
    await service.tell(*(acked(who, 2, "absent", "2024-10-17T00:00:00Z") for who in ("wang", "li")))
    await service.until(at(20))
    assert await alarms(http, issuer) == []


async def test_look_ups_that_do_not_come_raise_one_alarm_per_authority_until_they_do(
    service: Reconciliation, http: httpx.AsyncClient, issuer: Issuer
) -> None:
    await debited(service)
    await service.until(at(17, "08:59"))
    assert await alarms(http, issuer) == []
    await service.until(at(17, "09:00"))
    both = [("hrss-990100", 6), ("medical-990100", 4)]
    assert await alarms(http, issuer) == both
    await service.until(at(20))
    assert await alarms(http, issuer) == both
    assert await service.told(Anomaly) == []
    await service.tell(acked("wang", 2, "absent", "2024-10-20T04:00:00Z"))
    await service.work()
    assert await alarms(http, issuer) == both
    await service.tell(acked("li", 2, "absent", "2024-10-20T04:00:00Z"))
    await service.work()
    assert await alarms(http, issuer) == []
    assert await outcomes(service, "li") == {Outcome.RECORD_MISSING}


async def test_alarms_are_for_operators_alone(http: httpx.AsyncClient, issuer: Issuer) -> None:
    token = issuer.token("hr", sub="hr-1", employer_ids=[EMPLOYER])
    headers = {"Authorization": f"Bearer {token}"}
    answer = await http.get("/api/v1/look-up-alarms", headers=headers)
    assert answer.status_code == 403


async def test_while_an_authority_is_closed_its_cells_say_until_when(
    service: Reconciliation,
) -> None:
    await debited(service)
    await service.until(at(14))
    await service.tell(authority(MEDICAL))
    await service.work()
    async with transaction(service.worker) as conn:
        query = (
            "SELECT c->>'reason' AS reason, c->>'window_ends_at' AS ends_at"
            " FROM months, jsonb_array_elements(cells) c"
            " WHERE employee_id = 'wang' AND c->>'insurance' = $1"
        )
        shown = (await conn.exec_driver_sql(query, (str(HEALTH),))).mappings().one()
    assert shown["reason"] == (
        "2024-10-10 扣款 950.00 元，等待经办机构记录；经办机构停机至10月16日 00:00，等待期顺延"
    )
    assert shown["ends_at"] == "2024-10-18T16:00:00Z"
