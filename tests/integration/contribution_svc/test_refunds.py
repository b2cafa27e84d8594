"""退费: what was paid too much is applied for, answered, and closed to the fen."""

from typing import Any

from shared.contracts import EmployeeChanged, Event, RefundChanged
from tests.integration.contribution_svc.hefei_months import (
    At,
    arrears,
    at_the_floor,
    declare,
    hefei_employer,
    insured,
    supplementary,
)
from tests.integration.contribution_svc.month import (
    ACCOUNT,
    EMPLOYER,
    PERIOD,
    WANG,
    Month,
    china,
    employee,
    last_year,
    wage,
)


async def test_who_turns_out_exempt_gets_a_refund_that_is_never_filed(hefei: At) -> None:
    async with hefei("2025-12-20 09:00") as month:
        await declare(month, "2026-08")
        exempt = insured(WANG)
        await month.hear(
            employee(WANG, version=2, person_kind="retired_rehired", spells=exempt.spells)
        )
        await month.work()
        found = await arrears(month, WANG)
        assert {one["state"] for one in found["lines"]} == {"refund"}
        assert found["refundable_fen"] == 103_464
        assert "现为无需缴纳（退休返聘，无需参保）" in found["lines"][0]["reason"]
        assert await supplementary(month) == []
        body = {"account_id": ACCOUNT, "levy_period": "2026-08"}
        opened = (await month.post("/supplementary-declarations", json=body)).json()
        path = f"/supplementary-declarations/{opened['declaration_id']}/approve"
        assert (await month.post(path, json={})).json()["type"].endswith("nothing-to-declare")
        await refund_is_closed(month, body)


async def refund_is_closed(month: Month, body: dict[str, str]) -> None:
    """Applied for, answered with another sum, then with what was applied for."""
    asked = await month.post("/refunds", json={**body, "document_no": "合税退7号"})
    assert asked.status_code == 201, asked.text
    [refund] = asked.json()["items"]
    assert (refund["state"], refund["requested_fen"]) == ("requested", 103_464)
    again = await month.post("/refunds", json={**body, "document_no": "合税退8号"})
    assert again.json()["type"].endswith("nothing-to-refund")
    found = await arrears(month, WANG)
    assert {one["state"] for one in found["lines"]} == {"refund_requested"}
    path = f"/refunds/{refund['refund_id']}/answer"
    others = month.hr("employer-2")
    came: dict[str, Any] = {"refunded_fen": 100_000, "refunded_on": "2026-08-09"}
    early = await month.post(path, json=came)
    assert early.json()["type"].endswith("refund-day-to-come")
    month.clock.set(china("2026-08-09 09:00"))
    assert (await month.post(path, others, json=came)).status_code == 404
    differs = (await month.post(path, json=came)).json()
    assert (differs["state"], "与申请不符" in differs["sentence"]) == ("differs", True)
    await month.work()
    assert (await arrears(month, WANG))["refundable_fen"] == 103_464
    refunded = (await month.post(path, json={**came, "refunded_fen": 103_464})).json()
    assert refunded["state"] == "refunded"
    assert "其中个人344.88元应由单位退还员工" in refunded["sentence"]
    late = await month.post(path, json={"reason": "资料不齐"})
    assert late.json()["type"].endswith("refund-answered-already")
    await month.work()
    found = await arrears(month, WANG)
    assert (found["refundable_fen"], found["owed_fen"]) == (0, 0)
    assert {one["state"] for one in found["lines"]} == {"refunded"}
    assert [one.version for one in await month.told(RefundChanged)] == [1, 2, 3]


async def refunded(month: Month, exempt: EmployeeChanged) -> dict[str, str]:
    """小王, declared and then found exempt, is refunded to the fen; the application."""
    await declare(month, "2026-08")
    await month.hear(exempt)
    await month.work()
    body = {"account_id": ACCOUNT, "levy_period": "2026-08", "document_no": "合税退7号"}
    [refund] = (await month.post("/refunds", json=body)).json()["items"]
    answer = {"refunded_fen": 103_464, "refunded_on": "2026-08-08"}
    await month.post(f"/refunds/{refund['refund_id']}/answer", json=answer)
    return body


async def test_a_refund_survives_a_restore(hefei: At, restored: At) -> None:
    exempt = employee(WANG, version=2, person_kind="retired_rehired", spells=insured(WANG).spells)
    async with hefei("2025-12-20 09:00") as month:
        await refunded(month, exempt)
        await month.work()
        told, listed = await month.told(Event), f"/refunds?employer_id={EMPLOYER}"
        before, mine = (await month.get(listed)).json(), await arrears(month, WANG)
    async with restored("2026-09-08 10:00") as month:
        await month.hear(hefei_employer("2026-08"))
        await month.hear(insured(WANG))
        await month.hear(exempt, *at_the_floor(WANG))
        await month.take_back(told, "2026-09-08 09:00")
        await month.work()
        assert (await month.get(listed)).json() == before
        assert await arrears(month, WANG) == mine
        assert await month.told(RefundChanged) == []


async def test_what_was_just_refunded_is_not_applied_for_again(hefei: At) -> None:
    exempt = employee(WANG, version=2, person_kind="retired_rehired", spells=insured(WANG).spells)
    async with hefei("2025-12-20 09:00") as month:
        again = {**await refunded(month, exempt), "document_no": "合税退8号"}
        at_once = await month.post("/refunds", json=again)
        assert (at_once.status_code, at_once.json()["type"].rpartition(":")[2]) == (
            409,
            "refund-not-ready",
        )
        await month.work()
        later = await month.post("/refunds", json=again)
        assert later.json()["type"].endswith("nothing-to-refund")
        [only] = (await month.get(f"/refunds?employer_id={EMPLOYER}")).json()["items"]
        assert (only["number"], only["state"]) == (1, "refunded")


async def test_what_grew_since_it_was_applied_for_is_not_said_to_be_applied_for(
    month: Month,
) -> None:
    """Two people, five insurances; what came for the first sum leaves the rest to apply for."""
    await month.open(employee("li"))
    await month.hear(*last_year("li", 1_200_000))
    await month.work("2024-10-08 09:00")
    assert (await month.approve()).status_code == 200
    body = {"account_id": ACCOUNT, "levy_period": PERIOD}
    fen: dict[int, int] = {}
    for version, wage_fen in ((2, 1_000_000), (3, 900_000)):
        corrected = [wage("li", f"2023-{n:02d}", wage_fen, version=version) for n in range(1, 13)]
        await month.hear(*corrected)
        await month.work("2024-10-20 09:00")
        found = await arrears(month, "li")
        assert {one["state"] for one in found["lines"]} == {"refund"}, version
        fen[version] = found["refundable_fen"]
        if version == 2:
            asked = await month.post("/refunds", json={**body, "document_no": "退1号"})
            [refund] = asked.json()["items"]
            assert (refund["employee_id"], refund["requested_fen"]) == ("li", fen[2])
    path = f"/refunds/{refund['refund_id']}/answer"
    await month.post(path, json={"refunded_fen": fen[2], "refunded_on": "2024-10-20"})
    await month.work()
    asked = await month.post("/refunds", json={**body, "document_no": "退2号"})
    [rest] = asked.json()["items"]
    assert (rest["number"], rest["requested_fen"]) == (2, fen[3] - fen[2])
    states = [one["state"] for one in (await arrears(month, "li"))["lines"]]
    assert states == [*["refunded"] * 5, *["refund_requested"] * 5]


BAD_ANSWERS: list[dict[str, Any]] = [
    {},
    {"refunded_fen": 1},
    {"refunded_on": "2026-10-20"},
    {"refunded_fen": 0, "refunded_on": "2026-10-20"},
    {"refunded_fen": 1.5, "refunded_on": "2026-10-20"},
    {"refunded_fen": 1, "refunded_on": "2026-02-30"},
    {"refunded_fen": 1, "refunded_on": 1_790_000_000},
    {"reason": "a\x00b"},
    {"reason": "资料不齐", "refunded_fen": 1},
    {"reason": "  "},
]


async def test_an_answer_that_is_none_is_refused(month: Month) -> None:
    for bad in BAD_ANSWERS:
        answer = await month.post("/refunds/nobody/answer", json=bad)
        assert answer.status_code == 422, (bad, answer.text)
    unknown = await month.post("/refunds/nobody/answer", json={"reason": "资料不齐"})
    assert unknown.json()["type"].endswith("refund-unknown")
