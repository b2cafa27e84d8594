"""The API on 小王's October: what they see, what HR sees, and that others see nothing."""

from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from shared.contracts import CellsJudged, EmployeeSealed, TicketOpened
from tests.support.portal import Portal, golden_records
from tests.support.schemas.golden import golden_examples

DATA = {golden.name.split(".")[0]: golden.data for golden in golden_examples()}
WANG = DATA["EmployeeChanged"]["employee_id"]
EMPLOYER = DATA["EmployeeChanged"]["employer_id"]
TICKET = DATA["TicketOpened"]["ticket_id"]
FEEDBACK = {"levy_period": "2024-10", "insurances": ["medical"], "kind": "no_record", "text": "?"}


@pytest.fixture
async def october(portal: Portal) -> Portal:
    """The portal after the month, with 小王's name sealed by a key that opens here."""
    late = ("TicketResolved", "AnomalyCleared", "EmployeeSealed")
    records = [
        record
        for record in golden_records()
        if not any(f".{name}.".encode() in dict(record.headers)["ce_type"] for name in late)
    ]
    await portal.take_in(records)
    sealed = portal.sealer.seal(EMPLOYER, WANG, {"name": "王小明"})
    await portal.tell(
        EmployeeSealed(
            version=2,
            employee_id=WANG,
            employer_id=EMPLOYER,
            sealed=sealed.sealed,
            wrapped_key=sealed.wrapped_key,
            root_key_id=sealed.root_key_id,
        )
    )
    return portal


def wang(portal: Portal) -> str:
    return portal.issuer.token(
        "employee", sub="xiaowang", employer_ids=[EMPLOYER], employee_id=WANG
    )


def hr(portal: Portal, employer_id: str = EMPLOYER) -> str:
    return portal.issuer.token("hr", sub="hr-chen", employer_ids=[employer_id])


async def test_an_employee_sees_their_months(october: Portal) -> None:
    answer = await october.get("/me/months", wang(october))
    assert answer.status_code == 200
    (card,) = answer.json()["items"]
    assert card["summary"] == "5 项中 2 项未到账"
    assert card["base_explanation"] == "上年度月均工资 9,500.00 元，未超上下限"
    by_insurance = {one["insurance"]: one for one in card["insurances"]}
    assert list(by_insurance) == [
        "pension",
        "medical",
        "unemployment",
        "work_injury",
        "maternity",
    ]
    medical = by_insurance["medical"]
    assert (medical["employer_fen"], medical["employee_fen"]) == (76000, 19000)
    assert medical["voucher"]["voucher"] == "BK202410100001"


async def test_an_employee_sees_the_steps_and_advice(october: Portal) -> None:
    answer = await october.get("/me/months/2024-10", wang(october))
    assert answer.status_code == 200
    steps = {one["insurance"]: one["steps"] for one in answer.json()["steps"]}
    assert [step["state"] for step in steps["pension"]] == ["done"] * 5
    assert steps["medical"][-1]["state"] == "failed"
    assert "T-202410-0001" in answer.json()["advice"]


async def test_a_ticket_of_an_erased_person_says_so_and_keeps_its_facts(october: Portal) -> None:
    before = (await october.get("/hr/tickets", hr(october), employer_id=EMPLOYER)).json()
    assert [card["person"]["name"] for card in before["items"]] == ["王小明"]
    (told,) = [one for one in golden_records() if one.topic == "payroll.identities"]
    await october.take_in([replace(told, key=WANG.encode(), value=None, headers=[])])
    after = (await october.get("/hr/tickets", hr(october), employer_id=EMPLOYER)).json()
    assert [card["person"].pop("name") for card in after["items"]] == ["已删除"]
    assert before["items"][0]["person"].pop("name")
    assert after == before


@pytest.mark.parametrize("period", ["2024-11", "2024-09"])
async def test_a_month_without_facts_is_unknown(october: Portal, period: str) -> None:
    answer = await october.get(f"/me/months/{period}", wang(october))
    assert (answer.status_code, answer.json()["type"]) == (
        404,
        "urn:daozhang:problem:month-unknown",
    )


async def test_months_come_in_pages(october: Portal) -> None:
    judged = msgspec.convert(DATA["CellsJudged"], CellsJudged)
    for period in ("2024-11", "2024-12"):
        await october.tell(msgspec.structs.replace(judged, levy_period=period))
    seen, cursor = [], None
    for _ in range(3):
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await october.get("/me/months", wang(october), **query)).json()
        seen += [card["levy_period"] for card in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (["2024-12", "2024-11", "2024-10"], None)
    bad = await october.get("/me/months", wang(october), cursor="!!")
    assert bad.status_code == 422


async def test_anothers_rows_are_not_there(october: Portal) -> None:
    stranger = october.issuer.token("employee", employer_ids=[EMPLOYER], employee_id="someone")
    other_hr = hr(october, "another-employer")
    for path, token in (
        ("/me/months", stranger),
        ("/me/months/2024-10", stranger),
        (f"/hr/tickets/{TICKET}", other_hr),
        (f"/hr/tickets?employer_id={EMPLOYER}", other_hr),
        (f"/hr/employees/{WANG}/months", other_hr),
        (f"/hr/months/2024-10/cells?employer_id={EMPLOYER}", other_hr),
        (f"/hr/months/2024-10/bridge?employer_id={EMPLOYER}", other_hr),
    ):
        answer = await october.http.get(
            f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 404, (path, answer.text)


async def test_roles_open_their_own_doors_only(october: Portal) -> None:
    assert (await october.http.get("/api/v1/me/months")).status_code == 401
    assert (await october.get("/me/months", hr(october))).status_code == 403
    assert (
        await october.get("/hr/tickets", wang(october), employer_id=EMPLOYER)
    ).status_code == 403


async def test_hr_sees_open_tickets_with_evidence(october: Portal) -> None:
    answer = await october.get("/hr/tickets", hr(october), employer_id=EMPLOYER)
    assert answer.status_code == 200
    (card,) = answer.json()["items"]
    assert card["person"]["name"] == "王小明"
    assert card["person"]["department"] == "运营部"
    assert card["ticket"]["state"] == "waiting_bureau"
    (chain,) = card["evidence"]
    assert [link["state"] for link in chain["links"]] == ["green"] * 4 + ["missing"]
    assert [link["broken_here"] for link in chain["links"]] == [False] * 4 + [True]
    assert all(link["event_id"] for link in chain["links"])


async def test_tickets_come_in_pages(october: Portal) -> None:
    opened = msgspec.convert(DATA["TicketOpened"], TicketOpened)
    for number in range(3):
        await october.tell(
            msgspec.structs.replace(
                opened, ticket_id=f"t-{number}", opened_at=f"2024-10-1{number}T00:00:00Z"
            )
        )
    first = (await october.get("/hr/tickets", hr(october), employer_id=EMPLOYER, limit=2)).json()
    rest = (
        await october.get(
            "/hr/tickets", hr(october), employer_id=EMPLOYER, cursor=first["next_cursor"]
        )
    ).json()
    seen = [one["ticket"]["ticket_id"] for one in (*first["items"], *rest["items"])]
    assert seen == ["t-0", "t-1", "t-2", TICKET]
    assert rest["next_cursor"] is None


async def test_a_ticket_shows_its_anomalies_and_who_was_told(october: Portal) -> None:
    answer = await october.get(f"/hr/tickets/{TICKET}", hr(october))
    assert answer.status_code == 200
    detail = answer.json()
    assert [one["kind"] for one in detail["anomalies"]] == ["RecordMissing"]
    assert {one["delivered"] for one in detail["notifications"]} == {True, False}


async def test_a_resolved_ticket_leaves_the_list(portal: Portal) -> None:
    await portal.take_in(golden_records())
    answer = await portal.get("/hr/tickets", hr(portal), employer_id=EMPLOYER)
    assert answer.json()["items"] == []


async def test_hr_sees_cells_that_add_up(october: Portal) -> None:
    path = "/hr/months/2024-10/cells"
    shown = (await october.get(path, hr(october), employer_id=EMPLOYER)).json()
    assert shown["cells"] == 5
    assert {one["outcome"]: one["cells"] for one in shown["states"]} == {
        "arrived": 3,
        "RecordMissing": 2,
    }
    assert shown["by_department"][0]["name"] == "运营部"
    assert shown["close"]["closed_by"] == "hr-li"
    assert shown["risks"][0]["missing"][0]["reason"] == "work_permit"


async def test_an_operator_sees_no_small_group(october: Portal) -> None:
    token = october.issuer.token("operator", sub="op-1")
    shown = (await october.get("/hr/months/2024-10/cells", token, employer_id=EMPLOYER)).json()
    assert (shown["cells"], shown["states"], shown["risks"]) == (None, None, [])


async def test_the_bridge_shows_where_the_money_stopped(october: Portal) -> None:
    shown = (
        await october.get("/hr/months/2024-10/bridge", hr(october), employer_id=EMPLOYER)
    ).json()
    sums = shown["sums_fen"]
    assert sums["withheld"]["medical"] == {"employer_fen": 76000, "employee_fen": 19000}
    assert sums["recorded"]["pension"] == sums["debited"]["pension"] == sums["filed"]["pension"]
    rest = [one for one in shown["steps"] if one["difference_fen"]]
    assert {(one["from_side"], one["insurance"], one["difference_fen"]) for one in rest} == {
        ("debited", "medical", 95000),
        ("debited", "maternity", 7600),
    }


async def test_hr_sees_an_employees_months(october: Portal) -> None:
    answer = await october.get(f"/hr/employees/{WANG}/months", hr(october))
    assert [card["levy_period"] for card in answer.json()["items"]] == ["2024-10"]


async def test_everyone_signed_in_sees_the_authorities(october: Portal) -> None:
    (authority,) = (await october.get("/authorities", wang(october))).json()
    assert (authority["authority"], authority["state"]) == ("medical-990100", "degraded")
    assert authority["until"] == "2024-10-12T16:00:00Z"


async def send_feedback(portal: Portal, **changes: Any) -> httpx.Response:
    return await portal.http.post(
        "/api/v1/me/feedback",
        json={**FEEDBACK, **changes},
        headers={"Authorization": f"Bearer {wang(portal)}", "Idempotency-Key": "key-1"},
    )


async def test_feedback_goes_on_with_token_and_key(portal: Portal) -> None:
    answer = await send_feedback(portal)
    assert (answer.status_code, answer.json()["joined"]) == (201, True)
    ((path, headers, body),) = portal.ticket_svc.requests
    assert path == "/api/v1/feedback"
    assert headers["authorization"].startswith("Bearer ey")
    assert headers["idempotency-key"] == "key-1"
    assert body == FEEDBACK


async def test_what_the_owner_refuses_comes_back_as_it_is(portal: Portal) -> None:
    portal.ticket_svc.status, portal.ticket_svc.answer = 422, {"title": "no"}
    answer = await send_feedback(portal)
    assert (answer.status_code, answer.json()) == (422, {"title": "no"})


async def test_malformed_feedback_goes_nowhere(portal: Portal) -> None:
    assert (await send_feedback(portal, insurances=[])).status_code == 422
    assert (await send_feedback(portal, levy_period="2024-13")).status_code == 422
    assert portal.ticket_svc.requests == []
