"""Requests of two employers through the same pools, their clients gone at any moment: no answer
shows a row of the other, and no session stays in a transaction.
"""

import asyncio
import random

import asyncpg
import httpx

from deploy.embedded.stack import Stack
from sandbox.case.addresses import SERVICES
from sandbox.case.people import Person
from tests.support.cast import Cast, House
from tests.support.eventually import eventually

REQUESTS = 400
AT_ONCE = 25
SEED = 16

HR_LISTS = (
    ("payroll-svc", "/employees"),
    ("ticket-svc", "/tickets"),
    ("reconciliation-svc", "/cells"),
    ("contribution-svc", "/assessments"),
    ("bureau-sync-svc", "/bureau-rows"),
    ("notify-svc", "/notifications"),
)
OWN_LISTS = (
    ("payroll-svc", "/payslips"),
    ("ticket-svc", "/tickets"),
    ("reconciliation-svc", "/cells"),
    ("portal-svc", "/me/months"),
)


async def one_request(
    actors: Cast, client: httpx.AsyncClient, house: House, chance: random.Random
) -> str:
    """Who asked, and the answer's text; of HR or of the employee, for what is theirs."""
    by_hr = chance.random() < 0.5
    person: Person = house.hr if by_hr else house.employee
    service, path = chance.choice(HR_LISTS if by_hr else OWN_LISTS)
    query = {"employer_id": house.ids["employer_id"], "levy_period": house.ids["levy_period"]}
    answer = await client.get(
        f"{actors.addresses.services[service]}/api/v1{path}",
        params=query if by_hr else {},
        headers=person.headers(),
    )
    assert answer.status_code == 200, (service, path, answer.text)
    return answer.text


async def test_clients_that_leave_at_random_mix_nobodys_rows(
    installation: Stack, actors: Cast
) -> None:
    chance = random.Random(SEED)  # the same storm every time
    gate = asyncio.Semaphore(AT_ONCE)
    counts = {"whole": 0, "gone": 0}

    async def visit(client: httpx.AsyncClient, number: int) -> None:
        house, away = (actors.case, actors.other) if number % 2 else (actors.other, actors.case)
        patience = chance.choice((None, 0.002, 0.01, 0.03))
        async with gate:
            try:
                async with asyncio.timeout(patience):
                    text = await one_request(actors, client, house, chance)
            except TimeoutError:
                counts["gone"] += 1
                return
        counts["whole"] += 1
        shown = [secret for secret in away.secrets if secret in text]
        assert shown == [], f"seed {SEED}, request {number}"

    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        await asyncio.gather(*(visit(client, number) for number in range(REQUESTS)))
    assert counts["whole"] > 50, counts
    assert counts["gone"] > 50, counts
    await eventually(lambda: _all_idle(installation))
    for service in SERVICES:
        ready = await actors.client.get(f"{actors.addresses.services[service]}/readyz")
        assert ready.json()["checks"].get("database") is None


async def _all_idle(installation: Stack) -> bool:
    connection = await asyncpg.connect(installation.postgres_url)
    try:
        busy = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE usename LIKE '%_svc_api' AND state <> 'idle'"
        )
    finally:
        await connection.close()
    return int(busy) == 0
