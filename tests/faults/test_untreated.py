"""The case left untreated to the end of December 2024, on real processes: what is missing gathers
month by month, goes up unanswered, and is made good at once.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.demo import addresses_of
from sandbox.case.october import NOTIFY, RECONCILIATION
from sandbox.case.roster import Case
from sandbox.case.untreated import Untreated
from tests.support.silent_case import installation

MONTHS = ("2024-10", "2024-11", "2024-12")
SIDES = ("withheld", "assessed", "filed", "verified", "debited", "recorded")


@pytest.mark.long
@pytest.mark.parametrize(
    ("dropped", "sentence"),
    [
        (("medical",), "10-12月医疗险记录已补录，可正常查询"),
        (("medical", "maternity"), "10-12月医疗险、生育险记录已补录，可正常查询"),
    ],
    ids=["medical alone, as in the article", "medical and maternity"],
)
async def test_three_months_of_silence_are_one_ticket_and_one_notice_each(
    tmp_path: Path, dropped: tuple[str, ...], sentence: str
) -> None:
    async with installation(tmp_path) as (running, client, narrator):
        case = Untreated(addresses_of(running), client, Case(), narrator)
        case.insurances = dropped
        await case.play()
        await all_has_arrived(case)
        await one_ticket_each(case, dropped)
        await hr_heard_once_a_month(case)
        notices = await case.hr.all(NOTIFY, "/notifications", employer_id=case.employer_id)
        told = Counter(
            one["employee_id"]
            for one in notices
            if (one["channel"], one["text"]) == ("inbox", sentence)
        )
        assert Counter(told.values()) == {1: 34}
        arrived = [one for one in notices if one["template"] == "records_arrived"]
        assert len({(one["employee_id"], one["channel"]) for one in arrived}) == len(arrived)
        own = await case.xiaowang.all(NOTIFY, "/me/notifications")
        assert [one["text"] for one in own if one["template"] == "records_arrived"] == [sentence]


async def all_has_arrived(case: Untreated) -> None:
    """Salaries, declarations and debits went on monthly; in the end every month is whole."""
    for levy_period in MONTHS:
        counts = await case.counts(levy_period)
        assert counts["K"] == 300
        assert counts["states"] == {"AssessmentBlocked": 5, "arrived": 290, "not_required": 5}
        bridge: Any = await case.hr.get(
            RECONCILIATION, "/bridge", employer_id=case.employer_id, levy_period=levy_period
        )
        assert {step["unexplained_fen"] for step in bridge["steps"]} == {0}
        sums = [
            sum(
                one["employer_fen"] + one["employee_fen"]
                for one in bridge["sums_fen"][side].values()
            )
            for side in SIDES
        ]
        assert len(set(sums)) == 1
        assert sums[0] > 0


async def one_ticket_each(case: Untreated, missing: tuple[str, ...]) -> None:
    tickets = [one for one in await case.tickets() if one["kind"] == "RecordMissing"]
    assert len({one["employee_id"] for one in tickets}) == len(tickets) == 34
    gathered = {(period, insurance) for period in MONTHS for insurance in missing}
    for ticket in tickets:
        items = {(item["levy_period"], item["insurance"]) for item in ticket["items"]}
        assert items == gathered
    assert {one["opened_at"] for one in tickets} == {"2024-10-17T00:00:00Z"}
    assert {one["first_reply_at"] for one in tickets} == {None}
    assert {one["escalation"] for one in tickets} == {3}
    assert {one["resolved_at"] for one in tickets} == {"2024-12-31T00:00:00Z"}
    assert sum(one["feedback_count"] for one in tickets) == 1


async def hr_heard_once_a_month(case: Untreated) -> None:
    """Each of the two is told of each month in one line, of tickets once, of late ones thrice."""
    heard = await case.hr.all(
        NOTIFY, "/notifications", employer_id=case.employer_id, recipient_kind="hr"
    )
    raised = [one for one in heard if "未到账" in one["text"]]
    days = Counter((one["recipient"], one["at"][:10]) for one in raised)
    missed_on = ("2024-10-17", "2024-11-19", "2024-12-18")
    assert days == {(sub, day): 1 for sub in ("hr.chen", "hr.zhao") for day in missed_on}
    since = [one for one in heard if one["at"] > "2024-10-17T00:00:00Z"]
    assert Counter(
        (one["recipient"], one["template"])
        for one in since
        if one["template"] in ("hr_ticket_assigned", "hr_ticket_escalated")
    ) == {
        ("hr.chen", "hr_ticket_assigned"): 1,
        ("hr.zhao", "hr_ticket_assigned"): 1,
        ("hr.chen", "hr_ticket_escalated"): 3,
        ("hr.zhao", "hr_ticket_escalated"): 3,
    }
