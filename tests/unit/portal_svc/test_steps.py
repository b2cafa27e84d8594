"""The five steps of each insurance, and the one sentence of advice."""

from dataclasses import replace

import pytest

from portal_svc.domain import facts
from portal_svc.domain.steps import DONE, FAILED, UNCLEAR, WAITING, advice, month_steps
from shared.values import Insurance, Outcome

DECLARATION = facts.Declaration("d", "a", "2024-10", "2024-10-08T01:30:00Z")


def states(
    month: facts.Month, insurance: Insurance, policy: facts.Policy | None = None
) -> list[str]:
    for one in month_steps(month, DECLARATION, policy):
        if one.insurance is insurance:
            return [step.state for step in one.steps]
    raise AssertionError(f"{insurance} has no steps")


def with_outcome(month: facts.Month, outcome: Outcome) -> facts.Month:
    assert month.judged is not None
    cells = tuple(
        replace(cell, outcome=outcome, window_ends_at="2024-10-16T16:00:00Z")
        for cell in month.judged.cells
    )
    return replace(month, judged=replace(month.judged, cells=cells))


def test_what_arrived_went_all_the_way(october: facts.Month) -> None:
    steps = month_steps(october, DECLARATION, None)[0].steps
    assert [(step.name, step.state, step.at) for step in steps] == [
        ("已代扣", DONE, "2024-09-30"),
        ("已申报核定", DONE, "2024-10-08T01:30:00Z"),
        ("银行已扣款", DONE, "2024-10-10"),
        ("明细已转交", DONE, ""),
        ("已到账", DONE, "2024-10-11"),
    ]


def test_the_missing_record_stops_at_the_end(october: facts.Month) -> None:
    assert states(october, Insurance.MEDICAL) == [DONE, DONE, DONE, UNCLEAR, FAILED]


@pytest.mark.parametrize(
    ("debit_state", "step"),
    [("posted", DONE), ("refused", FAILED), ("reversed", FAILED), ("unknown", UNCLEAR)],
)
def test_the_banks_words(october: facts.Month, debit_state: str, step: str) -> None:
    assert october.posted is not None
    lines = tuple(replace(line, debit_state=debit_state) for line in october.posted.lines)
    month = replace(october, posted=replace(october.posted, lines=lines))
    assert states(month, Insurance.PENSION)[2] == step


@pytest.mark.parametrize(
    ("stage", "step"),
    [
        ("filed", WAITING),
        ("verified", WAITING),
        ("accepted", DONE),
        ("in_transit", DONE),
        ("recorded", DONE),
        ("rejected", FAILED),
        ("absent", UNCLEAR),
        ("unknown", UNCLEAR),
    ],
)
def test_whether_the_detail_was_passed_on(october: facts.Month, stage: str, step: str) -> None:
    assert october.bureau is not None
    rows = tuple(replace(row, stage=stage) for row in october.bureau.rows)
    month = replace(october, bureau=facts.Bureau(rows))
    assert states(month, Insurance.PENSION)[3] == step


def test_where_the_collector_passes_it_on_it_says_so(october: facts.Month) -> None:
    policy = facts.Policy("990200", passes_detail_on=False)
    assert month_steps(october, None, policy)[0].steps[3].source == "由税务部门转交"


def test_nothing_has_come_yet() -> None:
    line = facts.AssessedLine(Insurance.PENSION, "due", "hrss-990100")
    month = facts.Month("e", "x", "2024-10", assessed=facts.Assessed("990100", "a", (line,)))
    assert states(month, Insurance.PENSION) == [WAITING] * 5


def test_advice_names_insurances_ticket_and_forbids_paying_twice(
    october: facts.Month, ticket: facts.Ticket
) -> None:
    assert advice(october, [ticket], []) == (
        "医疗险、生育险未到账，HR 已在处理（工单 T-202410-0001）；钱款已扣，请勿自行重复缴纳。"
    )


def test_advice_says_until_when_the_authority_is_closed(october: facts.Month) -> None:
    closed = facts.Authority(
        "medical-990100", "990100", "closed", "2024-10-09T16:00:00Z", "2024-10-12T16:00:00Z"
    )
    other = replace(closed, authority="hrss-990200")
    assert "社保局公告暂停至 10月13日" in advice(october, [], [other, closed])
    assert "公告" not in advice(october, [], [other])


def test_a_resolved_ticket_handles_nothing(october: facts.Month, ticket: facts.Ticket) -> None:
    sentence = advice(october, [replace(ticket, state="resolved")], [])
    assert "如有疑问可上报异常" in sentence


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (Outcome.ARRIVED, "本月记录均已到账，无需处理。"),
        (Outcome.AWAITING_RECORD, "银行已扣款，社保局正在记账，预计 10月17日前可查，请耐心等待。"),
        (Outcome.AWAITING_DEBIT, "本月缴费正在办理，无需处理。"),
    ],
)
def test_quiet_advice(october: facts.Month, outcome: Outcome, sentence: str) -> None:
    assert advice(with_outcome(october, outcome), [], []) == sentence


def test_advice_before_any_verdict(october: facts.Month) -> None:
    assert advice(replace(october, judged=None), [], []) == "本月数据正在核对，请稍后再看。"
