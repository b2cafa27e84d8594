"""Facts in any order and any number: the assessments and postings that stand at the end are the
same.
"""

import asyncio
import random
import secrets
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contribution_svc.consumers import TOPICS
from shared.clock import china_time
from shared.codec import body_of, headers_of
from shared.consumer import Consumer
from shared.contracts import CONTRIBUTION, POLICIES, ContributionAssessed, Event
from shared.outbox import Relay
from tests.integration.contribution_svc.month import (
    PERIOD,
    WANG,
    Month,
    china,
    employee,
    employer,
    last_year,
    wage,
)
from tests.support.eventually import eventually
from tests.support.kafka_topics import Topics


@dataclass(frozen=True)
class Line:
    employee_id: str
    insurance: str
    state: str
    base_fen: int
    employer_fen: int


def facts() -> list[Event]:
    """Set-up, a changed employee, a corrected wage and a new hire's first run."""
    return [
        employer(),
        employee(),
        employee("foreigner", documents_missing=("work_permit",)),
        employee("foreigner", version=2),
        employee("new", since="2024-09-23"),
        employee("leaver", until="2024-09-30"),
        *last_year(),
        *last_year("foreigner", 640_000),
        wage(WANG, "2023-12", 1_550_000, version=2),
        wage("new", PERIOD, 812_345, purpose="run"),
    ]


async def standing(month: Month) -> set[Line]:
    """The newest assessment of everyone, as it was told last."""
    newest: dict[str, ContributionAssessed] = {}
    for event in await month.told(ContributionAssessed):
        newest[event.employee_id] = event
    return {
        Line(e.employee_id, x.insurance, x.state, x.base_fen, x.employer_fen)
        for e in newest.values()
        for x in e.lines
    }


@pytest.mark.parametrize("seed", range(4))
async def test_every_order_and_repeat_ends_alike(month: Month, seed: int) -> None:
    shuffled = facts() * 2
    random.Random(seed).shuffle(shuffled)
    month.clock.set(china("2024-09-25 06:00"))
    for event in shuffled:
        await month.hear(event)
        if seed % 2:
            await month.work()
    await month.work()
    lines = await standing(month)
    assert {x.employee_id for x in lines} == {WANG, "foreigner", "new"}
    assert {x.state for x in lines} == {"due"}
    bases = {x.employee_id: x.base_fen for x in lines}
    assert bases == {WANG: 1_000_000, "foreigner": 640_000, "new": 812_345}


async def test_over_the_broker_and_back(month: Month, topics: Topics, kafka_bootstrap: str) -> None:
    """Payroll's facts come from their real topics, and what is assessed reaches ours. The topics
    outlive a test: here is someone of this one's own, beside whatever others left there.
    """
    name = f"{WANG}-{secrets.token_hex(4)}"
    await topics.real(*TOPICS, CONTRIBUTION, POLICIES)
    month.clock.set(china("2024-09-25 06:00"))
    await _publish(kafka_bootstrap, [employer(), employee(name), *last_year(name)])
    stop = asyncio.Event()
    consumer = Consumer(
        month.parts.worker,
        kafka_bootstrap,
        f"contribution-{secrets.token_hex(4)}",
        TOPICS,
        month.wiring.handlers,
    )
    relay = Relay(month.parts.worker, kafka_bootstrap, "/contribution-svc")
    running = asyncio.gather(consumer.run(stop), relay.run(stop))
    try:
        await eventually(lambda: _is_known(month, name), within=60)
        await month.work()
        assert "daozhang.ContributionAssessed.v1" in await _types_told(kafka_bootstrap, name)
    finally:
        stop.set()
        await running


async def _is_known(month: Month, name: str) -> bool:
    """The employer, the employee and the twelve wages have come."""
    facts = await month.rows(
        "SELECT employee_id FROM wages JOIN employees USING (employee_id, employer_id)"
        " JOIN employers USING (employer_id)"
    )
    return [row.employee_id for row in facts].count(name) == 12


async def _publish(bootstrap: str, events: list[Event]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for event in events:
            headers = headers_of(
                str(event.event_id()),
                event.ce_type(),
                "/payroll-svc",
                event.aggregate(),
                china_time(china("2024-09-20 09:00").date(), "09:00"),
                "",
            )
            key = event.key().encode()
            await producer.send_and_wait(
                event.TOPIC, key=key, value=body_of(event), headers=headers
            )
    finally:
        await producer.stop()


async def _types_told(bootstrap: str, name: str) -> list[str]:
    """The ce_types that arrive of an employee, up to the first assessment."""
    consumer = AIOKafkaConsumer(
        CONTRIBUTION, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    seen: list[str] = []
    try:
        async with asyncio.timeout(30):
            async for record in consumer:
                if record.key.decode() == name:
                    seen.append(dict(record.headers)["ce_type"].decode())
                if seen and "ContributionAssessed" in seen[-1]:
                    break
    finally:
        await consumer.stop()
    return seen
