"""A store that was lost takes back what people decided: deferrals, provisional assessments, and
base campaigns with what was answered in them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from shared.contracts import BaseAnswered, Event
from tests.integration.contribution_svc.bank import Bank
from tests.integration.contribution_svc.month import (
    ACCOUNT,
    EMPLOYER,
    WANG,
    Month,
    employee,
    employer,
    last_year,
)
from tests.integration.contribution_svc.service import running
from tests.support.issuer import Issuer
from tests.support.service_databases import ServiceDatabase

DEFERRAL = {
    "account_id": ACCOUNT,
    "insurances": ["pension"],
    "first_period": "2024-10",
    "last_period": "2024-12",
    "until": "2025-03-31",
    "ground": "guarantee",
    "document_no": "税缓〔2024〕12号",
    "granted_by": "示例甲市税务局",
}
PEOPLE = (WANG, "disputes", "corrects", "silent")


@pytest.fixture
async def lost(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    bank: Bank,
    tmp_path: Path,
) -> AsyncIterator[Month]:
    """The service on a store with nothing in it, after everything that `month` has seen."""
    database = await service_database("contribution_svc")
    async with running(database, signing, bank, tmp_path, "2024-11-16 01:00") as month:
        yield month


async def hear_payroll(month: Month) -> None:
    await month.hear(employer())
    await month.hear(*map(employee, PEOPLE))
    await month.hear(*(wage for who in PEOPLE for wage in last_year(who)))


async def decide(month: Month) -> str:
    """One deferral approved, one refused, one recorded; three of four answered, November missed."""
    await hear_payroll(month)
    opening = {"employer_id": EMPLOYER, "contribution_year": 2024, "confirm_by": "2024-10-31"}
    campaign_id = (await month.post("/base-campaigns", json=opening)).json()["campaign_id"]
    await month.work()
    path = f"/base-confirmations/{campaign_id}"
    body: dict[str, Any] = {"version": 1}
    await month.post(f"{path}/confirm", month.person(), json=body)
    for who in ("disputes", "corrects"):
        disputed = {**body, "words": "去年有三个月的奖金没有计入"}
        answer = await month.post(f"{path}/dispute", month.person(who), json=disputed)
        assert answer.status_code == 200, answer.text
    answer = await month.post(
        f"/base-campaigns/{campaign_id}/members/corrects/answer",
        json={"decision": "correct", "reason": "奖金漏报"},
    )
    assert answer.status_code == 200, answer.text
    other = month.issuer.headers("hr-zhao", ["hr"], employer_ids=[EMPLOYER])
    for number, answer_to in (("一", ""), ("二", "approve"), ("三", "refuse")):
        made = await month.post("/deferrals", json={**DEFERRAL, "document_no": f"税缓{number}号"})
        assert made.status_code == 201, made.text
        if answer_to:
            path = f"/deferrals/{made.json()['deferral_id']}/{answer_to}"
            await month.post(path, other, json={"reason": "文件号不符"})
    await month.work("2024-10-08 09:00")
    await month.approve()
    await month.work("2024-11-16 00:00")
    return str(campaign_id)


async def decided(month: Month, campaign_id: str) -> dict[str, Any]:
    """What HR sees of it, without what only a person wrote."""
    paths = {
        "deferrals": f"/deferrals?employer_id={EMPLOYER}",
        "provisional": f"/provisional-assessments?employer_id={EMPLOYER}",
        "campaigns": f"/base-campaigns?employer_id={EMPLOYER}",
        "members": f"/base-campaigns/{campaign_id}/members",
    }
    found = {name: (await month.get(path)).json()["items"] for name, path in paths.items()}
    for one in found["members"]:
        for words in ("words", "answer", "changed_at"):
            one.pop(words)
    return found


async def test_a_lost_store_takes_back_what_people_decided(month: Month, lost: Month) -> None:
    campaign_id = await decide(month)
    before, told = await decided(month, campaign_id), await month.told(Event)
    assert {one["state"] for one in before["deferrals"]} == {
        "proposed",
        "approved",
        "refused",
    }
    assert [one["levy_period"] for one in before["provisional"]] == ["2024-11"]
    assert {one["employee_id"]: one["state"] for one in before["members"]} == {
        WANG: "confirmed",
        "disputes": "disputed",
        "corrects": "to_correct",
        "silent": "to_confirm",
    }

    await hear_payroll(lost)
    notes = await lost.take_back(told, "2024-11-16 00:00")
    assert "2 disputes of bases are known, their words are lost" in notes
    await lost.work()
    assert await decided(lost, campaign_id) == before
    assert await lost.told(Event) == [], "nobody is told anything a second time"


async def test_a_decision_after_a_restore_is_told_under_the_next_version(
    month: Month, lost: Month
) -> None:
    campaign_id = await decide(month)
    told = await month.told(Event)
    await hear_payroll(lost)
    await lost.take_back(told, "2024-11-16 00:00")
    await lost.work()
    path = f"/base-campaigns/{campaign_id}/members/disputes/answer"
    answer = await lost.post(path, json={"decision": "keep", "reason": "奖金已计入"})
    assert answer.status_code == 200, answer.text
    [answered] = await lost.told(BaseAnswered)
    assert (answered.version, answered.state, answered.answered_by) == (2, "kept", "hr-li")
