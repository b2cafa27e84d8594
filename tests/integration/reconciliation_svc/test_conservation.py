"""Conservation of cells: K follows the roster alone, and the states add up to it."""

import pytest

from reconciliation_svc.store.months import Counts
from reconciliation_svc.usecases import periods
from shared.contracts import Anomaly, AnomalyCleared, CellsJudged
from shared.db import transaction
from shared.values import LevyPeriod, Outcome
from tests.support.reconciling import OCTOBER, at
from tests.support.reconciling_events import (
    AMOUNTS,
    EMPLOYER,
    HEALTH,
    PENSION,
    PERIOD,
    acked,
    assessed,
    employee,
    employer,
    policy,
    posted,
)
from tests.support.reconciling_service import Reconciliation


async def counted(service: Reconciliation, period: LevyPeriod = OCTOBER) -> Counts:
    async with transaction(service.worker) as conn:
        found = await periods.count_cells(conn, EMPLOYER, period)
    assert sum(found.states.values()) == found.cells
    return found


async def opened(service: Reconciliation, *names: str) -> None:
    await service.tell(employer(), policy(), *(employee(name) for name in names))
    await service.until(at(25, "06:00", month=9))


async def test_an_assessment_that_never_comes_leaves_cells_and_not_a_hole(
    service: Reconciliation,
) -> None:
    await opened(service, "wang", "li")
    await service.tell(assessed("wang"))
    await service.until(at(14))
    assert (await counted(service)).states == {"NotFiled": 5, "not_assessed": 5}
    await service.until(at(16, "00:06"))
    assert (await counted(service)).states == {"NotFiled": 5, "NotAssessed": 5}
    [late] = [one for one in await service.told(Anomaly, "li")]
    assert (late.event_name(), late.insurances) == ("NotAssessed", tuple(AMOUNTS))


async def test_periods_open_on_the_25th_of_the_month_before_and_at_once_for_newcomers(
    service: Reconciliation,
) -> None:
    await service.tell(employer(), policy(), employee("wang"))
    await service.until(at(25, "05:59", month=9))
    assert (await counted(service)).cells == 0
    await service.until(at(25, "06:00", month=9))
    assert (await counted(service)).cells == 5
    await service.until(at(20))
    await service.tell(employee("new", since="2024-10-21"))
    await service.work()
    assert (await counted(service)).cells == 10
    assert (await counted(service, LevyPeriod(2024, 11))).cells == 0
    await service.until(at(25, "06:00"))
    assert (await counted(service, LevyPeriod(2024, 11))).cells == 10


async def test_the_cut_over_is_the_first_period_that_opens(service: Reconciliation) -> None:
    await service.tell(employer(cut_over="2024-08"), policy(), employee("wang"))
    await service.work()
    assert (await counted(service, LevyPeriod(2024, 7))).cells == 0
    assert (await counted(service, LevyPeriod(2024, 8))).cells == 5
    assert (await counted(service, LevyPeriod(2024, 9))).cells == 5


async def test_what_was_assessed_before_the_cut_over_is_history_and_raises_nothing(
    service: Reconciliation,
) -> None:
    await service.tell(employer(cut_over="2024-11"), policy(), employee("wang"))
    await service.tell(assessed("wang"), posted("wang"))
    await service.until(at(30, month=11))
    assert (await counted(service)).states == {"history": 5}
    assert {one.levy_period for one in await service.told(Anomaly)} == {"2024-11"}


async def test_an_employer_that_is_not_known_yet_raises_nothing(service: Reconciliation) -> None:
    await service.tell(policy(), employee("wang"), assessed("wang"))
    await service.until(at(20))
    assert await service.open_anomalies() == set()
    await service.tell(employer(cut_over="2025-01"))
    await service.until(at(21))
    assert set((await service.cells()).values()) == {Outcome.HISTORY}
    await service.tell(employer(2))
    await service.until(at(22))
    assert {one.event_name() for one in await service.told(Anomaly)} == {"NotFiled"}


@pytest.mark.parametrize(
    ("state", "reason", "outcome"),
    [
        ("exempt", "retired_rehired", "not_required"),
        ("blocked", "documents_missing:work_permit", "AssessmentBlocked"),
    ],
    ids=["exempt people count", "blocked people count"],
)
async def test_everybody_on_the_roster_counts(
    service: Reconciliation, state: str, reason: str, outcome: str
) -> None:
    await opened(service, "wang")
    await service.tell(assessed("wang", state=state, reason=reason))
    await service.until(at(20))
    assert (await counted(service)) == Counts(5, {outcome: 5}, 0)


async def test_debited_twice_is_an_anomaly_at_once(service: Reconciliation) -> None:
    await opened(service, "wang")
    await service.tell(assessed("wang"), acked("wang", 1, "verified"))
    await service.until(at(10, "18:00"))
    await service.tell(posted("wang", 2, debits=2), posted("wang", 1))
    await service.until(at(10, "18:10"))
    [twice] = await service.told(Anomaly)
    assert (twice.event_name(), twice.likely_cause) == ("DuplicateDebit", "person")
    assert (await counted(service)).states == {"DuplicateDebit": 5}


async def test_facts_about_strangers_are_extras_beside_k(service: Reconciliation) -> None:
    await opened(service, "wang")
    await service.tell(employee("stranger", since="2025-01-01"))
    await service.until(at(12))
    await service.tell(posted("stranger"), acked("stranger", 1, "absent"))
    await service.work()
    assert (await counted(service)) == Counts(5, {"not_assessed": 5}, 5)
    await service.until(at(17, "00:06"))
    kinds = {one.event_name() for one in await service.told(Anomaly, "stranger")}
    assert kinds == {"UndeclaredDebit"}


async def test_a_fact_that_overtakes_its_employee_becomes_an_ordinary_cell(
    service: Reconciliation,
) -> None:
    await service.tell(employer(), policy())
    await service.until(at(25, "06:00", month=9))
    await service.tell(assessed("wang"))
    await service.work()
    assert (await counted(service)).extras == 5
    await service.tell(employee("wang"))
    await service.work()
    assert (await counted(service)) == Counts(5, {"awaiting_filing": 5}, 0)


async def test_cells_of_a_leaver_vanish_only_if_nothing_happened_to_them(
    service: Reconciliation,
) -> None:
    await opened(service, "wang", "li")
    await service.tell(assessed("wang"))
    await service.until(at(16, "00:06"))
    assert {one.event_name() for one in await service.told(Anomaly)} == {"NotFiled", "NotAssessed"}
    await service.tell(*(employee(name, 2, until="2024-09-30") for name in ("wang", "li")))
    await service.work()
    assert (await counted(service)) == Counts(0, {}, 5)
    cleared = {one.kind: one for one in await service.told(AnomalyCleared)}
    assert cleared.keys() == {"NotFiled", "NotAssessed"}
    assert cleared["NotAssessed"].outcomes == dict.fromkeys(AMOUNTS, Outcome.NOT_REQUIRED)
    assert (await service.told(CellsJudged, "li"))[-1].cells == ()
    await service.tell(*(employee(name, 3) for name in ("wang", "li")))
    await service.work()
    assert (await counted(service)) == Counts(10, {"NotFiled": 5, "NotAssessed": 5}, 0)
    await service.until(at(16, "00:20"))
    again = [one for one in await service.told(Anomaly, "li") if one.event_name() == "NotAssessed"]
    assert [one.occurrence for one in again] == [1, 2]


async def test_an_insurance_that_leaves_the_scheme_leaves_k(service: Reconciliation) -> None:
    await opened(service, "wang")
    await service.tell(policy(2, insurances=[PENSION, HEALTH]))
    await service.work()
    assert (await counted(service)) == Counts(2, {"not_assessed": 2}, 0)
    assert set(await service.cells()) == {("wang", PERIOD, PENSION), ("wang", PERIOD, HEALTH)}
