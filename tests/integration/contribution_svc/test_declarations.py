"""Approval, what it freezes, and deadlines at risk."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared.contracts import (
    BureauAck,
    BureauRow,
    ContributionAssessed,
    DeadlineAtRisk,
    DeclarationApproved,
)
from shared.db import transaction
from shared.values import Insurance
from tests.integration.contribution_svc.month import (
    EMPLOYER,
    WANG,
    Month,
    employee,
    filed,
    last_year,
    wage,
)


async def test_what_is_declared_stays_as_it_was_declared(month: Month) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    await month.approve()
    await month.hear(
        *[wage("xiaowang", f"2023-{m:02d}", 1_500_000, version=2) for m in range(1, 13)]
    )
    await month.hear(employee(version=2, person_kind="retired_rehired"))
    await month.work("2024-10-09 09:00")
    assert (await month.assessed()).version == 1


async def test_a_statement_that_forgets_what_was_declared_is_refused(month: Month) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    await month.approve()
    with pytest.raises(IntegrityError, match="assessments_declared_stay"):
        async with transaction(month.parts.worker) as conn:
            await conn.execute(text("UPDATE assessments SET assess_at = '2024-10-09'"))


async def test_an_approval_happens_once(month: Month) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    first, again = await month.approve(key="a"), await month.approve(key="a")
    assert (first.status_code, first.json()) == (200, again.json())
    other = await month.approve(key="b")
    assert other.status_code == 409
    assert other.json()["type"].endswith("declaration-approved-already")
    assert len(await month.told(DeclarationApproved)) == 1


async def test_two_approvals_at_once_make_one(month: Month) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    answers = await asyncio.gather(*(month.approve(key=key) for key in "abc"))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_nobody_is_declared_while_somebody_is_still_to_be_assessed(month: Month) -> None:
    await month.open()
    await month.hear(employee("late"))
    assert (await month.declaration())["waiting"] == 1
    answer = await month.approve()
    assert answer.json()["type"].endswith("declaration-not-ready")


async def test_nothing_due_is_nothing_to_declare(month: Month) -> None:
    await month.open()
    await month.hear(employee(version=2, person_kind="retired_rehired"))
    await month.work()
    assert (await month.approve()).json()["type"].endswith("nothing-to-declare")


async def test_the_blocked_stay_out_and_are_named(month: Month) -> None:
    await month.open(employee("foreigner", documents_missing=("work_permit",)))
    await month.work("2024-10-08 09:00")
    approved = (await month.approve()).json()
    assert approved["people"] == 1
    assert approved["blocked"] == [
        {"employee_id": "foreigner", "reasons": ["documents_missing:work_permit"]}
    ]


async def test_a_deadline_is_at_risk_two_working_days_before(month: Month) -> None:
    await month.open(employee("foreigner", documents_missing=("work_permit",)))
    await month.work("2024-09-30 08:59")
    assert await month.told(DeadlineAtRisk) == []
    await month.work("2024-09-30 09:00")
    [risk] = await month.told(DeadlineAtRisk)
    assert (risk.file_by, risk.approved) == ("2024-10-09", False)
    named = [(one.employee_id, one.reason) for one in risk.missing]
    assert named == [("foreigner", "documents_missing:work_permit")]
    await month.work("2024-10-08 10:00")
    assert len(await month.told(DeadlineAtRisk)) == 1, "nothing has changed"


async def test_a_risk_is_told_again_as_it_changes_until_it_is_over(month: Month) -> None:
    await month.open(employee("foreigner", documents_missing=("work_permit",)))
    await month.work("2024-09-30 09:00")
    await month.hear(*last_year("foreigner"))
    await month.hear(employee("foreigner", version=2))
    await month.work("2024-10-08 09:00")
    await month.approve()
    await month.work()
    told = [(r.version, r.approved, len(r.missing)) for r in await month.told(DeadlineAtRisk)]
    assert told == [(1, False, 1), (2, False, 0), (3, True, 0)]


async def test_what_is_approved_and_whole_is_no_risk(month: Month) -> None:
    await month.open()
    await month.work("2024-09-26 09:00")
    await month.approve()
    await month.hear(filed())
    await month.work("2024-10-09 09:00")
    assert await month.told(DeadlineAtRisk) == []


async def test_what_is_approved_and_not_filed_is_a_risk_until_it_is_filed(month: Month) -> None:
    await month.open()
    await month.work("2024-09-30 09:00")
    await month.approve()
    await month.work("2024-09-30 09:59")
    assert [risk.missing for risk in await month.told(DeadlineAtRisk)] == [(), ()]
    await month.hear(filed(stage="unknown"))
    await month.work("2024-09-30 10:00")
    late = (await month.told(DeadlineAtRisk))[-1]
    assert [(one.employee_id, one.reason) for one in late.missing] == [(WANG, "not_filed")]
    await month.hear(filed(version=2))
    await month.work()
    over = (await month.told(DeadlineAtRisk))[-1]
    assert (over.approved, over.missing, over.version) == (True, (), late.version + 1)


async def test_an_account_with_nobody_due_is_no_risk(month: Month) -> None:
    await month.open()
    await month.hear(employee(version=2, person_kind="retired_rehired"))
    await month.work("2024-10-09 09:00")
    assert await month.told(DeadlineAtRisk) == []


async def test_whoever_comes_after_the_approval_is_assessed_and_named(month: Month) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    await month.approve()
    await month.hear(filed())
    await month.hear(employee("late"))
    await month.hear(*last_year("late"))
    await month.work("2024-10-08 10:00")
    assert {x.state for x in (await month.assessed("late")).lines} == {"due"}
    [risk] = [r for r in await month.told(DeadlineAtRisk) if r.approved]
    assert [(m.employee_id, m.reason) for m in risk.missing] == [("late", "not_declared")]
    path = f"/supplementary-declarations?employer_id={EMPLOYER}"
    [opened] = (await month.get(path)).json()["items"]
    assert (opened["number"], opened["state"], opened["people"]) == (1, "draft", 1)
    supplement = await month.post(
        f"/supplementary-declarations/{opened['declaration_id']}/approve", json={}
    )
    assert {x.kind for x in (await month.assessed("late")).lines} == {"regular"}, supplement.text
    await month.work()
    over = (await month.told(DeadlineAtRisk))[-1]
    assert [(m.employee_id, m.reason) for m in over.missing] == []


async def test_two_replicas_assess_everyone_once(month: Month) -> None:
    people = [employee(f"e{n:03d}") for n in range(120)]
    await month.open(*people)
    await month.hear(*[employee(p.employee_id, version=2, person_kind="part_time") for p in people])
    assess = next(job for job in month.wiring.jobs if job.name == "assess")
    await asyncio.gather(*(assess.run(month.clock.now()) for _ in range(4)))
    await month.work()
    versions = [(e.employee_id, e.version) for e in await month.told(ContributionAssessed)]
    assert len(versions) == len(set(versions)) == 121 + 120


async def test_the_approval_sees_the_stage_of_the_bureau(month: Month) -> None:

    await month.open()
    row = BureauRow(insurance=Insurance.MEDICAL, stage="verified", verified_employer_fen=76_000)
    ack = BureauAck(
        version=2,
        employee_id="xiaowang",
        employer_id="employer-1",
        levy_period="2024-10",
        account_id="account-1",
        rows=(row,),
    )
    await month.hear(ack)
    answer = await month.get("/assessments?employer_id=employer-1&levy_period=2024-10")
    [item] = answer.json()["items"]
    assert item["bureau_rows"][0]["stage"] == "verified"
