"""Silence on real processes: what could not be taken in, look-ups that do not come, authorities
that close. Nothing is called missing that nobody looked for, and the case ends as ever.
"""

import asyncio
from pathlib import Path

import pytest

from sandbox.case.report import Report
from tests.support.silent_case import (
    WITHOUT_ASSESSMENT,
    WITHOUT_WAGES,
    SilentCase,
    moment,
    silent_case,
)

WAITS = "已收到但未能入账，等待运维处理"
NO_BASE = f"无法核算：缺少上年度工资（数据{WAITS}）"
NO_ASSESSMENT = f"无法核算：应缴数据{WAITS}"


@pytest.mark.long
async def test_two_whose_events_are_parked_are_told_before_the_filing_day_and_come_in_by_replay(
    tmp_path: Path,
) -> None:
    async with silent_case(tmp_path) as case:
        await parked_until_filed(case)


async def parked_until_filed(case: SilentCase) -> None:
    """From the roster to 9 October: K stands, both cells say why, HR hears; then all is filed."""
    await case.set_up_with_two_parked()
    await case.to(moment("09-25 06:30"))
    for person, reason in ((WITHOUT_WAGES, NO_BASE), (WITHOUT_ASSESSMENT, NO_ASSESSMENT)):
        seen = await case.seen(person)
        assert seen.counts["K"] == sum(seen.counts["states"].values()) == 300
        assert seen.outcomes() == {"AssessmentBlocked"}
        assert seen.reasons() == {reason}
    named = {one["anomaly_id"]: one["employee_id"] for one in await case.anomalies(open=True)}
    heard = {
        named[name] for one in await case.hr_heard("hr_anomalies") for name in one["anomaly_ids"]
    }
    assert {case.people[WITHOUT_WAGES], case.people[WITHOUT_ASSESSMENT]} <= heard

    await case.to(moment("09-30 09:20"))
    assert (await case.risks())[case.people[WITHOUT_WAGES]] == "facts_parked:wage_history_missing"
    [first, *_] = [one["text"] for one in await case.hr_heard("hr_deadline_at_risk")]
    assert first.startswith("10月社保申报将于 2024-10-09 截止，尚未批准申报")
    await case.replay_wages()
    assert (await case.seen(WITHOUT_WAGES)).outcomes() == {"awaiting_filing"}
    assert case.people[WITHOUT_WAGES] not in await case.risks()

    await case.pay_salaries(case.month)
    await case.declare(case.month)
    assert (await case.seen(WITHOUT_ASSESSMENT)).reasons() == {NO_ASSESSMENT}
    await case.replay_assessment()
    counts = (await case.seen(WITHOUT_ASSESSMENT)).counts
    assert counts["states"] == {"AssessmentBlocked": 5, "awaiting_debit": 290, "not_required": 5}


@pytest.mark.long
async def test_a_month_full_of_silences_ends_as_the_clean_one(tmp_path: Path) -> None:
    async with silent_case(tmp_path) as case:
        await parked_until_filed(case)
        await case.sign_in_xiaowang()
        await closed_within_the_window(case)
        await look_ups_stand_still_over_its_end(case)
        await closed_while_tickets_are_open(case)
        await case.reply(moment("10-22 10:30"))
        await case.hear_xiaowang(case.at("feedback_at"), "2024-10", "10月的医疗险查不到。")
        await case.repair(case.at("repaired_at"), case.case.facts["recorded_at"])
        await case.to(case.at("ends_at"))
        report = Report(case)
        await report.collect(0)
        report.check_end()
        assert report.verdicts.failed == []
        assert report.verdicts.made > 20
        assert await case.alarms() == []
        assert {one["cleared_at"][:10] for one in await case.anomalies(kind="RecordMissing")} == {
            "2024-11-02"
        }


async def closed_within_the_window(case: SilentCase) -> None:
    """The authority of pension is closed from the day of recording to Monday the 14th."""
    closed_until = moment("10-14 00:00")
    await case.close("hrss-990100", moment("10-11 00:00"), closed_until)
    await case.break_authority()
    await case.debit_and_hand_over()
    cells, advice = await case.xiaowangs_month()
    pension = cells["pension"]
    assert (pension["status"], pension["waits_until"]) == (
        "awaiting_record",
        "2024-10-18T16:00:00Z",
    )
    assert moment("10-14 00:00").isoformat() == closed_until.isoformat()
    assert pension["closed_until"].startswith("2024-10-13T16:00:00") or pension[
        "closed_until"
    ].startswith("2024-10-14T00:00:00+08:00")
    assert "停机至10月14日 00:00" in pension["reason"]
    assert "社保局公告暂停至 10月14日" in advice
    await case.to(moment("10-14 09:00"))
    cells, _ = await case.xiaowangs_month()
    assert cells["pension"]["status"] == "arrived"
    assert cells["medical"]["waits_until"] == "2024-10-16T16:00:00Z"


async def look_ups_stand_still_over_its_end(case: SilentCase) -> None:
    """bureau-sync-svc stops on the evening of the 16th and goes on two days later."""
    await case.close("medical-990100", moment("10-19 00:00"), moment("10-22 00:00"))
    await case.to(moment("10-16 20:00"))
    case.stop_look_ups()
    await case.to(moment("10-17 08:30"))
    assert await case.alarms() == []
    await case.to(moment("10-18 09:00"))
    states = (await case.counts("2024-10"))["states"]
    assert states == {
        "AssessmentBlocked": 5,
        "arrived": 222,
        "not_looked_up": 68,
        "not_required": 5,
    }
    assert await case.anomalies(kind="RecordMissing") == []
    assert await case.missing_tickets() == []
    [alarm] = await case.alarms()
    assert (alarm["authority"], alarm["cells"]) == ("medical-990100", 68)
    assert alarm["raised_at"] == "2024-10-17T01:00:00Z"
    log = case.running.layout.run_dir / "reconciliation-svc.log"
    assert (await asyncio.to_thread(log.read_text)).count("look_up_overdue") == 1
    await case.continue_look_ups()
    await case.to(moment("10-18 09:30"))
    assert await case.alarms() == []
    states = (await case.counts("2024-10"))["states"]
    assert states == {
        "AssessmentBlocked": 5,
        "arrived": 222,
        "RecordMissing": 68,
        "not_required": 5,
    }
    assert {tuple(one["insurances"]) for one in await case.anomalies(kind="RecordMissing")} == {
        ("medical", "maternity")
    }


async def closed_while_tickets_are_open(case: SilentCase) -> None:
    """The medical authority closes on the 19th: the tickets' clocks stand until the 22nd."""
    tickets = await case.missing_tickets()
    assert len(tickets) == 34
    due = {one["resolve_due_at"] for one in tickets}
    assert due == {"2024-11-01T10:00:00Z"}
    await case.to(moment("10-21 10:00"))
    for one in await case.missing_tickets():
        assert (one["resolve_due_at"], one["resolve_days_left"]) == (None, 10)
    _, advice = await case.xiaowangs_month()
    assert "社保局公告暂停至 10月22日" in advice
    await case.to(moment("10-22 09:00"))
    assert {one["resolve_due_at"] for one in await case.missing_tickets()} == {
        "2024-11-05T10:00:00Z"
    }
