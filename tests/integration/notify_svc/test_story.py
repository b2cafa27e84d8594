"""The October case as notify-svc tells it, with ticket-svc's own events."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from shared.contracts import (
    NotificationDelivered,
    PayslipIssued,
    PolicyReleaseAnnounced,
    TicketItem,
    TicketResolved,
)
from shared.values import Insurance, Outcome
from tests.support.october import cleared, employee, employer, missing
from tests.support.reconciling_events import policy
from tests.support.rooms import Room, at, room
from tests.support.service_databases import ServiceDatabase
from ticket_svc.main import SERVICE as TICKETS

PEOPLE = [f"employee-{n:02d}" for n in range(35)] + ["xiaowang"]


@pytest.fixture
async def tickets(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> AsyncIterator[Room]:
    async with room(TICKETS, await service_database("ticket_svc")) as running:
        yield running


async def relay(source: Room, to: Room, seen: int = 0) -> int:
    """Brings what `source` has told since to `to`, as the broker would."""
    told = await source.told()
    await to.hear(*told[seen:])
    return len(told)


async def inbox(service: Room, headers: dict[str, str]) -> list[str]:
    answer = await service.http.get("/me/notifications", headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["text"] for item in reversed(answer.json()["items"])]


async def of_employer(service: Room, **params: str) -> list[dict[str, Any]]:
    answer = await service.http.get(
        "/notifications",
        params={"employer_id": "the-employer", "limit": "200"} | params,
        headers=service.hr(),
    )
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_the_october_case(service: Room, tickets: Room) -> None:
    found = [missing(name) for name in PEOPLE]
    await tickets.hear(employer(1, "hr-li"), *(employee(name) for name in PEOPLE), *found)
    await tickets.work()
    await service.hear(employer(1, "hr-li"), *found)
    seen = await relay(tickets, service)
    assert await service.work() == 0

    service.clock.set(at(10, 17, "08:15"))
    await service.work()
    assert await inbox(service, service.hr()) == [
        "36 名员工10月医疗险、生育险未到账，已建工单，请核查",
        "36 件新工单已分派给您（DZ-202410-0001、DZ-202410-0002、DZ-202410-0003 等），"
        "请在 10月21日 18:00 前首次回复",
    ]
    [told] = await of_employer(service, template="hr_anomalies")
    assert len(told["anomaly_ids"]) == 36
    assert told["at"] == "2024-10-17T00:15:00Z"
    [same] = await of_employer(
        service, anomaly_id="missing-xiaowang-2024-10", template="hr_anomalies"
    )
    assert same == told

    page = await tickets.http.get(
        "/tickets", params={"employee_id": "xiaowang"}, headers=tickets.hr()
    )
    [ticket] = page.json()["items"]
    tickets.clock.set(at(10, 18))
    await tickets.http.post(
        f"/tickets/{ticket['ticket_id']}/replies",
        json={"text": "已联系医保局", "waiting_on": "bureau"},
        headers=tickets.hr() | {"Idempotency-Key": "first reply"},
    )
    seen = await relay(tickets, service, seen)
    assert await inbox(service, service.employee()) == [
        f"您的工单 {ticket['number']} 已有回复，请查看"
    ]

    ended = [cleared(name) for name in PEOPLE]
    await tickets.hear(*ended)
    service.clock.set(at(11, 2))
    await relay(tickets, service, seen)
    assert len(await inbox(service, service.employee())) == 1
    await service.hear(*ended)
    assert (await inbox(service, service.employee()))[
        1
    ] == "10月医疗险、生育险记录已补录，可正常查询"
    arrived = await of_employer(service, template="records_arrived", recipient_kind="employee")
    assert len({one["employee_id"] for one in arrived}) == 36
    [mine] = await of_employer(
        service, ticket_id=ticket["ticket_id"], template="records_arrived", channel="inbox"
    )
    assert (mine["employee_id"], mine["at"]) == ("xiaowang", "2024-11-02T00:00:00Z")


async def test_duplicates_tell_nothing_twice(service: Room, tickets: Room) -> None:
    events = [employer(1, "hr-li"), missing("xiaowang"), cleared("xiaowang")]
    await tickets.hear(*events)
    for _ in range(2):
        await service.hear(*events)
        await relay(tickets, service)
        await service.work()
    assert await inbox(service, service.employee()) == ["10月医疗险、生育险记录已补录，可正常查询"]
    told = [e for e in await service.told() if isinstance(e, NotificationDelivered)]
    assert [event.template for event in told] == ["records_arrived"]


async def test_what_clears_before_its_digest_is_never_told(service: Room) -> None:
    await service.hear(employer(1, "hr-li"))
    await service.hear(missing("xiaowang"), cleared("another"))
    await service.hear(cleared("xiaowang"), missing("another"))
    service.clock.set(at(10, 17, "08:15"))
    assert await service.work() == 0
    assert await inbox(service, service.hr()) == []


async def test_a_digest_waits_for_the_staff_to_be_known(service: Room) -> None:
    await service.hear(missing("xiaowang"))
    service.clock.set(at(10, 17, "09:00"))
    assert await service.work() == 0
    await service.hear(employer(1, "hr-li"))
    assert await service.work() == 1
    assert await inbox(service, service.hr()) == [
        "1 名员工10月医疗险、生育险未到账，已建工单，请核查"
    ]


def resolved(name: str, *, reason: str = "records_agree", version: int = 2) -> TicketResolved:
    items = tuple(
        TicketItem(
            levy_period="2024-10",
            insurance=insurance,
            anomaly_id=f"missing-{name}-2024-10",
            kind="RecordMissing",
            raised_at=at(10, 17).isoformat(),
            cleared_at=at(11, 2).isoformat(),
        )
        for insurance in (Insurance.MEDICAL, Insurance.MATERNITY)
    )
    return TicketResolved(
        version=version,
        employee_id=name,
        employer_id="the-employer",
        ticket_id=f"ticket-{name}",
        number="DZ-202410-0001",
        state="resolved",
        origin="anomaly",
        kind="RecordMissing",
        items=items,
        opened_at=at(10, 17).isoformat(),
        reply_due_at="",
        feedback_count=1,
        reason=reason,
    )


async def test_a_reversed_debit_is_not_called_an_arrived_record(service: Room) -> None:
    await service.hear(cleared("xiaowang", became=Outcome.DEBIT_REVERSED), resolved("xiaowang"))
    assert await inbox(service, service.employee()) == []


async def test_what_a_person_resolved_is_said_so(service: Room) -> None:
    await service.hear(resolved("xiaowang", reason="by_person"))
    assert await inbox(service, service.employee()) == [
        "您的工单 DZ-202410-0001 已由 HR 处理完成，请查看"
    ]


def payslip(version: int, gross_fen: int, tax_fen: int, net_fen: int) -> PayslipIssued:
    return PayslipIssued(
        version=version,
        employee_id="xiaowang",
        employer_id="the-employer",
        levy_period="2024-10",
        run_id="run",
        payday="2024-09-30",
        gross_fen=gross_fen,
        tax_fen=tax_fen,
        net_fen=net_fen,
        withheld=(),
    )


async def test_a_payslip_is_told_without_its_amounts(service: Room) -> None:
    await service.hear(payslip(1, 1_000_000, 0, 900_000))
    assert await inbox(service, service.employee()) == ["10月工资条已发放，请查看"]


async def test_a_correction_is_told_with_what_it_changed_and_mails_say_no_amount(
    service: Room,
) -> None:
    first, corrected = (
        payslip(1, 1_000_000, 12_008, 888_242),
        payslip(2, 1_050_000, 13_508, 936_742),
    )
    # That a later month withheld for this one is on that month's payslip.
    same, back = payslip(3, 1_050_000, 13_508, 936_742), payslip(4, 1_050_000, 13_508, 935_742)
    await service.hear(first)
    service.clock.set(at(11, 5))
    for _ in range(2):
        await service.hear(corrected, same)
    service.clock.set(at(12, 5))
    await service.hear(back)
    await service.hear(first)
    assert await inbox(service, service.employee()) == [
        "10月工资条已发放，请查看",
        "10月工资条有更正：应发增加 500.00 元，个人所得税增加 15.00 元，实发增加 485.00 元，请查看",
        "10月工资条有更正：代扣社保公积金及其他增加 10.00 元，实发减少 10.00 元，请查看",
    ]
    mails = await of_employer(service, channel="email")
    assert sorted(mail["text"] for mail in mails) == [
        "10月工资条已发放，请登录查看。",
        *["10月工资条有更正，请登录查看。"] * 2,
    ]


async def test_others_see_nothing(service: Room) -> None:
    await service.hear(cleared("xiaowang"), resolved("xiaowang"))
    assert await inbox(service, service.employee("another")) == []
    assert await inbox(service, service.hr()) == []
    stranger = service.hr(employer="another-employer")
    params = {"employer_id": "the-employer"}
    answer = await service.http.get("/notifications", params=params, headers=stranger)
    assert answer.status_code == 404
    refused = await service.http.get("/notifications", params=params, headers=service.employee())
    assert refused.status_code == 403


async def test_hr_hears_of_a_release_with_its_numbers_and_once_a_quarter(service: Room) -> None:
    await service.hear(employer(1, "hr-li"))
    await service.hear(_release(1, "announced"))
    service.clock.set(at(10, 17, "08:15"))
    await service.work()
    announced, *none = await inbox(service, service.hr())
    assert (none, announced) == (
        [],
        "示例甲市社保政策更新将于 2024-11-01 生效：涉及 3 人，"
        "自2024年11月起单位每月增加 1,014.60 元，个人每月增加 399.00 元；"
        "已申报的 4 人月另计补差，请核对缴费基数",
    )
    await service.hear(_release(2, "effective"), _release(3, "withdrawn"))
    await service.hear(msgspec.structs.replace(policy(2), proposal_id="proposal-1"))
    service.clock.set(at(10, 17, "08:30"))
    await service.work()
    [_, newest] = await inbox(service, service.hr())
    assert newest == "示例甲市社保政策更新已撤回：仍按原标准核算", "only the newest state, once"


def _release(version: int, state: str) -> PolicyReleaseAnnounced:
    return PolicyReleaseAnnounced(
        version=version,
        proposal_id="proposal-1",
        employer_id="the-employer",
        city="990100",
        city_name="示例甲市",
        state=state,
        effective_on="2024-11-01",
        levy_period="2024-11",
        people=3,
        employer_fen=101_460,
        employee_fen=39_900,
        declared_months=4,
    )
