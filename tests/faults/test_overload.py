"""At twice the load that a service can take: lag grows, memory does not, readiness tells, and
nothing that was accepted is lost.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from stdnum.cn import uscc

from deploy.embedded.kafka import Kafka
from deploy.embedded.layout import free_ports
from deploy.topics import create_topics, wanted_topics
from shared.contracts import ContributionAssessed, EmployeeChanged
from tests.support.eventually import eventually
from tests.support.issuer import issuer
from tests.support.pressure import Look, Source, crowd, look, press
from tests.support.reconciling_events import assessed, employee, employer, policy
from tests.support.service_databases import ServiceDatabase, ServiceDatabases
from tests.support.service_process import Running, environment, serving

PEOPLE = 2_000
HEAD_START = 20_000
IN_FLIGHT = 16


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A broker of our own: lag is counted over all that its topics hold."""
    home: Path = tmp_path_factory.mktemp("broker")
    port, controller = free_ports(2)
    kafka = Kafka(home / "kafka", home / "run", port, controller)
    await kafka.start()
    await create_topics(kafka.bootstrap, wanted_topics("production"))
    yield kafka.bootstrap
    await kafka.stop()


def of_october(number: int) -> EmployeeChanged:
    """Employed for the one month that the stream is about."""
    return employee(f"employee-{number:05d}", since="2024-10-01", until="2024-10-31")


def assessments() -> Iterator[ContributionAssessed]:
    """Everybody's month again and again, each time a newer version."""
    for version in count(1):
        for number in range(PEOPLE):
            yield assessed(f"employee-{number:05d}", version=version)


async def versions(database: ServiceDatabase) -> Counter[int]:
    """How many months hold which version of the assessed side."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        rows = await connection.fetch("SELECT assessed_version FROM months")
    finally:
        await connection.close()
    return Counter(row["assessed_version"] for row in rows)


def expected_versions(acknowledged: int) -> Counter[int]:
    """The newest version of each person's month once everything acknowledged is applied."""
    whole, rest = divmod(acknowledged, PEOPLE)
    return Counter({whole + 1: rest, whole: PEOPLE - rest})


async def test_of_more_events_than_it_can_apply_lag_grows_and_memory_does_not(
    broker: str, service_databases: ServiceDatabases
) -> None:
    async with (
        service_databases.clone("reconciliation_svc") as database,
        AIOKafkaProducer(bootstrap_servers=broker, enable_idempotence=True) as producer,
        serving(
            "reconciliation-svc",
            environment(database, broker, READY_BEHIND_SECONDS="2", LOG_LEVEL="ERROR"),
        ) as running,
    ):
        people = (of_october(number) for number in range(PEOPLE))
        await Source(producer, iter([employer(), policy(), *people])).publish(PEOPLE + 2)
        source = Source(producer, assessments())
        await source.publish(HEAD_START)
        looks = await _drained(running)
        warm = looks[-1].rss_mb
        assert looks[-1].ready, looks[-1].checks

        looks = await press(running, source, HEAD_START, seconds=15)
        story = "\n".join(map(str, looks))
        assert looks[-1].lag > HEAD_START / 2, story
        assert max(one.rss_mb for one in looks) < warm * 1.25 + 16, f"{warm} MB warm\n{story}"
        assert any("late" in one.checks.get("consumer", "") for one in looks), story
        assert not looks[-1].ready, story

        last = (await _drained(running))[-1]
        assert last.ready, last
        assert await versions(database) == expected_versions(source.acknowledged)


async def _drained(running: Running) -> list[Look]:
    looks: list[Look] = []

    async def is_drained() -> bool:
        looks.append(await look(running))
        return looks[-1].lag == 0 and looks[-1].ready

    await eventually(is_drained, within=240, every=0.5)
    return looks


async def test_of_more_requests_than_it_can_hold_the_rest_are_told_to_come_again(
    broker: str, service_databases: ServiceDatabases, tmp_path: Path
) -> None:
    """None that was told to come again has an effect, and none that was accepted is lost."""
    keys = tmp_path / "root.keys"
    await asyncio.to_thread(keys.write_text, "ab" * 32)
    keys.chmod(0o600)
    async with service_databases.clone("payroll_svc") as database, issuer() as signing:
        settings = environment(
            database,
            broker,
            ROOT_KEY_FILE=str(keys),
            INDEX_KEY_FILE=str(keys),
            OIDC_ISSUER=signing.url,
            HTTP_IN_FLIGHT=str(IN_FLIGHT),
            LOG_LEVEL="ERROR",
        )
        headers = signing.headers("operator-1", ["operator"])
        async with serving("payroll-svc", settings) as running:

            async def create(number: int) -> httpx.Response:
                return await running.http.post(
                    "/api/v1/employers",
                    json=an_employer(number),
                    headers={**headers, "Idempotency-Key": f"employer-{number}"},
                    timeout=60,
                )

            taken = await crowd(IN_FLIGHT, 3, create)
            assert {answer.status_code for answer in taken} == {201}, taken[0].text
            warm = (await look(running)).rss_mb
            known = await employers_in(database)
            answers = await crowd(2 * IN_FLIGHT, 5, lambda number: create(100_000 + number))
            after = await look(running)

        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) == {201, 503}, statuses
        busy = [answer for answer in answers if answer.status_code == 503]
        assert {answer.headers["retry-after"] for answer in busy} == {"5"}
        assert {answer.json()["type"] for answer in busy} == {"urn:daozhang:problem:busy"}
        assert after.rss_mb < warm * 1.25 + 16, (warm, after)
        assert after.ready, after
        accepted = {a.json()["employer_id"] for a in answers if a.status_code == 201}
        assert await employers_in(database) - known == accepted


def an_employer(number: int) -> dict[str, object]:
    code = f"91990100MA{number:07d}"
    return {
        "group_id": "group-1",
        "name": f"示例{number}公司",
        "uscc": code + uscc.calc_check_digit(code),
        "cut_over": "2024-10",
        "payday": 5,
        "accounts": [
            {
                "account_no": f"A-{number}",
                "city": "990100",
                "collector": "tax-990100",
                "bank_account_ref": f"B-{number}",
            }
        ],
        "departments": [{"code": "operations", "name": "运营部"}],
        "hr_staff": [{"sub": f"hr-{number}"}],
    }


async def employers_in(database: ServiceDatabase) -> set[str]:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        return {row["employer_id"] for row in await connection.fetch("SELECT * FROM employers")}
    finally:
        await connection.close()
