"""The final cells and open anomalies are the same for every order, repetition and timing of the
facts.
"""

import asyncio
from datetime import timedelta
from random import Random

import pytest

from shared.contracts import Anomaly, AnomalyCleared, CellsJudged, Event
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

AT_HRSS = (PENSION, UNEMPLOYMENT, INJURY)
WANG = (
    employee("wang"),
    assessed("wang"),
    payslip("wang"),
    acked("wang", 1, "filed"),
    acked("wang", 2, "verified"),
    posted("wang"),
    acked("wang", 3, "absent", "2024-10-11T00:00:00Z", AT_HRSS),
    acked("wang", 4, "absent", "2024-10-19T00:00:00Z", AT_HRSS),
)
EXEMPT = (employee("exempt"), assessed("exempt", 1, "exempt", "retired_rehired"), posted("exempt"))
TWICE = (
    employee("twice"),
    assessed("twice", 1, "blocked", "first_wage_unknown"),
    assessed("twice", 2),
    acked("twice", 1, "verified"),
    posted("twice", 1),
    posted("twice", 2, debits=2),
)
LEAVER = (employee("leaver", 1), employee("leaver", 2, until="2024-09-30"), posted("leaver"))
CITY = (employer(), policy(), authority(MEDICAL))
FACTS: tuple[Event, ...] = (*CITY, *WANG, *EXEMPT, *TWICE, *LEAVER)

END = at(20, month=11)
OCTOBER_CELLS = {
    **{("wang", name): Outcome.ARRIVED for name in AT_HRSS},
    ("wang", HEALTH): Outcome.RECORD_MISSING,
    ("wang", MATERNITY): Outcome.RECORD_MISSING,
    **{("exempt", name): Outcome.UNDECLARED_DEBIT for name in AMOUNTS},
    **{("twice", name): Outcome.DUPLICATE_DEBIT for name in AMOUNTS},
    **{("leaver", name): Outcome.UNDECLARED_DEBIT for name in AMOUNTS},
}
OPEN = {
    ("wang", PERIOD, "RecordMissing", (HEALTH, MATERNITY)),
    ("exempt", PERIOD, "UndeclaredDebit", tuple(AMOUNTS)),
    ("twice", PERIOD, "DuplicateDebit", tuple(AMOUNTS)),
    ("leaver", PERIOD, "UndeclaredDebit", tuple(AMOUNTS)),
    *((name, "2024-11", "NotAssessed", tuple(AMOUNTS)) for name in ("wang", "exempt", "twice")),
}


async def ends_alike(service: Reconciliation) -> None:
    """The expected end, in the rows and in what was told."""
    cells = await service.cells()
    october = {(name, insurance): o for (name, p, insurance), o in cells.items() if p == PERIOD}
    assert october == OCTOBER_CELLS
    assert {row[:4] for row in await service.open_anomalies()} == OPEN
    newest: dict[str, CellsJudged] = {}
    for judged in await service.told(CellsJudged):
        held = newest.setdefault(judged.aggregate(), judged)
        assert judged.version in (1, held.version + 1)
        newest[judged.aggregate()] = judged
    told = {
        (one.employee_id, one.levy_period, cell.insurance.value): cell.outcome
        for one in newest.values()
        for cell in one.cells
    }
    assert told == cells
    last = {one.anomaly_id: one for one in await service.told(Anomaly)}
    still = [one for one in last.values() if not isinstance(one, AnomalyCleared)]
    assert {
        (one.employee_id, one.levy_period, one.event_name(), one.insurances) for one in still
    } == OPEN


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_and_repetition_at_one_moment(service: Reconciliation, seed: int) -> None:
    random = Random(seed)
    facts = [*FACTS, *random.sample(FACTS, 10)]
    random.shuffle(facts)
    service.clock.set(END)
    while facts:
        size = random.randint(1, 8)
        await service.tell(*facts[:size])
        facts = facts[size:]
        if random.random() < 0.3:
            await service.work()
    await service.until(END + timedelta(minutes=6))
    await ends_alike(service)


@pytest.mark.parametrize("seed", range(6))
async def test_any_timing_too(service: Reconciliation, seed: int) -> None:
    random = Random(100 + seed)
    facts = [*FACTS, *random.sample(FACTS, 5)]
    random.shuffle(facts)
    hours = sorted(random.randint(0, 55 * 24) for _ in facts)
    for hour, fact in zip(hours, facts, strict=True):
        await service.until(at(25, "06:00", month=9) + timedelta(hours=hour))
        await service.tell(fact)
    await service.until(END + timedelta(minutes=6))
    await ends_alike(service)


async def test_partitions_and_jobs_at_the_same_time(service: Reconciliation) -> None:
    """Each employee's facts in four tasks at once, jobs running beside them."""
    service.clock.set(END)
    random = Random(7)

    async def feed(facts: list[Event]) -> None:
        for fact in facts:
            await service.tell(fact)

    lanes: list[list[Event]] = [[], [], [], []]
    for fact in FACTS:
        random.choice(lanes).append(fact)
    await asyncio.gather(*(feed(lane) for lane in lanes), *(service.work() for _ in range(2)))
    await service.until(END + timedelta(minutes=6))
    await ends_alike(service)
