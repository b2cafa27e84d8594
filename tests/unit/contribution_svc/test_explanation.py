"""A figure says where it comes from: one sentence that names every number that was used."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.base import base_within
from contribution_svc.domain.explanation import (
    Explanation,
    Withheld,
    explain_base,
    explain_line,
    explain_not_due,
    months_said,
    with_withheld,
)
from contribution_svc.domain.figures import Figure
from contribution_svc.domain.lines import Line, LineState
from contribution_svc.domain.policy import AfterRaise
from contribution_svc.domain.rounding import Rounding, rounded_fen
from contribution_svc.domain.wage_basis import BaseRule, WageBasis, WageFacts, wage_basis
from contribution_svc.domain.wages import ItemSum, PayItem, WageMonth, item_sums
from contribution_svc.policy.national import national
from shared.values import Insurance, LevyPeriod, Payer, fen_text

FEN = st.integers(min_value=0, max_value=10_000_000_00)
RATE = st.integers(min_value=0, max_value=300_000)
SINCE = [(date(2020, 3, 1), None)]


def figure(value: int | None, source: str = "示例通知") -> Figure:
    return Figure(value, date(2023, 7, 1), None, date(2023, 6, 20), source)


def figures(
    floor_fen: int | None = 500_000,
    ceiling_fen: int | None = 2_000_000,
    rate_ppm: int | None = 20_000,
    fixed_fen: int = 0,
) -> dict[str, Figure]:
    found = {
        "floor": figure(floor_fen, "下限通知"),
        "ceiling": figure(ceiling_fen, "上限通知"),
        "employee_rate": figure(rate_ppm, "费率通知"),
    }
    return {**found, "employee_fixed": figure(fixed_fen, "定额通知")} if fixed_fen else found


def month(number: int, *items: PayItem, year: int = 2023, purpose: str = "history") -> WageMonth:
    wage_fen = sum(item.amount_fen for item in items if item.counts_as_wage)
    return WageMonth(f"{year}-{number:02d}", purpose, wage_fen, items)


def average_of(months: list[WageMonth]) -> WageBasis:
    told = {int(one.month[5:]): one.wage_fen for one in months}
    found = wage_basis(
        WageFacts(SINCE, {2023: told}), 2023, LevyPeriod(2024, 10), AfterRaise.FIXED_FOR_THE_YEAR
    )
    assert isinstance(found, WageBasis)
    return found


def line_of(
    base_fen: int, rate_ppm: int, rounding: Rounding = Rounding.FEN_HALF_UP, fixed_fen: int = 0
) -> Line:
    return Line(
        Insurance.MEDICAL,
        LineState.DUE,
        "medical-990100",
        base_fen=base_fen,
        employee_ppm=rate_ppm,
        employee_fen=rounded_fen(base_fen, rate_ppm, rounding) + fixed_fen,
    )


def explained(
    months: list[WageMonth],
    said: dict[str, Figure],
    rate_ppm: int = 20_000,
    rounding: Rounding = Rounding.FEN_HALF_UP,
    fixed_fen: int = 0,
) -> Explanation:
    basis = average_of(months)
    base_fen, _ = base_within(basis.wage_fen, said["floor"].value, said["ceiling"].value)
    line = line_of(base_fen, rate_ppm, rounding, fixed_fen)
    return explain_line(line, Payer.EMPLOYEE, basis, 2023, months, said, rounding)


SALARY = PayItem("base_salary", 900_000)
XIAOWANG = [
    month(n, SALARY, PayItem("bonus", 50_000), PayItem("travel_allowance", 30_000, False))
    for n in range(1, 13)
]


def test_xiaowangs_medical_on_the_payslip_in_one_sentence() -> None:
    assert explained(XIAOWANG, figures()).sentence == (
        "2023年1月至12月工资合计114,000.00元"
        "（基本工资108,000.00元、奖金6,000.00元；不计入：差旅费3,600.00元），"
        "除以12个月，上年度月均工资9,500.00元；"
        "在医疗险基数下限5,000.00元（下限通知，2023-06-20公布）与"
        "上限20,000.00元（上限通知，2023-06-20公布）之间，缴费基数9,500.00元；"
        "9,500.00元×个人费率2%（费率通知，2023-06-20公布）=190.00元，四舍五入到分，个人应缴190.00元。"
    )


def test_every_step_has_its_source() -> None:
    found = explained(XIAOWANG, figures())
    sourced = {step.label: step.source for step in found.steps}
    assert sourced["基数下限"] == "下限通知"
    assert sourced["个人费率"] == "费率通知"
    assert "工资总额" in sourced["差旅费（不计入工资）"]
    assert [step.value for step in found.steps if step.label == "缴费基数"] == [950_000]
    assert found.warnings == ()


def test_a_missing_month_is_named_and_warns() -> None:
    found = explained([one for one in XIAOWANG if one.month != "2023-03"], figures())
    assert found.sentence.startswith("2023年1月至2月、4月至12月工资合计104,500.00元")
    assert "除以11个月" in found.sentence
    assert found.warnings == ("在职但未收到工资的月份：3月，请补报；当月无工资的按0元报送",)


@pytest.mark.parametrize(
    ("said", "part"),
    [
        pytest.param(
            figures(1_000_000, None), "低于医疗险基数下限10,000.00元（下限通知", id="floor"
        ),
        pytest.param(figures(None, 900_000), "高于医疗险基数上限9,000.00元（上限通知", id="top"),
        pytest.param(figures(None, None), "医疗险基数上下限未公布，缴费基数9,500.00元", id="none"),
        pytest.param(
            figures(None, 2_000_000),
            "医疗险基数上限20,000.00元（上限通知，2023-06-20公布），另一端未公布",
            id="no floor",
        ),
        pytest.param(
            figures(rate_ppm=None), "个人费率2%（单位社保账户自有费率）", id="an own rate"
        ),
        pytest.param(
            figures(rate_ppm=30_000), "2%（核算时的费率，政策库此后已更改）", id="changed since"
        ),
    ],
)
def test_bounds_and_rates_say_what_they_are(said: dict[str, Figure], part: str) -> None:
    assert part in explained(XIAOWANG, said).sentence


def test_a_first_wage_below_nothing_rests_on_no_floor_that_was_not_published() -> None:
    """More was taken back in the month than was earned."""
    corrected = month(10, PayItem("correction", -50_000), year=2024, purpose="run")
    basis = WageBasis(-50_000, 1, BaseRule.FIRST_MONTH_WAGE, period="2024-10")
    found = explain_base(basis, 2023, [corrected], {Insurance.MEDICAL: figures(None, None)})
    assert found.sentence.endswith("医疗险基数上下限未公布，缴费基数0.00元。")


def test_a_fixed_sum_is_added_after_the_rounding() -> None:
    said = explained(XIAOWANG, figures(fixed_fen=300), fixed_fen=300).sentence
    assert said.endswith(
        "=190.00元，四舍五入到分，另加定额3.00元（定额通知，2023-06-20公布），个人应缴193.00元。"
    )


def test_half_a_fen_is_shown_before_it_is_rounded() -> None:
    months = [month(n, PayItem("monthly_wage", 3_773_100)) for n in range(1, 13)]
    said = explained(months, figures(746_000, 3_773_100, 5_000), 5_000).sentence
    assert "37,731.00元×个人费率0.5%" in said
    assert "=188.655元，四舍五入到分，个人应缴188.66元。" in said


def test_a_part_first_month_shows_how_it_became_a_whole_one() -> None:
    facts = WageFacts([(date(2025, 12, 15), None)], {}, {"2025-12": 1_300_000})
    basis = wage_basis(facts, 2024, LevyPeriod(2025, 12), AfterRaise.FIXED_FOR_THE_YEAR)
    assert isinstance(basis, WageBasis)
    run = month(12, PayItem("base_salary", 1_300_000), year=2025, purpose="run")
    found = explain_base(basis, 2024, [run], {Insurance.MEDICAL: figures()})
    assert found.sentence.startswith(
        "2025-12新入职首月工资13,000.00元（基本工资13,000.00元），"
        "为13天工资，按每月21.75天折算为整月21,750.00元；高于医疗险基数上限20,000.00元"
    )
    assert len(found.warnings) == 1


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (
            "exempt",
            "retired_rehired",
            "人员类别为退休返聘，不缴（退休返聘，无需参保，依据《中华人民共和国社会保险法》",
        ),
        ("exempt", "not_on_roster", "该月不在职，不缴"),
        ("blocked", "documents_missing:work_permit", "缺少资料（work_permit），暂停核算"),
        ("blocked", "first_wage_unknown", "请登记或导入首月工资，或完成其核算"),
        (
            "blocked",
            "facts_parked:documents_missing:visa",
            "缺少资料（visa），暂停核算；另有该员工的资料未能接收，等待运维处理",
        ),
    ],
)
def test_what_is_not_due_says_why(state: str, reason: str, said: str) -> None:
    line = Line(Insurance.MEDICAL, LineState(state), "medical-990100", reason)
    reasons = national().reasons
    found = explain_not_due(Insurance.MEDICAL, LevyPeriod(2024, 10), line, "退休返聘", reasons)
    assert found.sentence.startswith("2024-10医疗险：")
    assert said in found.sentence


def test_a_difference_planned_for_the_month_is_added_with_its_own_sentence() -> None:
    reason = "2024-08费款医疗险依示例通知，缴费基数由9,000.00元改为9,500.00元，个人补10.00元"
    found = with_withheld(
        explained(XIAOWANG, figures()),
        19_000,
        Payer.EMPLOYEE,
        [Withheld("2024-08", 1_000, reason)],
    )
    assert found.sentence.endswith(
        f"个人应缴190.00元；按补充申报，应在本月工资另计10.00元（{reason}），"
        "预计工资条个人合计200.00元，以工资条为准。"
    )
    assert [(x.label, x.value) for x in found.steps[-2:]] == [
        ("2024-08补差", 1_000),
        ("预计工资条个人合计", 20_000),
    ]


def test_months_are_said_as_runs() -> None:
    assert months_said([1, 2, 3, 5, 7, 8]) == "1月至3月、5月、7月至8月"


def test_items_that_count_come_first_then_the_larger_then_by_name() -> None:
    items = [
        PayItem("travel_allowance", 90_000, counts_as_wage=False),
        PayItem("bonus", 20_000),
        PayItem("commission", 20_000),
        PayItem("base_salary", 500_000),
    ]
    assert item_sums([WageMonth("2023-01", "history", 540_000, items)]) == (
        ItemSum("基本工资", 500_000, counts_as_wage=True),
        ItemSum("奖金", 20_000, counts_as_wage=True),
        ItemSum("提成", 20_000, counts_as_wage=True),
        ItemSum("差旅费", 90_000, counts_as_wage=False),
    )


ITEMS = st.lists(
    st.builds(
        PayItem,
        st.sampled_from(["base_salary", "bonus", "travel_allowance", "own-item"]),
        st.integers(1, 9_000_000),
        st.booleans(),
    ),
    max_size=4,
)


@given(
    st.lists(st.tuples(st.integers(1, 10_000_000), ITEMS), min_size=1, max_size=12),
    st.tuples(FEN, FEN).map(sorted),
    RATE,
    st.sampled_from(Rounding),
    st.integers(0, 10_000),
)
def test_the_sentence_names_every_number_that_was_used(
    told: list[tuple[int, list[PayItem]]],
    bounds: list[int],
    rate_ppm: int,
    rounding: Rounding,
    fixed_fen: int,
) -> None:
    months = [
        WageMonth(f"2023-{n:02d}", "history", wage_fen, items)
        for n, (wage_fen, items) in enumerate(told, start=1)
    ]
    said = figures(bounds[0], bounds[1], rate_ppm, fixed_fen)
    found = explained(months, said, rate_ppm, rounding, fixed_fen)
    named = set(re.findall(r"[\d,]+\.\d{2}(?=元)|-?[\d.]+%|\d+(?=个月)", found.sentence))
    for step in found.steps:
        number = step.said().removesuffix("元").removesuffix("个月")
        assert number.removeprefix("-") in {one.removeprefix("-") for one in named}, step
    total = sum(wage_fen for wage_fen, _ in told)
    counting = [s.value for s in found.steps[1:] if "总额" in s.source and "不计入" not in s.label]
    assert sum(counting) == total
    assert fen_text(total) in named
