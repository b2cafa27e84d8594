"""Keys on a whole installation: rotated under load, one destroyed, and all the rest brought back
from a backup that holds none of them.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.embedded import backup, processes
from deploy.embedded.demo import addresses_of
from deploy.embedded.journal import nowhere
from deploy.embedded.stack import Stack, stack
from sandbox.case.conductor import Conductor
from sandbox.case.people import Person, register
from shared.sealed import SealBroken, Sealed, Sealer
from tests.support import root_keys, traces
from tests.support.eventually import eventually
from tests.support.rosters import csv_file, roster_row
from tests.support.traces import Search

HOLDERS = ("payroll_svc", "bureau_sync_svc", "notify_svc", "portal_svc")
STARTS_AT = datetime.fromisoformat("2024-09-20T09:00:00+08:00")
LATER = datetime.fromisoformat("2024-10-08T09:00:00+08:00")
PEOPLE = 8
GONE, GONE_NO = 1, "E0001"
"""Who left on 2 October, with cells of that month, and is erased."""

EMPLOYER = {
    "group_id": "group-1",
    "name": "密钥科技有限公司",
    "uscc": "91110000600037341L",
    "cut_over": "2024-10",
    "payday": 5,
    "accounts": [
        {
            "account_no": "9901000001",
            "city": "990100",
            "city_name": "示例甲市",
            "collector": "tax-990100",
            "bank_account_ref": "BANK-1",
        }
    ],
    "departments": [{"code": "operations", "name": "运营部"}],
    "hr_staff": [{"sub": "hr-keys", "department_codes": ["operations"]}],
}


class Office:
    """HR at its screen, on an installation of its own."""

    def __init__(
        self, running: Stack, conductor: Conductor, hr: Person, employer_id: str, folder: Path
    ) -> None:
        self.running, self.conductor, self.hr = running, conductor, hr
        self.employer_id, self.folder = employer_id, folder
        self.root_key = Path(running.credentials.file("root.key"))
        self.files = 0

    async def take_in(self, *rows: dict[str, object]) -> None:
        self.files += 1
        file = self.folder / f"roster-{self.files}.csv"
        await asyncio.to_thread(file.write_bytes, csv_file(rows))
        staged = await self.hr.upload(
            "payroll-svc", "/imports", file, kind="roster", employer_id=self.employer_id
        )
        assert staged["faults"] == []
        path = f"/imports/{staged['import_id']}/apply"
        await self.hr.post("payroll-svc", path, {"take": "whole"})

    async def employees(self) -> dict[str, dict[str, Any]]:
        """By employee number."""
        listed = await self.hr.all("payroll-svc", "/employees", employer_id=self.employer_id)
        return {one["employee_no"]: one for one in listed}

    async def names(self) -> dict[str, str]:
        return {number: one["name"] for number, one in (await self.employees()).items()}

    async def rows(self, database: str, query: str, *values: str) -> list[asyncpg.Record]:
        url = self.running.postgres_url.rsplit("/", 1)[0] + "/" + database
        connection = await asyncpg.connect(url)
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    async def opened(self, database: str) -> dict[str, str]:
        """Employee id to name of every identity that the service's store holds; '' where it does
        not open with the root keys of now.
        """
        sealer = await asyncio.to_thread(Sealer.from_file, self.root_key)
        found = {}
        for row in await self.rows(database, "SELECT * FROM identities WHERE sealed <> ''"):
            sealed = Sealed(row["sealed"], row["wrapped_key"], row["root_key_id"])
            try:
                data = sealer.open(row["employer_id"], row["employee_id"], sealed)
            except SealBroken:
                data = {"name": ""}
            found[row["employee_id"]] = data["name"]
        return found

    async def cells(self) -> dict[str, Any]:
        """K and the states of October."""
        counts: dict[str, Any] = await self.hr.get(
            "reconciliation-svc",
            "/cells/counts",
            employer_id=self.employer_id,
            levy_period="2024-10",
        )
        return counts

    async def all_hold(self, wanted: Callable[[dict[str, str]], bool]) -> None:
        async def they_do() -> bool:
            return all([wanted(await self.opened(name)) for name in HOLDERS])

        await eventually(they_do, within=60)

    async def command(self, *arguments: str) -> str:
        """What a command of payroll-svc prints; it must end well."""
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("payroll-svc"),
            *arguments,
            env=self.running.env["payroll-svc"],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(120):
            out, _ = await process.communicate()
        assert process.returncode == 0, out.decode()
        return out.decode()


@pytest.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder: Path = tmp_path_factory.mktemp("keys")
    async with (
        # Who has left may be erased at once: two years would have to be played else.
        stack(folder / "data", log=nowhere, extra_env={"IDENTITY_KEPT_MONTHS": "0"}) as running,
        httpx.AsyncClient(timeout=30) as client,
    ):
        addresses = addresses_of(running)
        conductor = Conductor(addresses, client)
        await conductor.to(STARTS_AT)
        operator = await register(addresses, client, "operator", "operator")
        employer_id = (await operator.post("payroll-svc", "/employers", EMPLOYER))["employer_id"]
        hr = await register(addresses, client, "hr-keys", "hr", employer_ids=(employer_id,))
        made = Office(running, conductor, hr, employer_id, folder)
        rows = [roster_row(number) for number in range(1, PEOPLE + 1)]
        rows[GONE - 1] = roster_row(GONE, 离职日期="2024-10-02")
        await made.take_in(*rows)
        await made.all_hold(lambda opened: len(opened) == PEOPLE)
        yield made


async def keep_busy(office: Office, stop: asyncio.Event) -> int:
    """New people, changed phones and lists read, without a pause; how many files were taken in."""
    number = 100
    while not stop.is_set():
        number += 1
        changed = roster_row(2, 手机=f"139{number:08d}")
        await office.take_in(roster_row(number), changed)
        names = await office.names()
        assert all(names.values()), names
    return number - 100


async def under_load(office: Office, act: Callable[[], Awaitable[None]]) -> int:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        load = tasks.create_task(keep_busy(office, stop))
        await act()
        stop.set()
    return load.result()


@pytest.mark.long
async def test_the_root_key_is_rotated_under_load(office: Office) -> None:
    """No error, no restart; afterwards the older root key is of no use to anybody."""
    before = processes.living(office.running.layout.run_dir)
    old = (await asyncio.to_thread(Sealer.from_file, office.root_key)).newest
    wraps = await office.rows("payroll_svc", "SELECT wrapped_key FROM identities")

    async def newest_in(database: str) -> set[str]:
        query = "SELECT DISTINCT root_key_id FROM identities WHERE sealed <> ''"
        return {row["root_key_id"] for row in await office.rows(database, query)}

    async def rotate() -> None:
        await asyncio.to_thread(root_keys.rotate, office.root_key)

        async def new_people_have_it() -> bool:
            return len(await newest_in("payroll_svc")) == 2

        await eventually(new_people_have_it, within=60)
        assert "keys are wrapped anew" in await office.command("rewrap-keys")
        new = {(await asyncio.to_thread(Sealer.from_file, office.root_key)).newest}

        async def all_have_it() -> bool:
            return all([await newest_in(name) == new for name in HOLDERS])

        await eventually(all_have_it, within=60)
        await asyncio.to_thread(root_keys.take_older_out, office.root_key)
        many = len(await office.employees())

        async def more_people_came() -> bool:
            return len(await office.employees()) > many + 1

        await eventually(more_people_came, within=60)

    assert await under_load(office, rotate) > 3
    assert (await office.command("rewrap-keys")).startswith("0 keys")
    assert processes.living(office.running.layout.run_dir) == before
    count = len(await office.employees())
    await office.all_hold(lambda opened: len(opened) == count and all(opened.values()))
    used = Search([("wrapped key", row["wrapped_key"]) for row in wraps] + [("root key", old)])
    for name in HOLDERS:
        url = office.running.postgres_url.rsplit("/", 1)[0] + "/" + name
        assert await traces.in_dump(used, url) == []


@pytest.mark.long
async def test_a_destroyed_key_stays_destroyed_in_a_restored_backup_and_all_others_open(
    office: Office,
) -> None:
    server = office.running.postgres_url
    await office.conductor.to(LATER)
    cells = await office.cells()
    assert cells["K"] >= PEOPLE
    person = (await office.employees())[GONE_NO]["employee_id"]
    [secret] = await office.rows(
        "payroll_svc",
        "SELECT sealed, wrapped_key FROM identities WHERE employee_id = $1",
        person,
    )
    everyone = await office.opened("payroll_svc")
    folder = office.folder / "backup"
    await backup.backup(server, folder)
    await backup.backup_keys(server, office.folder / "keys of before")
    await holds_no_identity(office, folder)

    body = {"reason": "asked_by_person"}
    await office.hr.post("payroll-svc", f"/employees/{person}/erasure", body)
    others = {key: name for key, name in everyone.items() if key != person}
    await office.all_hold(lambda opened: opened == others)
    assert (await office.names())[GONE_NO] == "已删除"
    await backup.backup_keys(server, office.folder / "keys of today")

    services = [f"{name}-svc" for name in office.running.layout.services]
    await asyncio.gather(*(office.running.hold(name) for name in services))
    await backup.restore(
        server, office.running.credentials.passwords, folder, office.folder / "keys of today"
    )
    assert await office.opened("portal_svc") == {}
    await asyncio.gather(*(office.running.restart(name) for name in services))
    await office.all_hold(lambda opened: opened == others)

    async def it_is_said_again() -> bool:
        return (await office.names())[GONE_NO] == "已删除"

    await eventually(it_is_said_again, within=30)
    names = await office.names()
    assert len(names) == len(everyone)
    assert all(names.values())
    # October is what it was: whoever is erased keeps their cells, under an id that names nobody.
    await office.conductor.rest()
    assert await office.cells() == cells
    # The files of before the erasure are all that could still open it: they are kept apart, and
    # 35 days at most.
    gone = Search([("sealed", secret["sealed"]), ("wrapped key", secret["wrapped_key"])])
    for name in HOLDERS:
        assert await traces.in_dump(gone, server.rsplit("/", 1)[0] + "/" + name) == []
    assert await asyncio.to_thread(found_in, gone, office.folder / "keys of before") != set()
    assert await asyncio.to_thread(found_in, gone, office.folder / "keys of today") == set()


async def holds_no_identity(office: Office, folder: Path) -> None:
    """Neither a name nor anything sealed; the same search finds each in the keys' own backup."""
    query = "SELECT sealed, wrapped_key FROM identities"
    rows = await office.rows("payroll_svc", query)
    values = [(kind, row[kind]) for row in rows for kind in ("sealed", "wrapped_key")]
    search = Search([*values, *(("name", name) for name in (await office.names()).values())])
    assert await asyncio.to_thread(found_in, search, folder) == set()
    apart = await asyncio.to_thread(found_in, search, office.folder / "keys of before")
    assert apart == {"sealed", "wrapped_key"}


def found_in(search: Search, folder: Path) -> set[str]:
    files = sorted(folder.iterdir())
    assert files
    return {t.kind for file in files for t in search.within(file.read_bytes(), file.name)}


@pytest.mark.long
async def test_a_ciphertext_in_another_row_is_an_alarm_and_hides_no_other(office: Office) -> None:
    employees = await office.employees()
    mine, theirs = (employees[number]["employee_id"] for number in ("E0003", "E0004"))
    await office.rows(
        "payroll_svc",
        "UPDATE identities SET sealed = (SELECT sealed FROM identities WHERE employee_id = $1)"
        " WHERE employee_id = $2",
        theirs,
        mine,
    )
    names = await office.names()
    assert names["E0003"] == ""
    assert all(name for number, name in names.items() if number != "E0003")
    async with httpx.AsyncClient() as client:
        url = office.running.layout.service_url("payroll")
        metrics = (await client.get(f"{url}/metrics")).text
    assert 'daozhang_seal_broken_total{reason="altered or moved"} 1.0' in metrics
    log = office.running.layout.run_dir / "payroll-svc.log"
    lines = (await asyncio.to_thread(log.read_text)).splitlines()
    alarms = [json.loads(line) for line in lines if '"seal_broken"' in line]
    assert [(one["level"], one["employee_id"]) for one in alarms] == [("error", mine)]
