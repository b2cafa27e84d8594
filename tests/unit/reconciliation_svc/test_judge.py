"""One example for each row of design.md section 4, before its window closes and after."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from reconciliation_svc.domain.sides import CellSides, PostedLine
from reconciliation_svc.domain.verdict import Verdict, judge
from reconciliation_svc.domain.windows import Authority, Closure
from shared.values import Outcome
from tests.support.reconciling import (
    ABSENT,
    BLOCKED,
    DUE,
    EXEMPT,
    MEDICAL_AUTHORITY,
    POSTED,
    RECORDED,
    VERIFIED,
    WITHHELD,
    at,
    cell,
    due,
    extra,
    windows,
)

_O = Outcome
LOOKED_SINCE = replace(ABSENT, looked_up_at=at(17, "08:00"))


def unposted(state: str, reason: str = "") -> PostedLine:
    return PostedLine(state, 0, 76_000, 19_000, None, None, reason=reason)


def judged(sides: CellSides, now: datetime, authority: Authority | None = None) -> Verdict:
    authority = authority or Authority(MEDICAL_AUTHORITY)
    return judge(sides, windows(sides, authority), authority, now)


ROWS = {
    "extra, debited": (extra(posted=POSTED), _O.AWAITING_RECORD, _O.UNDECLARED_DEBIT),
    "extra, debited and recorded": (
        extra(posted=POSTED, bureau=RECORDED),
        _O.AWAITING_RECORD,
        _O.UNDECLARED_DEBIT,
    ),
    "extra although an old assessment says due, debited": (
        extra(assessed=DUE, posted=POSTED),
        _O.AWAITING_RECORD,
        _O.UNDECLARED_DEBIT,
    ),
    "exempt, debited": (
        cell(assessed=EXEMPT, posted=POSTED),
        _O.AWAITING_RECORD,
        _O.UNDECLARED_DEBIT,
    ),
    "extra, recorded": (extra(bureau=RECORDED), _O.AWAITING_DEBIT, _O.UNEXPECTED_RECORD),
    "exempt, recorded": (
        cell(assessed=EXEMPT, bureau=RECORDED),
        _O.AWAITING_DEBIT,
        _O.UNEXPECTED_RECORD,
    ),
    "exempt, nothing moved": (cell(assessed=EXEMPT), _O.NOT_REQUIRED, _O.NOT_REQUIRED),
    "extra, only filed": (extra(bureau=VERIFIED), _O.NOT_REQUIRED, _O.NOT_REQUIRED),
    "not yet assessed": (cell(), _O.NOT_ASSESSED, _O.NOT_ASSESSED_LATE),
    "not yet assessed, already debited": (
        cell(posted=POSTED),
        _O.NOT_ASSESSED,
        _O.NOT_ASSESSED_LATE,
    ),
    "blocked": (cell(assessed=BLOCKED), _O.ASSESSMENT_BLOCKED, _O.ASSESSMENT_BLOCKED),
    "debited twice": (
        due(posted=replace(POSTED, debits=2), bureau=RECORDED),
        _O.DUPLICATE_DEBIT,
        _O.DUPLICATE_DEBIT,
    ),
    "recorded twice": (
        due(posted=POSTED, bureau=replace(RECORDED, records=2)),
        _O.DUPLICATE_RECORD,
        _O.DUPLICATE_RECORD,
    ),
    "rejected": (
        due(posted=POSTED, bureau=replace(ABSENT, stage="rejected", reason="姓名不符")),
        _O.RECORD_REJECTED,
        _O.RECORD_REJECTED,
    ),
    "interrupted": (
        due(posted=POSTED, bureau=replace(ABSENT, stage="interrupted")),
        _O.ENROLMENT_INTERRUPTED,
        _O.ENROLMENT_INTERRUPTED,
    ),
    "debit refused": (
        due(posted=unposted("refused", "余额不足"), bureau=VERIFIED),
        _O.DEBIT_REFUSED,
        _O.DEBIT_REFUSED,
    ),
    "debit reversed": (
        due(posted=unposted("reversed"), bureau=VERIFIED),
        _O.DEBIT_REVERSED,
        _O.DEBIT_REVERSED,
    ),
    "debit unknown": (
        due(posted=unposted("unknown"), bureau=VERIFIED),
        _O.OUTCOME_UNKNOWN,
        _O.OUTCOME_UNKNOWN_LATE,
    ),
    "verified amounts differ, before the money moves": (
        due(bureau=replace(VERIFIED, verified_fen=(76_000, 19_001))),
        _O.VERIFIED_DIFFERS,
        _O.VERIFIED_DIFFERS,
    ),
    "not filed": (due(), _O.AWAITING_FILING, _O.NOT_FILED),
    "filed, not debited": (due(bureau=VERIFIED), _O.AWAITING_DEBIT, _O.DEBIT_MISSING),
    "recorded, not debited": (due(bureau=RECORDED), _O.AWAITING_DEBIT, _O.RECORD_WITHOUT_DEBIT),
    "recorded although the debit was refused": (
        due(posted=unposted("refused"), bureau=RECORDED),
        _O.AWAITING_DEBIT,
        _O.RECORD_WITHOUT_DEBIT,
    ),
    "debited, another sum": (
        due(posted=replace(POSTED, employee_fen=18_000), bureau=RECORDED),
        _O.DEBIT_DIFFERS,
        _O.DEBIT_DIFFERS,
    ),
    "recorded, another base": (
        due(posted=POSTED, bureau=replace(RECORDED, record_base_fen=900_000)),
        _O.BASE_DIFFERS,
        _O.BASE_DIFFERS,
    ),
    "recorded, another amount": (
        due(posted=POSTED, bureau=replace(RECORDED, record_fen=(70_000, 19_000))),
        _O.AMOUNT_DIFFERS,
        _O.AMOUNT_DIFFERS,
    ),
    "recorded in part": (
        due(
            posted=POSTED,
            bureau=replace(RECORDED, record_fen=(70_000, 19_000), fully_arrived=False),
        ),
        _O.ARRIVED_IN_PART,
        _O.ARRIVED_IN_PART,
    ),
    "recorded, equal": (due(posted=POSTED, bureau=RECORDED), _O.ARRIVED, _O.ARRIVED),
    "accepted, absent, looked for since": (
        due(posted=POSTED, bureau=LOOKED_SINCE),
        _O.AWAITING_RECORD,
        _O.RECORD_MISSING,
    ),
    "accepted, not looked for since": (
        due(posted=POSTED, bureau=ABSENT),
        _O.AWAITING_RECORD,
        _O.NOT_LOOKED_UP,
    ),
    "in transit, not looked for since": (
        due(posted=POSTED, bureau=replace(ABSENT, stage="in_transit")),
        _O.AWAITING_RECORD,
        _O.NOT_LOOKED_UP,
    ),
    "debited, nothing from any bureau": (due(posted=POSTED), _O.AWAITING_RECORD, _O.NOT_LOOKED_UP),
}


@pytest.mark.parametrize(("sides", "before", "after"), ROWS.values(), ids=ROWS.keys())
def test_row(sides: CellSides, before: Outcome, after: Outcome) -> None:
    assert judged(sides, at(8)).outcome is before
    assert judged(sides, at(20, month=11)).outcome is after


def test_every_outcome_has_an_example() -> None:
    shown = {outcome for _, before, after in ROWS.values() for outcome in (before, after)}
    assert shown == set(Outcome) - {Outcome.HISTORY}


def test_before_the_cut_over_a_cell_is_history() -> None:
    sides = due(posted=POSTED)
    verdict = judge(sides, replace(windows(sides), history=True), Authority(""), at(20, month=11))
    assert (verdict.outcome, verdict.next_due_at) == (Outcome.HISTORY, None)


def test_the_article_window_ends_with_16_october_and_missing_is_said_on_the_17th() -> None:
    sides = due(posted=POSTED, bureau=replace(ABSENT, looked_up_at=at(16, "08:00")))
    waiting = judged(sides, at(16, "23:59"))
    assert waiting.outcome is Outcome.AWAITING_RECORD
    assert waiting.window_ends_at == waiting.next_due_at == at(17, "00:00")
    assert judged(sides, at(17, "00:00")).outcome is Outcome.NOT_LOOKED_UP
    looked = due(posted=POSTED, bureau=LOOKED_SINCE)
    missing = judged(looked, at(17, "08:00"))
    assert missing.outcome is Outcome.RECORD_MISSING
    assert missing.reason == ("2024-10-10 扣款 950.00 元，等待期已过，查询时经办机构仍无记录")


def test_a_missing_record_becomes_a_gap_when_its_month_is_over() -> None:
    sides = due(posted=POSTED, bureau=LOOKED_SINCE)
    assert judged(sides, at(31, "23:59")).annotations == ()
    assert judged(sides, at(31, "23:59")).next_due_at == at(1, "00:00", month=11)
    assert judged(sides, at(1, "00:00", month=11)).annotations == ("CoverageGap",)
    arrived = due(posted=POSTED, bureau=RECORDED)
    assert judged(arrived, at(2, month=11)).annotations == ()


def test_a_late_payment_names_its_late_fee() -> None:
    late = replace(
        POSTED, debited_on=date(2024, 10, 11), due_on=date(2024, 10, 10), late_fee_fen=1_250
    )
    verdict = judged(due(posted=late, bureau=RECORDED), at(20))
    assert (verdict.outcome, verdict.annotations) == (Outcome.ARRIVED, ("LatePayment",))
    assert verdict.reason.endswith("扣款晚于应缴日，滞纳金 12.50 元由单位承担")


def test_a_payslip_that_took_another_sum_is_annotated() -> None:
    right = due(posted=POSTED, bureau=RECORDED, withheld=WITHHELD)
    wrong = replace(right, withheld=replace(WITHHELD, employee_fen=20_000))
    assert judged(right, at(20)).annotations == ()
    assert judged(wrong, at(20)).annotations == ("WithheldDiffers",)
    assert judged(wrong, at(20)).outcome is Outcome.ARRIVED


def test_what_is_missing_is_said_in_words() -> None:
    verdict = judged(cell(assessed=BLOCKED), at(8))
    assert verdict.reason == "无法核算：缺少证件：工作许可"
    assert verdict.next_due_at == at(1, "00:00", month=11)


WAITING = "已收到但未能入账，等待运维处理"


def test_an_assessment_that_could_not_be_taken_in_blocks_whatever_an_older_one_says() -> None:
    for older in (None, DUE, EXEMPT):
        verdict = judged(cell(assessed=older, waiting=frozenset({"assessed"})), at(8))
        assert verdict.outcome is Outcome.ASSESSMENT_BLOCKED
        assert verdict.reason == f"无法核算：应缴数据{WAITING}"
    stranger = extra(waiting=frozenset({"assessed"}))
    assert judged(stranger, at(8)).outcome is Outcome.NOT_REQUIRED


def test_a_posting_that_could_not_be_taken_in_is_a_debit_of_unknown_outcome() -> None:
    sides = due(bureau=VERIFIED, waiting=frozenset({"posted"}))
    assert judged(sides, at(10)).outcome is Outcome.OUTCOME_UNKNOWN
    assert judged(sides, at(11)).outcome is Outcome.OUTCOME_UNKNOWN_LATE
    assert judged(replace(sides, posted=POSTED), at(11)).outcome is Outcome.AWAITING_RECORD


def test_a_bureau_row_that_could_not_be_taken_in_changes_the_sentence_alone() -> None:
    sides = due(posted=POSTED, bureau=LOOKED_SINCE)
    waiting = judged(replace(sides, waiting=frozenset({"bureau"})), at(17))
    assert waiting.outcome is judged(sides, at(17)).outcome
    assert waiting.reason == f"{judged(sides, at(17)).reason}；经办机构回执{WAITING}"


def test_what_is_missing_because_it_could_not_be_taken_in_is_said_so() -> None:
    blocked = replace(BLOCKED, reason="facts_parked:wage_history_missing")
    verdict = judged(cell(assessed=blocked), at(8))
    assert verdict.reason == f"无法核算：缺少上年度工资（数据{WAITING}）"


def test_while_an_authority_is_closed_the_sentence_says_until_when() -> None:
    sides = due(posted=POSTED)
    since = at(14, "00:00")
    for until, said in ((at(16, "08:30"), "至10月16日 08:30"), (None, "")):
        closed = Authority(MEDICAL_AUTHORITY, "closed", (Closure(since, until),), until)
        sentence = judged(sides, at(15), closed).reason
        assert sentence.endswith(f"；经办机构停机{said}，等待期顺延")


def test_an_unread_roster_lets_the_assessment_speak() -> None:
    sides = replace(due(bureau=VERIFIED), extra=True, roster_known=False)
    assert judged(sides, at(8)).outcome is Outcome.AWAITING_DEBIT
    assert judged(replace(sides, roster_known=True), at(8)).outcome is Outcome.NOT_REQUIRED


def test_a_look_up_that_crosses_midnight_utc_counts_from_the_chinese_day() -> None:
    before_midnight = datetime(2024, 10, 16, 15, 59, 59, tzinfo=UTC)
    for looked_up_at, outcome in (
        (before_midnight, Outcome.NOT_LOOKED_UP),
        (before_midnight + timedelta(seconds=1), Outcome.RECORD_MISSING),
    ):
        sides = due(posted=POSTED, bureau=replace(ABSENT, looked_up_at=looked_up_at))
        assert judged(sides, at(17)).outcome is outcome
