"""A collector's wire, and each fault that can be ordered of it."""

import asyncio
from typing import Any

from tests.support.parties import Sandbox, declaration, line

MORNING = "2024-10-08T10:00:00+08:00"
VERIFIED = "2024-10-08T12:00:00+08:00"
PENSION = line(insurance="110", AAE020="1520.00", AAE022="760.00")


async def send(sandbox: Sandbox, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = await sandbox.collector.post("/tax-990100/declarations", json=body)
    return answer.status_code, answer.json()


async def ask(sandbox: Sandbox, serial: str) -> tuple[int, dict[str, Any]]:
    answer = await sandbox.collector.get(f"/tax-990100/declarations/{serial}")
    return answer.status_code, answer.json()


async def test_a_serial_is_taken_once_whatever_comes_again(sandbox: Sandbox) -> None:
    body = declaration("S-1")
    answers = await asyncio.gather(*(send(sandbox, body) for _ in range(10)))
    assert answers == [(202, {"serial": "S-1", "state": "received"})] * 10
    await sandbox.step(VERIFIED)
    assert await send(sandbox, body) == answers[0]
    assert (await ask(sandbox, "S-1"))[1]["total"] == "950.00"
    status, refusal = await send(sandbox, declaration("S-1", line(AAE180="9600.00")))
    assert (status, refusal["code"]) == (409, "SERIAL_CONFLICT")


async def test_what_never_arrived_is_unknown(sandbox: Sandbox) -> None:
    status, refusal = await ask(sandbox, "S-1")
    assert (status, refusal["code"]) == (404, "UNKNOWN_SERIAL")
    answer = await sandbox.collector.get("/tax-000000/declarations/S-1")
    assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_PARTY")


async def test_a_malformed_body_is_answered_without_its_values(sandbox: Sandbox) -> None:
    body = declaration("S-1", line(id_no="11010119900307003?"), line(AAE180="many"))
    answer = await sandbox.collector.post("/tax-990100/declarations", json=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    places = [fault["where"] for fault in answer.json()["faults"]]
    assert {"/body/lines/0/AAC002", "/body/lines/1/AAE180"} <= set(places)
    assert "11010119900307003" not in answer.text
    assert "many" not in answer.text


async def test_refused_at_once_and_for_good(sandbox: Sandbox) -> None:
    people = ["110101199003070038"]
    await sandbox.order("tax-990100", "refuse", people=people, params={"text": "证件号码不符"})
    body = declaration("S-1", line(), line(id_no="110101199003070011"))
    for _ in range(2):
        status, refusal = await send(sandbox, body)
        assert (status, refusal["code"], refusal["text"]) == (422, "REFUSED", "证件号码不符")
        [shown] = refusal["lines"]
        assert (shown["AAC002"], shown["text"]) == (people[0], "证件号码不符")
    assert (await ask(sandbox, "S-1"))[1]["state"] == "refused"
    await sandbox.step(VERIFIED)
    assert (await ask(sandbox, "S-1"))[1]["verified_at"] is None


async def test_refused_when_it_is_verified(sandbox: Sandbox) -> None:
    await sandbox.order("tax-990100", "refuse", params={"text": "单位已注销", "later": True})
    await sandbox.step(MORNING)
    assert (await send(sandbox, declaration("S-1")))[0] == 202
    await sandbox.step(VERIFIED)
    _, said = await ask(sandbox, "S-1")
    assert (said["state"], said["text"], said["total"]) == ("refused", "单位已注销", None)


async def test_accepted_and_dropped_until_it_is_repaired(sandbox: Sandbox) -> None:
    await sandbox.step(MORNING)
    fault_id = await sandbox.order("tax-990100", "accept_and_drop")
    assert (await send(sandbox, declaration("S-1")))[0] == 202
    await sandbox.step("2024-10-09T10:00:00+08:00")
    assert (await ask(sandbox, "S-1"))[1]["state"] == "received"
    repair = {"records_on": "2024-10-09T11:00:00+08:00"}
    repaired = await sandbox.control.post(f"/faults/{fault_id}/repair", json=repair)
    assert repaired.json() == {"fault_id": fault_id, "restored": 1}
    await sandbox.step("2024-10-09T11:00:00+08:00")
    assert (await ask(sandbox, "S-1"))[1]["verified_at"] == "2024-10-09T11:00:00+08:00"


async def test_verified_late(sandbox: Sandbox) -> None:
    await sandbox.step(MORNING)
    await sandbox.order("tax-990100", "record_late", params={"days": 2})
    await send(sandbox, declaration("S-1"))
    await sandbox.step("2024-10-10T11:59:00+08:00")
    assert (await ask(sandbox, "S-1"))[1]["state"] == "received"
    await sandbox.step("2024-10-10T12:00:00+08:00")
    assert (await ask(sandbox, "S-1"))[1]["state"] == "verified"


async def test_verified_on_another_base(sandbox: Sandbox) -> None:
    await sandbox.step(MORNING)
    await sandbox.order("tax-990100", "wrong_base", params={"delta": "500.00"})
    await send(sandbox, declaration("S-1"))
    await sandbox.step(VERIFIED)
    _, said = await ask(sandbox, "S-1")
    [shown] = said["lines"]
    assert (shown["AAE180"], shown["AAE020"], shown["AAE022"]) == ("10000.00", "800.00", "200.00")
    assert said["total"] == "1000.00"


async def test_only_some_insurances_are_verified(sandbox: Sandbox) -> None:
    await sandbox.step(MORNING)
    await sandbox.order("tax-990100", "only_insurances", insurances=["pension"])
    await send(sandbox, declaration("S-1", line(), PENSION))
    await sandbox.step(VERIFIED)
    _, said = await ask(sandbox, "S-1")
    assert [shown["AAE140"] for shown in said["lines"]] == ["110"]
    assert said["total"] == "2280.00"


async def test_the_verification_lists_lines_twice(sandbox: Sandbox) -> None:
    await sandbox.step(MORNING)
    await send(sandbox, declaration("S-1", line(), PENSION))
    await sandbox.step(VERIFIED)
    await sandbox.order("tax-990100", "answer_twice", insurances=["medical"])
    _, said = await ask(sandbox, "S-1")
    assert [shown["AAE140"] for shown in said["lines"]] == ["310", "310", "110"]
    assert said["total"] == "3230.00"


async def test_no_answer_before_it_takes_effect(sandbox: Sandbox) -> None:
    await sandbox.order("tax-990100", "timeout_before", params={"seconds": 0}, times=1)
    status, said = await send(sandbox, declaration("S-1"))
    assert (status, said["code"]) == (504, "NO_ANSWER")
    assert (await ask(sandbox, "S-1"))[0] == 404
    assert (await send(sandbox, declaration("S-1")))[0] == 202


async def test_no_answer_after_it_took_effect(sandbox: Sandbox) -> None:
    await sandbox.order("tax-990100", "timeout_after", params={"seconds": 0}, accounts=["A-1"])
    assert (await send(sandbox, declaration("S-1")))[0] == 504
    assert (await ask(sandbox, "S-1"))[1]["state"] == "received"
    assert (await send(sandbox, declaration("S-2", account_no="A-2")))[0] == 202


async def test_closed_between_two_moments(sandbox: Sandbox) -> None:
    until = "2024-10-13T00:00:00+08:00"
    await sandbox.order(
        "tax-990100", "closed", **{"from": "2024-10-10T00:00:00+08:00", "until": until}
    )
    assert (await ask(sandbox, "S-1"))[0] == 404
    await sandbox.step("2024-10-12T23:59:00+08:00")
    answer = await sandbox.collector.post("/tax-990100/declarations", json=declaration("S-1"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert (answer.json()["code"], answer.json()["until"]) == ("CLOSED", until)
    assert (await ask(sandbox, "S-1"))[0] == 503
    await sandbox.step(until)
    assert (await send(sandbox, declaration("S-1")))[0] == 202
