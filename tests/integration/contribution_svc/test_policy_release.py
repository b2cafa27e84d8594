"""The article's change of policy, the ceiling from 24,000 to 25,500: proposed, simulated, approved
by a second person, in force, assessed; and every way in which it is refused.
"""

import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from python_calamine import CalamineWorkbook

from contribution_svc.policy.national import shipped_catalogue, with_catalogue
from shared.contracts import (
    AccountFact,
    ContributionAssessed,
    EmployeeChanged,
    PolicyChanged,
    PolicyReleaseAnnounced,
    SalaryComputed,
    SpellFact,
)
from tests.integration.contribution_svc.bank import Bank
from tests.integration.contribution_svc.month import (
    EMPLOYER,
    OTHER_EMPLOYER,
    Month,
    employee,
    employer,
    wage,
)
from tests.integration.contribution_svc.service import running
from tests.support.issuer import Issuer
from tests.support.packs import AFTER, BEFORE
from tests.support.service_databases import ServiceDatabase

CITY, JULY = "990200", "2024-07"
SHA256 = hashlib.sha256(with_catalogue(AFTER.encode(), shipped_catalogue())).hexdigest()
WAGES_FEN = {
    "above": 3_000_000,  # above both ceilings: held at 24,000, then at 25,500
    "between": 2_450_000,  # held by the old ceiling alone
    "floor": 300_000,  # below both floors: held at 4,800, then at 5,100
    "within": 950_000,
}

Process = Callable[[str], AbstractAsyncContextManager[Month]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Shipped packs: the city as it stood before the notice."""
    packs = tmp_path / "packs"
    packs.mkdir()
    (packs / f"{CITY}.yaml").write_text(BEFORE)
    return packs


@pytest.fixture
async def process(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    bank: Bank,
    tmp_path: Path,
    folder: Path,
) -> Process:
    """Starts a process of the service on one database, at a business time."""
    database = await service_database("contribution_svc")
    return lambda at: running(database, signing, bank, tmp_path, at, policy_dir=folder)


@pytest.fixture
async def june(process: Process) -> AsyncIterator[Month]:
    """18 June 2024: four people insured in the city with one employer, one with another."""
    async with process("2024-06-18 09:00") as month:
        await month.work()
        await month.hear(_employer(EMPLOYER), _employer(OTHER_EMPLOYER))
        await month.hear(*(_person(name) for name in WAGES_FEN), _person("theirs", OTHER_EMPLOYER))
        await month.hear(*(one for name in WAGES_FEN for one in _wages(name, WAGES_FEN[name])))
        await month.hear(*_wages("theirs", 3_000_000, OTHER_EMPLOYER))
        yield month


def _employer(employer_id: str) -> Any:
    account = AccountFact(
        account_id=f"{employer_id}-{CITY}",
        account_no="9902000001",
        city=CITY,
        collector="tax-990200",
        bank_account_ref=f"BANK-{employer_id}",
    )
    return employer(employer_id=employer_id, accounts=(account,), cut_over=JULY)


def _person(name: str, employer_id: str = EMPLOYER) -> EmployeeChanged:
    spell = SpellFact(
        since="2020-03-01",
        department_id="operations",
        city=CITY,
        account_id=f"{employer_id}-{CITY}",
    )
    number = "=cmd|' /C calc'!A1" if name == "above" else f"no-{name}"
    return employee(name, employer_id=employer_id, spells=(spell,), employee_no=number)


def _wages(name: str, wage_fen: int, employer_id: str = EMPLOYER) -> list[SalaryComputed]:
    months = [wage(name, f"2023-{month:02d}", wage_fen) for month in range(1, 13)]
    return [SalaryComputed(**{**_fields(one), "employer_id": employer_id}) for one in months]


def _fields(event: SalaryComputed) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


async def propose(month: Month, content: str = AFTER, by: str = "operator-1") -> Any:
    """The pack uploaded by an operator and simulated; as it then stands."""
    answer = await month.post(
        "/policy-proposals",
        month.operator(by),
        files={"file": (f"{CITY}.yaml", content.encode())},
        data={"note": "2024 年社平工资公布"},
    )
    assert answer.status_code == 201, answer.text
    await month.work()
    return await proposal(month, answer.json()["proposal_id"])


async def proposal(month: Month, proposal_id: str) -> Any:
    answer = await month.get(f"/policy-proposals/{proposal_id}", month.operator())
    assert answer.status_code == 200, answer.text
    return answer.json()


async def approve(month: Month, proposed: Any, by: str = "operator-2", **body: Any) -> Any:
    return await month.post(
        f"/policy-proposals/{proposed['proposal_id']}/approve",
        month.operator(by),
        json={"sha256": SHA256, **body},
    )


async def released(month: Month) -> Any:
    proposed = await propose(month)
    assert (await approve(month, proposed)).status_code == 200
    await month.work()
    return await proposal(month, proposed["proposal_id"])


async def people(month: Month, proposed: Any, employer_id: str = EMPLOYER) -> dict[str, Any]:
    path = f"/policy-releases/{proposed['proposal_id']}/people?employer_id={employer_id}"
    answer = await month.get(path, month.hr(employer_id))
    assert answer.status_code == 200, answer.text
    return {one["employee_id"]: one for one in answer.json()["items"]}


async def ceiling_fen(month: Month) -> int:
    """Medical's last ceiling as the service reckons with it now."""
    policy = (await month.get(f"/policies/{CITY}")).json()
    [medical] = [one for one in policy["insurances"] if one["insurance"] == "medical"]
    ceiling: int = medical["ceiling_fen"][-1]["value"]
    return ceiling


def problem(answer: httpx.Response) -> str:
    """The code of a refusal."""
    assert answer.status_code in (409, 422), answer.text
    return str(answer.json()["type"]).rpartition(":")[2]


async def july(month: Month) -> dict[str, ContributionAssessed]:
    """The newest assessment of everyone for July."""
    told: list[ContributionAssessed] = await month.told(ContributionAssessed)
    return {one.employee_id: one for one in told if one.levy_period == JULY}


def sides(assessed: ContributionAssessed) -> dict[str, int]:
    return {
        "employer_fen": sum(line.employer_fen for line in assessed.lines),
        "employee_fen": sum(line.employee_fen for line in assessed.lines),
    }


async def test_from_the_proposal_to_the_first_run_the_fen_are_the_same(june: Month) -> None:
    proposed = await propose(june)
    changes = {one["key"]: one for one in proposed["changes"]}
    ceiling = changes["insurances.medical.ceiling"]
    assert (ceiling["before"], ceiling["after"]) == ("24,000.00", "25,500.00")
    assert ceiling["effective_from"] == "2024-07-01"
    assert (proposed["state"], proposed["retroactive"]) == ("simulated", False)
    effect = proposed["effect"]
    assert (effect["levy_period"], effect["people"]) == (JULY, 4)
    assert effect["sentence"].startswith("4人，自2024年7月起每月增加")

    assert problem(await approve(june, proposed, "operator-1")) == "proposed-by-yourself"
    assert problem(await approve(june, proposed, sha256="0" * 64)) == "proposed-content-differs"
    assert (await approve(june, proposed)).json()["state"] == "approved"
    await june.work("2024-06-19 23:59")
    announced = await june.told(PolicyReleaseAnnounced)
    assert [(one.employer_id, one.state, one.people) for one in announced] == [
        (EMPLOYER, "announced", 3),
        (OTHER_EMPLOYER, "announced", 1),
    ]
    assert sum(one.employer_fen for one in announced) == effect["employer_fen"]
    assert await ceiling_fen(june) == 2_400_000, "nobody reckons with it before it is known"
    assert await june.next_due() is not None

    await june.work("2024-06-20 00:00")
    assert await ceiling_fen(june) == 2_550_000
    assert [one.version for one in await june.told(PolicyChanged)] == [1, 2]
    assert (await june.told(PolicyChanged))[-1].proposal_id == proposed["proposal_id"]
    assert [one.state for one in await june.told(PolicyReleaseAnnounced)][2:] == ["effective"] * 2

    simulated = {**await people(june, proposed), **await people(june, proposed, OTHER_EMPLOYER)}
    await june.work("2024-06-25 06:00")
    assessed = await july(june)
    assert simulated.keys() == {"above", "between", "floor", "theirs"}
    assert {name: one["after"] for name, one in simulated.items()} == {
        name: sides(assessed[name]) for name in simulated
    }
    for name, one in simulated.items():
        for insurance, pair in one["insurances"].items():
            [line] = [line for line in assessed[name].lines if line.insurance == insurance]
            after = {"employer_fen": line.employer_fen, "employee_fen": line.employee_fen}
            assert pair["after"] == after
    more = sum(
        one["after"]["employer_fen"] - one["before"]["employer_fen"] for one in simulated.values()
    )
    assert more == effect["employer_fen"]


async def test_an_open_month_is_assessed_again_as_was_simulated_by_every_replica(
    june: Month, process: Process
) -> None:
    await june.work("2024-06-25 06:00")
    before = await july(june)
    async with process("2024-06-25 06:00") as other:
        assert await ceiling_fen(other) == 2_400_000
        proposed = await propose(june)
        assert (await approve(june, proposed)).status_code == 200
        [release] = [job for job in june.wiring.jobs if job.name == "release_policy"]
        await release.run(june.clock.now())
        assert await ceiling_fen(other) == 2_550_000, "without a restart"
        await other.work()
    simulated = {**await people(june, proposed), **await people(june, proposed, OTHER_EMPLOYER)}
    after = await july(june)
    assert {name: one["before"] for name, one in simulated.items()} == {
        name: sides(before[name]) for name in simulated
    }
    assert {name: one["after"] for name, one in simulated.items()} == {
        name: sides(after[name]) for name in simulated
    }
    assert after.keys() - simulated.keys() == {"within"}
    assert sides(after["within"]) == sides(before["within"])
    listed = (await june.get("/policy-proposals", june.operator())).json()["items"]
    assert len(listed) == 1, "the shipped pack, which it replaced, is no news"


async def test_declared_months_change_only_where_it_is_meant_and_keep_what_they_used(
    june: Month,
) -> None:
    proposed = await propose(june)
    assert proposed["retroactive"] is False
    await june.work("2024-06-25 06:00")
    listed = await june.get(f"/declarations?employer_id={EMPLOYER}&levy_period={JULY}")
    [declaration] = listed.json()["items"]
    done = await june.post(f"/declarations/{declaration['declaration_id']}/approve")
    assert done.status_code == 200, done.text
    refused = await approve(june, proposed)
    assert problem(refused) == "declared-months-touched", "declared since it was simulated"
    assert "4 declared months" in refused.json()["detail"]
    await june.post(f"/policy-proposals/{proposed['proposal_id']}/simulate", june.operator())
    await june.work()
    proposed = await proposal(june, proposed["proposal_id"])
    assert (proposed["retroactive"], proposed["effect"]["declared_months"]) == (True, 4)
    assert proposed["effect"]["levy_period"] == "2024-08", "the first that nobody declared"
    assert problem(await approve(june, proposed)) == "declared-months-touched"
    assert (await approve(june, proposed, retroactive=True)).status_code == 200
    await june.work()
    assessed = await july(june)
    assert assessed["above"].lines[0].base_fen == 2_400_000
    assert assessed["theirs"].lines[0].base_fen == 2_550_000, "theirs was not declared"
    told = {one.employer_id: one for one in await june.told(PolicyReleaseAnnounced)}
    assert (told[EMPLOYER].declared_months, told[OTHER_EMPLOYER].declared_months) == (4, 0)


async def test_what_was_edited_after_the_approval_does_not_come_into_force(june: Month) -> None:
    proposed = await propose(june)
    assert (await approve(june, proposed)).status_code == 200
    await june.work()
    edited = AFTER.replace("25500.00", "26500.00").encode()
    worker = await asyncpg.connect(
        june.parts.settings.database_worker_url.get_secret_value().replace("+asyncpg", "")
    )
    superuser = await asyncpg.connect(june.superuser_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.execute("UPDATE policy_proposals SET content = $1", edited)
        await superuser.execute("UPDATE policy_proposals SET content = $1", edited)
    finally:
        await worker.close()
        await superuser.close()
    await june.work("2024-06-20 00:00")
    ended = await proposal(june, proposed["proposal_id"])
    assert (ended["state"], ended["ended_reason"][:21]) == ("superseded", "edited after approval")
    assert await ceiling_fen(june) == 2_400_000
    told = await june.told(PolicyReleaseAnnounced)
    assert [one.state for one in told[2:]] == ["withdrawn"] * 2


async def test_hr_sees_and_downloads_its_own_people_and_an_operator_sees_numbers(
    june: Month,
) -> None:
    proposed = await propose(june)
    base = f"/policy-releases/{proposed['proposal_id']}"
    mine, numbers = f"employer_id={EMPLOYER}", f"/policy-proposals/{proposed['proposal_id']}"
    other_hr = await june.get(f"{base}/people?{mine}", june.hr(OTHER_EMPLOYER))
    assert other_hr.status_code == 404
    [release] = (await june.get(f"/policy-releases?{mine}")).json()["items"]
    assert release["effect"]["people"] == 3
    listed = await june.get(f"{numbers}/employers", june.operator())
    assert [one["people"] for one in listed.json()["items"]] == [3, 1]
    assert "above" not in listed.text
    assert (await june.get(f"{base}/people?{mine}", june.operator())).status_code == 403

    file = await june.get(f"{base}/people/file?{mine}&format=csv")
    assert file.content.startswith(b"\xef\xbb\xbf")
    title, *lines = file.content.decode("utf-8-sig").splitlines()
    assert title.split(",")[:3] == ["工号", "员工编号", "费款所属期"]
    assert len(lines) == 3
    assert lines[0].startswith("'=cmd"), "no formula reaches a spreadsheet"
    book = await june.get(f"{base}/people/file?{mine}&format=xlsx")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0)
    rows = sheet.to_python()
    assert [row[1] for row in rows[1:]] == ["above", "between", "floor"]
    assert rows[1][0] == "=cmd|' /C calc'!A1", "a text, as it is"
    shown = await people(june, proposed)
    assert rows[1][5] == shown["above"]["after"]["employer_fen"] / 100


async def test_what_is_taken_back_is_withdrawn_and_what_was_compared_before_is_superseded(
    june: Month,
) -> None:
    waiting = await propose(june, AFTER.replace("25500.00", "25600.00"))
    proposed = await propose(june)
    await approve(june, proposed)
    await june.work()
    path = f"/policy-proposals/{proposed['proposal_id']}/reject"
    done = await june.post(path, june.operator(), json={"reason": "公告有更正"})
    assert (done.json()["state"], done.json()["ended_by"]) == ("rejected", "operator-1")
    await june.work("2024-06-21 09:00")
    assert await ceiling_fen(june) == 2_400_000
    told = await june.told(PolicyReleaseAnnounced)
    assert [one.state for one in told] == ["announced"] * 2 + ["withdrawn"] * 2
    again = await june.post(path, june.operator(), json={"reason": "再次"})
    assert problem(again) == "proposal-ended"

    await released(june)
    assert (await proposal(june, waiting["proposal_id"]))["state"] == "superseded"
    file = {"file": ("a.yaml", AFTER.encode())}
    twice = await june.post("/policy-proposals", june.operator(), files=file)
    assert problem(twice) == "nothing-to-release"
    broken = AFTER.replace("value: '9'", "value: '90'").replace("value: '4800.00'", "value: 4800")
    file = {"file": ("broken.yaml", broken.encode())}
    refused = await june.post("/policy-proposals", june.operator(), files=file)
    assert problem(refused) == "policy-invalid"
    assert len(refused.json()["faults"]) > 2
    assert all(one["where"].startswith("broken.yaml:") for one in refused.json()["faults"])


async def test_a_pack_that_ships_later_is_proposed_once(
    june: Month, process: Process, folder: Path
) -> None:
    assert [one.proposal_id for one in await june.told(PolicyChanged)] == [""], "the first start"
    (folder / f"{CITY}.yaml").write_text(AFTER)
    async with process("2024-06-21 09:00") as newer:
        await newer.work()
        [proposed] = (await newer.get("/policy-proposals", newer.operator())).json()["items"]
        assert (proposed["origin"], proposed["state"]) == ("shipped", "simulated")
        assert await ceiling_fen(newer) == 2_400_000, "two people release it"
        path = f"/policy-proposals/{proposed['proposal_id']}/reject"
        await newer.post(path, newer.operator(), json={"reason": "等待核对"})
        await newer.work("2024-06-22 09:00")
        [same] = (await newer.get("/policy-proposals", newer.operator())).json()["items"]
        assert same["state"] == "rejected"
