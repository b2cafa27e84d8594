"""After the case no identity number, phone, bank account, address or name of anybody is readable
anywhere: not in a dump, on disk, in the write-ahead log, on a topic, in a log or in an answer.

The sandbox's database and log are left out by name: it plays the outside parties, to whom people
are reported by number and name.
"""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy import databases
from deploy.embedded.demo import addresses_of
from deploy.embedded.stack import Stack
from sandbox.case.people import register
from tests.support import traces
from tests.support.traces import PLANTED, Search, Trace

SANDBOX = "sandbox"
XIAOWANG = dict(traces.people()[:5])


@pytest.fixture(scope="module")
def search() -> Search:
    return Search(traces.people())


def database_url(installation: Stack, name: str) -> str:
    return installation.postgres_url.rsplit("/", 1)[0] + "/" + name


async def in_databases(installation: Stack, search: Search, *names: str) -> list[Trace]:
    """Dumps, write-ahead log and data files of these databases; the log first, since the
    checkpoint that the files need recycles it.
    """
    found = []
    for name in names:
        found += await traces.in_dump(search, database_url(installation, name))
    found += await traces.in_wal(search, installation.postgres_url, names)
    return found + await traces.in_files(search, installation.postgres_url, names)


async def test_nobody_is_readable_in_any_dump_data_file_or_wal_record(
    installation: Stack, report: dict[str, Any], search: Search
) -> None:
    assert report["events"]["EmployeeSealed"] == 60
    assert await in_databases(installation, search, *databases.SERVICES) == []


async def test_nobody_is_readable_on_any_topic(
    installation: Stack, report: dict[str, Any], search: Search
) -> None:
    assert report["events"]["EmployeeSealed"] == 60
    assert await traces.in_topics(search, installation.kafka_bootstrap) == []


async def test_nobody_is_readable_in_logs_metrics_or_the_bodies_of_errors(
    installation: Stack, report: dict[str, Any], search: Search
) -> None:
    assert report["events"]
    async with httpx.AsyncClient(timeout=30) as client:
        bodies = await errors_about(installation, client)
        for name in installation.layout.services:
            url = installation.layout.service_url(name)
            bodies[f"{name} metrics"] = (await client.get(f"{url}/metrics")).content
            assert b"daozhang_" in bodies[f"{name} metrics"]
    logs = await asyncio.to_thread(_logs, installation.layout.run_dir)
    assert {f"{name}-svc.log" for name in installation.layout.services} <= logs.keys()
    everything = {**bodies, **logs}
    assert [t for where, data in everything.items() for t in search.within(data, where)] == []


def _logs(folder: Path) -> dict[str, bytes]:
    return {log.name: log.read_bytes() for log in folder.glob("*.log") if log.stem != SANDBOX}


async def errors_about(installation: Stack, client: httpx.AsyncClient) -> dict[str, bytes]:
    """What services answer to requests that have a person's data where none belong: nothing is
    written, and the data come neither back nor into a log. Names go into the logs' test only: up to
    eight characters of what somebody sent are shown to them again, so that they find their mistake.
    """
    hr = await register(
        addresses_of(installation), client, "hr.traces", "hr", employer_ids=("nobody",)
    )
    answers = {}
    for name in installation.layout.services:
        url = installation.layout.service_url(name) + "/api/v1"
        for kind, value in XIAOWANG.items():
            headers = {**hr.headers(), "Idempotency-Key": f"traces-{kind.replace(' ', '-')}"}
            asked = {"employer_id": value, "levy_period": value, "cursor": value, "limit": value}
            for place, answer in {
                "query": await client.get(f"{url}/employees", params=asked, headers=headers),
                "list": await client.get(f"{url}/cells", params=asked, headers=headers),
                "body": await client.post(f"{url}/imports/x/apply", json=asked, headers=headers),
                "text": await client.post(
                    f"{url}/imports/x/apply", content=f'{{"take": {value}', headers=headers
                ),
            }.items():
                assert answer.status_code >= 400, (name, place, answer.text)
                if kind != "name":
                    answers[f"{name}: {kind} in the {place}"] = answer.content
    return answers


@pytest.fixture
async def planted(installation: Stack) -> AsyncIterator[str]:
    """The name of a database and of a topic that are made for a test, and go after it."""
    name = f"{PLANTED}_{secrets.token_hex(4)}"
    server = await asyncpg.connect(installation.postgres_url)
    topics = AIOKafkaAdminClient(bootstrap_servers=installation.kafka_bootstrap)
    await topics.start()
    try:
        await server.execute(f'CREATE DATABASE "{name}"')
        await topics.create_topics([NewTopic(name, 1, 1)])
        yield name
    finally:
        await topics.delete_topics([name])
        await topics.close()
        await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await server.close()


async def test_the_same_search_finds_everyone_who_is_planted_in_a_database(
    installation: Stack, search: Search, planted: str
) -> None:
    """In text, bytes and JSON, in rows that are there and in rows that were deleted."""
    connection = await asyncpg.connect(database_url(installation, planted))
    await connection.execute("CREATE TABLE kept (t text, b bytea, j jsonb)")
    for kind, value in XIAOWANG.items():
        row = (f"x{value}y", json.dumps({kind: value}).encode(), json.dumps([value]))
        await connection.execute("INSERT INTO kept VALUES ($1, $2, $3)", *row)
    await connection.execute("CREATE TABLE gone (t text)")
    spelled = [base64.b64encode(f"abc{value}de".encode()).decode() for value in XIAOWANG.values()]
    await connection.executemany("INSERT INTO gone VALUES ($1)", [(one,) for one in spelled])
    await connection.execute("DELETE FROM gone")
    await connection.close()
    found = await in_databases(installation, search, planted)
    kinds = set(XIAOWANG)
    assert {t.kind for t in found if t.where.startswith("table kept")} == kinds
    assert {t.kind for t in found if t.where == f"WAL of {planted}"} == kinds
    on_disk = [t for t in found if t.where.startswith(f"{planted} base/")]
    assert {t.kind for t in on_disk} == kinds
    assert {t.kind for t in on_disk if t.spelling.startswith("base64")} == kinds
    # The log of the very same server is not taken for that of another database.
    assert await traces.in_wal(search, installation.postgres_url, ["ticket_svc"]) == []


async def test_the_same_search_finds_everyone_who_is_planted_on_a_topic(
    installation: Stack, search: Search, planted: str
) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=installation.kafka_bootstrap, compression_type="zstd"
    )
    await producer.start()
    for value in XIAOWANG.values():
        escaped = json.dumps({"reason": value}).encode()
        await producer.send_and_wait(planted, escaped, key=b"k", headers=[("h", value.encode())])
    await producer.stop()
    found = await traces.in_topics(search, installation.kafka_bootstrap, planted=True)
    assert {t.kind for t in found} == set(XIAOWANG)
    assert {t.spelling for t in found if t.kind == "name"} == {"JSON", "UTF-8"}


def test_the_same_search_finds_everyone_in_a_log_and_spares_what_is_hidden(
    search: Search, tmp_path: Path
) -> None:
    log = tmp_path / "some-svc.log"
    lines = (json.dumps({"to": one}, ensure_ascii=False) for one in XIAOWANG.values())
    log.write_text("\n".join(lines))
    assert {t.kind for t in search.within(_logs(tmp_path)[log.name], log.name)} == set(XIAOWANG)
    assert search.within("11******72 138******00 王** ***".encode(), "masked") == []


@pytest.mark.parametrize("shift", range(3))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_the_search_knows_every_spelling(search: Search, encoding: str, shift: int) -> None:
    long = {kind: value for kind, value in XIAOWANG.items() if kind != "name"}
    for kind, value in long.items():
        text = b"\x07" * shift + value.encode(encoding)
        spelled = [text, text.hex().encode(), text.hex().upper().encode()]
        if encoding == "utf-8":
            spelled.append(base64.b64encode(text + b"..."))
        else:
            spelled = [text]
        for data in spelled:
            assert {t.kind for t in search.within(data, "x")} == {kind}, (kind, data)
