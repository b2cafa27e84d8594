"""年度基数申报 on the running service: everyone of the roster is in it, answers, is answered, filed
and compared.
"""

import csv
import io
from typing import Any

from python_calamine import CalamineWorkbook

from shared.contracts import BureauAck, BureauRow, ContributionAssessed
from shared.values import Insurance
from tests.integration.contribution_svc.month import (
    ACCOUNT,
    EMPLOYER,
    OTHER_EMPLOYER,
    PERIOD,
    WANG,
    Month,
    employee,
    employer,
    last_year,
    wage,
)

OPENED = {"employer_id": EMPLOYER, "contribution_year": 2024, "confirm_by": "2024-09-24"}
PEOPLE = (
    employee(),
    employee("high"),
    employee("nobody"),
    employee("retired", person_kind="retired_rehired"),
    employee("joiner", since="2024-09-02", first_month_wage_fen=800_000),
)


async def opened(month: Month) -> str:
    """The campaign of the year from July 2024 on; its id."""
    await month.hear(employer())
    await month.hear(*PEOPLE)
    await month.hear(*last_year(), *last_year("high", 3_000_000))
    answer = await month.post("/base-campaigns", json=OPENED)
    assert answer.status_code == 201, answer.text
    await month.work()
    campaign_id: str = answer.json()["campaign_id"]
    return campaign_id


async def members(month: Month, campaign_id: str) -> dict[str, Any]:
    found = (await month.get(f"/base-campaigns/{campaign_id}/members")).json()["items"]
    return {one["employee_id"]: one for one in found}


async def people(month: Month, campaign_id: str) -> dict[str, int]:
    counts: dict[str, int] = (await month.get(f"/base-campaigns/{campaign_id}")).json()["people"]
    return counts


async def replied(
    month: Month, campaign_id: str, what: str, status: int = 200, who: str = WANG, **body: Any
) -> Any:
    path = f"/base-confirmations/{campaign_id}/{what}"
    answer = await month.post(path, month.person(who), json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def answered(month: Month, campaign_id: str, decision: str, reason: str) -> Any:
    path = f"/base-campaigns/{campaign_id}/members/{WANG}/answer"
    answer = await month.post(path, json={"decision": decision, "reason": reason})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_everyone_on_the_roster_has_a_base_or_a_reason(month: Month) -> None:
    found = await members(month, await opened(month))
    assert {who: (one["state"], one["reason"]) for who, one in found.items()} == {
        WANG: ("to_confirm", ""),
        "high": ("to_confirm", ""),
        "nobody": ("no_base", "wage_history_missing"),
        "retired": ("no_base", "retired_rehired"),
    }
    assert found["high"]["bases_fen"]["medical"] == 2_000_000
    assert found["high"]["bounds"]["medical"] == "ceiling"
    assert found[WANG]["levy_period"] == "2024-07"


async def test_asked_twice_it_is_one_campaign(month: Month) -> None:
    campaign_id = await opened(month)
    again = await month.post("/base-campaigns", json={**OPENED, "confirm_by": "2024-12-31"})
    assert again.json()["campaign_id"] == campaign_id
    assert again.json()["confirm_by"] == "2024-09-24"
    listed = (await month.get(f"/base-campaigns?employer_id={EMPLOYER}")).json()["items"]
    assert [one["campaign_id"] for one in listed] == [campaign_id]


async def test_whoever_comes_later_is_in_it_too(month: Month) -> None:
    campaign_id = await opened(month)
    await month.hear(employee("late"))
    await month.hear(*last_year("late", 700_000))
    await month.hear(employee("high", version=2, until="2024-06-30"))
    await month.work()
    found = await members(month, campaign_id)
    assert found["late"]["bases_fen"]["medical"] == 700_000
    assert (found["high"]["state"], found["high"]["reason"]) == ("no_base", "not_on_roster")


async def test_what_is_confirmed_is_what_is_assessed(month: Month) -> None:
    campaign_id = await opened(month)
    await replied(month, campaign_id, "confirm", version=1)
    assert await people(month, campaign_id) == {"confirmed": 1, "to_confirm": 1, "no_base": 2}
    await month.work("2024-09-25 06:00")
    found = await members(month, campaign_id)
    for event in await month.told(ContributionAssessed):
        if event.employee_id in found:
            due = {str(x.insurance): x.base_fen for x in event.lines if x.state == "due"}
            assert due == found[event.employee_id]["bases_fen"]


async def test_a_dispute_that_holds_ends_with_the_corrected_wage(month: Month) -> None:
    campaign_id = await opened(month)
    await replied(month, campaign_id, "dispute", version=1, words="12月奖金6,000元没有计入")
    [listed] = (await month.get(f"/base-campaigns/{campaign_id}/members?state=disputed")).json()[
        "items"
    ]
    assert (listed["employee_id"], listed["words"]) == (WANG, "12月奖金6,000元没有计入")
    closing = await month.post(f"/base-campaigns/{campaign_id}/close")
    assert closing.status_code == 409, closing.text
    assert (await answered(month, campaign_id, "correct", "已更正"))["state"] == "to_correct"
    await month.hear(wage(WANG, "2023-12", 1_550_000, version=2))
    await month.work()
    corrected = (await members(month, campaign_id))[WANG]
    assert (corrected["state"], corrected["version"]) == ("to_confirm", 2)
    assert corrected["bases_fen"]["medical"] == 1_000_000
    await replied(month, campaign_id, "confirm", 409, version=1)
    await replied(month, campaign_id, "confirm", version=2)
    assert (await month.post(f"/base-campaigns/{campaign_id}/close")).status_code == 200
    await month.hear(wage(WANG, "2023-12", 1_750_000, version=3))
    await month.work()
    assert (await members(month, campaign_id))[WANG] == {
        **corrected,
        "state": "confirmed",
        "changed_at": (await members(month, campaign_id))[WANG]["changed_at"],
    }


async def test_a_dispute_that_does_not_hold_keeps_the_base(month: Month) -> None:
    campaign_id = await opened(month)
    await replied(month, campaign_id, "dispute", version=1, words="少了")
    kept = await answered(month, campaign_id, "keep", "差旅费不计入工资总额")
    assert (kept["state"], kept["answer"], kept["answered_by"]) == (
        "kept",
        "差旅费不计入工资总额",
        "hr-li",
    )
    own = (await month.get(f"/base-confirmations?employee_id={WANG}", month.person())).json()
    assert own["items"][0]["answer"] == "差旅费不计入工资总额"


async def test_after_its_day_nothing_is_confirmed(month: Month) -> None:
    campaign_id = await opened(month)
    await month.work("2024-09-25 00:00")
    refused = await replied(month, campaign_id, "confirm", 409, version=1)
    assert refused["type"] == "urn:daozhang:problem:confirmation-closed"


async def test_nobody_answers_for_another(month: Month) -> None:
    campaign_id = await opened(month)
    await replied(month, campaign_id, "confirm", 404, who="joiner", version=1)
    others = await month.get(f"/base-confirmations?employee_id={WANG}", month.person("high"))
    assert others.status_code == 404
    strange = month.hr(OTHER_EMPLOYER)
    for path in ("", "/members", "/verified", "/export"):
        answer = await month.get(f"/base-campaigns/{campaign_id}{path}", strange)
        assert answer.status_code == 404, path
    assert (await month.post("/base-campaigns", strange, json=OPENED)).status_code == 404
    refused = await replied(month, campaign_id, "dispute", 422, version=1, words="a\u0000b")
    assert refused["status"] == 422


async def test_a_campaign_in_which_nobody_could_confirm_is_not_opened(month: Month) -> None:
    await month.hear(employer())
    late = await month.post("/base-campaigns", json={**OPENED, "confirm_by": "2024-09-19"})
    assert (late.status_code, late.json()["type"][-19:]) == (409, "confirmation-closed")
    assert "from 2024-09-20 on" in late.json()["detail"]
    for day in (1_727_136_000, "2024-09-24T00:00:00+14:00"):
        no_day = await month.post("/base-campaigns", json={**OPENED, "confirm_by": day})
        assert no_day.status_code == 422, day
    right = await month.post("/base-campaigns", json=OPENED)
    assert (right.status_code, right.json()["confirm_by"]) == (201, "2024-09-24")


async def test_the_export_has_everyone_in_both_formats(month: Month) -> None:
    campaign_id = await opened(month)
    await month.hear(employee(version=2, employee_no="=cmd"))
    await month.work()
    answer = await month.get(f"/base-campaigns/{campaign_id}/export?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert [(row["工号"], row["医疗险基数"], row["确认状态"]) for row in rows] == [
        ("no-high", "20000.00", "待确认"),
        ("no-nobody", "", "无基数"),
        ("no-retired", "", "无基数"),
        ("'=cmd", "9500.00", "待确认"),
    ]
    assert rows[1]["说明"].startswith("缺少上年度工资")
    assert rows[2]["说明"] == "退休返聘，无需参保"
    workbook = await month.get(f"/base-campaigns/{campaign_id}/export")
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook.content))
    head, *cells = book.get_sheet_by_index(0).to_python()
    assert [row[head.index("医疗险基数")] for row in cells] == [20_000, "", "", 9_500]
    assert [row[head.index("工号")] for row in cells][-1] == "=cmd"


async def test_an_export_of_several_pages_has_everyone_once(month: Month) -> None:
    people = [f"e{number:04d}" for number in range(2_001)]
    await month.hear(employer(), *map(employee, people))
    campaign = (await month.post("/base-campaigns", json=OPENED)).json()
    fill = next(job for job in month.wiring.jobs if job.name == "fill_campaign")
    await fill.run(month.clock.now())
    path = f"/base-campaigns/{campaign['campaign_id']}/export?format=csv"
    content = (await month.get(path)).content.decode("utf-8-sig")
    assert [row["员工编号"] for row in csv.DictReader(io.StringIO(content))] == people


async def test_what_was_verified_otherwise_is_listed_with_why(month: Month) -> None:
    campaign_id = await opened(month)
    for who, base_fen in ((WANG, 900_000), ("high", 2_000_000)):
        row = BureauRow(
            insurance=Insurance.MEDICAL,
            stage="verified",
            verified_base_fen=base_fen,
            verified_employer_fen=72_000,
            verified_employee_fen=18_000,
        )
        ack = BureauAck(
            version=1,
            employee_id=who,
            employer_id=EMPLOYER,
            levy_period=PERIOD,
            account_id=ACCOUNT,
            rows=(row,),
        )
        await month.hear(ack)
    found = (await month.get(f"/base-campaigns/{campaign_id}/verified")).json()
    assert (found["agreeing"], found["waiting"]) == (1, 2)
    [differs] = found["differing"]
    [difference] = differs["differences"]
    assert (differs["employee_id"], differs["levy_period"]) == (WANG, PERIOD)
    assert (difference["difference_fen"], difference["why"]) == (-50_000, "other_wage")
    assert "9,500.00元" in difference["said"]
