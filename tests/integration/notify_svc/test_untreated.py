"""The case left untreated, in three rooms: October to December gather in one ticket and end in one
notice.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import pytest

from reconciliation_svc.main import SERVICE as RECONCILIATION
from shared.codec import body_of
from shared.contracts import Event, HrStaffFact
from shared.values import Insurance
from tests.support.reconciling_events import (
    EMPLOYER,
    HEALTH,
    MATERNITY,
    acked,
    assessed,
    employee,
    employer,
    policy,
    posted,
)
from tests.support.rooms import Room, at, room
from tests.support.service_databases import ServiceDatabase
from ticket_svc.main import SERVICE as TICKETS

EventT = TypeVar("EventT", bound=Event)


def of_month(event: EventT, month: int) -> EventT:
    """The same event about another month of the year: every day in it moves along."""
    text = body_of(event).decode().replace("2024-10", f"2024-{month}")
    return msgspec.json.decode(text, type=type(event))


@dataclass
class Rooms:
    """What reconciliation tells reaches the others, what tickets tell reaches notify."""

    reconciliation: Room
    tickets: Room
    notify: Room
    judged: int = 0
    ticketed: int = 0

    async def rest(self, moment: datetime, *facts: Event) -> None:
        """These facts are heard at this moment, and everything that follows from them happens."""
        for one in (self.reconciliation, self.tickets, self.notify):
            one.clock.set(moment)
        await self.reconciliation.hear(*facts)
        await self.reconciliation.work()
        judged = await self.reconciliation.told()
        await self.tickets.hear(*judged[self.judged :])
        await self.tickets.work()
        ticketed = await self.tickets.told()
        await self.notify.hear(*judged[self.judged :], *ticketed[self.ticketed :])
        await self.notify.work()
        self.judged, self.ticketed = len(judged), len(ticketed)

    async def hr_heard(self) -> list[tuple[str, str]]:
        answer = await self.notify.http.get(
            "/notifications",
            params={"employer_id": EMPLOYER, "recipient_kind": "hr", "limit": "200"},
            headers=self.notify.hr(employer=EMPLOYER),
        )
        return [(one["template"], one["text"]) for one in reversed(answer.json()["items"])]

    async def wang_heard(self) -> list[str]:
        headers = self.notify.issuer.headers(
            "sub-wang", ["employee"], employer_ids=[EMPLOYER], employee_id="wang"
        )
        answer = await self.notify.http.get("/me/notifications", headers=headers)
        return [one["text"] for one in reversed(answer.json()["items"])]

    async def all_tickets(self) -> list[Any]:
        answer = await self.tickets.http.get(
            "/tickets",
            params={"employee_id": "wang"},
            headers=self.tickets.hr(employer=EMPLOYER),
        )
        return list(answer.json()["items"])


@pytest.fixture
async def rooms(
    service: Room, service_database: Callable[[str], Awaitable[ServiceDatabase]]
) -> AsyncIterator[Rooms]:
    async with (
        room(RECONCILIATION, await service_database("reconciliation_svc")) as reconciliation,
        room(TICKETS, await service_database("ticket_svc")) as tickets,
    ):
        yield Rooms(reconciliation, tickets, service)


async def month_without(rooms: Rooms, month: int, missing: Sequence[Insurance]) -> None:
    """Filed, debited, passed on, and looked for on the day after the window: these are absent."""
    there = [insurance for insurance in Insurance if insurance not in missing]
    facts = [assessed("wang"), acked("wang", 1, "verified")]
    await rooms.rest(at(month, 9), *(of_month(fact, month) for fact in facts))
    await rooms.rest(at(month, 10, "18:00"), of_month(posted("wang"), month))
    looked = acked("wang", 2, "absent", "2024-10-17T00:00:00Z", recorded=there)
    await rooms.rest(at(month, 17, "08:00"), of_month(looked, month))
    await rooms.rest(at(month, 17, "08:05"))
    await rooms.rest(at(month, 17, "08:15"))


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ((HEALTH,), "10-12月医疗险记录已补录，可正常查询"),
        ((HEALTH, MATERNITY), "10-12月医疗险、生育险记录已补录，可正常查询"),
    ],
    ids=["medical alone, as in the article", "medical and maternity"],
)
async def test_three_months_are_one_ticket_and_one_notice(
    rooms: Rooms, missing: Sequence[Insurance], sentence: str
) -> None:
    staffed = msgspec.structs.replace(employer(), hr_staff=(HrStaffFact(sub="hr-li"),))
    await rooms.tickets.hear(staffed, employee("wang"))
    await rooms.notify.hear(staffed)
    await rooms.rest(at(9, 25, "06:00"), staffed, policy(), employee("wang"))

    await month_without(rooms, 10, missing)
    for late in (at(10, 21, "18:00"), at(10, 22, "09:00"), at(10, 23, "09:00"), at(10, 24)):
        await rooms.rest(late)
        await rooms.rest(late.replace(minute=15))
    for month in (11, 12):
        await month_without(rooms, month, missing)

    [ticket] = await rooms.all_tickets()
    assert (ticket["state"], ticket["escalation"]) == ("assigned", 3)
    gathered = {(item["levy_period"], item["insurance"]) for item in ticket["items"]}
    assert gathered == {(f"2024-{month}", one) for month in (10, 11, 12) for one in missing}
    names = "、".join({HEALTH: "医疗险", MATERNITY: "生育险"}[one] for one in missing)
    heard = await rooms.hr_heard()
    assert [text for template, text in heard if template == "hr_anomalies"] == [
        f"1 名员工{month}月{names}未到账，已建工单，请核查" for month in (10, 11, 12)
    ]
    templates = [template for template, _ in heard]
    assert templates.count("hr_ticket_assigned") == 1
    assert templates.count("hr_ticket_escalated") == 3
    assert await rooms.wang_heard() == []

    arrived = acked("wang", 3, "recorded", "2024-12-31T00:00:00Z")
    await rooms.rest(at(12, 31), *(of_month(arrived, month) for month in (10, 11)))
    assert await rooms.wang_heard() == []
    await rooms.rest(at(12, 31, "08:01"), of_month(arrived, 12))
    assert await rooms.wang_heard() == [sentence]
    [ticket] = await rooms.all_tickets()
    assert (ticket["state"], ticket["resolved_at"]) == ("resolved", "2024-12-31T00:01:00Z")
