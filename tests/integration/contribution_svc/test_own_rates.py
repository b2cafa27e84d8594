"""A city that leaves rates to the account, whose figures are partly doubtful: Beijing in October
2024. And what the policy answers when it is asked.
"""

from datetime import date
from typing import Any

import pytest

from shared.contracts import AccountFact, EmployerChanged, SpellFact
from tests.integration.contribution_svc.month import (
    ACCOUNT,
    EMPLOYER,
    PERIOD,
    Month,
    employee,
    employer,
    last_year,
)

OWN = {"work_injury": (4_000, 0), "housing_fund": (120_000, 120_000)}


def in_beijing(version: int, own_rates: dict[str, tuple[int, int]]) -> EmployerChanged:
    account = AccountFact(
        account_id=ACCOUNT,
        account_no="1100000001",
        city="110000",
        collector="tax-110000",
        bank_account_ref="BANK-1",
        own_rates=own_rates,
    )
    return employer(version, accounts=(account,))


async def open_beijing(month: Month, own_rates: dict[str, tuple[int, int]]) -> None:
    spell = SpellFact("2020-03-01", "operations", "110000", ACCOUNT)
    await month.hear(in_beijing(1, own_rates))
    await month.hear(employee(spells=(spell,)))
    await month.hear(*last_year(wage_fen=3_000_050))
    await month.work("2024-09-25 06:00")


async def lines(month: Month) -> dict[str, Any]:
    return {line.insurance: line for line in (await month.assessed()).lines}


async def test_what_needs_a_rate_of_the_account_is_blocked_until_there_is_one(
    month: Month,
) -> None:
    await open_beijing(month, {})
    blocked = {name: line.reason for name, line in (await lines(month)).items() if line.reason}
    assert blocked == {"work_injury": "own_rate_unknown", "housing_fund": "own_rate_unknown"}
    await month.hear(in_beijing(2, OWN))
    await month.work()
    found = await lines(month)
    assert {line.state for line in found.values()} == {"due"}
    injury, fund, medical = (found[name] for name in ("work_injury", "housing_fund", "medical"))
    assert (injury.employer_ppm, injury.employer_fen, injury.employee_fen) == (4_000, 12_000, 0)
    assert (fund.employer_fen, fund.employee_fen) == (360_000, 360_000), "to the yuan, each side"
    assert (medical.employer_fen, medical.employee_fen) == (294_005, 60_301), "3 yuan added"


async def test_a_rate_that_the_city_does_not_allow_is_blocked(month: Month) -> None:
    await open_beijing(month, {**OWN, "housing_fund": (130_000, 130_000)})
    assert (await lines(month))["housing_fund"].reason == "own_rate_outside_policy"
    await month.hear(in_beijing(2, {**OWN, "housing_fund": (120_000, 110_000)}))
    await month.work()
    assert (await lines(month))["housing_fund"].reason == "own_rate_outside_policy", "equal sides"


@pytest.mark.parametrize(
    ("insurance", "rates"),
    [
        pytest.param("medical", (70_000, 20_000), id="the article's 7 %, where the city has 9.8 %"),
        pytest.param("medical", (98_000, 30_000), id="the employee's side"),
        pytest.param("work_injury", (4_000, 2_000), id="the employee pays nothing for injury"),
    ],
)
async def test_an_event_with_another_rate_than_the_citys_is_refused(
    month: Month, insurance: str, rates: tuple[int, int]
) -> None:
    await open_beijing(month, {**OWN, insurance: rates})
    found = await lines(month)
    refused = {name: line.reason for name, line in found.items() if line.state != "due"}
    assert refused == {insurance: "own_rate_outside_policy"}
    assert found[insurance].employer_fen == 0
    await month.hear(in_beijing(2, {**OWN, "medical": (98_000, 20_000)}))
    await month.work()
    assert {line.state for line in (await lines(month)).values()} == {"due"}


async def test_stated_lines_are_held_against_the_accounts_own_rates(month: Month) -> None:
    await open_beijing(month, OWN)
    stated = {"employee_no": "no-xiaowang", "insurance": "work_injury", "employer_ppm": 4_000}
    body = {"employer_id": EMPLOYER, "levy_period": PERIOD, "lines": [stated]}
    right = await month.http.post("/lines/check", headers=month.hr(), json=body)
    assert right.status_code == 200, right.text
    stated["employer_ppm"] = 2_000
    wrong = await month.http.post("/lines/check", headers=month.hr(), json=body)
    assert wrong.status_code == 409
    assert "employer rate expected 0.4 %, found 0.2 %" in wrong.json()["detail"]


async def test_doubtful_figures_reach_who_reads_the_assessment(month: Month) -> None:
    await open_beijing(month, OWN)
    told = (await month.assessed()).policy_warnings
    answer = await month.get(f"/assessments?employer_id={EMPLOYER}&levy_period={PERIOD}")
    [shown] = answer.json()["items"]
    assert shown["policy_warnings"] == list(told)
    assert any(one.startswith("医疗险单位费率：各来源不一致") for one in told), told
    assert any(one.startswith("申报与扣款日期：未经核实") for one in told), told


async def test_the_example_city_has_nothing_to_warn_of(month: Month) -> None:
    await month.open()
    assert (await month.assessed()).policy_warnings == ()


async def test_what_was_in_force_is_answered_as_known_on_a_day(month: Month) -> None:
    month.clock.set(month.clock.now())
    asked = "/policies/340100/in-force?insurance=pension&levy_period=2026-03&known_on="
    before = (await month.get(f"{asked}2026-09-06", month.person())).json()
    after = (await month.get(f"{asked}2026-09-07", month.person())).json()
    assert (before["floor_fen"], after["floor_fen"]) == (431_100, 435_400)
    assert (before["employer_ppm"], before["employee_ppm"]) == (160_000, 80_000)
    assert before["warnings"][0].endswith("新标准尚未公布，暂按原标准执行，公布后补差")
    assert after["figures"]["floor"]["document"].startswith("五部门 2026-09-07 通知")
    assert after["figures"]["floor"]["known_since"] == "2026-09-07"
    assert "合肥2026年3月养老险" in after["sentence"]


async def test_without_a_day_the_answer_is_todays(month: Month) -> None:
    asked = "/policies/990200/in-force?insurance=medical&levy_period=2024-10"
    answer = (await month.get(asked)).json()
    assert answer["ceiling_fen"] == 2_550_000
    today = date.fromisoformat(answer["known_on"])
    assert today.year == 2024, "business time, not the machine's"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/policies/999999/in-force?insurance=pension&levy_period=2026-03", 404, "999999"),
        ("/policies/340100/in-force?insurance=pension&levy_period=2023-12", 404, "2023-12"),
        (
            "/policies/340100/in-force?insurance=maternity&levy_period=2026-03",
            422,
            "within medical",
        ),
        (
            "/policies/340100/in-force?insurance=supplementary_pension&levy_period=2026-03",
            422,
            "not in its scheme",
        ),
        ("/policies/340100/in-force?insurance=dental&levy_period=2026-03", 422, "insurance"),
        ("/policies/340100/in-force?insurance=pension&levy_period=2026-13", 422, "levy_period"),
        (
            "/policies/340100/in-force?insurance=pension&levy_period=2026-03&known_on=2026-02-30",
            422,
            "known_on",
        ),
    ],
    ids=["city", "month", "merged", "not in the scheme", "insurance", "no month", "no day"],
)
async def test_what_cannot_be_answered_is_refused_with_its_reason(
    month: Month, path: str, status: int, said: str
) -> None:
    answer = await month.get(path)
    assert answer.status_code == status
    assert said in answer.text


async def test_every_city_is_listed(month: Month) -> None:
    cities = (await month.get("/policies")).json()["items"]
    assert [one["city"] for one in cities][:3] == ["110000", "310000", "320100"]
    assert {one["name"] for one in cities} >= {"北京", "上海", "深圳", "示例甲市"}
