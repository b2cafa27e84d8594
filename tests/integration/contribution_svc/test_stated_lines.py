"""The third scenario: lines from an agency's list or a payroll system are held against the policy,
and what disagrees is refused to HR by employee, insurance, expected and found.
"""

from typing import Any

import httpx
import pytest

from shared.contracts import ContributionAssessed
from tests.integration.contribution_svc.month import EMPLOYER, OTHER_EMPLOYER, Month, employee

MEDICAL = {
    "employee_no": "no-xiaowang",
    "insurance": "medical",
    "base_fen": 950_000,
    "employer_ppm": 80_000,
    "employee_ppm": 20_000,
    "employer_fen": 76_000,
    "employee_fen": 19_000,
}


async def check(month: Month, *lines: dict[str, Any], **changed: Any) -> httpx.Response:
    body = {"employer_id": EMPLOYER, "levy_period": "2024-10", "lines": list(lines), **changed}
    return await month.http.post("/lines/check", headers=month.hr(), json=body)


async def test_lines_that_agree_are_answered_so_and_change_nothing(month: Month) -> None:
    await month.open()
    told = await month.told(ContributionAssessed)
    answer = await check(month, MEDICAL, {"employee_no": "no-xiaowang", "insurance": "pension"})
    assert (answer.status_code, answer.json()) == (200, {"lines": 2})
    await month.work()
    assert await month.told(ContributionAssessed) == told


async def test_seven_percent_where_the_policy_says_eight_is_refused_by_name(month: Month) -> None:
    await month.open()
    answer = await check(month, {**MEDICAL, "employer_ppm": 70_000, "employer_fen": 66_500})
    problem = answer.json()
    assert answer.status_code == 409
    assert problem["type"].endswith("line-disagrees-with-policy")
    assert (
        "employee no-xiaowang, medical: employer rate expected 8 %, found 7 %"
        in (problem["detail"])
    )
    rate, amount = problem["faults"]
    assert (rate["where"], rate["value"]) == ("/lines/0/employer_ppm", "7 %")
    assert rate["reason"] == "工号 no-xiaowang 医疗险：单位费率应为 8 %，给出的是 7 %"
    assert rate["todo"]
    assert amount["reason"] == "工号 no-xiaowang 医疗险：单位缴费应为 760.00，给出的是 665.00"


async def check_file(month: Month, *rows: str, **changed: Any) -> httpx.Response:
    content = "\n".join(["工号,险种,缴费基数,单位费率,单位缴费", *rows]).encode("gb18030")
    return await month.http.post(
        "/lines/check-file",
        headers=changed.pop("headers", month.hr()),
        data={"employer_id": EMPLOYER, "levy_period": "2024-10", **changed},
        files={"file": ("agency.csv", content)},
    )


async def test_seven_percent_in_a_file_is_refused_by_row_and_column(month: Month) -> None:
    await month.open()
    agreed = "no-xiaowang,医疗保险,9500,8%,760.00"
    answer = await check_file(month, agreed, "no-xiaowang,养老险,,16%,")
    assert (answer.status_code, answer.json()) == (200, {"lines": 2})
    answer = await check_file(month, "", "no-xiaowang,医疗险,9500,7%,665.00", "nobody,养老险,,,")
    problem = answer.json()
    assert (answer.status_code, problem["type"].rpartition(":")[2]) == (
        409,
        "line-disagrees-with-policy",
    )
    assert "employer rate expected 8 %, found 7 %; 2 more" in problem["detail"]
    assert [(fault["where"], fault["value"]) for fault in problem["faults"]] == [
        ("agency.csv:3:单位费率", "7 %"),
        ("agency.csv:3:单位缴费", "665.00"),
        ("agency.csv:4:", ""),
    ]
    unread = await check_file(month, "no-xiaowang,医疗险,9500,0.08,760.00")
    assert (unread.status_code, unread.json()["faults"][0]["where"]) == (
        422,
        "agency.csv:2:单位费率",
    )
    others = await check_file(month, "not,read", employer_id=OTHER_EMPLOYER)
    assert others.status_code == 404
    assert (await check_file(month, agreed, headers=month.person())).status_code == 403


async def test_all_that_disagree_are_named_at_once(month: Month) -> None:
    await month.open(employee("retired", person_kind="retired_rehired"))
    exempt = {"employee_no": "no-retired", "insurance": "pension", "employer_fen": 1}
    answer = await check(
        month,
        {**MEDICAL, "base_fen": 940_000},
        {**MEDICAL, "employee_ppm": 25_000},
        exempt,
        {**MEDICAL, "employee_no": "nobody"},
        {**MEDICAL, "insurance": "housing_fund"},
    )
    assert [fault["where"] for fault in answer.json()["faults"]] == [
        "/lines/0/base_fen",
        "/lines/1/employee_ppm",
        "/lines/2/employer_fen",
        "/lines/3",
        "/lines/4",
    ]
    assert "exempt" in answer.json()["faults"][2]["reason"]
    assert "4 more" in answer.json()["detail"]


async def test_a_month_that_is_not_assessed_is_said_to_be(month: Month) -> None:
    await month.open()
    answer = await check(month, MEDICAL, levy_period="2025-03")
    assert answer.status_code == 409
    assert "没有核定应缴" in answer.json()["faults"][0]["reason"]


async def test_a_thousand_faults_are_listed_of_all(month: Month) -> None:
    await month.open()
    answer = await check(month, *[{**MEDICAL, "employer_ppm": 70_000}] * 1_200)
    assert len(answer.json()["faults"]) == 1_000
    assert "1199 more" in answer.json()["detail"]


async def test_another_employers_lines_are_nobodys(month: Month) -> None:
    await month.open()
    assert (await check(month, MEDICAL, employer_id=OTHER_EMPLOYER)).status_code == 404
    body = {"employer_id": OTHER_EMPLOYER, "levy_period": "2024-10", "lines": [MEDICAL]}
    stranger = await month.http.post("/lines/check", headers=month.hr(OTHER_EMPLOYER), json=body)
    assert "没有核定应缴" in stranger.json()["faults"][0]["reason"]
    for headers, status in ((month.person(), 403), (month.operator(), 403), ({}, 401)):
        answer = await month.http.post("/lines/check", headers=headers, json=body)
        assert answer.status_code == status


@pytest.mark.parametrize(
    "wrong",
    [{"employer_ppm": 0.07}, {"employer_ppm": "7%"}, {"employer_fen": True}, {"base_fen": 2**70}],
    ids=["a float", "text", "a boolean", "beyond 64 bits"],
)
async def test_figures_are_whole_numbers(month: Month, wrong: dict[str, Any]) -> None:
    assert (await check(month, {**MEDICAL, **wrong})).status_code == 422
