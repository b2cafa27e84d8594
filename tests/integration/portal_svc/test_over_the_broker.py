"""The whole door: records on the real topics, read by a consumer group, seen over HTTP."""

import asyncio
import secrets

from aiokafka import AIOKafkaProducer

from portal_svc.consumers import TOPICS
from shared.consumer import Consumer
from tests.support.eventually import eventually
from tests.support.kafka_topics import Topics
from tests.support.portal import Portal, golden_records
from tests.support.schemas.golden import golden_examples

(RESOLVED,) = [one.data for one in golden_examples() if one.name.startswith("TicketResolved.")]


async def test_every_topic_reaches_the_read_models(
    portal: Portal, topics: Topics, kafka_bootstrap: str
) -> None:
    await topics.real(*TOPICS)
    await publish(kafka_bootstrap)
    stop, group = asyncio.Event(), f"portal-{secrets.token_hex(4)}"
    reader = Consumer(
        portal.worker, kafka_bootstrap, group, TOPICS, portal.handlers, versioned=True
    )
    running = asyncio.create_task(reader.run(stop))
    try:
        await eventually(lambda: is_complete(portal), within=60)
    finally:
        stop.set()
        await running


async def publish(bootstrap: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for one in golden_records():
            await producer.send_and_wait(
                one.topic, key=one.key, value=one.value, headers=one.headers
            )
    finally:
        await producer.stop()


async def is_complete(portal: Portal) -> bool:
    """All five sides of 小王's October are there, and who was told that the ticket is resolved."""
    hr = portal.issuer.token("hr", employer_ids=[RESOLVED["employer_id"]])
    page = (await portal.get(f"/hr/employees/{RESOLVED['employee_id']}/months", hr)).json()
    cards = [card for card in page.get("items", []) if card["levy_period"] == "2024-10"]
    ticket = (await portal.get(f"/hr/tickets/{RESOLVED['ticket_id']}", hr)).json()
    return (
        [card["summary"] for card in cards] == ["5 项中 2 项未到账"]
        and all(one["voucher"] and one["base_fen"] for one in cards[0]["insurances"])
        and ticket.get("ticket", {}).get("state") == "resolved"
        and len(ticket["notifications"]) == 2
    )
