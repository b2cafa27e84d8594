"""The October case as ticket-svc lives it."""

import asyncio
from typing import Any

import pytest

from shared.contracts import AuthorityStateChanged, TicketChanged, TicketOpened, TicketResolved
from tests.support.october import cleared, employee, employer, missing
from tests.support.rooms import Room, at


async def the_ticket(service: Room) -> dict[str, Any]:
    answer = await service.http.get("/tickets", headers=service.hr())
    assert answer.status_code == 200, answer.text
    [ticket] = answer.json()["items"]
    detail = await service.http.get(f"/tickets/{ticket['ticket_id']}", headers=service.hr())
    return dict(detail.json())


FEEDBACK = {
    "levy_period": "2024-10",
    "insurances": ["medical"],
    "kind": "no_record",
    "text": "10月的医疗险查不到记录",
}


async def say(service: Room, key: str = "said-once", name: str = "xiaowang") -> Any:
    headers = service.employee(name) | {"Idempotency-Key": key}
    return await service.http.post("/feedback", json=FEEDBACK, headers=headers)


async def test_the_october_case(service: Room) -> None:
    await service.hear(employer(), employee("xiaowang"), missing("xiaowang"))
    await service.work()
    ticket = await the_ticket(service)
    assert (ticket["number"], ticket["state"]) == ("DZ-202410-0001", "assigned")
    assert ticket["assignee"] == "hr-li"
    assert ticket["reply_due_at"] == "2024-10-21T10:00:00Z"
    assert [item["insurance"] for item in ticket["items"]] == ["maternity", "medical"]

    service.clock.set(at(10, 18, "10:00"))
    path = f"/tickets/{ticket['ticket_id']}"
    reply = {"text": "已联系医保局核查", "waiting_on": "bureau"}
    answer = await service.http.post(
        f"{path}/replies", json=reply, headers=service.hr() | {"Idempotency-Key": "first reply"}
    )
    assert (answer.status_code, answer.json()["state"]) == (201, "waiting_bureau")
    assert answer.json()["resolve_due_at"] is None

    service.clock.set(at(10, 28, "09:30"))
    said = await say(service)
    assert said.status_code == 201, said.text
    assert said.json()["joined"] is True
    assert said.json()["ticket_id"] == ticket["ticket_id"]
    assert (await say(service)).json() == said.json()

    service.clock.set(at(11, 2))
    await service.hear(cleared("xiaowang"))
    ticket = await the_ticket(service)
    assert (ticket["state"], ticket["resolved_at"]) == ("resolved", "2024-11-02T00:00:00Z")
    assert [message["author_kind"] for message in ticket["conversation"]] == ["hr", "employee"]
    told = await service.told()
    assert [(type(e), e.version) for e in told] == [
        (TicketOpened, 1),
        (TicketChanged, 2),
        (TicketChanged, 3),
        (TicketChanged, 4),
        (TicketResolved, 5),
    ]
    assert [e.change for e in told[1:4]] == ["assigned", "replied", "feedback"]
    assert all(item.cleared_at for item in told[-1].items)
    assert [change["change"] for change in ticket["timeline"]] == [
        "opened",
        "assigned",
        "replied",
        "feedback",
        "resolved",
    ]


async def test_feedback_first_and_the_anomaly_joins_it(service: Room) -> None:
    await service.hear(employee("xiaowang"))
    said = (await say(service)).json()
    assert said["joined"] is False
    await service.hear(missing("xiaowang"))
    ticket = await the_ticket(service)
    assert (ticket["ticket_id"], ticket["feedback_count"]) == (said["ticket_id"], 1)
    assert {item["anomaly_id"] for item in ticket["items"]} == {"missing-xiaowang-2024-10"}
    await service.hear(cleared("xiaowang"))
    assert (await the_ticket(service))["state"] == "resolved"


async def test_thirty_six_people_are_one_incident(service: Room) -> None:
    names = [f"employee-{n:02d}" for n in range(36)]
    await service.hear(employer(), *(missing(name) for name in names[:1]))
    await service.hear(*(missing(name) for name in names[1:]))
    await service.work()
    answer = await service.http.get(
        "/incidents", params={"employer_id": "the-employer"}, headers=service.hr()
    )
    [incident] = answer.json()["items"]
    assert (incident["people"], incident["open_tickets"]) == (36, 36)
    loads = await service.rows(
        "SELECT assignee, count(*) FROM tickets GROUP BY assignee ORDER BY assignee"
    )
    assert [tuple(load) for load in loads] == [("hr-li", 18), ("hr-zhao", 18)]
    assert len({event.number for event in await service.told()}) == 36


async def test_batches_that_share_a_cause_are_counted_together(service: Room) -> None:
    await asyncio.gather(*(service.hear(missing(f"employee-{n}")) for n in range(4)))
    rows = await service.rows("SELECT incident_id, count(*) FROM tickets GROUP BY incident_id")
    assert [row.count for row in rows] == [4]
    assert rows[0].incident_id != ""


async def test_fifty_sends_of_one_key_are_one_feedback(service: Room) -> None:
    await service.hear(employee("xiaowang"))
    answers = await asyncio.gather(*(say(service) for _ in range(50)))
    assert {answer.text for answer in answers} == {answers[0].text}
    assert (await the_ticket(service))["feedback_count"] == 1


async def test_duplicates_and_a_clear_before_its_anomaly_change_nothing(
    service: Room,
) -> None:
    await service.hear(cleared("xiaowang"), missing("xiaowang"), cleared("xiaowang"))
    before = await the_ticket(service)
    told = len(await service.told())
    outcome = await service.hear(missing("xiaowang"), cleared("xiaowang"))
    assert (outcome.handled, outcome.known) == (0, 2)
    assert await the_ticket(service) == before
    assert (before["state"], len(await service.told())) == ("resolved", told)


async def test_november_joins_octobers_open_ticket(service: Room) -> None:
    await service.hear(missing("xiaowang"), missing("xiaowang", period="2024-11"))
    ticket = await the_ticket(service)
    assert {item["levy_period"] for item in ticket["items"]} == {"2024-10", "2024-11"}
    await service.hear(cleared("xiaowang"))
    assert (await the_ticket(service))["state"] == "open"
    await service.hear(cleared("xiaowang", period="2024-11"))
    assert (await the_ticket(service))["state"] == "resolved"


async def test_late_tickets_go_up_at_their_due_times(service: Room) -> None:
    await service.hear(employer(), missing("xiaowang"))
    await service.work()
    service.clock.set(at(10, 21, "17:59"))
    assert await service.work() == 0
    service.clock.set(at(10, 21, "18:00"))
    assert await service.work() == 1
    last = (await service.told())[-1]
    assert (last.change, last.escalation) == ("escalated", 1)


async def test_a_closed_authority_stops_the_resolution_clock(service: Room) -> None:
    def authority(version: int, state: str, since: str) -> AuthorityStateChanged:
        return AuthorityStateChanged(
            version=version, authority="medical-990100", city="990100", state=state, since=since
        )

    await service.hear(missing("xiaowang"))
    await service.hear(authority(1, "closed", at(10, 18).isoformat()))
    ticket = await the_ticket(service)
    assert (ticket["resolve_due_at"], ticket["resolve_days_left"]) == (None, 9)
    await service.hear(authority(2, "open", at(10, 21).isoformat()))
    assert (await the_ticket(service))["resolve_due_at"] == "2024-11-01T10:00:00Z"


async def test_who_leaves_the_staff_gives_their_tickets_back(service: Room) -> None:
    await service.hear(missing("xiaowang"))
    assert await service.work() == 0
    await service.hear(employer(1, "hr-li"))
    await service.work()
    assert (await the_ticket(service))["assignee"] == "hr-li"
    await service.hear(employer(2, "hr-zhao"))
    await service.work()
    assert (await the_ticket(service))["assignee"] == "hr-zhao"


async def test_people_decide(service: Room) -> None:
    await service.hear(employer(), missing("xiaowang"))
    ticket = await the_ticket(service)
    path = f"/tickets/{ticket['ticket_id']}"

    async def post(what: str, body: Any = None, *, by: dict[str, str] | None = None) -> Any:
        headers = (by or service.hr()) | {
            "Idempotency-Key": f"{what} {sorted(body or ())} {len(str(body))}"
        }
        return await service.http.post(f"{path}/{what}", json=body, headers=headers)

    assert (await post("assign", {"sub": "a stranger"})).status_code == 409
    assert (await post("assign", {"sub": "hr-zhao"})).json()["assignee"] == "hr-zhao"
    assert (await post("resume")).status_code == 409
    resolved = await post("resolve", {"reason": "已核对"})
    assert (resolved.json()["state"], resolved.json()["reason"]) == ("resolved", "已核对")
    assert (await post("replies", {"text": "还是没有"}, by=service.employee())).status_code == 409
    again = await post("reopen", by=service.employee())
    assert again.json()["state"] == "reopened"
    await service.hear(cleared("xiaowang"))
    assert (await the_ticket(service))["state"] == "resolved"


async def test_a_resolved_ticket_keeps_its_facts(service: Room) -> None:
    await service.hear(missing("xiaowang"))
    ticket = await the_ticket(service)
    await service.http.post(
        f"/tickets/{ticket['ticket_id']}/resolve",
        json={"reason": "另行处理"},
        headers=service.hr() | {"Idempotency-Key": "k"},
    )
    await service.hear(missing("xiaowang", version=2), missing("xiaowang", period="2024-11"))
    rows = await service.rows("SELECT state, version FROM tickets ORDER BY number")
    assert [tuple(row) for row in rows] == [("resolved", 2), ("open", 1)]
    await service.hear(cleared("xiaowang", version=3))
    last = (await service.told())[-1]
    assert isinstance(last, TicketResolved)
    assert all(item.cleared_at for item in last.items)


async def test_another_persons_ticket_does_not_exist(service: Room) -> None:
    await service.hear(missing("xiaowang"))
    ticket = await the_ticket(service)
    for stranger in (service.employee("another"), service.hr(employer="another-employer")):
        found = await service.http.get(f"/tickets/{ticket['ticket_id']}", headers=stranger)
        assert found.status_code == 404
        listed = await service.http.get("/tickets", headers=stranger)
        assert listed.json()["items"] == []
    operator = service.issuer.headers("ops", ["operator"])
    assert (await service.http.get("/tickets", headers=operator)).status_code == 403
    counts = await service.http.get("/ticket-counts", headers=operator)
    assert counts.json() == {"states": {"open": 1}}


@pytest.mark.parametrize(
    "broken",
    [
        {"levy_period": "2024-13"},
        {"insurances": []},
        {"insurances": ["dental"]},
        {"kind": "angry"},
        {"text": "a\x00b"},
        {"text": ""},
        {"assignee": "me"},
    ],
)
async def test_malformed_feedback_is_refused(service: Room, broken: dict[str, object]) -> None:
    answer = await service.http.post(
        "/feedback",
        json=FEEDBACK | broken,
        headers=service.employee() | {"Idempotency-Key": "broken"},
    )
    assert answer.status_code == 422, answer.text


async def test_pages_follow_each_other(service: Room) -> None:
    await service.hear(*(missing(f"employee-{n}") for n in range(5)))
    seen: list[str] = []
    cursor: str | None = None
    while cursor is not None or not seen:
        params: dict[str, str | int] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await service.http.get("/tickets", params=params, headers=service.hr())).json()
        seen += [ticket["ticket_id"] for ticket in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 5
    bad = await service.http.get("/tickets?cursor=nonsense", headers=service.hr())
    assert bad.status_code == 422
