"""Where a figure comes from, asked of the running service: as known when it was made, by whoever
may see it.
"""

import importlib.resources
from typing import Any

from shared.contracts import PayItemFact, SalaryComputed
from tests.integration.contribution_svc.month import (
    EMPLOYER,
    OTHER_EMPLOYER,
    PERIOD,
    WANG,
    Month,
    china,
    employee,
    employer,
    wage,
)

PACK = importlib.resources.files("contribution_svc").joinpath("policies/990100.yaml")


def itemised(number: int, bonus_fen: int, version: int = 1) -> SalaryComputed:
    """A month of 2023: 9,000.00, a bonus, and a travel allowance that does not count."""
    return SalaryComputed(
        version=version,
        employee_id=WANG,
        employer_id=EMPLOYER,
        levy_period=f"2023-{number:02d}",
        purpose="history",
        run_id="import-1",
        gross_fen=930_000 + bonus_fen,
        wage_fen=900_000 + bonus_fen,
        items=(
            PayItemFact("base_salary", 900_000),
            PayItemFact("bonus", bonus_fen),
            PayItemFact("travel_allowance", 30_000, False),
        ),
    )


async def opened(month: Month, *others: Any) -> None:
    await month.hear(employer())
    await month.hear(employee(), *others)
    await month.hear(*[itemised(n, 50_000) for n in range(1, 13)])
    await month.work("2024-09-25 06:00")


def contribution(
    employee_id: str = WANG, insurance: str = "medical", side: str = "employee"
) -> str:
    return (
        f"/explanations/contribution?employee_id={employee_id}&levy_period={PERIOD}"
        f"&insurance={insurance}&side={side}"
    )


async def test_a_figure_of_the_payslip_in_one_call_and_one_sentence(month: Month) -> None:
    await opened(month)
    found = (await month.get(contribution())).json()
    assert (found["amount_fen"], found["base_fen"], found["known_on"]) == (
        19_000,
        950_000,
        "2024-09-25",
    )
    article = "（创始文章《人力资源管理系统如何破解员工五险缴纳记录异常难题》，2023-06-20公布）"
    assert found["sentence"] == (
        "2023年1月至12月工资合计114,000.00元"
        "（基本工资108,000.00元、奖金6,000.00元；不计入：差旅费3,600.00元），"
        "除以12个月，上年度月均工资9,500.00元；"
        f"在医疗险基数下限5,000.00元{article}与上限20,000.00元{article}之间，"
        f"缴费基数9,500.00元；9,500.00元×个人费率2%{article}=190.00元，四舍五入到分，"
        "个人应缴190.00元。"
    )
    assert [(one["label"], one["said"]) for one in found["steps"]][-2:] == [
        ("个人费率", "2%"),
        ("个人应缴", "190.00元"),
    ]
    employer_side = (await month.get(contribution(side="employer"))).json()
    assert employer_side["amount_fen"] == 76_000
    assert employer_side["sentence"].endswith("单位应缴760.00元。")


async def test_what_was_declared_is_explained_as_it_was_known(month: Month) -> None:
    await opened(month)
    await month.work("2024-10-08 09:00")
    assert (await month.approve()).status_code == 200
    before = (await month.get(contribution())).json()
    month.clock.set(china("2024-10-09 09:00"))
    await month.hear(itemised(12, 650_000, version=2))
    await month.work()
    assert (await month.get(contribution())).json() == before
    now = (await month.get(f"/explanations/base?employee_id={WANG}&levy_period={PERIOD}")).json()
    assert {one["base_fen"] for one in now["bases"]} == {1_000_000}
    then = f"/explanations/base?employee_id={WANG}&levy_period={PERIOD}&known_on=2024-10-08"
    known = (await month.get(then)).json()
    assert {one["base_fen"] for one in known["bases"]} == {950_000}
    assert known["known_on"] == "2024-10-08"
    assert "月均工资9,500.00元" in known["sentence"]


async def test_what_is_not_due_says_why(month: Month) -> None:
    await opened(month, employee("retired", person_kind="retired_rehired"), employee("nobody"))
    retired = (await month.get(contribution("retired"))).json()
    assert (retired["state"], retired["amount_fen"]) == ("exempt", 0)
    assert retired["sentence"].startswith(
        "2024-10医疗险：人员类别为退休返聘，不缴（退休返聘，无需参保，依据《中华人民共和国社会保险法》"
    )
    blocked = (await month.get(contribution("nobody"))).json()
    assert "请导入上年度各月工资" in blocked["sentence"]
    base = await month.get(f"/explanations/base?employee_id=nobody&levy_period={PERIOD}")
    assert (base.status_code, base.json()["type"]) == (409, "urn:daozhang:problem:base-unknown")


async def test_a_line_whose_facts_were_changed_since_says_so(month: Month) -> None:
    await opened(month, employee("new", since="2024-09-23", first_month_wage_fen=800_000))
    await month.work("2024-10-08 09:00")
    assert (await month.approve()).status_code == 200
    corrected = employee("new", 2, since="2024-09-23", first_month_wage_fen=900_000)
    await month.hear(corrected)
    found = (await month.get(contribution("new"))).json()
    assert (found["base_fen"], found["amount_fen"]) == (800_000, 16_000)
    assert "新入职首月工资8,000.00元" in found["sentence"]
    assert found["sentence"].endswith("个人应缴160.00元。")
    assert found["warnings"] == ["核算之后员工资料有变动：按现有资料重算的缴费基数为9,000.00元"]


def closing_the_floors() -> bytes:
    """The old floors closed where the new ones open, as people write it: as known on a day before
    the notice October has none.
    """
    first = "floor:\n      - {effective_from: '2023-07-01', effective_to: null,"
    opens = "{effective_from: '2024-10-01', effective_to: null, known_since: '2024-11-05'"
    late = f"floor:\n      - {opens}, value: '9900.00', source: INVENTED, invented: true}}\n"
    closed = late + first.removeprefix("floor:\n").replace("null", "'2024-09-30'")
    return PACK.read_text("utf-8").replace(first, closed).encode()


async def propose(month: Month, content: bytes) -> Any:
    file = {"file": ("990100.yaml", content)}
    return await month.post("/policy-proposals", month.operator(), files=file)


async def test_a_pack_that_takes_back_what_was_known_of_a_declared_month_is_refused(
    month: Month,
) -> None:
    """What was used could never be explained again; the fault says how to write it instead."""
    await opened(month)
    await month.work("2024-10-08 09:00")
    assert (await month.approve()).status_code == 200
    await month.work("2024-11-05 09:00")
    refused = await propose(month, closing_the_floors())
    assert refused.status_code == 422, refused.text
    faults = refused.json()["faults"]
    assert {one["value"] for one in faults} == {"2024-10: nothing"}
    assert faults[0]["where"].startswith("990100.yaml:")
    assert {one["todo"] for one in faults} == {
        "leave the figure as it was; add one with the new notice's known_since"
    }
    taken = await propose(month, closing_the_floors().replace(b"'2024-09-30'", b"null"))
    assert taken.status_code == 201, taken.text


async def test_a_figure_whose_policy_is_no_longer_known_is_explained_from_its_base(
    month: Month,
) -> None:
    """Approved before the month was declared, in force after it."""
    await opened(month)
    proposed = (await propose(month, closing_the_floors())).json()
    await month.work()
    path = f"/policy-proposals/{proposed['proposal_id']}/approve"
    approval = {"sha256": proposed["sha256"], "retroactive": False}
    answer = await month.post(path, month.operator("operator-2"), json=approval)
    assert answer.status_code == 200, answer.text
    await month.work("2024-10-08 09:00")
    assert (await month.approve()).status_code == 200
    await month.work("2024-11-05 09:00")
    found = await month.get(contribution())
    assert found.status_code == 200, found.text
    assert (found.json()["base_fen"], found.json()["amount_fen"]) == (950_000, 19_000)
    assert "上年度月均工资9,500.00元" in found.json()["sentence"]
    assert any("不再载有核算时所用的数值" in said for said in found.json()["warnings"])


async def test_a_first_month_that_was_imported_is_the_base_and_said_so(month: Month) -> None:
    """Hired before the employer came here: its own first month counts, not the first run here."""
    await opened(month, employee("new", since="2024-03-01"))
    await month.hear(wage("new", "2024-03", 800_000), wage("new", PERIOD, 990_000, purpose="run"))
    await month.work()
    found = (await month.get(contribution("new"))).json()
    assert (found["state"], found["base_fen"], found["amount_fen"]) == ("due", 800_000, 16_000)
    assert "2024-03新入职首月工资8,000.00元" in found["sentence"]
    assert found["warnings"] == []


async def test_a_base_is_explained_before_its_period_opens(month: Month) -> None:
    await opened(month)
    found = await month.get(f"/explanations/base?employee_id={WANG}&levy_period=2024-12")
    assert found.json()["sentence"].startswith("2023年1月至12月工资合计114,000.00元")
    assert (await month.get(contribution().replace(PERIOD, "2024-12"))).status_code == 404


async def test_only_whoever_may_see_the_figure_is_told_of_it(month: Month) -> None:
    await opened(month, employee("other"))
    await month.hear(wage("other", "2023-01", 1_000_000))
    assert (await month.get(contribution(), month.person())).status_code == 200
    for headers in (month.person("other"), month.hr(OTHER_EMPLOYER)):
        assert (await month.get(contribution(), headers)).status_code == 404
    assert (await month.get(contribution(), month.operator())).status_code == 403
    assert (await month.get(contribution(), {})).status_code == 401
