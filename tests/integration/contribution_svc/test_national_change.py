"""A version of the service with another catalogue of what holds in every city: proposed for each
city that reckons otherwise by it, simulated, approved by a person, and told, as a pack is.
"""

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from contribution_svc.policy.national import shipped_catalogue
from shared.contracts import (
    AccountFact,
    ContributionAssessed,
    PolicyChanged,
    PolicyReleaseAnnounced,
    SpellFact,
)
from shared.values import Insurance
from tests.integration.contribution_svc.bank import Bank
from tests.integration.contribution_svc.month import (
    EMPLOYER,
    Month,
    employee,
    employer,
    last_year,
)
from tests.integration.contribution_svc.service import running
from tests.support.issuer import Issuer
from tests.support.packs import AFTER, BEFORE
from tests.support.service_databases import ServiceDatabase

CITY, JULY = "990200", "2024-07"
OLD = shipped_catalogue().decode()
_TREATY = "      pension: treaty_exempt\n"
assert OLD.count(_TREATY) == 1
NEW = OLD.replace(_TREATY, f"{_TREATY}      medical: treaty_exempt\n")
"""Foreigners whose country has a treaty are exempt from medical insurance as well."""
REWORDED = OLD.replace("退休返聘，无需参保", "已享受养老待遇，无需参保")

Version = Callable[[str, str], AbstractAsyncContextManager[Month]]


@pytest.fixture
async def version(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    bank: Bank,
    tmp_path: Path,
) -> Version:
    """Starts the service on one database with a catalogue, at a business time; the city's pack that
    ships is the one of before the notice.
    """
    database = await service_database("contribution_svc")

    def start(catalogue: str, at: str) -> AbstractAsyncContextManager[Month]:
        packs = tmp_path / hashlib.sha256(catalogue.encode()).hexdigest()
        packs.mkdir(exist_ok=True)
        (packs / f"{CITY}.yaml").write_text(BEFORE)
        (packs / "national.yaml").write_text(catalogue)
        return running(database, signing, bank, tmp_path, at, policy_dir=packs)

    return start


async def open_july(month: Month) -> None:
    """A foreigner of a treaty and a colleague, insured in the city from July on."""
    account = AccountFact(
        account_id="account-2",
        account_no="9902000001",
        city=CITY,
        collector="tax-990200",
        bank_account_ref="BANK-1",
    )
    spell = SpellFact("2020-03-01", "operations", CITY, "account-2")
    await month.work()
    await month.hear(employer(accounts=(account,), cut_over=JULY))
    await month.hear(
        employee("anna", spells=(spell,), person_kind="foreigner_treaty"),
        employee("wang", spells=(spell,)),
    )
    await month.hear(*last_year("anna"), *last_year("wang"))
    await month.work("2024-06-25 06:00")


async def medical(month: Month) -> dict[str, tuple[str, str]]:
    """State and reason of everyone's newest line."""
    return {
        one.employee_id: (line.state, line.reason)
        for one in await month.told(ContributionAssessed)
        for line in one.lines
        if line.insurance == Insurance.MEDICAL
    }


async def proposals(month: Month) -> list[Any]:
    found: list[Any] = (await month.get("/policy-proposals", month.operator())).json()["items"]
    return found


async def approved(month: Month, proposed: Any) -> None:
    path = f"/policy-proposals/{proposed['proposal_id']}/approve"
    body = {"sha256": proposed["sha256"], "retroactive": True}
    answer = await month.post(path, month.operator("operator-2"), json=body)
    assert answer.status_code == 200, answer.text
    await month.work()


async def test_a_new_catalogue_comes_into_force_as_a_pack_does(version: Version) -> None:
    async with version(OLD, "2024-06-18 09:00") as month:
        await open_july(month)
        before = await medical(month)
        assert {state for state, _ in before.values()} == {"due"}

    async with version(NEW, "2024-06-26 09:00") as month:
        await month.work()
        [proposed] = await proposals(month)
        assert (proposed["origin"], proposed["state"]) == ("shipped", "simulated")
        path = f"/policy-proposals/{proposed['proposal_id']}"
        whole = (await month.get(path, month.operator())).json()
        assert [(one["key"], one["before"], one["after"]) for one in whole["changes"]] == [
            ("person_kinds.foreigner_treaty.exempt.medical", "", "treaty_exempt")
        ]
        assert whole["effect"]["people"] == 1
        moved = SpellFact("2020-03-01", "sales", CITY, "account-2")
        await month.hear(employee("wang", 2, spells=(moved,)))
        await month.work()
        assert await medical(month) == before, "nobody has approved it yet"
        assert len(await month.told(PolicyChanged)) == 1

        await approved(month, proposed)
        assert (await medical(month))["anna"] == ("exempt", "treaty_exempt")
        assert (await medical(month))["wang"][0] == "due"
        told = (await month.told(PolicyChanged))[-1]
        assert told.version == 2
        assert told.person_kinds_exempt["foreigner_treaty"]["medical"] == "treaty_exempt"
        announced = await month.told(PolicyReleaseAnnounced)
        assert [(one.employer_id, one.state) for one in announced][-1] == (EMPLOYER, "effective")

    async with version(OLD, "2024-06-27 09:00") as month:
        await month.work()
        assert len(await proposals(month)) == 1, "what was replaced is no news"
        assert (await medical(month))["anna"][0] == "exempt", "the store says what is in force"


async def test_words_alone_are_no_release(version: Version) -> None:
    async with version(OLD, "2024-06-18 09:00") as month:
        await month.work()
    async with version(REWORDED, "2024-06-26 09:00") as month:
        await month.work()
        assert await proposals(month) == []
        assert await month.next_due() is None


async def test_it_is_proposed_with_the_pack_in_force_not_with_the_one_that_ships(
    version: Version,
) -> None:
    async with version(OLD, "2024-06-20 09:00") as month:
        await month.work()
        answer = await month.post(
            "/policy-proposals",
            month.operator(),
            files={"file": (f"{CITY}.yaml", AFTER.encode())},
            data={"note": "2024 年社平工资公布"},
        )
        assert answer.status_code == 201, answer.text
        await month.work()
        await approved(month, (await proposals(month))[0])
    async with version(NEW, "2024-06-26 09:00") as month:
        await month.work()
        [newest, _] = await proposals(month)
        path = f"/policy-proposals/{newest['proposal_id']}"
        changes = (await month.get(path, month.operator())).json()["changes"]
        assert [one["key"] for one in changes] == ["person_kinds.foreigner_treaty.exempt.medical"]
        await approved(month, newest)
        policy = (await month.get(f"/policies/{CITY}")).json()
        kinds = {one["code"]: one["exempt"] for one in policy["person_kinds"]}
        assert "medical" in kinds["foreigner_treaty"]
        [insurance] = [one for one in policy["insurances"] if one["insurance"] == "medical"]
        assert insurance["ceiling_fen"][-1]["value"] == 2_550_000


async def keep_as_before(month: Month) -> None:
    content = BEFORE.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    superuser = await asyncpg.connect(month.superuser_url)
    try:
        await superuser.execute("UPDATE policies SET content_sha256 = $1", sha256)
        await superuser.execute(
            "UPDATE policy_packs SET content = $1, sha256 = $2", content, sha256
        )
    finally:
        await superuser.close()


async def test_a_pack_that_was_kept_without_its_catalogue_is_told_with_it_once(
    version: Version,
) -> None:
    """As an older version of the service kept it."""
    async with version(OLD, "2024-06-18 09:00") as month:
        await month.work()
        await keep_as_before(month)
    async with version(OLD, "2024-06-26 09:00") as month:
        await month.work()
        assert [one.version for one in await month.told(PolicyChanged)] == [1, 2]
        assert "national: |" in (await month.told(PolicyChanged))[-1].pack
        assert await month.next_due() is None
