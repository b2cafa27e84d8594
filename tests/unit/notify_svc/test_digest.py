"""Who hears of what in one message, and when."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_svc.domain.digest import (
    QUARTER,
    Digest,
    Mention,
    Staff,
    digests_of,
    is_over,
    next_quarter,
    params_of,
    recipients_of,
)
from notify_svc.domain.resolution import Item, Ticket, arrived_cells
from notify_svc.domain.sending import WAITS, next_try
from notify_svc.files import Templates
from shared.clock import china_time

DAY = date(2024, 10, 17)
STAFF = [
    Staff("hr-li", ("operations", "sales")),
    Staff("hr-zhao", ("engineering",)),
    Staff("hr-head"),
]


def missing(employee: str, department: str = "operations", cause: str = "drops") -> Mention:
    return Mention(
        mention_id=f"missing of {employee}",
        employer_id="the-employer",
        template="hr_anomalies",
        cause=f"RecordMissing/{cause}",
        due_at=china_time(DAY, "08:15"),
        cause_event="an event",
        department_id=department,
        employee_id=employee,
        anomaly_ids=(f"anomaly of {employee}",),
        params={
            "kind": "RecordMissing",
            "levy_period": "2024-10",
            "insurances": "medical,maternity",
        },
    )


def test_thirty_six_people_with_one_cause_are_one_message() -> None:
    mentions = [missing(f"employee-{n:02d}") for n in range(36)]
    digests = digests_of(mentions, {"the-employer": STAFF})
    assert [digest.recipient for digest in digests] == ["hr-head", "hr-li"]
    assert len(digests[0].mentions) == 36
    text = Templates.load().channels("hr_anomalies")["inbox"].text
    assert text.format(**params_of(digests[0])) == (
        "36 名员工10月医疗险、生育险未到账，已建工单，请核查"
    )


def test_another_cause_is_another_message() -> None:
    mentions = [missing("one"), missing("two", cause="interrupted")]
    assert len(digests_of(mentions, {"the-employer": STAFF[:1]})) == 2


def test_a_department_that_nobody_cares_for_is_everybodys() -> None:
    assert recipients_of(missing("one", "a new one"), STAFF[:2]) == ["hr-li", "hr-zhao"]
    assert recipients_of(missing("one", "engineering"), STAFF) == ["hr-zhao", "hr-head"]


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_digest_is_told_within_a_quarter_of_an_hour(now: datetime) -> None:
    due = next_quarter(now)
    assert now < due <= now + QUARTER
    assert (due.minute % 15, due.second, due.microsecond) == (0, 0, 0)


def test_of_several_states_of_one_risk_the_newest_is_told() -> None:
    def risk(version: int) -> Mention:
        return Mention(
            mention_id=f"risk {version}",
            employer_id="the-employer",
            template="hr_deadline_at_risk",
            cause="account/2024-10",
            due_at=china_time(DAY, "08:15"),
            cause_event="an event",
            params={
                "version": str(version),
                "count": str(10 - version),
                "over": "over" if version == 11 else "",
            },
        )

    digest = Digest("hr-li", (risk(2), risk(10), risk(9)))
    assert (params_of(digest)["count"], params_of(digest)["incomplete"]) == ("0", "")
    assert params_of(Digest("hr-li", (risk(2),)))["incomplete"] == "，8 名员工资料待补"
    assert not is_over(digest)
    assert is_over(Digest("hr-li", (risk(11), risk(2))))


@pytest.mark.parametrize("count", [1, 3, 5])
def test_assigned_tickets_are_named_up_to_three(count: int) -> None:
    mentions = tuple(
        Mention(
            mention_id=f"{n}",
            employer_id="the-employer",
            template="hr_ticket_assigned",
            cause="incident",
            due_at=china_time(DAY, "08:15"),
            cause_event="an event",
            params={"number": f"DZ-202410-000{n}", "due": "10月21日 18:00"},
        )
        for n in range(count)
    )
    params = params_of(Digest("hr-li", mentions))
    assert (params["count"], params["due"]) == (str(count), "10月21日 18:00")
    assert params["numbers"].endswith("等") == (count > 3)


def ticket(*items: Item, is_resolved: bool = True) -> Ticket:
    return Ticket(
        ticket_id="the-ticket",
        employer_id="the-employer",
        employee_id="xiaowang",
        version=5,
        number="DZ-202410-0001",
        is_resolved=is_resolved,
        was_replied=True,
        feedback_count=1,
        is_settled=False,
        items=items,
        cause_event="an event",
    )


MEDICAL = Item("2024-10", "medical", "missing")
MATERNITY = Item("2024-10", "maternity", "missing")


def test_nothing_is_certain_before_the_anomaly_is_known_to_have_cleared() -> None:
    assert arrived_cells(ticket(MEDICAL), {}) is None
    assert arrived_cells(ticket(MEDICAL, is_resolved=False), {"missing": {}}) is None


def test_only_what_arrived_is_called_arrived() -> None:
    outcomes = {"missing": {"medical": "arrived", "maternity": "DebitReversed"}}
    assert arrived_cells(ticket(MEDICAL, MATERNITY), outcomes) == [("2024-10", "medical")]


def test_sending_is_tried_again_with_growing_waits_and_then_given_up() -> None:
    now = china_time(DAY, "08:15")
    times = [next_try(tries, now) for tries in range(1, len(WAITS) + 2)]
    assert times == [*(now + wait for wait in WAITS), None]


def wage_data(department: str, version: int, stage: str, due_on: str = "2024-10-25") -> Mention:
    return Mention(
        mention_id=f"{department} {version}",
        employer_id="the-employer",
        template="hr_wage_data_due",
        cause="wage-data/2024-11",
        due_at=china_time(DAY, "08:15"),
        cause_event="an event",
        department_id=department,
        params={
            "version": str(version),
            "month": "11月",
            "department": {"operations": "运营部", "sales": "销售部"}[department],
            "due_on": due_on,
            "stage": stage,
        },
    )


def test_departments_whose_wage_data_are_awaited_are_one_message_by_urgency() -> None:
    mentions = [
        wage_data("operations", 1, "ahead"),
        wage_data("operations", 2, "due_soon"),
        wage_data("sales", 3, "missed", "2024-10-15"),
    ]
    digests = digests_of(mentions, {"the-employer": STAFF})
    assert [digest.recipient for digest in digests] == ["hr-head", "hr-li"]
    text = Templates.load().channels("hr_wage_data_due")["inbox"].text
    assert text.format(**params_of(digests[1])) == (
        "11月变动工资数据：销售部已于 2024-10-15 截止，尚未提交；运营部将于 2024-10-25 截止。"
        "请导入，或确认本月无数据"
    )


@pytest.mark.parametrize("stage", ["ahead", "handed_in", "nothing"])
def test_wage_data_that_nobody_waits_for_are_not_told(stage: str) -> None:
    mentions = [wage_data("sales", 1, "due_soon"), wage_data("sales", 2, stage)]
    [to_head, to_li] = digests_of(mentions, {"the-employer": STAFF})
    assert is_over(to_head)
    assert is_over(to_li)
