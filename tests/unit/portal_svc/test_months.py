"""The card of a month: verdicts as told, amounts as assessed, nothing more recent than it is."""

from dataclasses import replace

import pytest

from portal_svc.domain import facts
from portal_svc.domain.months import NO_VERDICT_WORD, month_card
from shared.values import Insurance, Outcome


def judged(month: facts.Month, *outcomes: Outcome) -> facts.Month:
    """The month with these verdicts, in the order of the insurances."""
    assert month.judged is not None
    cells = tuple(
        facts.Verdict(insurance, outcome)
        for insurance, outcome in zip(Insurance, outcomes, strict=False)
    )
    return replace(month, judged=replace(month.judged, cells=cells))


def test_xiaowangs_october(october: facts.Month, employer: facts.Employer) -> None:
    card = month_card(october, employer)
    assert (card.cells, card.arrived, card.summary) == (5, 3, "5 项中 2 项未到账")
    assert card.updated_text == "数据更新于 2024-10-17 08:00（社保局回执）"
    medical = next(one for one in card.insurances if one.insurance is Insurance.MEDICAL)
    assert (medical.base_fen, medical.employer_fen, medical.employee_fen) == (950000, 76000, 19000)
    assert (medical.employer_ppm, medical.employee_ppm) == (80000, 20000)
    assert (medical.status, medical.status_word) == ("RecordMissing", "未到账")
    assert (medical.debited_on, medical.arrived_on) == ("2024-10-10", "")
    assert medical.voucher is not None
    assert medical.voucher.account_masked == "****0-01"
    pension = card.insurances[0]
    assert (pension.name, pension.status_word, pension.arrived_on) == (
        "养老险",
        "已到账",
        "2024-10-11",
    )


@pytest.mark.parametrize(
    ("outcomes", "summary"),
    [
        ([Outcome.ARRIVED] * 5, "5 项均已到账"),
        ([Outcome.ARRIVED] * 3 + [Outcome.AWAITING_RECORD] * 2, "5 项中 3 项已到账"),
        ([Outcome.ARRIVED] * 4 + [Outcome.RECORD_MISSING], "5 项中 1 项未到账"),
        ([Outcome.RECORD_MISSING, Outcome.BASE_DIFFERS], "2 项中 2 项异常"),
        ([Outcome.NOT_REQUIRED] * 5, "无需缴纳"),
        ([Outcome.NOT_REQUIRED, Outcome.ARRIVED], "1 项均已到账"),
    ],
)
def test_the_summary(october: facts.Month, outcomes: list[Outcome], summary: str) -> None:
    assert month_card(judged(october, *outcomes), None).summary == summary


def test_while_an_authority_is_closed_its_cells_say_until_when(october: facts.Month) -> None:
    waiting = judged(october, Outcome.ARRIVED, Outcome.AWAITING_RECORD)
    assert waiting.judged is not None
    ends_at = "2024-10-18T16:00:00Z"
    cells = tuple(replace(one, window_ends_at=ends_at) for one in waiting.judged.cells)
    waiting = replace(waiting, judged=replace(waiting.judged, cells=cells))
    until = "2024-10-16T00:00:00+08:00"
    authority = facts.Authority("medical-990100", "990100", "closed", "", until)
    for state, closed_until in (("closed", until), ("open", "")):
        card = month_card(waiting, None, [replace(authority, state=state)])
        said = {one.insurance: (one.waits_until, one.closed_until) for one in card.insurances}
        assert said[Insurance.MEDICAL] == (ends_at, closed_until)
        assert said[Insurance.PENSION] == ("", "")


def test_extras_are_shown_and_not_counted(october: facts.Month) -> None:
    assert october.judged is not None
    extra = facts.Verdict(Insurance.HOUSING_FUND, Outcome.UNEXPECTED_RECORD, extra=True)
    cells = (*october.judged.cells, extra)
    card = month_card(replace(october, judged=replace(october.judged, cells=cells)), None)
    assert card.cells == 5
    assert card.insurances[-1].extra


def test_a_month_of_which_only_the_payslip_came() -> None:
    month = facts.Month("e", "x", "2024-10", payslip=facts.Payslip("2024-09-30", ()))
    card = month_card(month, None)
    assert (card.summary, card.insurances, card.updated_text) == (NO_VERDICT_WORD, (), "")


def test_before_a_verdict_nothing_is_claimed(october: facts.Month) -> None:
    card = month_card(replace(october, judged=None), None)
    assert {(one.status, one.status_word) for one in card.insurances} == {("", NO_VERDICT_WORD)}


def test_a_difference_moves_base_rates_and_amounts_together_and_says_why(
    october: facts.Month,
) -> None:
    """Whoever multiplies what is shown comes to the amounts that are shown."""
    assert october.assessed is not None
    regular = october.assessed.lines[0]
    more = replace(
        regular,
        kind="difference",
        base_fen=50_000,
        employer_ppm=150_000,
        employer_fen=-2_000,
        employee_fen=4_000,
        reason="2024-10费款养老险依示例通知，缴费基数由9,500.00元改为10,000.00元",
    )
    lines = (*october.assessed.lines, more)
    month = replace(october, assessed=replace(october.assessed, lines=lines))
    pension, medical = month_card(month, None).insurances[:2]
    assert (pension.base_fen, pension.employer_ppm, pension.employee_ppm) == (
        1_000_000,
        150_000,
        80_000,
    )
    assert (pension.employer_fen, pension.employee_fen) == (150_000, 80_000)
    assert (pension.supplements, medical.supplements) == ((more.reason,), ())


def test_what_is_unverified_of_the_policy_reaches_the_employee(october: facts.Month) -> None:
    assert october.assessed is not None
    said = ("养老险基数下限：新标准尚未公布，暂按原标准执行，公布后补差",)
    month = replace(october, assessed=replace(october.assessed, policy_warnings=said))
    assert month_card(month, None).policy_warnings == said
    assert month_card(october, None).policy_warnings == ()


def test_without_a_look_up_the_verdicts_time_is_shown(october: facts.Month) -> None:
    card = month_card(replace(october, bureau=None), None)
    assert card.updated_text == "数据更新于 2024-10-17 08:00（系统核对）"
